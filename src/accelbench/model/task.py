"""What is evaluated: a task, frozen, with all that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

from accelbench.model.strict import STRICT

Dim = Union[int, str]
Tier = Literal["regular", "popular", "frontier", "smoke", "op", "user"]
Domain = Literal["vision", "language", "recommendation", "speech", "multimodal", "generative", "any"]


@dataclass(frozen=True)
class TensorSpec:
    """Name, NumPy dtype name and shape of a tensor. A string in ``shape`` is a symbolic dimension."""

    __pydantic_config__ = STRICT

    name: str
    dtype: str
    shape: tuple[Dim, ...]


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
