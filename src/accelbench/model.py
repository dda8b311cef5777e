"""The nouns of accelbench: frozen records that every floor shares.

They hold what happened; whatever can be computed (percentiles, verdicts, validity, cost) is computed from them when
they are read. Times are integer nanoseconds in columns and seconds in fields that end in ``_s``; sizes end in
``_bytes``. ``None`` means *not known* or *not measured*, never zero.

This module runs inside vendors' environments too: standard library only, Python 3.9 syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

Dim = Union[int, str]
Tier = Literal["regular", "popular", "frontier", "smoke", "op", "user"]
Domain = Literal["vision", "language", "recommendation", "speech", "multimodal", "generative", "any"]
Scenario = Literal["single_stream", "multi_stream", "server", "offline", "closed_loop"]
Purpose = Literal["latency", "throughput"]
Effort = Literal["quick", "standard", "submission"]
Status = Literal["ok", "failed", "unsupported"]
Verdict = Literal["within", "out", "unknown"]
StopReason = Literal["interval", "modes", "time", "queries", "feeds", "error", "interrupted"]

STRICT = {"extra": "forbid", "strict": True, "allow_inf_nan": False}
"""How the host's codec reads every noun: an unknown or mistyped field is an error with its path."""

REPORT_SCHEMA = 1
"""Version of the report's stored form. 1: first."""


@dataclass(frozen=True)
class TensorSpec:
    """Name, NumPy dtype name and shape of a tensor. A string in ``shape`` is a symbolic dimension."""

    __pydantic_config__ = STRICT

    name: str
    dtype: str
    shape: tuple[Dim, ...]


