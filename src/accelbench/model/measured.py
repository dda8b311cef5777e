"""What was seen while a session was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from accelbench.model.plan import Plan
from accelbench.model.strict import STRICT

StopReason = Literal["interval", "modes", "time", "queries", "feeds", "error", "interrupted"]


@dataclass(frozen=True)
class Audit:
    """The harness's own evidence about one timed pass.

    ``canary_ns``: how late short sleeps between blocks ended (5 ms: somebody holds the GIL). ``calibration_before_ns``
    and ``calibration_after_ns``: a fixed kernel on all cores, repeated. ``overhead_ns``: the loop's own cost per query
    on this host (null session). ``steal_ns``: CPU time stolen by the hypervisor during the pass, where readable.
    ``rss_before_bytes``/``rss_after_bytes``: the worker's resident memory after the warm-up, and after the pass
    without the outputs that the harness kept.
    """

    __pydantic_config__ = STRICT

    canary_ns: tuple[int, ...] = ()
    calibration_before_ns: tuple[int, ...] = ()
    calibration_after_ns: tuple[int, ...] = ()
    overhead_ns: float | None = None
    spin_share: float | None = None
    steal_ns: int | None = None
    rss_before_bytes: int | None = None
    rss_after_bytes: int | None = None


@dataclass(frozen=True)
class Integrity:
    """What the checks against cheating and carelessness saw in one timed pass.

    ``checked`` timed queries, chosen at random, had their outputs kept; ``worst_relative_l2`` is their largest
    distance from the accuracy pass's outputs of the same feed (``None``: another shape, or NaN where those have
    none — then ``mismatched`` counts it). ``seen_ns``/``unseen_ns``: interleaved times of feeds that were timed
    before and of fresh ones.
    """

    __pydantic_config__ = STRICT

    checked: int
    mismatched: int
    worst_relative_l2: float | None
    seen_ns: tuple[int, ...] = ()
    unseen_ns: tuple[int, ...] = ()


@dataclass(frozen=True)
class Measurement:
    """One timed pass. ``columns`` is the folder, relative to the report, with one row per query: scheduled, issued,
    done (ns since the pass began), units (samples), ok, feed. ``began_ns`` is the monotonic clock's reading then,
    which orders the passes of a report; ``telemetry`` the file with what the host told of itself meanwhile.
    ``batch_sizes`` counts the batches of the harness's dynamic batching by the queries in them; None without it.
    ``schedule_sha256`` is the hash of the arrivals that a ``server`` pass was to follow (``measure.arrivals``),
    ``trace`` the file with those that the plan's trace tells."""

    __pydantic_config__ = STRICT

    plan: Plan
    columns: str
    queries: int
    stop_reason: StopReason
    concurrency: int
    warmup_queries: int
    warmup_s: float
    stationary: bool
    audit: Audit
    integrity: Integrity | None = None
    errors: tuple[str, ...] = ()
    began_ns: int | None = None
    telemetry: str | None = None
    batch_sizes: Mapping[str, int] | None = None
    schedule_sha256: str | None = None
    trace: str | None = None


@dataclass(frozen=True)
class Compliance:
    """The timed pass at position ``of`` in the report once more, under a ``seed`` that was drawn while the run went on.

    Its samples were drawn with that seed too, so that no stack can have met them: ``samples_sha256`` is the hash over
    them, None where the subject's samples are given and cannot be drawn anew. The outputs of ``measurement`` are held
    against an accuracy pass over the same samples.
    """

    __pydantic_config__ = STRICT

    of: int
    seed: int
    samples_sha256: str | None
    measurement: Measurement


@dataclass(frozen=True)
class LoadGen:
    """One run of the same session under MLPerf's LoadGen, beside the timed pass of ``plan``: another clock than ours.

    ``figures`` are the numbers of its summary under the names that it prints, units included; ``settings`` are those
    that it calls effective, ``valid`` is its own verdict, ``complaints`` its reason against, errors and warnings.
    ``samples`` is how many of the task's samples one sample of LoadGen stands for. ``expected_ns`` and
    ``expected_rate`` are what a warm-up of ours told it to expect. ``reasons`` say why we do not accept the run,
    whatever its verdict: the session raised, the process crashed or hung. ``logs`` is the folder, relative to the
    report, with what it wrote.
    """

    __pydantic_config__ = STRICT

    plan: Plan
    version: str | None
    valid: bool | None
    reasons: tuple[str, ...]
    samples: int
    queries: int | None
    expected_ns: float | None
    expected_rate: float | None
    figures: Mapping[str, float]
    settings: Mapping[str, str]
    complaints: tuple[str, ...]
    logs: str
