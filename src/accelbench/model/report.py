"""All that happened when one task met one target, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from accelbench.model.compiled import Artifact, Build
from accelbench.model.measured import Compliance, LoadGen, Measurement
from accelbench.model.quality import Quality
from accelbench.model.strict import STRICT
from accelbench.model.target import DeviceInfo, Target
from accelbench.model.task import Domain, Tier, Tolerance

Effort = Literal["quick", "standard", "submission"]
Status = Literal["ok", "failed", "unsupported"]

REPORT_SCHEMA = 2
"""Version of the report's stored form. 1: first. 2: the adapter's source among the files; the host's distribution,
firmware, drivers and container; compliance."""


@dataclass(frozen=True)
class Weights:
    """Which weights were used: the kind of the source, the sha256 over names, types, shapes and bytes, how many
    parameters, and where they came from in words."""

    __pydantic_config__ = STRICT

    kind: Literal["shipped", "local", "hub", "package", "seeded", "model"]
    sha256: str
    parameters: int
    detail: str


@dataclass(frozen=True)
class DatasetFacts:
    """The real data that a task was evaluated on: its name, the sha256 over what was read, how many ``items``
    (pictures, questions) of it were used and how many ``records`` the model was fed with. ``loader`` and ``options``
    say how they were made, with the tokeniser of ``tokenizer_sha256`` where there was one. ``scored``: whether accuracy
    means something, which it does not for seeded weights."""

    __pydantic_config__ = STRICT

    name: str
    sha256: str
    items: int
    records: int
    loader: str
    options: Mapping[str, int | float | str | bool]
    tokenizer_sha256: str | None
    scored: bool


@dataclass(frozen=True)
class Stage:
    """A step of the host's, beside the model's latency and never in it: ``load`` (read and decode an item),
    ``preprocess`` or ``postprocess``. ``ns`` has the time of each item that was timed, one after another in one
    thread."""

    __pydantic_config__ = STRICT

    name: Literal["load", "preprocess", "postprocess"]
    ns: tuple[int, ...]


@dataclass(frozen=True)
class TaskFacts:
    """What a report says of its task. ``hash`` is over graph, moments, feeds and metric; ``roster`` is the list that
    gives it its tier, None for a task that is in none."""

    __pydantic_config__ = STRICT

    id: str
    version: int
    tier: Tier
    domain: Domain
    hash: str
    flops: int | None
    feeds_sha256: str | None
    roster: str | None = None


@dataclass(frozen=True)
class Host:
    """Facts of the machine that no person can be known by.

    ``cpu_flags``: those instruction sets that decide on speed and numerics. ``logical_cpus``: those that this process
    may use; ``cpu_limit``: how many of them a container's quota leaves it. ``governor``: of the first CPU's frequency.
    ``drivers``: versions of the kernel modules that drive accelerators. ``container``: the digest of the image, where
    it is known.
    """

    __pydantic_config__ = STRICT

    os: str
    kernel: str
    machine: str
    cpu: str | None
    cpu_flags: tuple[str, ...]
    logical_cpus: int
    memory_bytes: int | None
    python: str
    cpu_limit: float | None = None
    governor: str | None = None
    microcode: str | None = None
    distribution: str | None = None
    firmware: str | None = None
    drivers: Mapping[str, str] = field(default_factory=dict)
    container: str | None = None


@dataclass(frozen=True)
class Environment:
    """The backend's environment: its kind, Python, every installed package, the sha256 of lock and adapter, and what
    the backend's probes said (driver, SDK). Of a lock that names people or places ``lock_sha256`` is that of the copy
    among the report's files, where it does not."""

    __pydantic_config__ = STRICT

    kind: Literal["venv", "system"]
    python: str
    packages: Mapping[str, str]
    lock_sha256: str | None
    adapter_sha256: str
    probes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Harness:
    """What the harness itself costs on this host, as ``accelbench self-test`` found it: when, with which version, and
    every run's figure by name (``measure.selftest.figures``; ns, queries per second, and ratios)."""

    __pydantic_config__ = STRICT

    measured: str
    accelbench: str
    runs: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Report:
    """All that happened when one task, with one set of weights, met one target."""

    __pydantic_config__ = STRICT

    schema: int
    id: str
    created: str
    accelbench: str
    command: tuple[str, ...]
    effort: Effort
    status: Status
    reasons: tuple[str, ...]
    task: TaskFacts
    weights: Weights | None
    target: Target
    tolerance: Tolerance
    untested: bool
    device: DeviceInfo | None
    host: Host
    environment: Environment | None
    chain: tuple[Artifact, ...]
    builds: tuple[Build, ...]
    quality: Quality | None
    measurements: tuple[Measurement, ...]
    files: Mapping[str, str]
    loadgen: tuple[LoadGen, ...] = ()
    harness: Harness | None = None
    data: DatasetFacts | None = None
    stages: tuple[Stage, ...] = ()
    compliance: tuple[Compliance, ...] = ()
