"""Which tasks of the zoo a stack takes whole, and whether its outputs stay within their tolerance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from accelbench.acceptance.result import TaskResult
from accelbench.acceptance.stand import Stand
from accelbench.bench import Bench
from accelbench.errors import NotHere, Unsupported, WorkerError
from accelbench.model import Plan, Stop, Task
from accelbench.quality.assess import assess
from accelbench.quality.drift import worst
from accelbench.quality.verdict import faults
from accelbench.reference import reference
from accelbench.tensors import TensorSet
from accelbench.zoo.subject import from_task

LIGHT = ("digits-cnn", "digits-resnet", "op-encoder-128", "op-decoder-128")
"""What is tried when nobody asks for other tasks: a few seconds each."""


def run(stand: Stand, tasks: Sequence[Task], say: Callable[[str], None]) -> Iterator[TaskResult]:
    """The outcome of each task with batch 1, when it ends. Raises UsageError when the reference's backend is not
    installed."""
    for number, task in enumerate(tasks, 1):
        say(f"tasks: {task.id} ({number} of {len(tasks)})")
        try:
            yield _run(stand, task)
        except NotHere as reason:
            yield TaskResult(task.id, "skipped", str(reason))
        except Unsupported as finding:
            yield TaskResult(task.id, "unsupported", str(finding))
        except WorkerError as error:
            yield TaskResult(task.id, "failed", f"{error.kind}: {error}")


def _run(stand: Stand, task: Task) -> TaskResult:
    subject = from_task(task, None)
    standard = reference(subject)
    if standard.outputs is None:
        return TaskResult(task.id, "skipped", str(standard.problem))
    with stand.worker() as worker:
        bench = Bench(worker, subject, stand.target, stand.room(), lambda _text: None)
        passed = bench.check(Plan("single_stream", Stop(max_s=1.0)))
    ours, labels = TensorSet(bench.outputs), subject.feeds.labels
    quality, _ = assess(task, ours, standard.outputs, labels, passed.unready)
    reasons = faults(quality, task.tolerance, stand.target.precision, bench.builds)
    return TaskResult(task.id, "out" if reasons else "within", "; ".join(reasons), worst(quality).relative_l2)
