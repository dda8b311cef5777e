"""Whether there is a valid measurement of each task, made as the rules of time ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from accelbench.figures.passes import Pass
from accelbench.gate.rule import Found, Text, rule
from accelbench.gate.submission import Entry, Submission
from accelbench.measure import efforts
from accelbench.model import Effort, Plan
from accelbench.quality.checks import cache_reasons, timed_output_reasons
from accelbench.quality.verdict import executed_precision

EFFORTS: tuple[Effort, ...] = ("standard", "submission")


@rule(
    "AB501",
    "error",
    Text(
        "Each task has a valid measurement of standard or submission effort.",
        "每个任务都有一次 standard 或 submission 级的有效测量。",
    ),
    Text(
        "Evaluate without `--quick` on a quiet machine; `accelbench report show` says why a pass is not valid.",
        "在空闲机器上不带 `--quick` 评测；`accelbench report show` 说明测量无效的原因。",
    ),
)
def measured(submission: Submission) -> Iterator[Found]:
    by_task: dict[str, list[Entry]] = {}
    for entry in submission.entries:
        by_task.setdefault(entry.report.task.id, []).append(entry)
    for task, entries in by_task.items():
        if any(_has_valid(entry) for entry in entries):
            continue
        path = entries[0].path
        told = {entry.report.effort for entry in entries}
        if not told & set(EFFORTS):
            yield Found(
                path, Text(f"{task} was measured with quick effort only", f"{task} 只有 quick 级测量"), "effort"
            )
        else:
            yield Found(path, Text(f"{task} has no valid measurement", f"{task} 没有有效测量"), "measurements")


@rule(
    "AB502",
    "warning",
    Text("Every timed pass is valid.", "每次计时过程均有效。"),
    Text(
        "Measure again on a quiet machine; the pass is shown, and counts for nothing.",
        "在空闲机器上重新测量；无效过程会展示，但不计入结果。",
    ),
)
def valid(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        for position, timed in enumerate(entry.passes):
            reasons = timed.validity or ()
            integrity = timed.measurement.integrity
            if integrity is not None:
                precision = executed_precision(entry.report, timed.measurement)
                others = {*timed_output_reasons(integrity, precision), *cache_reasons(integrity)}
                reasons = tuple(reason for reason in reasons if reason not in others)
            if reasons:
                yield Found(entry.path, Text(reasons[0], reasons[0]), f"measurements[{position}]")


@rule(
    "AB503",
    "warning",
    Text("Every report ended well.", "每份报告均正常结束。"),
    Text(
        "Leave the report out, or keep it to show what the stack cannot do.", "去掉该报告，或保留以说明软件栈的不足。"
    ),
)
def ended_well(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        if entry.report.status != "ok":
            why = entry.report.reasons[0] if entry.report.reasons else entry.report.status
            yield Found(entry.path, Text(f"{entry.report.status}: {why}", f"{entry.report.status}：{why}"), "status")


@rule(
    "AB504",
    "error",
    Text(
        "Every pass stops by its effort's rule: the statistic, the width of its interval and the shortest time are not "
        "relaxed, and the longest is not shortened.",
        "每次测量按其级别的规则停止：统计量、区间宽度和最短时间不放宽，最长时间不缩短。",
    ),
    Text("Leave `--ci-target` and `--max-time` out.", "不使用 `--ci-target` 和 `--max-time`。"),
)
def stop_rule(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        if entry.report.effort not in EFFORTS:
            continue
        again = [each.measurement for each in entry.report.compliance]
        for position, measurement in enumerate((*entry.report.measurements, *again)):
            if not is_probe(measurement.plan) and not _kept(measurement.plan, entry.report.effort):
                place = f"measurements[{position}].plan.stop"
                yield Found(entry.path, Text("the rule to stop was relaxed", "停止规则被放宽"), place)


@rule(
    "AB505",
    "error",
    Text(
        "Every pass has the harness's evidence of itself: its cost per query, and a fixed kernel before and after.",
        "每次测量都有测试框架的自检证据：每次查询的开销，以及前后各一次的固定内核。",
    ),
    Text("Evaluate with `accelbench run`, which always looks.", "用 `accelbench run` 评测，它总会自检。"),
)
def audited(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        for position, measurement in enumerate(entry.report.measurements):
            audit = measurement.audit
            if audit.overhead_ns is None or not audit.calibration_before_ns or not audit.calibration_after_ns:
                place = f"measurements[{position}].audit"
                yield Found(entry.path, Text("the harness did not look", "缺少框架自检"), place)


def is_probe(plan: Plan) -> bool:
    """Whether the pass is one look of a search for the highest rate, which has its own rule to stop."""
    return plan.rate is not None and plan.latency_bound_s is not None


def _has_valid(entry: Entry) -> bool:
    ended = entry.report.status == "ok" and entry.report.effort in EFFORTS
    return ended and any(_is_valid(timed) for timed in entry.passes)


def _is_valid(timed: Pass) -> bool:
    return timed.problem is None and timed.validity == ()


def _kept(plan: Plan, effort: Effort) -> bool:
    asked, found = efforts.stop(effort, plan.scenario), plan.stop
    if found.ci_target is None or asked.ci_target is None:
        return False
    strict = (
        found.ci_target <= asked.ci_target,
        found.min_s >= asked.min_s,
        found.max_s >= asked.max_s,
    )
    same = replace(found, max_s=asked.max_s, min_s=asked.min_s, ci_target=asked.ci_target) == asked
    return same and all(strict)
