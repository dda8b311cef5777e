"""Whether the tasks that count are there, as they are."""

from __future__ import annotations

from collections.abc import Iterator

from accelbench.gate.manifest import MANIFEST
from accelbench.gate.rule import Found, Text, rule
from accelbench.gate.submission import Submission

COUNTED = ("regular", "popular", "frontier")
FEWEST = 5


@rule(
    "AB201",
    "error",
    Text("The submission names a roster that exists.", "提交所写的任务名单确实存在。"),
    Text(
        "Name a roster that this accelbench has, or use a later accelbench.",
        "写明当前 accelbench 所含的名单，或使用更新的 accelbench。",
    ),
)
def roster(submission: Submission) -> Iterator[Found]:
    if submission.manifest is not None and submission.roster is None:
        name = submission.manifest.roster
        yield Found(MANIFEST, Text(f"no roster is called {name!r} here", f"此处没有名为 {name!r} 的名单"), "roster")


@rule(
    "AB202",
    "error",
    Text(
        "Each report is of a task that the roster lists: its version, tier and content (graph, samples, metric).",
        "每份报告的任务都在名单中，版本、级别和内容（图、样本、指标）一致。",
    ),
    Text("Evaluate the task that this roster's accelbench has.", "用该名单所属的 accelbench 评测其任务。"),
)
def of_roster(submission: Submission) -> Iterator[Found]:
    if submission.roster is None:
        return
    for entry in submission.entries:
        told, known = entry.report.task, submission.task(entry)
        if known is None:
            yield Found(entry.path, Text(f"the roster has no task {told.id}", f"名单中没有任务 {told.id}"), "task.id")
        elif (told.version, told.tier) != (known.version, known.tier):
            yield Found(
                entry.path,
                Text(
                    f"{told.tier}, version {told.version}; the roster has {known.tier}, version {known.version}",
                    f"报告为 {told.tier} 级、版本 {told.version}；名单为 {known.tier} 级、版本 {known.version}",
                ),
                "task.version",
            )
        elif told.hash != submission.world.task_hash(known):
            yield Found(
                entry.path, Text("the task is another one than the roster's", "任务内容与名单不同"), "task.hash"
            )


@rule(
    "AB203",
    "error",
    Text("Every regular task of the roster is in the submission.", "名单中的每个常规（regular）任务都在提交中。"),
    Text("Evaluate the task that is named, and submit again.", "评测所指任务后重新提交。"),
)
def every_regular(submission: Submission) -> Iterator[Found]:
    there = {entry.report.task.id for entry in submission.entries}
    for name, listed in submission.roster.tasks.items() if submission.roster else ():
        if listed.tier == "regular" and name not in there:
            yield Found(MANIFEST, Text(f"regular task {name} is missing", f"缺少常规任务 {name}"), name)


@rule(
    "AB204",
    "error",
    Text(
        f"At least {FEWEST} different tasks of the tiers {', '.join(COUNTED)} are in the submission.",
        f"提交中至少有 {FEWEST} 个不同任务，级别为 {'、'.join(COUNTED)}。",
    ),
    Text("Evaluate more tasks of these tiers.", "再评测若干这些级别的任务。"),
)
def enough(submission: Submission) -> Iterator[Found]:
    if submission.roster is None:
        return
    listed = submission.roster.tasks
    there = {entry.report.task.id for entry in submission.entries} & listed.keys()
    count = sum(1 for name in there if listed[name].tier in COUNTED)
    if count < FEWEST:
        yield Found(MANIFEST, Text(f"{count} of {FEWEST} tasks", f"{FEWEST} 个任务中只有 {count} 个"))


@rule(
    "AB205",
    "error",
    Text("In the closed division the weights are the task's own.", "封闭组中权重为任务自带权重。"),
    Text("Evaluate with the task's weights, or submit to the open division.", "使用任务自带权重评测，或提交到开放组。"),
)
def own_weights(submission: Submission) -> Iterator[Found]:
    for entry in submission.done if submission.closed else ():
        weights, known = entry.report.weights, submission.task(entry)
        kinds = {source.kind for source in known.weights} - {"local"} if known else set()
        if weights is None or (known and weights.kind not in kinds):
            kind = weights.kind if weights else "none"
            yield Found(entry.path, Text(f"weights of kind {kind}", f"权重来源为 {kind}"), "weights.kind")


@rule(
    "AB206",
    "error",
    Text("In the closed division the tolerance is the task's own.", "封闭组中容差为任务自带容差。"),
    Text(
        "Leave `--max-drift` and `--min-accuracy` out, or submit to the open division.",
        "不使用 `--max-drift` 和 `--min-accuracy`，或提交到开放组。",
    ),
)
def own_tolerance(submission: Submission) -> Iterator[Found]:
    for entry in submission.done if submission.closed else ():
        known = submission.task(entry)
        if known is not None and entry.report.tolerance != known.tolerance:
            yield Found(entry.path, Text("the tolerance was changed", "容差被改动"), "tolerance")


@rule(
    "AB207",
    "error",
    Text("The accuracy pass ran all of the task's samples.", "精度测试运行了任务的全部样本。"),
    Text("Evaluate the task with this accelbench, unchanged.", "用未改动的 accelbench 评测该任务。"),
)
def all_samples(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        known, quality = submission.task(entry), entry.report.quality
        if known is None or quality is None:
            continue
        wanted = entry.report.data.records if entry.report.data else known.dataset.count
        if quality.samples != wanted:
            yield Found(
                entry.path,
                Text(f"{quality.samples} of {wanted} samples", f"{wanted} 个样本中只有 {quality.samples} 个"),
                "quality.samples",
            )
