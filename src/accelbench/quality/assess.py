"""The accuracy pass's outputs become the quality that a report stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from accelbench.errors import AccelbenchError
from accelbench.model import DriftSums, Quality, Score, Task
from accelbench.quality.accuracy import agreement, decisions, score
from accelbench.quality.drift import accumulate, varies
from accelbench.tensors import Array, TensorSet

VARIES = 2.0**-6
"""Reference outputs count as varying with the feed where they do by more than this relative L2: less may vanish in
the rounding of an honest low precision."""


Judge = Callable[[TensorSet], tuple[Mapping[str, Array], tuple[Score, ...]]]
"""What judges the outputs for real data: the answers to store, and the scores, the accuracy first."""

NOTHING: tuple[dict[str, Array], tuple[Score, ...]] = {}, ()


def assess(
    task: Task,
    outputs: TensorSet,
    reference: TensorSet,
    labels: Array | None,
    unready: int,
    judge: Judge | None = None,
) -> tuple[Quality, dict[str, Array]]:
    """The quality of ``outputs`` against ``reference``, and the decisions of both to store beside it.

    Both sets have one record per sample. ``labels`` as ``quality.accuracy.score`` takes them, None where they mean
    nothing; accuracy is then absent. The decisions of the reference have names that begin with ``reference_``. Where
    an output that the metric reads cannot be compared, there are no decisions and no scores, and its drift says why.
    With a ``judge`` accuracy is its first score, and its answers are stored under names that begin with ``answer_``.
    Raises AccelbenchError where there is nothing to assess, and where metric and reference do not fit.
    """
    if not len(reference) or not reference.names:
        raise AccelbenchError(f"the reference {reference.folder} holds no outputs; nothing can be compared")
    drift = accumulate(reference, outputs)
    metric = task.metric
    theirs = decisions(metric, reference)
    comparable = _comparable(drift, metric.outputs)
    ours = decisions(metric, outputs) if comparable else None
    answers, scores = judge(outputs) if judge and comparable else NOTHING
    expected, reference_scores = judge(reference) if judge else NOTHING
    if judge is None and labels is not None:
        scores = _listed(score(metric, ours, labels) if ours is not None else None)
        reference_scores = _listed(score(metric, theirs, labels))
    quality = Quality(
        samples=len(outputs),
        accuracy=next(iter(scores), None),
        reference_accuracy=next(iter(reference_scores), None),
        agreement=agreement(metric, ours, theirs) if ours is not None else None,
        drift=drift,
        unready=unready,
        constant=_constant(drift, outputs, reference),
        scores=scores,
        reference_scores=reference_scores,
    )
    own = {**(ours or {}), **{f"answer_{name}": values for name, values in answers.items()}}
    others = {**theirs, **{f"answer_{name}": values for name, values in expected.items()}}
    return quality, {**own, **{f"reference_{name}": values for name, values in others.items()}}


def _listed(one: Score | None) -> tuple[Score, ...]:
    return () if one is None else (one,)


def _comparable(drift: tuple[DriftSums, ...], names: tuple[str, ...]) -> bool:
    return all(sums.mismatch is None for sums in drift if not names or sums.output in names)


def _constant(drift: tuple[DriftSums, ...], outputs: TensorSet, reference: TensorSet) -> bool:
    """Whether every output that varies in the reference is the same in all records of ``outputs``."""
    varying = [sums.output for sums in drift if sums.mismatch is None and varies(reference, sums.output, by=VARIES)]
    return bool(varying) and not any(varies(outputs, name) for name in varying)
