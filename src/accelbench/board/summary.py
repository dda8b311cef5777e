"""A report as rows of the board: one of its own and one per timed pass. What was not measured is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accelbench.figures.figures import sparsity_of
from accelbench.figures.passes import Pass
from accelbench.hardware.match import device_of
from accelbench.measure.series import energy_j
from accelbench.model import Report
from accelbench.passes import names
from accelbench.quality.drift import worst
from accelbench.quality.verdict import judge
from accelbench.report.stack import stack_version

Values = Mapping[tuple[str, int], tuple[float, float | None, float | None]]
"""Figures by name and position of the timed pass (-1: of the whole report): value and 95 % interval."""

WHOLE = -1

REPORTS = {
    **{"id": "plain", "task": "texts", "version": "numbers", "tier": "texts", "domain": "texts", "weights": "texts"},
    **{"backend": "texts", "stack": "texts", "device": "texts", "deviceName": "texts", "host": "texts"},
    **{"precision": "texts", "executed": "texts", "passes": "texts", "effort": "texts", "status": "texts"},
    **{"verdict": "texts", "reasons": "texts", "created": "plain", "trust": "texts", "reproducedBy": "numbers"},
    **{"signedBy": "numbers", "untested": "numbers", "division": "texts", "metric": "texts", "accuracy": "numbers"},
    **{"accuracyError": "numbers", "accuracyRatio": "numbers", "agreement": "numbers", "relativeL2": "numbers"},
    **{"sqnrDb": "numbers", "nonFinite": "numbers", "compileS": "numbers", "sizeBytes": "numbers"},
    **{"sparsity": "numbers", "sparsityTrust": "texts", "coverage": "numbers", "fallbacks": "numbers"},
}
"""The columns of a report's row, and how each is written."""

_QUANTILES = {f"p{n}{end}": "numbers" for n in (50, 90, 99) for end in ("", "Low", "High")}
PASSES = {
    **{"report": "plain", "measurement": "plain", "scenario": "texts", "batch": "numbers", "concurrency": "numbers"},
    **{"instances": "numbers", "rate": "numbers", "boundS": "numbers", "boundOf": "texts", "queries": "numbers"},
    **{"against": "texts", **_QUANTILES, "throughput": "numbers", "throughputLow": "numbers"},
    **{"throughputHigh": "numbers", "watts": "numbers", "wattsKind": "texts"},
}
"""The columns of a timed pass's row. ``report`` is filled in when the reports have their order."""


def row(report: Report, values: Values, trust: Mapping[str, Any]) -> dict[str, Any]:
    """The report's own row; ``trust`` has what the stores say of it."""
    target, task, judged = report.target, report.task, judge(report)
    reasons = dict.fromkeys((*report.reasons, *judged.reasons))
    return {
        "id": report.id[:12],
        **{"task": task.id, "version": task.version, "tier": task.tier, "domain": task.domain},
        "weights": report.weights.kind if report.weights else None,
        **{"backend": target.backend, "stack": stack_version(report), "device": device_of(report.device, report.host)},
        **{"deviceName": report.device.name if report.device else target.device, "host": host(report)},
        **{"precision": target.precision, "passes": names.CHAINED.join(target.passes), "effort": report.effort},
        "executed": report.builds[0].compiled.executed_precision if report.builds else None,
        **{"status": report.status, "verdict": judged.verdict, "reasons": "; ".join(reasons)},
        **{"created": report.created, "untested": int(report.untested), "division": division(report), **trust},
        **_quality(report),
        **_made(report, values),
    }


def pass_rows(timed: Sequence[Pass], values: Values, target: str) -> list[dict[str, Any]]:
    """A row for each timed pass of a report; ``target`` is the device that was asked for."""
    return [_pass(each, position, values, target) for position, each in enumerate(timed)]


def division(report: Report) -> str:
    """``retrained`` for weights that the user brought, else ``pruned`` where zeros were made, else ``quantised`` where
    weights or arithmetic are integers, else ``same``."""
    passes = [names.read(word).kind for word in report.target.passes]
    executed = report.builds[0].compiled.executed_precision if report.builds else ""
    if report.weights is not None and report.weights.kind == "local":
        return "retrained"
    if "prune" in passes:
        return "pruned"
    integer = any(word.startswith(("int", "uint")) for word in (report.target.precision, executed, *passes))
    return "quantised" if integer else "same"


