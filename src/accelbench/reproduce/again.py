"""A report's evaluation done again, a few times, and held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from accelbench import __version__
from accelbench.envs import spec as specs
from accelbench.envs import traces
from accelbench.envs.spec import BackendSpec
from accelbench.errors import UsageError
from accelbench.evaluate import Setting, evaluate
from accelbench.figures.figures import Figure, figures_of, of_pass
from accelbench.figures.passes import Pass, passes
from accelbench.figures.peaks import marked
from accelbench.library.reproductions import REPRODUCTIONS
from accelbench.model import REPRODUCTION_SCHEMA, Judged, Outputs, Plan, Report, Reproduction
from accelbench.quality.drift import worst
from accelbench.reference import reference
from accelbench.report.store import RunDirectory, open_report
from accelbench.reproduce.differences import differences, elsewhere
from accelbench.reproduce.judge import FEWEST_VALID, LEVEL, LOOKS, Key, judged, keyed
from accelbench.reproduce.pace import SamePace, same_pace
from accelbench.zoo.subject import Subject


@dataclass(frozen=True)
class Original:
    """The report that is to come out again, with its timed passes by their position: all but the probes of searches, of
    which only the peak counts."""

    report: Report
    figures: tuple[Figure, ...]
    passes: Mapping[int, Pass]

    @classmethod
    def read(cls, report: Report, folder: Path) -> Original:
        """Raises UsageError for a report without figures, or whose raw columns cannot be read."""
        if report.status != "ok":
            raise UsageError(f"report {report.id[:12]} is {report.status}: it has no figures that could come out again")
        timed = marked(passes(report, folder))
        for each in timed:
            if each.problem:
                raise UsageError(f"{folder}: {each.problem}: a report is reproduced from its raw facts")
        counted = {position: each for position, each in enumerate(timed) if each.peak in (None, True)}
        figures = tuple(each for each in figures_of(report, timed) if each.measurement in (None, *counted))
        for each in counted.values():
            if each.measurement.trace is not None:
                traces.keep(folder / each.measurement.trace)
        return cls(report, figures, counted)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """What is to be timed again."""
        return tuple(dict.fromkeys(each.measurement.plan for each in self.passes.values()))


def backend(report: Report, adapter: Path | None, trusted: bool) -> BackendSpec:
    """The very backend that made ``report``: this machine's, where adapter and lock have the same hashes, else the one
    in ``adapter``, whose code is run only when it is ``trusted``.

    Raises UsageError when there is none, or it is not trusted.
    """
    made = report.environment
    if made is None:
        raise UsageError(f"report {report.id[:12]} does not say in which environment it was made")
    name = report.target.backend
    here = specs.backends().get(name)
    if here and (here.adapter_sha256, here.lock_sha256) == (made.adapter_sha256, made.lock_sha256):
        return here
    if adapter is None:
        raise UsageError(f"the adapter or lock of {name} here is not the report's: give the bundle, which carries them")
    if not trusted:
        raise UsageError(
            f"the bundle's own adapter of {name} would run here, with all your rights, and its lock be installed: "
            "read them ('accelbench report unpack'), then say --trust-adapter"
        )
    found = specs.read(adapter)
    if (found.adapter_sha256, found.lock_sha256) != (made.adapter_sha256, made.lock_sha256):
        raise UsageError(f"the bundle's adapter or lock of {name} is not the one that made the report")
    return found


def check_subject(subject: Subject, report: Report) -> None:
    """Raise UsageError where task, samples or weights are not those of the report."""
    facts, weights = report.task, subject.model(1).weights
    pairs = (
        ("task", facts.hash, subject.task_hash, f"{facts.id} {facts.version} of accelbench {report.accelbench}"),
        ("samples", facts.feeds_sha256, subject.feeds.sha256, "give the same --data or --inputs"),
        (
            "weights",
            report.weights.sha256 if report.weights else None,
            weights.sha256,
            "give the same --weights or MODEL.onnx",
        ),
    )
    for what, first, here, remedy in pairs:
        if first is not None and first != here:
            raise UsageError(f"the {what} here are not the report's ({here[:12]}, not {first[:12]}): {remedy}")


def reproduce(
    original: Original,
    subject: Subject,
    spec: BackendSpec,
    run: RunDirectory,
    setting: Setting,
    *,
    margin: float | None = None,
    most: int = LOOKS[-1],
) -> Reproduction:
    """Evaluate again, each time in a new process and compiled anew, until no figure is ambiguous or ``most`` runs were
    made. Their reports lie in ``run``; effort and tolerance are the first report's, whatever ``setting`` says."""
    first = original.report
    looks = [count for count in LOOKS if count < most] + [most]
    again = replace(setting, effort=first.effort, plans=original.plans)
    again = replace(again, tolerance=first.tolerance, searches=())
    standard = reference(subject, setting.timeout_s)
    runs: list[tuple[Report, Path]] = []
    found: tuple[Judged, ...] = ()
    while len(runs) < most:
        setting.say(f"run {len(runs) + 1} of at most {most}")
        runs.append(open_report(evaluate(subject, spec, first.target, standard, run, again)))
        failed = runs[-1][0].status != "ok"
        if failed or len(runs) in looks:
            found = _judge(original, runs, margin, len(looks))
            if failed or all(each.outcome != "ambiguous" for each in found):
                break
    return _reproduction(first, [report for report, _ in runs], found)


