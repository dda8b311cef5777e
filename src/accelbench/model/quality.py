"""How right the outputs are, and how far their numbers drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from accelbench.model.strict import STRICT

Verdict = Literal["within", "out", "unknown"]


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