def host(report: Report) -> str:
    """The host in words: its processor and how many logical CPUs of it."""
    facts = report.host
    return f"{facts.cpu or facts.machine}, {facts.logical_cpus} CPUs"


def watts(timed: Pass, target: str) -> tuple[float, str] | None:
    """Mean power from the first issue to the last end, and whether it was read at the ``wall`` or on the ``board``: of
    the packages where the target is the CPU, else of all devices that tell theirs. None where nothing told it for all
    of that time."""
    table = timed.columns
    if table is None or not len(table):
        return None
    begin, end = int(table.issued.min()), int(table.done.max())
    told: dict[str, float] = {}
    for each in sorted(timed.telemetry, key=lambda series: series.name):
        energy = energy_j(each, begin, end)
        if energy is not None:
            told.setdefault(each.name.rpartition(".")[0], energy / (end - begin) * 1e9)
    wall = [power for name, power in told.items() if name.startswith("wall")]
    cpu = target.partition(":")[0].lower() == "cpu"
    board = [
        power for name, power in told.items() if name.startswith("package") == cpu and not name.startswith(_NO_BOARD)
    ]
    if wall:
        return sum(wall), "wall"
    return (sum(board), "board") if board else None


_NO_BOARD = ("wall", "dram", "core", "uncore", "psys")


def _quality(report: Report) -> dict[str, Any]:
    quality = report.quality
    accuracy = quality.accuracy if quality else None
    reference = quality.reference_accuracy if quality else None
    agreement = quality.agreement if quality else None
    drift = worst(quality) if quality and quality.drift else None
    ratio = accuracy.value / reference.value if accuracy and reference and reference.value > 0 else None
    return {
        "metric": accuracy.name if accuracy else None,
        "accuracy": accuracy.value if accuracy else None,
        "accuracyError": accuracy.standard_error if accuracy else None,
        "accuracyRatio": ratio,
        "agreement": agreement.value if agreement else None,
        "relativeL2": drift.relative_l2 if drift else None,
        "sqnrDb": drift.sqnr_db if drift else None,
        "nonFinite": _non_finite(report),
    }


def _non_finite(report: Report) -> int | None:
    """Pairs of the accuracy pass that are finite in the reference and not in the output, over all outputs."""
    compared = [sums for sums in report.quality.drift if sums.count] if report.quality else []
    if not compared:
        return None
    return sum(max(0, each.count - each.finite - each.nan_reference - each.inf_reference) for each in compared)


def _made(report: Report, values: Values) -> dict[str, Any]:
    build = report.builds[0] if report.builds else None
    sparsity = sparsity_of(report)
    ran = (build.artifacts or report.chain[-1:]) if build else ()
    counted = any(each.contents is not None for each in ran)
    fallbacks = len(build.coverage.fallbacks) if build and build.coverage.nodes is not None else None
    return {
        "compileS": _value(values, "compile_s"),
        "sizeBytes": _value(values, "size_bytes"),
        "sparsity": sparsity,
        "sparsityTrust": None if sparsity is None else "counted" if counted else "claimed",
        "coverage": build.coverage.flops if build else None,
        "fallbacks": fallbacks,
    }


def _pass(timed: Pass, position: int, values: Values, target: str) -> dict[str, Any]:
    measured, plan = timed.measurement, timed.measurement.plan
    bounded = plan.latency_bound_s is not None
    power = watts(timed, target)
    found: dict[str, Any] = {
        **{"report": None, "measurement": position, "scenario": plan.scenario, "batch": plan.batch},
        **{"concurrency": measured.concurrency, "instances": plan.instances, "rate": plan.rate},
        **{"boundS": plan.latency_bound_s, "boundOf": plan.stop.statistic if bounded else None},
        **{"queries": measured.queries, "against": "; ".join(against(timed))},
        **{"watts": power[0] if power else None, "wattsKind": power[1] if power else None},
    }
    for name, figure in (*((f"p{n}", f"latency_p{n}_s") for n in (50, 90, 99)), ("throughput", "throughput")):
        told = values.get((figure, position), (None, None, None))
        found |= zip((name, f"{name}Low", f"{name}High"), told, strict=True)
    return found


def against(timed: Pass) -> tuple[str, ...]:
    """Why a timed pass is not valid; nothing for a valid one."""
    return (timed.problem,) if timed.problem else timed.validity or ()


def _value(values: Values, name: str) -> float | None:
    return values[name, WHOLE][0] if (name, WHOLE) in values else None
