from pathlib import Path

import pytest

from accelbench.bench import ANY_DEVICE
from accelbench.cli import targets as module
from accelbench.cli.settings import Settings
from accelbench.cli.targets import sides, targets
from accelbench.errors import UsageError


@pytest.fixture(autouse=True)
def two_are_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(module, "installed", lambda spec: spec.name in ("null", "onnxruntime"))


def test_every_installed_backend_but_the_harness_in_fp32() -> None:
    assert [
        (spec.name, target.backend, target.precision, target.device)
        for spec, target in targets([], None, [], Settings())
    ] == [("onnxruntime", "onnxruntime", "fp32", ANY_DEVICE)]


def test_backends_times_precisions_with_their_options() -> None:
    found = targets(["null", "onnxruntime"], "cpu", ["fp32", "int8"], Settings(("onnxruntime.threads=2",)))
    assert [(target.backend, target.precision, target.options.get("threads")) for _, target in found] == [
        ("null", "fp32", None),
        ("null", "int8", None),
        ("onnxruntime", "fp32", "2"),
        ("onnxruntime", "int8", "2"),
    ]
    assert {target.device for _, target in found} == {"cpu"}


def test_sides_name_backend_and_precision() -> None:
    found = sides(["onnxruntime", "onnxruntime:int8"], None, Settings(("onnxruntime.threads=1",)))
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
        sides(words, None, Settings())


def test_an_option_of_another_backend_is_refused() -> None:
    with pytest.raises(UsageError, match="openvino"):
        targets(["onnxruntime"], None, [], Settings(("openvino.threads=1",)))


def test_an_option_goes_to_the_precisions_that_it_is_about() -> None:
    settings = Settings(("onnxruntime.calibration=entropy", "onnxruntime.threads=1"))
    both = [{"threads": "1"}, {"threads": "1", "calibration": "entropy"}]
    assert [
        dict(target.options) for _, target in targets(["onnxruntime"], None, ["fp32", "int8-static"], settings)
    ] == both
    words = ["onnxruntime:int8-static", "onnxruntime"]
    assert [dict(target.options) for _, target in sides(words, None, settings)] == both[::-1]
    with pytest.raises(
        UsageError, match="calibration of backend onnxruntime needs precision to be int8-static; it is fp32"
    ):
        targets(["onnxruntime"], None, ["fp32"], settings)
