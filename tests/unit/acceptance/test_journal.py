"""What an interrupted check leaves, and what the next one makes of it."""

from pathlib import Path

import pytest

from accelbench.acceptance.journal import Journal, journal
from accelbench.acceptance.result import PartResult, TaskResult
from accelbench.errors import UsageError

ABOUT = {"backend": "stub", "options": {"threads": "2"}}
PART = PartResult("leak", "failed", ("memory grew",), ("seen",), 1.5)
TASK = TaskResult("digits-cnn", "within", "", 1e-7)


def written(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), journal(path, ABOUT, "then") as found:
        assert found.known == ""
        found.part(PART)
        found.begin("operators")
        found.case("test_add", "passed", "")
        found.case("test_mul", "wrong", "off by 2\u2009%")
        found.begin("tasks")
        found.task(TASK)
        raise KeyboardInterrupt


def test_what_was_found_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "found.json.partial"
    written(path)
    kept = path.read_bytes()
    with journal(path, ABOUT, "now") as found:
        assert found.created == "then"
        assert found.parts == {"leak": PART}
        assert found.cases == {"test_add": ("passed", ""), "test_mul": ("wrong", "off by 2\u2009%")}
        assert found.tasks == {"digits-cnn": TASK}
        assert found.known == "1 parts, 2 cases, 1 tasks"
        found.begin("operators")
        found.case("test_sub", "hung", "long")
    assert path.read_bytes().startswith(kept)
    with journal(path, ABOUT, "later") as found:
        assert list(found.cases) == ["test_add", "test_mul", "test_sub"]


def test_seconds_add_up_over_sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("accelbench.acceptance.journal.time.monotonic", lambda: now[0])
    path = tmp_path / "partial"
    for sitting in (1, 2):
        with journal(path, ABOUT, "now") as found:
            found.begin("operators")
            now[0] += 10.0
            found.case(f"test_{sitting}", "passed", "")
            now[0] += 5.0
    with journal(path, ABOUT, "now") as found:
        found.begin("operators")
        found.begin("leak")
        now[0] += 1.0
        assert found.seconds("operators") == 21.0
        assert found.seconds("leak") == 1.0


def test_a_line_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "partial"
    written(path)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"case": ["test_sub", "pas')
    with journal(path, ABOUT, "now") as found:
        assert len(found.cases) == 2
        found.begin("operators")
        found.case("test_sub", "passed", "")
    with journal(path, ABOUT, "now") as found:
        assert len(found.cases) == 3
    path.write_bytes(b'{"crea')
    with journal(path, ABOUT, "now") as found:
        assert (found.known, found.created) == ("", "now")


@pytest.mark.parametrize("text", ["[1]\n", "notes\n", '{"other": 1}\n', "17\n"])
def test_another_file_is_not_touched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "partial"
    path.write_text(text)
    with pytest.raises(UsageError, match="is not what an interrupted check leaves"), journal(path, ABOUT, "now"):
        pass
    assert path.read_text() == text


def test_another_check_is_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "partial"
    written(path)
    other = {**ABOUT, "options": {}}
    with pytest.raises(UsageError, match="remove it or choose another -o"), journal(path, other, "now"):
        pass


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    with journal(None, ABOUT, "now") as found:
        assert isinstance(found, Journal)
        found.begin("operators")
        found.case("test_add", "passed", "")
    assert list(tmp_path.iterdir()) == []
