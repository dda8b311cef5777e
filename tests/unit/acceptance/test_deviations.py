from pathlib import Path

import pytest

from accelbench.acceptance.deviations import declared, read, stale
from accelbench.acceptance.operators import problems
from accelbench.acceptance.result import CaseResult
from accelbench.errors import UsageError

CASES = [
    CaseResult("test_dft", "DFT", 20, "wrong", "off"),
    CaseResult("test_dft_axis", "DFT", 20, "crashed", "SIGSEGV"),
    CaseResult("test_abs", "Abs", 13, "passed", ""),
]


def test_without_a_file_nothing_is_declared(tmp_path: Path) -> None:
    assert read(tmp_path) == {}
    assert problems(declared(CASES, {})) == ["1 wrong and not declared: test_dft", "1 crashed: test_dft_axis"]


def test_a_wrong_answer_can_be_declared_and_a_crash_cannot(tmp_path: Path) -> None:
    (tmp_path / "deviations.toml").write_text('"test_dft*" = "zeros are small"\n')
    found = declared(CASES, read(tmp_path))
    assert [case.declared for case in found] == ["zeros are small", None, None]
    assert problems(found) == ["1 crashed: test_dft_axis"]


def test_what_is_declared_for_nothing_is_told() -> None:
    assert stale(CASES, {"test_dft*": "a", "test_abs": "b", "test_gone": "c"}) == ["test_abs"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [('"test_dft" = ""', "it needs a reason"), ('"test_dft" = 1', "it needs a reason"), ("test", "as TOML")],
)
def test_a_file_of_another_form_is_an_error_that_names_it(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "deviations.toml").write_text(text)
    with pytest.raises(UsageError, match=rf"deviations\.toml.*{wrong}"):
        read(tmp_path)
