"""The nouns that travel on the wire, and how they are read back from JSON.

Encoding is ``dataclasses.asdict``. Decoding is written out per noun, because annotations of newer Python cannot be
evaluated by the old ones that vendors pin; a missing or unknown field raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelbench.backends.protocol import CompileJob, Feed
from accelbench.model import Compiled, Placement, Plan, Purpose, Stop, Target, TensorSpec
from accelbench.tensors import TensorSet, stack


@dataclass(frozen=True)
class Job:
    """A ``CompileJob`` as the host puts it: paths are absolute, calibration is the first ``calibration_count``
    samples of the tensor set in folder ``calibration``, stacked to ``batch`` when the task is ``batched``."""

    model: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    target: Target
    batch: int
    batched: bool
    purpose: Purpose | None
    work: str
    calibration: str | None = None
    calibration_count: int = 0


def job(fields: Mapping[str, Any]) -> Job:
    values = dict(fields)
    values["inputs"] = tuple(tensor_spec(item) for item in values["inputs"])
    values["outputs"] = tuple(tensor_spec(item) for item in values["outputs"])
    values["target"] = target(values["target"])
    return Job(**values)


def target(fields: Mapping[str, Any]) -> Target:
    return Target(**{**fields, "passes": tuple(fields["passes"])})


def compiled(fields: Mapping[str, Any]) -> Compiled:
    values = dict(fields)
    values["files"] = tuple(values["files"])
    values["placements"] = tuple(Placement(**{**item, "nodes": tuple(item["nodes"])}) for item in values["placements"])
    return Compiled(**values)


def plan(fields: Mapping[str, Any]) -> Plan:
    values = dict(fields)
    values["stop"] = Stop(**values["stop"])
    return Plan(**values)


def compile_job(asked: Job) -> CompileJob:
    """The job as the adapter gets it, with the calibration feeds in memory-mapped or stacked arrays."""
    feeds: list[Feed] = []
    if asked.calibration is not None:
        samples = TensorSet(Path(asked.calibration))[: asked.calibration_count]
        if asked.batched:
            starts = range(0, len(samples) - asked.batch + 1, asked.batch)
            feeds = [stack(samples[start : start + asked.batch]) for start in starts]
        else:
            feeds = samples
    return CompileJob(
        model=Path(asked.model),
        inputs=asked.inputs,
        outputs=asked.outputs,
        target=asked.target,
        batch=asked.batch,
        purpose=asked.purpose,
        work=Path(asked.work),
        calibration=feeds,
    )


def tensor_spec(fields: Mapping[str, Any]) -> TensorSpec:
    """A spec as JSON has it."""
    return TensorSpec(name=fields["name"], dtype=fields["dtype"], shape=tuple(fields["shape"]))
