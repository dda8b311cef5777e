"""How a profile of ONNX Runtime is read; the two backends that write one each have the same reader."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from accelbench import backends

FOLDERS = [Path(backends.__path__[0]) / name for name in ("onnxruntime", "onnxruntime-openvino")]
Event = Mapping[str, Any]


@pytest.fixture
def profiled() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ort_profiled", FOLDERS[0] / "profiled.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ran(ts: int, dur: int) -> Event:
    return {"cat": "Session", "name": "model_run", "ts": ts, "dur": dur}


def kernel(name: str, ts: int, dur: int) -> Event:
    return {"cat": "Node", "name": f"{name}_kernel_time", "ts": ts, "dur": dur, "args": {"op_name": name}}


def names(events: Sequence[Event]) -> list[str]:
    return [str(event["args"]["op_name"]) for event in events]


@pytest.mark.parametrize("name", ["profiled.py", "bound.py"])
def test_both_folders_have_the_same_text(name: str) -> None:
    one, other = ((folder / name).read_bytes() for folder in FOLDERS)
    assert one == other, "a folder stands alone, but what both need is one text"


def test_only_kernels_of_the_last_runs_count(profiled: ModuleType) -> None:
    """Events stand where they ended: a run's after its kernels. What is no kernel is left out."""
    events = [
        {"cat": "Session", "name": "session_initialization", "ts": 0, "dur": 90},
        kernel("cold", 101, 50), ran(100, 60),
        kernel("a", 201, 10), {"cat": "Node", "name": "a_fence_before", "ts": 200, "dur": 0}, ran(200, 20),
        kernel("b", 301, 10), ran(300, 20),
    ]  # fmt: skip
    assert names(profiled.kernels(events)) == ["cold", "a", "b"]
    assert names(profiled.last_runs(events, 2)) == ["a", "b"]
    assert names(profiled.last_runs(events, 1)) == ["b"]


@pytest.mark.parametrize("runs", [0, 3])
def test_a_profile_that_has_not_all_runs_is_an_error(profiled: ModuleType, runs: int) -> None:
    with pytest.raises(RuntimeError, match=f"has 2 runs, not {runs}: it ran full"):
        profiled.last_runs([ran(100, 60), ran(200, 60)], runs)


def test_time_within_a_kernel_is_that_of_the_inner_ones_alone(profiled: ModuleType) -> None:
    """A loop of 100 µs with a branch of 60 within, that with two kernels of 10 and 30; then one by itself."""
    events = [
        kernel("c", 20, 10), kernel("d", 40, 30), kernel("branch", 15, 60), kernel("e", 80, 5), kernel("loop", 10, 100),
        kernel("alone", 120, 7),
    ]  # fmt: skip
    assert profiled.own_us(events) == [10, 30, 20, 5, 35, 7]


def test_rounded_times_never_go_below_nothing(profiled: ModuleType) -> None:
    assert profiled.own_us([kernel("in", 10, 3), kernel("out", 10, 2)]) == [3, 0]
