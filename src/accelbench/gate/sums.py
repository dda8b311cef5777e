"""What must hold among the sums and bins of a drift, whatever the outputs were: a forger has to keep all of it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from accelbench.model import DriftSums, Task, TensorSpec
from accelbench.quality.sums import bin_edge

ROUNDING = 1e-9
"""Relative error of a compensated sum of float64 products, far above what it is."""

CANCELLED = 1e-11
"""Of Σr² + Σy²: the error of Σe² computed from them."""


def contradictions(sums: DriftSums, spec: TensorSpec | None, task: Task | None, samples: int) -> Iterator[str]:
    """Why the sums cannot be those of any outputs, one line each. ``spec`` is the output as its task has it."""
    if sums.mismatch is not None:
        return
    wanted = size(spec, task, samples) if spec and task else None
    if task is not None and spec is None:
        yield f"the task has no output {sums.output}"
    if wanted is not None and sums.count != wanted:
        yield f"{sums.count} values; {samples} samples have {wanted}"
    yield from _counts(sums)
    yield from _squares(sums)


def size(spec: TensorSpec, task: Task, samples: int) -> int | None:
    """How many values of an output the samples have; None where its shape is not all numbers."""
    shape = spec.shape[1:] if task.batched else spec.shape
    return samples * math.prod(int(dim) for dim in shape) if all(isinstance(dim, int) for dim in shape) else None


def _counts(sums: DriftSums) -> Iterator[str]:
    errors = sum(sums.error_bins.values())
    if not 0 <= sums.finite <= sums.count:
        yield f"{sums.finite} finite pairs of {sums.count}"
    if errors > sums.finite or errors + sums.bit_equal > sums.count:
        yield f"{errors} errors and {sums.bit_equal} equal pairs among {sums.finite} finite of {sums.count}"
    for name, bins, odd in (
        ("reference_bins", sums.reference_bins, sums.nan_reference + sums.inf_reference),
        ("output_bins", sums.output_bins, sums.nan_output + sums.inf_output),
    ):
        if bins and sum(bins) != sums.count - odd:
            yield f"{name} hold {sum(bins)} of {sums.count - odd} finite values"
    if sums.signed_error_bins and sum(sums.signed_error_bins) != sums.finite:
        yield f"signed_error_bins hold {sum(sums.signed_error_bins)} of {sums.finite} pairs"
    if sums.finite and not (sums.reference_bins and sums.output_bins):
        yield "there are finite pairs and no bins"
    if bool(sums.signed_error_bins) != bool(sums.sum_e2):
        yield "there are bins of the error without an error, or the other way round"


def _squares(sums: DriftSums) -> Iterator[str]:
    both = sums.sum_r2 + sums.sum_y2
    if abs(sums.sum_e2 - (both - 2 * sums.sum_ry)) > CANCELLED * both:
        yield f"Σe² is {sums.sum_e2:.9g}, from Σr², Σy² and Σry comes {both - 2 * sums.sum_ry:.9g}"
    keys = sorted(int(key) for key in sums.error_bins)
    low = sum(sums.error_bins[str(key)] * bin_edge(key) ** 2 for key in keys)
    high = sum(sums.error_bins[str(key)] * bin_edge(key + 1) ** 2 for key in keys)
    if not low * (1 - ROUNDING) <= sums.sum_e2 <= high * (1 + ROUNDING):
        yield f"Σe² is {sums.sum_e2:.9g}, the bins of the error allow {low:.9g} to {high:.9g}"
    ends = (bin_edge(keys[-1]), bin_edge(keys[-1] + 1)) if keys else (0.0, 0.0)
    if not ends[0] <= sums.max_abs <= ends[1]:
        yield f"the largest error is {sums.max_abs:.9g}, its bin spans {ends[0]:.9g} to {ends[1]:.9g}"