def _judge(
    original: Original, runs: Sequence[tuple[Report, Path]], margin: float | None, looks: int
) -> tuple[Judged, ...]:
    last = runs[-1][0]
    if last.status != "ok":
        reason = f"run {len(runs)} {last.status}: {'; '.join(last.reasons)}"
        empty = judged(original.figures, [], margin=margin, looks=looks)
        return tuple(replace(each, outcome="not_reproduced", reasons=(reason,)) for each in empty)
    first = keyed(original.figures)
    again = [keyed(figures_of(report, [])) for report, _ in runs]
    timed = [{each.measurement.plan: each for each in passes(report, folder)} for report, folder in runs]
    notes: dict[Key, str] = {}
    for position, one in original.passes.items():
        others = [run.get(one.measurement.plan) for run in timed]
        for run, other in zip(again, others, strict=True):
            run.update(keyed(of_pass(other, position)) if other else {})
        alike = same_pace(one, others, FEWEST_VALID)
        if alike is not None:
            notes |= _at_one_pace(alike, position, first, again)
    machine = elsewhere(original.report, last)
    found = judged(first.values(), again, margin=margin, looks=looks, elsewhere=machine, at_pace=notes)
    return tuple(
        replace(each, reasons=(*each.reasons, notes[key])) if (key := (each.name, each.measurement)) in notes else each
        for each in found
    )


def _at_one_pace(
    alike: SamePace, position: int, first: dict[Key, Figure], again: Sequence[dict[Key, Figure]]
) -> dict[Key, str]:
    """Put figures at one pace in the place of those of whole passes, where ``first`` and enough runs have them; what a
    reader must know of each."""
    notes = {}
    told = [keyed(of_pass(run, position)) if run else {} for run in alike.runs]
    for key, figure in keyed(of_pass(alike.first, position)).items():
        if sum(key in run for run in told) < FEWEST_VALID:
            continue
        whole, first[key] = first[key], figure
        for run, at_pace in zip(again, told, strict=True):
            run.pop(key, None)
            if key in at_pace:
                run[key] = at_pace[key]
        notes[key] = alike.note(f"{whole.value:.4g}")
    return notes


def _reproduction(first: Report, runs: Sequence[Report], found: tuple[Judged, ...]) -> Reproduction:
    outputs, apart = _outputs(first, runs)
    return REPRODUCTIONS.identify(
        Reproduction(
            schema=REPRODUCTION_SCHEMA,
            id="",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            accelbench=__version__,
            of=first.id,
            by=tuple(report.id for report in runs),
            level=LEVEL,
            figures=found,
            outputs=outputs,
            outputs_relative_l2=apart,
            elsewhere=elsewhere(first, runs[-1]),
            differences=differences(first, runs[-1]),
        )
    )


def _outputs(first: Report, runs: Sequence[Report]) -> tuple[Outputs, float | None]:
    """What became of the outputs of the accuracy pass. Both lie no further apart than the sum of their distances from
    the reference (the triangle inequality), whose norm all distances are relative to."""
    kept = [report.quality.outputs_sha256 if report.quality else None for report in (first, *runs)]
    if None in kept:
        return "unknown", None
    if len(set(kept)) == 1:
        return "bit_equal", 0.0
    drifts = [
        worst(report.quality).relative_l2 if report.quality and report.quality.drift else None
        for report in (first, *runs)
    ]
    known = [drift for drift in drifts if drift is not None]
    if len(known) < len(drifts):
        return "differ", None
    bound = known[0] + max(known[1:])
    limit = first.tolerance.max_relative_l2
    return ("within_drift" if limit is not None and bound <= limit else "differ"), bound
