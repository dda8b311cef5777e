from pathlib import Path

import pytest

from accelbench.bench import ANY_DEVICE
from accelbench.cli import targets as module
from accelbench.cli.targets import sides, targets
from accelbench.errors import UsageError


@pytest.fixture(autouse=True)
def two_are_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(module, "installed", lambda spec: spec.name in ("null", "onnxruntime"))


def test_every_installed_backend_but_the_harness_in_fp32() -> None:
    assert [
        (spec.name, target.backend, target.precision, target.device) for spec, target in targets([], None, [], {})
    ] == [("onnxruntime", "onnxruntime", "fp32", ANY_DEVICE)]


def test_backends_times_precisions_with_their_options() -> None:
    found = targets(["null", "onnxruntime"], "cpu", ["fp32", "int8"], {"onnxruntime": {"threads": "2"}})
    assert [(target.backend, target.precision, target.options.get("threads")) for _, target in found] == [
        ("null", "fp32", None),
        ("null", "int8", None),
        ("onnxruntime", "fp32", "2"),
        ("onnxruntime", "int8", "2"),
    ]
    assert {target.device for _, target in found} == {"cpu"}


def test_sides_name_backend_and_precision() -> None:
    found = sides(["onnxruntime", "onnxruntime:int8"], None, {"onnxruntime": {"threads": "1"}})
    assert [(target.backend, target.precision) for _, target in found] == [
        ("onnxruntime", "fp32"),
        ("onnxruntime", "int8"),
    ]
    assert {target.options["threads"] for _, target in found} == {"1"}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["onnxruntime", "openvino"], "backend install openvino"),
        (["onnxruntime", "onnxruntim"], "onnxruntime"),
        (["onnxruntime", "onnxruntime:"], "precision"),
        (["onnxruntime", "onnxruntime:int9"], "int8"),
    ],
)
def test_sides_that_cannot_be(words: list[str], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        sides(words, None, {})


def test_an_option_of_another_backend_is_refused() -> None:
    with pytest.raises(UsageError, match="openvino"):
        targets(["onnxruntime"], None, [], {"openvino": {"threads": "1"}})
