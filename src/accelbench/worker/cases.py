"""Many small models one after the other: compiled, loaded, run and held against their own outputs. Not timed.

A folder of cases has ``index.json``, an object from each case's name to its ``Case``, and for each case a folder of
that name with ``model.onnx`` and ``data.npz``: the arrays ``i0``, ``i1`` … are its inputs, ``o0``, ``o1`` … outputs.

What happens is appended to a log, a line of JSON each time a case begins or ends, so that a host that sees this process
die or stand still knows at which case.
"""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from accelbench.backends.protocol import Backend, CompileJob, Feed, Outputs
from accelbench.errors import Unsupported
from accelbench.model import Purpose, Target, TensorSpec
from accelbench.tensors import Array
from accelbench.worker.jobs import tensor_spec

INDEX = "index.json"
MODEL = "model.onnx"
DATA = "data.npz"
DETAIL = 300
"""About so many characters of what was wrong are kept."""


@dataclass(frozen=True)
class Case:
    """``rtol`` and ``atol`` as NumPy's ``allclose`` takes them."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    rtol: float
    atol: float


def run_cases(
    backend: Backend,
    folder: Path,
    names: Sequence[str],
    target: Target,
    purpose: Purpose | None,
    work: Path,
    log: Path,
) -> None:
    """Run the cases in this order; ``work`` is an empty folder. Each ends as ``passed``, ``wrong``, ``unsupported`` or
    ``raised``, and its line in the log says why."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    with log.open("a", encoding="utf-8") as file:
        for name in names:
            _note(file, {"case": name})
            room = work / "case"
            room.mkdir()
            try:
                wrong = _run(backend, folder / name, case_of(index[name]), target, purpose, room)
                outcome, detail = ("wrong", wrong) if wrong else ("passed", "")
            except Unsupported as finding:
                outcome, detail = "unsupported", str(finding)
            except (Exception, SystemExit) as error:
                outcome, detail = "raised", f"{type(error).__name__}: {error}"
            detail = detail.replace(str(folder / name), "case").replace(str(room), "work")
            _note(file, {"case": name, "outcome": outcome, "detail": _short(detail)})
            shutil.rmtree(room, ignore_errors=True)
            gc.collect(0)


def case_of(fields: Mapping[str, Any]) -> Case:
    """The case that an entry of the index describes."""
    return Case(
        inputs=tuple(tensor_spec(item) for item in fields["inputs"]),
        outputs=tuple(tensor_spec(item) for item in fields["outputs"]),
        rtol=fields["rtol"],
        atol=fields["atol"],
    )


def difference(wanted: Outputs, got: Outputs, rtol: float, atol: float) -> str:
    """What is wrong with ``got``, in words; empty where names, shapes and types are those wanted and all values are
    within |got − wanted| ≤ atol + rtol·|wanted|, NaN where NaN is wanted."""
    missing = sorted(set(wanted) - set(got))
    if missing:
        return f"output {missing[0]} is missing"
    for name, want in wanted.items():
        value = np.asarray(got[name])
        if value.shape != want.shape:
            return f"output {name} has shape {list(value.shape)}, not {list(want.shape)}"
        if value.dtype != want.dtype:
            return f"output {name} is {value.dtype.name}, not {want.dtype.name}"
        far = _far(want, value, rtol, atol)
        if far.any():
            first = tuple(int(place) for place in np.argwhere(far)[0])
            return (
                f"output {name}: {int(far.sum())} of {far.size} values are off, "
                f"the first at {list(first)} is {value[first]}, not {want[first]}"
            )
    return ""


def _run(backend: Backend, place: Path, case: Case, target: Target, purpose: Purpose | None, room: Path) -> str:
    with np.load(place / DATA, allow_pickle=False) as data:
        feed: Feed = {spec.name: data[f"i{i}"] for i, spec in enumerate(case.inputs)}
        wanted: Outputs = {spec.name: data[f"o{i}"] for i, spec in enumerate(case.outputs)}
    job = CompileJob(
        model=place / MODEL,
        inputs=case.inputs,
        outputs=case.outputs,
        target=target,
        batch=1,
        purpose=purpose,
        work=room,
        calibration=(feed,),
    )
    session = backend.load(backend.compile(job), job)
    try:
        return difference(wanted, session.run(feed), case.rtol, case.atol)
    finally:
        session.close()


def _far(want: Array, value: Array, rtol: float, atol: float) -> Array:
    if want.dtype.kind in "iuf":
        want, value = want.astype(np.float64), value.astype(np.float64)
    with np.errstate(all="ignore"):
        return ~np.asarray(np.isclose(value, want, rtol=rtol, atol=atol, equal_nan=want.dtype.kind in "fc"))


def _short(text: str) -> str:
    """One line, without the middle where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= DETAIL else f"{line[: DETAIL // 3]} … {line[-2 * DETAIL // 3 :]}"


def _note(file: TextIO, line: Mapping[str, str]) -> None:
    file.write(json.dumps(line) + "\n")
    file.flush()
