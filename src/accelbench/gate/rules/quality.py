"""Whether the answers are right, and what they cost is told."""

from __future__ import annotations

from collections.abc import Iterator

from accelbench.gate.disclosure import disclosed
from accelbench.gate.manifest import MANIFEST, Disclosure
from accelbench.gate.rule import Found, Text, rule
from accelbench.gate.submission import Entry, Submission
from accelbench.quality.checks import precision_reasons
from accelbench.quality.drift import worst
from accelbench.quality.verdict import faults


@rule(
    "AB601",
    "error",
    Text("The outputs were held against the float32 reference's.", "输出与 float32 参考值作了比较。"),
    Text("Evaluate where ONNX Runtime can run the task's reference.", "在 ONNX Runtime 能运行参考模型的机器上评测。"),
)
def reference(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        quality = entry.report.quality
        if quality is None or not quality.drift:
            yield Found(entry.path, Text("there is no reference", "没有参考值"), "quality")


@rule(
    "AB602",
    "error",
    Text(
        "Accuracy, or agreement with the reference, is there, and drift; a task without a metric has drift alone.",
        "有精度或与参考值的一致率，并有漂移；无指标的任务只需漂移。",
    ),
    Text("See the report's reasons for what the outputs lack.", "报告中的原因说明输出缺少什么。"),
)
def judged(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        quality, task = entry.report.quality, submission.task(entry)
        if quality is None or not quality.drift:
            continue
        scored = quality.accuracy is not None or quality.agreement is not None
        if not scored and (task is None or task.metric.name != "none"):
            yield Found(entry.path, Text("neither accuracy nor agreement", "既无精度也无一致率"), "quality")
        if worst(quality).relative_l2 is None:
            yield Found(entry.path, Text("no drift can be told", "无法得出漂移"), "quality.drift")


@rule(
    "AB603",
    "error",
    Text(
        "In the closed division accuracy, agreement and drift are within the task's tolerance.",
        "封闭组中精度、一致率和漂移在任务容差之内。",
    ),
    Text("Use a more exact precision, or submit to the open division.", "使用更精确的精度，或提交到开放组。"),
)
def within(submission: Submission) -> Iterator[Found]:
    for entry in submission.done if submission.closed else ():
        quality = entry.report.quality
        if quality is None or not quality.drift or worst(quality).relative_l2 is None:
            continue
        task = submission.task(entry)
        tolerance = task.tolerance if task else entry.report.tolerance
        for reason in faults(quality, tolerance, entry.report.target.precision, ()):
            yield Found(entry.path, Text(reason, reason), "quality")


@rule(
    "AB604",
    "error",
    Text("The numbers do not contradict the precision that is told to have run.", "数值与所称的运行精度不矛盾。"),
    Text(
        "Tell the precision that really runs: `executed_precision` is the adapter's to say.",
        "写明实际运行的精度：`executed_precision` 由适配器给出。",
    ),
)
def plausible(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        report = entry.report
        if report.quality is not None:
            asked = None if report.target.passes else report.target.precision
            for reason in precision_reasons(report.quality.drift, asked, report.builds):
                yield Found(entry.path, Text(reason, reason), "builds")


@rule(
    "AB605",
    "error",
    Text(
        "The manifest discloses the precision that the report tells, and calls it counted only where it is.",
        "清单披露的精度与报告一致，且只有确实可统计时才标为 counted。",
    ),
    Text(
        f"Set precision and precision_trust in `{MANIFEST}` to what is named.",
        f"将 `{MANIFEST}` 中的 precision 和 precision_trust 改为所指内容。",
    ),
)
def precision(submission: Submission) -> Iterator[Found]:
    for entry, told, true in _disclosures(submission):
        if (told.precision, told.precision_trust) != (true.precision, true.precision_trust):
            yield Found(
                MANIFEST,
                Text(
                    f"{told.precision} ({told.precision_trust}), not {true.precision} ({true.precision_trust})",
                    f"披露为 {told.precision}、{told.precision_trust}，应为 {true.precision}、{true.precision_trust}",
                ),
                entry.path,
            )


@rule(
    "AB606",
    "error",
    Text(
        "The manifest discloses the sparsity of the weights: as counted where it can be counted, else a figure that is "
        "called claimed.",
        "清单披露权重稀疏度：可统计时为统计值，否则给出数值并标为 claimed。",
    ),
    Text(
        f"Set sparsity and sparsity_trust in `{MANIFEST}` to what is named.",
        f"将 `{MANIFEST}` 中的 sparsity 和 sparsity_trust 改为所指内容。",
    ),
)
def sparsity(submission: Submission) -> Iterator[Found]:
    for entry, told, true in _disclosures(submission):
        wrong = None
        if told.sparsity_trust != true.sparsity_trust:
            wrong = Text(f"it is {true.sparsity_trust}", f"应为 {true.sparsity_trust}")
        elif true.sparsity_trust == "counted" and told.sparsity != true.sparsity:
            wrong = Text(
                f"{told.sparsity} is told, {true.sparsity} counted", f"披露为 {told.sparsity}，统计为 {true.sparsity}"
            )
        elif told.sparsity is None or not 0 <= told.sparsity <= 1:
            wrong = Text("no share of zeros is told", "没有给出零的占比")
        if wrong:
            yield Found(MANIFEST, wrong, entry.path)


def _disclosures(submission: Submission) -> Iterator[tuple[Entry, Disclosure, Disclosure]]:
    """Each report that ended well, what the manifest discloses of it, and what its facts support."""
    told = {each.bundle: each for each in submission.manifest.reports} if submission.manifest else {}
    for entry in submission.done:
        if entry.path in told:
            yield entry, told[entry.path], disclosed(entry.report, entry.path)
