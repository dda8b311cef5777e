"""Integrity checks: each looks at stored facts and gives one line per thing that is wrong, or nothing.

They tell a stack that is fast because it is good from one that is fast because it is careless, or worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from accelbench.measure.stats import middle
from accelbench.model import Audit, Build, DriftSums, Integrity, Measurement, Quality
from accelbench.quality.drift import figures

ROUNDOFF = {"fp32": 2.0**-24, "fp16": 2.0**-11, "bf16": 2.0**-8, "int8": 2.0**-8}
"""Unit roundoff u of the formats: 2^-p for a significand of p bits, the hidden one included (24, 11, 8): N. J. Higham,
Accuracy and Stability, table 2.1 and for bfloat16 N. J. Higham and T. Mary, Mixed precision algorithms, 2022. For int8,
half a step over the largest value: 1/254 ≈ 2^-8."""

EXACTNESS = 32
"""A claimed format is contradicted where the drift is this many times below its unit roundoff."""

FLOAT32_DRIFT = 1e-3
"""float32 arithmetic stays below this; it is what formats of 11 bits and fewer give."""

WRONG = 0.5
"""From this relative L2 on, outputs have lost what they should say, and no format explains it."""

REORDERED_FLOAT32 = 1e-4
REORDERED = 10
"""Timed outputs may differ from the accuracy pass's by this (by this many u in other formats), since another batch or
thread count sums in another order, and dynamic quantisation takes its scales from the batch."""

SEEN_RATIO = 1.5
SEEN_GAP_NS = 20_000
SEEN_P = 1e-3
"""Repeated feeds count as served from a cache where their median time is this many times and this long below that of
fresh feeds, and chance explains it no better than this. The gap keeps the cost of cold input memory, microseconds that
matter to a tiny model alone, from being taken for a cache of results."""

FEWEST_APART = 3
FAR_APART = 3
"""Or where so many pairs at least were timed, and every fresh feed takes so many times as long as any repeated one: all
that a slow model has time for."""

GROWTH_BYTES = 64 << 20
GROWTH_SHARE = 0.01
"""Memory leaks where it grows by more than both during one timed pass, after the warm-up."""


def quality_reasons(quality: Quality) -> Iterator[str]:
    """What is wrong with the outputs of the accuracy pass, whatever the tolerance."""
    for sums in quality.drift:
        found = figures(sums)
        if found.mismatch is not None:
            yield f"output {found.output}: {found.mismatch}"
        if found.introduced:
            yield (
                f"output {found.output}: {found.introduced} of {sums.count} values are NaN or infinite where the "
                f"reference is finite ({found.nan_count} NaN, {found.inf_count} infinite in all)"
            )
    if quality.unready:
        yield f"outputs were not ready: {quality.unready} changed after they were handed back"
    if quality.constant:
        yield "outputs do not vary with the feed, the reference's do"


def precision_reasons(drift: Sequence[DriftSums], asked: str | None, builds: Sequence[Build]) -> Iterator[str]:
    """Whether the numbers contradict the precision that the builds say was executed.

    One rounding of values of typical significands to a format of unit roundoff u already makes a relative L2 of about
    0.42·u, and sums of products keep that ratio while errors are independent; a network makes many roundings. So less
    than u/32 on every float output cannot have been computed in that format. Outputs that saturate are the exception:
    a probability near 1 hides its logit's error, but small probabilities show it as a relative one; so where the
    reference lies within 0 … 1 the largest distance in ULP must be below u/32 too. In the other direction, float32
    that was asked for and claimed does not drift by 1e-3, and where it does by half, the answers are simply wrong;
    ``asked`` is None where passes had changed the model, and
    with it the outputs that float32 would give. Builds that executed different precisions are not judged:
    nobody knows which of them made the outputs.
    """
    claims = {build.compiled.executed_precision for build in builds}
    floats = [sums for sums in drift if sums.max_ulp is not None and sums.finite and sums.sum_r2]
    if len(claims) != 1 or not floats:
        return
    claim = claims.pop()
    unit = ROUNDOFF.get(family(claim))
    if unit is None:
        return
    errors = [(figures(sums).relative_l2 or 0.0, sums) for sums in floats]
    largest, worst = max(errors, key=lambda pair: pair[0])
    if family(claim) != "fp32":
        bound = unit / EXACTNESS
        if largest < bound and not any(_hides(sums, bound) for sums in floats):
            same = "bit-equal to float32" if all(s.bit_equal == s.count for s in floats) else "as exact as float32"
            yield (
                f"executed precision {claim} is contradicted: outputs are {same} "
                f"(relative L2 {largest:.1e}, {claim} cannot stay below {bound:.1e})"
            )
    elif asked is not None and family(asked) == "fp32" and largest >= FLOAT32_DRIFT:
        where = f"(relative L2 {largest:.1e}, output {worst.output})"
        if largest >= WRONG:
            yield f"outputs are wrong, which no precision explains, unless the graph draws random numbers {where}"
        else:
            yield f"executed precision {claim} is contradicted: float32 does not drift by {FLOAT32_DRIFT:.0e} {where}"


def measurement_reasons(measurement: Measurement, executed_precision: str) -> tuple[str, ...]:
    """What makes one timed pass invalid: wrong outputs, cached results, growing memory, failed queries. Empty if
    nothing does. ``executed_precision`` is that of the build that was timed."""
    return (*honesty_reasons(measurement, executed_precision), *_failures(measurement))


def honesty_reasons(measurement: Measurement, executed_precision: str) -> Iterator[str]:
    """Those of ``measurement_reasons`` that speak against the stack itself, and so decide the verdict too."""
    if measurement.integrity is not None:
        yield from timed_output_reasons(measurement.integrity, executed_precision)
        yield from cache_reasons(measurement.integrity)
    yield from _leak(measurement.audit, measurement.queries)


def timed_output_reasons(integrity: Integrity, precision: str) -> Iterator[str]:
    """Whether queries of the timed pass gave other outputs than the accuracy pass."""
    if integrity.mismatched:
        yield (
            f"timed outputs: {integrity.mismatched} of {integrity.checked} checked queries gave other outputs than "
            "the accuracy pass"
        )
    unit = ROUNDOFF.get(family(precision), ROUNDOFF["bf16"])
    bound = REORDERED_FLOAT32 if family(precision) == "fp32" else REORDERED * unit
    apart = integrity.worst_relative_l2
    if apart is not None and apart > bound:
        yield f"timed outputs differ from the accuracy pass by {apart:.1e} (relative L2; {bound:.1e} is allowed)"


def cache_reasons(integrity: Integrity) -> Iterator[str]:
    """Whether feeds that were run before are faster than fresh ones."""
    if not (integrity.seen_ns and integrity.unseen_ns):
        return
    seen, unseen = middle(sorted(integrity.seen_ns)), middle(sorted(integrity.unseen_ns))
    if unseen <= SEEN_RATIO * seen or unseen - seen < SEEN_GAP_NS:
        return
    p = rank_sum_p(integrity.seen_ns, integrity.unseen_ns)
    apart = len(integrity.seen_ns) >= FEWEST_APART and max(integrity.seen_ns) * FAR_APART < min(integrity.unseen_ns)
    if p < SEEN_P or apart:
        yield (
            f"results seem to be cached: repeated feeds take {seen / 1e6:.3g} ms, fresh ones {unseen / 1e6:.3g} ms "
            f"(rank-sum p = {p:.0e})"
        )


def family(precision: str) -> str:
    """The number format of a precision: ``int8`` for ``int8-static``."""
    return precision.split("-")[0]


def rank_sum_p(smaller: Sequence[int], larger: Sequence[int]) -> float:
    """One-sided P value of the Wilcoxon–Mann–Whitney rank-sum test that ``smaller`` is not below ``larger``.

    Normal approximation with correction for ties and continuity: E. L. Lehmann, Nonparametrics, 1975, section 1.3.
    It takes some eight values on each side to reach 1e-3. 1.0 where either side is empty or all values are equal.
    """
    m, n = len(smaller), len(larger)
    if not (m and n):
        return 1.0
    _, inverse, counts = np.unique([*smaller, *larger], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse.reshape(-1)]
    wins = float(ranks[m:].sum()) - n * (n + 1) / 2
    ties = float((counts.astype(float) ** 3 - counts).sum())
    total = m + n
    variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    return 0.5 * math.erfc((wins - m * n / 2 - 0.5) / math.sqrt(2 * variance))


def _hides(sums: DriftSums, bound: float) -> bool:
    """Whether an output of probabilities has a single value that is off by more than ``bound``, relatively."""
    probabilities = bool(sums.value_edges) and sums.value_edges[0] >= 0 and sums.value_edges[-1] <= 1
    return probabilities and (sums.max_ulp or 0) * 2 * ROUNDOFF["fp32"] > bound


def _leak(audit: Audit, queries: int) -> Iterator[str]:
    before, after = audit.rss_before_bytes, audit.rss_after_bytes
    if before is None or after is None:
        return
    growth = after - before
    if growth > GROWTH_BYTES and growth > GROWTH_SHARE * before:
        per_query = f", {growth / queries / 1024:.3g} KiB per query" if queries else ""
        yield f"memory grew by {growth / 2**20:.0f} MiB during the timed pass{per_query}"


def _failures(measurement: Measurement) -> Iterator[str]:
    if measurement.errors:
        yield f"queries failed: {measurement.errors[0]}"
    if measurement.stop_reason in ("error", "interrupted"):
        yield f"the pass ended early: {measurement.stop_reason}"
