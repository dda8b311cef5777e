"""What became of a model on its way to a session, told by the runtime and not by the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accelbench.model.plan import Purpose
from accelbench.model.strict import STRICT


@dataclass(frozen=True)
class Contents:
    """What was counted in the weights of a model file that can be read: how many values of each type, and how many of
    all are zero."""

    __pydantic_config__ = STRICT

    values: Mapping[str, int]
    zeros: int

    @property
    def sparsity(self) -> float:
        """The share of zeros."""
        return self.zeros / sum(self.values.values())


@dataclass(frozen=True)
class Artifact:
    """A model file in its chain of custody: ``parent`` is the sha256 of the artifact that it was made from,
    ``contents`` what was counted in it; None for a format that cannot be read."""

    __pydantic_config__ = STRICT

    name: str
    sha256: str
    format: str
    size_bytes: int
    maker: str
    precision: str | None = None
    parent: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    contents: Contents | None = None


@dataclass(frozen=True)
class Placement:
    """Kernels that the runtime reports: ``count`` of operator ``op`` on ``device`` in ``precision``. ``nodes`` are
    the names of the source graph's nodes that they carry out, as far as the runtime tells."""

    __pydantic_config__ = STRICT

    op: str
    device: str
    precision: str
    count: int = 1
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpTime:
    """A kernel as the stack's own profiler tells it: operator ``op``, called ``name`` there, on ``device`` in
    ``precision``; ``ns`` are the nanoseconds, by the stack's clock, that its ``calls`` of one run of the model took,
    both the means over several runs. ``nodes`` are the names of the source graph's nodes that it carries out, as far
    as the runtime tells. Time of kernels within it belongs to those alone."""

    __pydantic_config__ = STRICT

    op: str
    name: str
    device: str
    precision: str
    ns: float
    calls: float = 1.0
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """What compiling did, told by the runtime and not by the request.

    ``files`` are what ``load`` needs, relative to the work folder. ``executed_precision`` is the precision in which
    the bulk of the arithmetic runs. ``placements`` is empty where the runtime does not tell. ``concurrency`` is how
    many queries in flight the stack asks for; ``settings`` every setting in effect that a reader may want to know.
    """

    __pydantic_config__ = STRICT

    files: tuple[str, ...]
    format: str
    executed_precision: str
    placements: tuple[Placement, ...] = ()
    concurrency: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Coverage:
    """Share of the source graph's nodes, and of its FLOPs, that run on the target's device; the rest fell back."""

    __pydantic_config__ = STRICT

    nodes: float | None
    flops: float | None
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """Settings that a stack's tuner tried, and the seconds that a sample took with them by the tuner's own clock; None:
    they did not work."""

    __pydantic_config__ = STRICT

    settings: Mapping[str, str]
    seconds: float | None


@dataclass(frozen=True)
class Tuning:
    """What a stack's own tuner did before compiling, by its own account and its own clock.

    ``means`` says in a few words how it tuned. Of ``trials`` settings those worth telling are ``compared``: the first
    is the stack untuned, the last what is chosen, where something is. ``chosen`` are options of the backend, in the
    words of a target, which compiling and loading got beside those that were asked for; what else it settled is in
    files that compiling took. ``finished``: it came to its own end before the time was over.
    """

    __pydantic_config__ = STRICT

    means: str
    trials: int
    compared: tuple[Trial, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    finished: bool = True


@dataclass(frozen=True)
class Build:
    """One compiled form: for one batch and one purpose (``None``: the stack does not tell them apart). ``tune_s`` are
    the seconds that its ``tuning`` took before; None: it was not tuned."""

    __pydantic_config__ = STRICT

    batch: int
    purpose: Purpose | None
    compile_s: float
    load_s: float | None
    compiled: Compiled
    coverage: Coverage
    artifacts: tuple[Artifact, ...]
    tune_s: float | None = None
    tuning: Tuning | None = None