# --- what is evaluated -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WeightSource:
    """One place that a task's weights can come from; a task lists them in the order of preference.

    ``kind`` is ``shipped`` (``file`` beside the task), ``local`` (a safetensors file that the user names), ``hub``
    (``repo`` at ``revision``, file ``file``, checked against ``sha256``), ``package`` (the same of package ``repo`` of
    the Python index in version ``revision``), ``seeded`` (drawn from ``seed`` with the moments in ``file``) or
    ``model`` (inside the user's own ONNX file).
    """

    __pydantic_config__ = STRICT

    kind: Literal["shipped", "local", "hub", "package", "seeded", "model"]
    file: str | None = None
    sha256: str | None = None
    repo: str | None = None
    revision: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Dataset:
    """Where a task's samples come from: a generator or loader by its ``kind``, ``count`` samples, a ``seed``.

    ``labelled`` tells whether labels mean something for the weights in use (never for seeded ones).
    """

    __pydantic_config__ = STRICT

    kind: str
    count: int
    seed: int = 0
    file: str | None = None
    sha256: str | None = None
    options: Mapping[str, int | float | str | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """How outputs become accuracy: ``name`` (``top1``, ``span``, ``auc``, ``zero_shot``,
    ``retrieval``, ``detections``, ``none``), and the outputs that it reads."""

    __pydantic_config__ = STRICT

    name: Literal["top1", "span", "auc", "zero_shot", "retrieval", "detections", "none"]
    outputs: tuple[str, ...] = ()
    target: float | None = None


@dataclass(frozen=True)
class RealData:
    """The real data set that a task can be judged on where the user has it: the ``loader`` of ``zoo.datasets`` that
    reads it, and its options.

    Not part of the task's hash: the task runs without it, and a report on real data has facts of what was read.
    """

    __pydantic_config__ = STRICT

    loader: str
    options: Mapping[str, int | float | str | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Tolerance:
    """What a business tolerates. Each limit is checked where it is given; without any the verdict is ``unknown``.

    ``max_relative_l2`` and ``min_sqnr_db`` bound the drift of the worst output, ``min_accuracy`` the metric's value
    and ``min_agreement`` the share of samples on which the decision equals the reference's.
    """

    __pydantic_config__ = STRICT

    max_relative_l2: float | None = None
    min_sqnr_db: float | None = None
    min_accuracy: float | None = None
    min_agreement: float | None = None


@dataclass(frozen=True)
class Stop:
    """When a timed pass ends: the interval of ``statistic`` is within ``ci_target`` (a ratio: half width ÷ value),
    or ``max_s`` seconds or ``max_queries`` queries are reached; never before ``min_s``."""

    __pydantic_config__ = STRICT

    max_s: float
    min_s: float = 0.0
    statistic: str = "p50"
    ci_target: float | None = None
    max_queries: int | None = None


@dataclass(frozen=True)
class Plan:
    """One timed pass: how queries arrive and when it stops. ``rate`` is queries per second and
    ``burst`` how many of them arrive together (``server`` only),
    ``concurrency`` the queries in flight (``None``: what the stack asks for), ``latency_bound_s`` with its
    ``statistic`` in ``stop`` the bound that must hold.

    ``instances`` of the session divide the cores and the queries between them. With ``max_batch`` the harness makes
    batches of up to so many samples of the queries that wait, none of which waits longer than ``max_delay_s`` for
    others (``None``: only while the session is busy). ``trace`` is the hash of recorded arrivals, which ``server``
    follows instead of a rate."""

    __pydantic_config__ = STRICT

    scenario: Scenario
    stop: Stop
    batch: int = 1
    concurrency: int | None = None
    rate: float | None = None
    burst: int = 1
    seed: int = 0
    latency_bound_s: float | None = None
    instances: int = 1
    max_batch: int | None = None
    max_delay_s: float | None = None
    trace: str | None = None

    @property
    def compiled_batch(self) -> int:
        """The batch that the model is compiled for: that of a query, unless the harness makes larger ones of them."""
        return self.max_batch or self.batch

    @property
    def purpose(self) -> Purpose:
        """What a stack should compile for when it can choose between one query's latency and many queries' rate."""
        return "latency" if self.scenario in ("single_stream", "multi_stream") else "throughput"


@dataclass(frozen=True)
class Task:
    """A frozen unit of evaluation. Any change of meaning makes a new ``version``.

    ``graph`` is the ONNX file without weights. With ``batched`` the first axis of every input and output is the
    batch, and one sample is one row; else one sample is a whole set of inputs and the batch is 1.
    """

    __pydantic_config__ = STRICT

    id: str
    version: int
    title: str
    tier: Tier
    domain: Domain
    graph: str
    graph_sha256: str
    weights: tuple[WeightSource, ...]
    batched: bool
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    dataset: Dataset
    metric: Metric
    tolerance: Tolerance
    source: str = ""
    real: RealData | None = None


# --- what it is evaluated on -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What a task is evaluated on. ``precision`` is what is asked for: ``fp32``, ``bf16``, ``fp16``, ``int8``
    (dynamic) or ``int8-static`` (calibrated). ``passes`` are what is done to the model before the stack gets it
    (``accelbench.passes``), in order."""

    __pydantic_config__ = STRICT

    backend: str
    device: str
    precision: str
    options: Mapping[str, str] = field(default_factory=dict)
    passes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeviceInfo:
    """A device as its runtime describes it: ``id`` is what a target names, ``properties`` what else it tells."""

    __pydantic_config__ = STRICT

    id: str
    name: str
    properties: Mapping[str, str] = field(default_factory=dict)


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


# --- what was measured -------------------------------------------------------------------------------------------


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
    distance from the accuracy pass's outputs of the same feed (``None``: NaN or another shape — then ``mismatched``
    counts it). ``seen_ns``/``unseen_ns``: interleaved times of feeds that were timed before and of fresh ones.
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


@dataclass(frozen=True)
class DriftSums:
    """Sums and bins over all pairs (reference r, output y) of one output tensor; every drift figure is computed from
    them. Sums run over the ``finite`` pairs only (finite on both sides); NaN and Inf are counted on either side and
    never replaced. With a ``mismatch`` (what differs, in words) everything is zero or empty.

    ``max_ulp`` is None for integers and booleans, ``bit_equal`` counts pairs of equal bits. ``error_bins`` counts the
    |y − r| > 0 per eighth of an octave (``quality.sums.count_errors``). ``value_edges`` are the common edges of
    ``reference_bins`` and ``output_bins``, ``signed_error_edges`` those of y − r: one edge more than bins, the first
    and the last bin also hold what lies beyond; empty without finite pairs, or without any error.
    """

    __pydantic_config__ = STRICT

    output: str
    count: int
    finite: int
    sum_e2: float
    sum_r2: float
    sum_y2: float
    sum_ry: float
    max_abs: float
    max_ulp: int | None
    nan_reference: int
    nan_output: int
    inf_reference: int
    inf_output: int
    bit_equal: int
    error_bins: Mapping[str, int]
    value_edges: tuple[float, ...]
    reference_bins: tuple[int, ...]
    output_bins: tuple[int, ...]
    signed_error_edges: tuple[float, ...]
    signed_error_bins: tuple[int, ...]
    mismatch: str | None = None


@dataclass(frozen=True)
class Score:
    """A metric over the accuracy pass: ``name``, ``value``, its standard error, and the number of samples."""

    __pydantic_config__ = STRICT

    name: str
    value: float
    standard_error: float | None
    samples: int


@dataclass(frozen=True)
class Quality:
    """The accuracy pass: accuracy where labels mean something, agreement with the reference always, drift per output.

    ``unready``: outputs that changed after they were handed back. ``constant``: the outputs did not vary with the
    feed although the reference's do. ``predictions`` is the file with the per-sample decisions. ``scores`` are all that
    labels are judged by, ``accuracy`` the first of them; ``reference_scores`` those of the reference's outputs.
    ``outputs_sha256`` is over all outputs of the pass, sample by sample: equal for equal bits.
    """

    __pydantic_config__ = STRICT

    samples: int
    accuracy: Score | None
    reference_accuracy: Score | None
    agreement: Score | None
    drift: tuple[DriftSums, ...]
    unready: int
    constant: bool
    predictions: str | None = None
    scores: tuple[Score, ...] = ()
    reference_scores: tuple[Score, ...] = ()
    outputs_sha256: str | None = None


@dataclass(frozen=True)
class Coverage:
    """Share of the source graph's nodes, and of its FLOPs, that run on the target's device; the rest fell back."""

    __pydantic_config__ = STRICT

    nodes: float | None
    flops: float | None
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Build:
    """One compiled form: for one batch and one purpose (``None``: the stack does not tell them apart)."""

    __pydantic_config__ = STRICT

    batch: int
    purpose: Purpose | None
    compile_s: float
    load_s: float | None
    compiled: Compiled
    coverage: Coverage
    artifacts: tuple[Artifact, ...]


# --- the report --------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class Environment:
    """The backend's environment: its kind, Python, every installed package, the sha256 of lock and adapter, and what
    the backend's probes said (driver, SDK)."""

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
