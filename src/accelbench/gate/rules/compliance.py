"""Whether the stack did while it was timed what it did while it was judged: compliance in the sense of MLPerf's
(mlcommons/inference, ``compliance``: TEST01 outputs, TEST04 caching, TEST05 other seeds)."""

from __future__ import annotations

from collections.abc import Iterator

from accelbench.gate.rule import Found, Text, rule
from accelbench.gate.rules.timed import EFFORTS, is_probe
from accelbench.gate.submission import Entry, Submission
from accelbench.measure.compare import apart
from accelbench.measure.stats import QUANTILES, Quantile, Summary
from accelbench.measure.validity import reasons
from accelbench.model import Measurement
from accelbench.quality.checks import cache_reasons, timed_output_reasons
from accelbench.quality.verdict import executed_precision

MARGIN = 0.1
"""How far, beyond both intervals, a pass with another seed may be from the first: they do not run side by side, and
MLPerf's compliance tests allow the same."""

FEWEST_PAIRS = 3


@rule(
    "AB801",
    "error",
    Text(
        "Outputs of timed queries, chosen at random, equal the accuracy pass's of the same feed.",
        "随机抽取的计时查询的输出与精度测试中同一输入的输出相同。",
    ),
    Text(
        "Have the session do the same work when it is timed; `run` evaluates that by itself.",
        "让会话在计时时做同样的工作；`run` 会自动核对。",
    ),
)
def same_outputs(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        for place, measurement in _every(entry):
            integrity = measurement.integrity
            if integrity is None or integrity.checked < 1:
                yield Found(entry.path, Text("no timed output was looked at", "没有抽查计时输出"), place)
                continue
            for reason in timed_output_reasons(integrity, executed_precision(entry.report, measurement)):
                yield Found(entry.path, Text(reason, reason), place)


@rule(
    "AB802",
    "error",
    Text("Feeds that the session had not seen were timed beside repeated ones.", "未见过的输入与重复输入交替计时。"),
    Text(
        "Evaluate with `accelbench run`, which does so after each pass.",
        "用 `accelbench run` 评测，每次测量后会自动进行。",
    ),
)
def unseen(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        for place, measurement in _every(entry):
            found = measurement.integrity
            pairs = min(len(found.seen_ns), len(found.unseen_ns)) if found else 0
            if pairs < FEWEST_PAIRS:
                yield Found(entry.path, Text(f"{pairs} pairs of feeds", f"只有 {pairs} 对输入"), place)


@rule(
    "AB803",
    "error",
    Text(
        "Repeated feeds are not faster than fresh ones: results are not cached.",
        "重复输入不比新输入更快：结果没有缓存。",
    ),
    Text("Take the cache of results out.", "去除结果缓存。"),
)
def no_cache(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        for place, measurement in _every(entry):
            for reason in cache_reasons(measurement.integrity) if measurement.integrity else ():
                yield Found(entry.path, Text(reason, reason), place)


@rule(
    "AB804",
    "error",
    Text(
        "Every pass but the looks of a search was run once more with a drawn seed, on samples drawn with it where the "
        "task's can be drawn.",
        "除搜索试探外，每次测量都用随机抽取的种子重做一次；任务样本可生成时，样本也由该种子生成。",
    ),
    Text("Evaluate with `--compliance`, or `--submission`.", "使用 `--compliance` 或 `--submission` 评测。"),
)
def another_seed(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        report = entry.report
        if report.effort not in EFFORTS:
            continue
        again = {each.of: each for each in report.compliance}
        for position, measurement in enumerate(report.measurements):
            place = f"measurements[{position}]"
            if is_probe(measurement.plan):
                continue
            found = again.get(position)
            if found is None:
                yield Found(entry.path, Text("was not run with another seed", "没有用另一种子重做"), place)
            elif found.seed == measurement.plan.seed or found.measurement.plan.seed != found.seed:
                yield Found(entry.path, Text("was run again with the same seed", "重做时使用了相同的种子"), place)
            elif _load(found.measurement) != _load(measurement):
                yield Found(entry.path, Text("was run again under another load", "重做时负载不同"), place)
            elif report.data is None and found.samples_sha256 in (None, report.task.feeds_sha256):
                yield Found(entry.path, Text("was run again on the same samples", "重做时使用了相同的样本"), place)


@rule(
    "AB805",
    "error",
    Text(
        f"With another seed a valid pass is valid too, its figure the same within {MARGIN:.0%} and both intervals.",
        f"有效的测量在使用另一种子时同样有效，且结果在 {MARGIN:.0%} 及两者区间之内相同。",
    ),
    Text(
        "Evaluate again on a quiet machine; what depends on the seed depends on the samples.",
        "在空闲机器上重新评测；随种子变化即随样本变化。",
    ),
)
def same_speed(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        if entry.report.effort not in EFFORTS:
            continue
        for each, timed in zip(entry.report.compliance, entry.again, strict=True):
            place = f"compliance[{each.of}]"
            if not 0 <= each.of < len(entry.passes):
                yield Found(entry.path, Text("it repeats no pass", "没有对应的测量"), place)
                continue
            if timed.columns is None or entry.passes[each.of].validity != ():
                continue
            against = reasons(timed.measurement, timed.columns)
            if against:
                yield Found(entry.path, Text(against[0], against[0]), place)
                continue
            text = _apart(timed.measurement.plan.stop.statistic, entry.passes[each.of].summary, timed.summary)
            if text:
                yield Found(entry.path, text, place)


def _every(entry: Entry) -> Iterator[tuple[str, Measurement]]:
    for position, measurement in enumerate(entry.report.measurements):
        yield f"measurements[{position}]", measurement
    for position, each in enumerate(entry.report.compliance):
        yield f"compliance[{position}].measurement", each.measurement


def _load(measurement: Measurement) -> tuple[object, ...]:
    plan = measurement.plan
    return (
        *(plan.scenario, plan.batch, plan.concurrency, plan.rate, plan.burst, plan.stop, plan.latency_bound_s),
        *(plan.instances, plan.max_batch, plan.max_delay_s, plan.trace),
    )


def _apart(statistic: str, first: Summary | None, again: Summary | None) -> Text | None:
    """Why the two are not the same; a ratio that both intervals and the margin together do not reach."""
    a, b = _as_time(statistic, first), _as_time(statistic, again)
    found = apart(a, b, MARGIN) if a and b else None
    if found is None or found.low is None or found.high is None:
        return Text(f"the {statistic} has no interval to compare", f"{statistic} 没有可比较的区间")
    if found.low > 1 + MARGIN or found.high < 1 / (1 + MARGIN):
        return Text(f"the {statistic} moved by a factor of {found.ratio:.3f}", f"{statistic} 变为 {found.ratio:.3f} 倍")
    return None


def _as_time(statistic: str, summary: Summary | None) -> Quantile | None:
    if summary is None:
        return None
    if statistic in QUANTILES:
        return summary.quantiles[statistic]
    if not summary.throughput or not summary.throughput_ci or min(summary.throughput_ci) <= 0:
        return None
    low, high = summary.throughput_ci
    return Quantile(1 / summary.throughput, 1 / high, 1 / low)
