import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.unit.worker.fakes import FakeSession

from accelbench.backends.protocol import CompileJob
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo, Target, TensorSpec
from accelbench.tensors import Array, Record
from accelbench.worker.cases import case_of, difference, run_cases

ONES = np.ones((1, 2), np.float32)
TARGET = Target("fake", "cpu", "fp32")


class Doubles:
    """A backend that doubles, and fails as the name of the case says."""

    def devices(self) -> list[DeviceInfo]:
        return []

    def compile(self, job: CompileJob) -> Compiled:
        name = job.model.parent.name
        assert list(job.work.iterdir()) == []
        (job.work / "left").write_text(name)
        if name == "refused":
            raise Unsupported("operator\nX")
        if name == "raises":
            raise ValueError(f"{job.model} is odd")
        return Compiled((name,), "fake", "fp32")

    def load(self, compiled: Compiled, job: CompileJob) -> FakeSession:  # noqa: ARG002
        def work(feed: Record) -> dict[str, Array]:
            if compiled.files == ("exits",):
                raise SystemExit(3)
            return {"y": feed["x"] * (3 if compiled.files == ("off",) else 2)}

        return FakeSession(work)


def cases(folder: Path, names: list[str]) -> None:
    row = {
        "inputs": [{"name": "x", "dtype": "float32", "shape": [1, 2]}],
        "outputs": [{"name": "y", "dtype": "float32", "shape": [1, 2]}],
        "rtol": 1e-3,
        "atol": 1e-7,
    }
    for name in names:
        (folder / name).mkdir(parents=True)
        np.savez(folder / name / "data.npz", i0=ONES, o0=2 * ONES)
    (folder / "index.json").write_text(json.dumps(dict.fromkeys(names, row)))


def test_every_case_has_an_outcome_and_the_log_tells_when_it_began(tmp_path: Path) -> None:
    names = ["good", "off", "refused", "raises", "exits", "good2"]
    cases(tmp_path / "cases", names)
    (tmp_path / "work").mkdir()
    run_cases(Doubles(), tmp_path / "cases", names, TARGET, None, tmp_path / "work", tmp_path / "log")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["case"] for line in lines[::2]] == names
    assert lines[0] == {"case": "good"}
    assert {line["case"]: (line["outcome"], line["detail"]) for line in lines[1::2]} == {
        "good": ("passed", ""),
        "off": ("wrong", "output y: 2 of 2 values are off, the first at [0, 0] is 3.0, not 2.0"),
        "refused": ("unsupported", "operator X"),
        "raises": ("raised", "ValueError: case/model.onnx is odd"),
        "exits": ("raised", "SystemExit: 3"),
        "good2": ("passed", ""),
    }
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("got", "text"),
    [
        ({"y": ONES}, ""),
        ({"y": ONES * 1.0009}, ""),
        ({"y": ONES * 1.01}, "output y: 2 of 2 values are off, the first at [0, 0] is 1.00"),
        ({}, "output y is missing"),
        ({"y": ONES[0]}, "output y has shape [2], not [1, 2]"),
        ({"y": ONES.astype(np.float64)}, "output y is float64, not float32"),
        ({"y": ONES * np.nan}, "output y: 2 of 2 values are off, the first at [0, 0] is nan, not 1.0"),
    ],
)
def test_a_difference_is_told(got: Mapping[str, Array], text: str) -> None:
    assert difference({"y": ONES}, got, 1e-3, 1e-7).startswith(text)
    assert bool(difference({"y": ONES}, got, 1e-3, 1e-7)) == bool(text)


def test_nan_infinity_integers_truth_and_complex_numbers_are_compared() -> None:
    for same in (
        np.array([np.nan, np.inf, -np.inf]),
        np.array([2**63 - 1]),
        np.array([0, 255], np.uint8),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.zeros((0, 3), np.float16),
    ):
        assert difference({"y": same}, {"y": same.copy()}, 1e-3, 1e-7) == ""
    for one, other in (
        (np.array([np.inf]), np.array([-np.inf])),
        (np.array([np.inf]), np.array([3e38])),
        (np.array([0], np.uint8), np.array([255], np.uint8)),
        (np.array([True]), np.array([False])),
        (np.array([1 + 2j]), np.array([1 - 2j])),
    ):
        assert "1 of 1 values are off" in difference({"y": one}, {"y": other}, 1e-3, 1e-7)


def test_a_case_is_read_from_its_entry() -> None:
    spec = {"name": "x", "dtype": "int8", "shape": [2]}
    case = case_of({"inputs": [spec], "outputs": [], "rtol": 0.1, "atol": 0.2, "operator": "Abs"})
    assert (case.inputs, case.outputs, case.rtol, case.atol) == ((TensorSpec("x", "int8", (2,)),), (), 0.1, 0.2)
