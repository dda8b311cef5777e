"""Whether everything that is stored and could be computed from the raw facts is what comes out of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from accelbench.figures.passes import Pass, build_of
from accelbench.gate.raw import arrivals_of, predictions
from accelbench.gate.rule import Found, Text, rule
from accelbench.gate.submission import Entry, Submission
from accelbench.gate.sums import contradictions
from accelbench.measure import stats
from accelbench.measure.arrivals import sha256
from accelbench.model import Score
from accelbench.quality.accuracy import agreement, score
from accelbench.quality.coverage import coverage

EXACT = 1e-12
"""Scores are sums in double precision of few terms: they come out the same on every machine but for the last bits."""

LOOSE = 1.1
"""Queries that end after the last look move an interval by less than this."""

SHORT = 0.9
"""A pass that its time limit ended lasts so much of it at least."""


@rule(
    "AB701",
    "error",
    Text(
        "The raw columns are there, and as many queries, samples and feeds are in them as the measurement says.",
        "原始列数据齐全，其中的查询数、样本数和输入数与测量记录一致。",
    ),
    Text("Pack the report again from the folder that the run made.", "用运行生成的文件夹重新打包。"),
)
def columns(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        for place, timed in _all(entry):
            for text in _misfits(entry, timed):
                yield Found(entry.path, text, place)


@rule(
    "AB702",
    "error",
    Text(
        "Queries of an open loop were scheduled as plan and seed say.",
        "开环查询的到达时间与计划和种子一致。",
    ),
    Text("Evaluate again: the schedule is drawn from the plan alone.", "重新评测：到达时间只由计划决定。"),
)
def schedule(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        for place, timed in _all(entry):
            if timed.measurement.plan.scenario != "server" or timed.columns is None:
                continue
            due = arrivals_of(entry.folder, timed.measurement)
            kept = np.sort(timed.columns.scheduled)
            if timed.measurement.schedule_sha256 != sha256(due) or not np.array_equal(kept, due[: len(kept)]):
                yield Found(entry.path, Text("another schedule than the plan's", "到达时间与计划不符"), place)


@rule(
    "AB703",
    "error",
    Text("A pass ended for the reason that it gives.", "测量结束的原因属实。"),
    Text("Evaluate again: the reason is the harness's to write.", "重新评测：结束原因由框架记录。"),
)
def ended(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        for place, timed in _all(entry):
            text = _false_end(timed)
            if text:
                yield Found(entry.path, text, f"{place}.stop_reason")


@rule(
    "AB704",
    "error",
    Text("Accuracy is what predictions and labels come to.", "精度与由预测和标签重新计算的结果一致。"),
    Text("Pack the report again from the folder that the run made.", "用运行生成的文件夹重新打包。"),
)
def accuracy(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        task, quality = submission.task(entry), entry.report.quality
        if task is None or quality is None or quality.predictions is None or entry.report.data is not None:
            continue
        labels = submission.world.labels(task)
        ours, theirs = predictions(entry.folder, quality.predictions)
        for name, told, decided in (
            ("accuracy", quality.accuracy, ours),
            ("scores", next(iter(quality.scores), None), ours),
            ("reference_accuracy", quality.reference_accuracy, theirs),
            ("reference_scores", next(iter(quality.reference_scores), None), theirs),
        ):
            true = score(task.metric, decided, labels) if labels is not None and decided else None
            if not _same(told, true):
                yield Found(entry.path, _other(told, true), f"quality.{name}")


@rule(
    "AB705",
    "error",
    Text(
        "The predictions are there, and the agreement is what they come to.",
        "预测数据齐全，一致率与由其重新计算的结果一致。",
    ),
    Text("Pack the report again from the folder that the run made.", "用运行生成的文件夹重新打包。"),
)
def agreed(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        task, quality = submission.task(entry), entry.report.quality
        if task is None or quality is None or task.metric.name == "none":
            continue
        if quality.predictions is None:
            yield Found(entry.path, Text("there are no predictions", "没有预测数据"), "quality.predictions")
            continue
        ours, theirs = predictions(entry.folder, quality.predictions)
        answers = {name for name in ours if name.startswith("answer_")}
        ours, theirs = ({n: v for n, v in each.items() if n not in answers} for each in (ours, theirs))
        true = agreement(task.metric, ours, theirs) if ours and theirs else None
        if not _same(quality.agreement, true):
            yield Found(entry.path, _other(quality.agreement, true), "quality.agreement")


@rule(
    "AB706",
    "warning",
    Text(
        "Accuracy can be recomputed without data that only the submitter has.",
        "无需仅提交者持有的数据即可重新计算精度。",
    ),
    Text("Submit a report on the task's own samples beside it.", "另附一份使用任务自带样本的报告。"),
)
def recomputable(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        data = entry.report.data
        if data is not None and data.scored:
            text = Text(f"accuracy on {data.name} is claimed", f"{data.name} 上的精度仅为声称")
            yield Found(entry.path, text, "data")


@rule(
    "AB707",
    "error",
    Text(
        "The stored sums and bins of the drift agree with one another, and with the sizes of the task's outputs.",
        "存储的漂移求和值与直方图彼此一致，并与任务输出的大小一致。",
    ),
    Text("Evaluate again: the sums are the harness's to write.", "重新评测：求和值由框架记录。"),
)
def drift(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        task, quality = submission.task(entry), entry.report.quality
        for position, sums in enumerate(quality.drift if quality else ()):
            spec = next((each for each in task.outputs if each.name == sums.output), None) if task else None
            for reason in contradictions(sums, spec, task, quality.samples if quality else 0):
                yield Found(entry.path, Text(reason, reason), f"quality.drift[{position}]")


@rule(
    "AB708",
    "error",
    Text(
        "FLOPs and coverage are what the task's graph and the runtime's placements come to.",
        "FLOPs 和覆盖率与由任务图和运行时放置信息重新计算的结果一致。",
    ),
    Text("Evaluate again: both are the harness's to write.", "重新评测：两者均由框架记录。"),
)
def covered(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        task, report = submission.task(entry), entry.report
        if task is None:
            continue
        facts = submission.world.facts(task)
        if report.task.flops != facts.flops:
            text = Text(
                f"{report.task.flops} FLOPs; the graph has {facts.flops}",
                f"{report.task.flops} FLOPs，图中为 {facts.flops}",
            )
            yield Found(entry.path, text, "task.flops")
        for position, build in enumerate(report.builds):
            if build.coverage != coverage(build.compiled.placements, report.target.device, facts.by_node):
                yield Found(
                    entry.path,
                    Text("another coverage than its placements'", "覆盖率与放置信息不符"),
                    f"builds[{position}]",
                )


def _all(entry: Entry) -> Iterator[tuple[str, Pass]]:
    for position, timed in enumerate(entry.passes):
        yield f"measurements[{position}]", timed
    for position, timed in enumerate(entry.again):
        yield f"compliance[{position}].measurement", timed


def _misfits(entry: Entry, timed: Pass) -> Iterator[Text]:
    measurement, table = timed.measurement, timed.columns
    if table is None:
        yield Text(str(timed.problem), str(timed.problem))
        return
    if len(table) != measurement.queries:
        yield Text(
            f"{len(table)} rows for {measurement.queries} queries", f"{measurement.queries} 次查询却有 {len(table)} 行"
        )
    if (table.units != measurement.plan.batch).any():
        yield Text("queries with other than the plan's samples", "查询的样本数与计划不符")
    if build_of(entry.report, measurement) is None:
        yield Text("no compiled form for its batch", "没有对应批大小的编译产物")
    samples = entry.report.quality.samples if entry.report.quality else None
    if samples is not None and len(table) and not 0 <= int(table.feed.min()) <= int(table.feed.max()) < max(1, samples):
        yield Text("feeds that there are not", "出现不存在的输入")


def _false_end(timed: Pass) -> Text | None:
    measurement, table = timed.measurement, timed.columns
    if table is None or not len(table):
        return None
    stop, reason = measurement.plan.stop, measurement.stop_reason
    lasted_s = float(max(table.done.max(), table.issued.max())) * 1e-9
    known = stats.knowledge(table, stop.statistic)
    least_s = {"interval": stop.min_s, "modes": stop.min_s, "time": stop.max_s}.get(reason, 0.0)
    if reason == "interval" and not (known.half_width or math.inf) <= LOOSE * (stop.ci_target or 0.0):
        width = "none" if known.half_width is None else f"±{known.half_width:.2%}"
        return Text(f"the interval was not reached ({width})", f"区间没有达到（{width}）")
    if reason == "modes" and not known.valley:
        return Text("the statistic lies between no modes", "统计量不在两个模态之间")
    if reason == "queries" and stop.max_queries is None and measurement.plan.trace is None:
        return Text("nothing limits its queries", "查询数没有上限")
    if reason == "feeds":
        return Text("feeds do not end", "输入不会用尽")
    if lasted_s < SHORT * least_s:
        return Text(f"it lasted {lasted_s:.3g} s, not {least_s:g} s", f"历时 {lasted_s:.3g} 秒，不足 {least_s:g} 秒")
    return None


def _same(told: Score | None, true: Score | None) -> bool:
    if told is None or true is None:
        return told is true
    return (told.name, told.samples) == (true.name, true.samples) and abs(told.value - true.value) <= EXACT


def _other(told: Score | None, true: Score | None) -> Text:
    a, b = ("none" if each is None else f"{each.value:.6g}" for each in (told, true))
    return Text(f"{a} is told, {b} comes out", f"记录为 {a}，重算为 {b}")
