"""The accuracy pass's outputs become the quality that a report stores."""

from __future__ import annotations

from accelbench.errors import AccelbenchError
from accelbench.model import DriftSums, Quality, Task
from accelbench.quality.accuracy import agreement, decisions, score
from accelbench.quality.drift import accumulate, varies
from accelbench.tensors import Array, TensorSet

VARIES = 2.0**-6
"""Reference outputs count as varying with the feed where they do by more than this relative L2: less may vanish in
the rounding of an honest low precision."""


def assess(
    task: Task, outputs: TensorSet, reference: TensorSet, labels: Array | None, unready: int
) -> tuple[Quality, dict[str, Array]]:
    """The quality of ``outputs`` against ``reference``, and the decisions of both to store beside it.

    Both sets have one record per sample. ``labels`` as ``quality.accuracy.score`` takes them, None where they mean
    nothing; accuracy is then absent. The decisions of the reference have names that begin with ``reference_``. Where
    an output that the metric reads cannot be compared, there are no decisions and no scores, and its drift says why.
    Raises AccelbenchError where there is nothing to assess, and where metric and reference do not fit.
    """
    if not len(reference) or not reference.names:
        raise AccelbenchError(f"the reference {reference.folder} holds no outputs; nothing can be compared")
    drift = accumulate(reference, outputs)
    metric = task.metric
    theirs = decisions(metric, reference)
    ours = decisions(metric, outputs) if _comparable(drift, metric.outputs) else None
    quality = Quality(
        samples=len(outputs),
        accuracy=score(metric, ours, labels) if ours is not None and labels is not None else None,
        reference_accuracy=score(metric, theirs, labels) if labels is not None else None,
        agreement=agreement(metric, ours, theirs) if ours is not None else None,
        drift=drift,
        unready=unready,
        constant=_constant(drift, outputs, reference),
    )
    return quality, {**(ours or {}), **{f"reference_{name}": values for name, values in theirs.items()}}


def _comparable(drift: tuple[DriftSums, ...], names: tuple[str, ...]) -> bool:
    return all(sums.mismatch is None for sums in drift if not names or sums.output in names)


def _constant(drift: tuple[DriftSums, ...], outputs: TensorSet, reference: TensorSet) -> bool:
    """Whether every output that varies in the reference is the same in all records of ``outputs``."""
    varying = [sums.output for sums in drift if sums.mismatch is None and varies(reference, sums.output, by=VARIES)]
    return bool(varying) and not any(varies(outputs, name) for name in varying)
