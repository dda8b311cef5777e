"""What an acceptance test found. It is stored and printed as JSON, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "wrong", "unsupported", "raised", "crashed", "hung", "not expressible"]
OUTCOMES: tuple[Outcome, ...] = ("passed", "wrong", "unsupported", "raised", "crashed", "hung", "not expressible")


@dataclass(frozen=True)
class PartResult:
    """One part. ``reasons``: what failed, or why the part was skipped; ``remarks``: what was seen and is no fault."""

    part: str
    outcome: Literal["passed", "failed", "skipped"]
    reasons: tuple[str, ...]
    remarks: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class CaseResult:
    """One of the ONNX project's node cases. ``operator`` has its domain before it unless that is ONNX's own, ``opset``
    is the version of that domain. ``raised`` is an error other than ``Unsupported``; ``not expressible`` is no fault of
    the stack: the contract has no way for the case, or it has no one right answer. ``declared``: the reason that the
    backend's maker gives for a wrong answer."""

    case: str
    operator: str
    opset: int
    outcome: Outcome
    detail: str
    declared: str | None = None


@dataclass(frozen=True)
class TaskResult:
    """A task of the zoo, compiled and run whole. ``within`` is what a report would say of its outputs."""

    task: str
    outcome: Literal["within", "out", "unsupported", "failed", "skipped"]
    detail: str
    relative_l2: float | None = None


@dataclass(frozen=True)
class Acceptance:
    """A whole check. ``onnx`` is the version of the package that the cases come from."""

    backend: str
    version: str
    title: str
    untested: bool
    device: str
    precision: str
    options: Mapping[str, str]
    adapter_sha256: str
    lock_sha256: str | None
    accelbench: str
    onnx: str
    created: str
    parts: tuple[PartResult, ...]
    cases: tuple[CaseResult, ...]
    tasks: tuple[TaskResult, ...]

    @property
    def passed(self) -> bool:
        return all(part.outcome != "failed" for part in self.parts)
