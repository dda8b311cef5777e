"""What a task is evaluated on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accelbench.model.strict import STRICT


@dataclass(frozen=True)
class Target:
    """What a task is evaluated on. ``precision`` is what is asked for: ``fp32``, ``bf16``, ``fp16``, ``int8``
    (dynamic) or ``int8-static`` (calibrated). ``passes`` are what is done to the model before the stack gets it
    (``accelbench.passes``), in order. ``tune_s`` are the seconds that the stack may tune each compiled form for, by its
    own means; None: not at all."""

    __pydantic_config__ = STRICT

    backend: str
    device: str
    precision: str
    options: Mapping[str, str] = field(default_factory=dict)
    passes: tuple[str, ...] = ()
    tune_s: float | None = None


@dataclass(frozen=True)
class DeviceInfo:
    """A device as its runtime describes it: ``id`` is what a target names, ``properties`` what else it tells."""

    __pydantic_config__ = STRICT

    id: str
    name: str
    properties: Mapping[str, str] = field(default_factory=dict)
