"""For every rule a submission that breaks it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from tests.unit.gate import factory, forging
from tests.unit.gate.factory import Draft, Edit, Kit

from accelbench import model
from accelbench.bundle.pack import SUFFIX
from accelbench.gate import manifest
from accelbench.model import Tolerance

BREAKS: dict[str, list[Callable[[Kit], None]]] = {}
FIRST, LAST = factory.COUNTED[0], factory.COUNTED[-1]
SINGLE, OFFLINE, SERVER = 0, 1, 2
"""Positions of the passes of the first task."""


def breaks(rule: str) -> Callable[[Callable[[Kit], None]], Callable[[Kit], None]]:
    def kept(made: Callable[[Kit], None]) -> Callable[[Kit], None]:
        BREAKS.setdefault(rule, []).append(made)
        return made

    return kept


def facts(**changed: Any) -> Edit:
    """An edit that puts these fields in the report."""

    def edit(draft: Draft) -> None:
        draft.report = replace(draft.report, **changed)

    return edit


def of_pass(position: int, **changed: Any) -> Edit:
    def edit(draft: Draft) -> None:
        passes = list(draft.report.measurements)
        passes[position] = replace(passes[position], **changed)
        draft.report = replace(draft.report, measurements=tuple(passes))

    return edit


def of_again(position: int, **changed: Any) -> Edit:
    def edit(draft: Draft) -> None:
        again = list(draft.report.compliance)
        again[position] = replace(again[position], **changed)
        draft.report = replace(draft.report, compliance=tuple(again))

    return edit


def of_quality(**changed: Any) -> Edit:
    def edit(draft: Draft) -> None:
        assert draft.report.quality is not None
        draft.report = replace(draft.report, quality=replace(draft.report.quality, **changed))

    return edit


def rewritten(position: int, *, again: bool = False, **how: Any) -> Edit:
    """An edit that puts other columns in the place of a pass's."""

    def edit(draft: Draft) -> None:
        passes = [each.measurement for each in draft.report.compliance] if again else draft.report.measurements
        folder = draft.files / passes[position].columns
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        factory.write_columns(folder, passes[position].plan, **how)

    return edit


def told(**changed: Any) -> Callable[[manifest.Manifest], manifest.Manifest]:
    return lambda found: replace(found, **changed)


def disclosed(task: str, **changed: Any) -> Callable[[manifest.Manifest], manifest.Manifest]:
    def edit(found: manifest.Manifest) -> manifest.Manifest:
        return replace(
            found,
            reports=tuple(
                replace(each, **changed) if each.bundle.startswith(f"{task}/") else each for each in found.reports
            ),
        )

    return edit


def write(path: str, text: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / path).write_text(text)

    return edit


def edited(path: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new), encoding="utf-8")

    return edit


def both(*edits: Edit) -> Edit:
    def edit(draft: Draft) -> None:
        for each in edits:
            each(draft)

    return edit


@breaks("AB101")
def no_manifest(kit: Kit) -> None:
    kit.after = lambda folder: (folder / manifest.MANIFEST).unlink()


@breaks("AB101")
def unknown_field(kit: Kit) -> None:
    kit.after = edited(manifest.MANIFEST, "[vendor]\n", '[vendor]\nslogan = "fast"\n')


@breaks("AB101")
def unknown_schema(kit: Kit) -> None:
    kit.after = edited(manifest.MANIFEST, "schema = 1", "schema = 2")


@breaks("AB102")
def later_rules(kit: Kit) -> None:
    kit.told = told(rules=99)


@breaks("AB103")
def truncated(kit: Kit) -> None:
    def cut(folder: Path) -> None:
        path = next(folder.glob(f"{LAST}/*{SUFFIX}"))
        path.write_bytes(path.read_bytes()[:-40])

    kit.more.append((LAST, facts()))
    kit.after = cut


@breaks("AB103")
def names_a_file_outside(kit: Kit) -> None:
    kit.more.append((LAST, of_quality(predictions="../../../etc/passwd")))


@breaks("AB103")
def fills_memory(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        path = draft.files / draft.report.measurements[SINGLE].columns / "index.json"
        path.write_text(path.read_text().replace(f'"rows": {factory.QUERIES}', f'"rows": {10**12}'))

    kit.more.append((LAST, edit))


@breaks("AB104")
def stray(kit: Kit) -> None:
    kit.after = write("notes.txt", "psst")


@breaks("AB104")
def link(kit: Kit) -> None:
    kit.after = lambda folder: (folder / "elsewhere").symlink_to("/etc")


@breaks("AB105")
def elsewhere(kit: Kit) -> None:
    kit.told = told(vendor=manifest.Submitter("Another", factory.CONTACT))


@breaks("AB106")
def other_task(kit: Kit) -> None:
    def move(folder: Path) -> None:
        bundle = next(folder.glob(f"{LAST}/*{SUFFIX}"))
        there = folder / FIRST / bundle.name
        bundle.rename(there)
        bundle.parent.rmdir()
        edited(manifest.MANIFEST, f"{LAST}/{bundle.name}", f"{FIRST}/{bundle.name}")(folder)

    kit.after = move


@breaks("AB107")
def nobody_to_ask(kit: Kit) -> None:
    kit.told = told(vendor=manifest.Submitter(factory.VENDOR, "ask around"))


@breaks("AB108")
def too_early(kit: Kit) -> None:
    kit.told = told(embargo=date(9999, 12, 31))


@breaks("AB109")
def undisclosed(kit: Kit) -> None:
    kit.told = lambda found: replace(found, reports=found.reports[1:])


@breaks("AB109")
def disclosed_twice(kit: Kit) -> None:
    kit.told = lambda found: replace(found, reports=(*found.reports, found.reports[0]))


@breaks("AB109")
def disclosed_only(kit: Kit) -> None:
    kit.told = lambda found: replace(found, reports=(*found.reports, replace(found.reports[0], bundle="a/b.zip")))


@breaks("AB110")
def named(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: write("logs/worker.txt", "loaded /home/alice/model.onnx\n")(draft.files)


@breaks("AB110")
def named_in_command(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(command=("accelbench", "run", FIRST, "-o", "/Users/alice/out"))


@breaks("AB111")
def private(kit: Kit) -> None:
    kit.bundles[FIRST] = lambda path: forging.forge(path, "report/private.json", b"{}")


@breaks("AB201")
def no_such_roster(kit: Kit) -> None:
    kit.told = told(roster="1999.1")


@breaks("AB202")
def other_meaning(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(task=replace(draft.report.task, hash=factory.sha("mine")))(draft)


@breaks("AB202")
def other_version(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(task=replace(draft.report.task, version=2))(draft)


@breaks("AB202")
def other_tier(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(task=replace(draft.report.task, tier="popular"))(draft)


@breaks("AB202")
def not_listed(kit: Kit) -> None:
    kit.more.append((LAST, lambda draft: facts(task=replace(draft.report.task, id="mine"))(draft)))


@breaks("AB203")
def no_regular(kit: Kit) -> None:
    kit.without = ("text",)
    kit.world = replace(factory.WORLD, roster=forging.with_another_popular)
    kit.more.append(("tiny", lambda draft: facts(task=replace(draft.report.task, tier="popular"))(draft)))


@breaks("AB204")
def too_few(kit: Kit) -> None:
    kit.without = (LAST,)


@breaks("AB204")
def smoke_counts_nothing(kit: Kit) -> None:
    kit.without = (LAST,)
    kit.more.append(("tiny", facts()))


@breaks("AB205")
def own_weights(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(weights=model.Weights("local", factory.sha("mine"), 100, "a file"))


@breaks("AB206")
def own_tolerance(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(tolerance=Tolerance(max_relative_l2=0.5))


@breaks("AB207")
def fewer_samples(kit: Kit) -> None:
    labels = {name: factory.LABELS for name in factory.TIERS if name != FIRST}
    kit.world = replace(factory.WORLD, labels=lambda known: labels.get(known.id))
    kit.drafts[FIRST] = forging.on_fewer_samples


@breaks("AB301")
def no_such_device(kit: Kit) -> None:
    kit.world = replace(factory.WORLD, devices=lambda: {"other": None})


@breaks("AB302")
def no_device(kit: Kit) -> None:
    kit.told = told(device=manifest.Machine(factory.DEVICE, 0, 1))


@breaks("AB303")
def other_instances(kit: Kit) -> None:
    kit.told = told(device=manifest.Machine(factory.DEVICE, 1, 4))


@breaks("AB304")
def other_host(kit: Kit) -> None:
    kit.drafts[LAST] = lambda draft: facts(host=replace(draft.report.host, logical_cpus=64))(draft)


@breaks("AB304")
def other_device(kit: Kit) -> None:
    kit.drafts[LAST] = facts(device=model.DeviceInfo(factory.DEVICE, "Example Processor 9000"))


@breaks("AB304")
def unknown_device(kit: Kit) -> None:
    kit.drafts[LAST] = facts(device=None)


@breaks("AB305")
def never_tried(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(untested=True)


@breaks("AB306")
def another_product(kit: Kit) -> None:
    kit.world = replace(factory.WORLD, recognised=lambda _device, _host: "example-9000")


@breaks("AB401")
def forged_file(kit: Kit) -> None:
    kit.bundles[FIRST] = lambda path: forging.forge(path, "report/logs/worker.txt", b"nothing to see\n")


@breaks("AB401")
def added_file(kit: Kit) -> None:
    kit.bundles[FIRST] = lambda path: forging.forge(path, "report/more.txt", b"more\n")


@breaks("AB402")
def unsigned(kit: Kit) -> None:
    kit.key[FIRST] = None


@breaks("AB402")
def signed_something_else(kit: Kit) -> None:
    kit.after = lambda folder: forging.swap_signatures(folder, FIRST, LAST)


@breaks("AB403")
def two_signers(kit: Kit) -> None:
    kit.key[LAST] = "somebody"


@breaks("AB404")
def no_hash(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.with_lock("numpy==2.4.0\n")


@breaks("AB404")
def no_version(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.with_lock("numpy>=2 --hash=sha256:" + "ab" * 32 + "\n")


@breaks("AB404")
def a_path(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.with_lock(factory.LOCK + "-e ./mine\n")


@breaks("AB404")
def empty_lock(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.with_lock("# nothing\n")


@breaks("AB404")
def other_lock(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(
        environment=replace(forging.environment(draft), lock_sha256=factory.sha("another"))
    )(draft)


@breaks("AB404")
def no_lock(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: (draft.files / "requirements.lock").unlink()


@breaks("AB404")
def system_tells_nothing(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        (draft.files / "adapter/requirements.lock").unlink()
        silent = replace(forging.environment(draft), kind="system", probes={}, lock_sha256=None)
        draft.report = replace(draft.report, environment=silent)

    kit.drafts[FIRST] = edit


@breaks("AB404")
def no_environment(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(environment=None)


@breaks("AB405")
def not_installable(kit: Kit) -> None:
    kit.installation[FIRST] = "no such version"


@breaks("AB406")
def no_command(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(command=())


@breaks("AB406")
def other_command(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(command=("python", "mine.py", FIRST))


@breaks("AB407")
def probe_failed(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(
        environment=replace(forging.environment(draft), probes={"driver": "failed: no such file"})
    )(draft)


@breaks("AB407")
def probe_silent(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(environment=replace(forging.environment(draft), probes={"sdk": ""}))(draft)


@breaks("AB408")
def gap(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(
        chain=(*draft.report.chain, replace(draft.report.chain[0], sha256=factory.sha("b"), parent=factory.sha("a")))
    )(draft)


@breaks("AB408")
def foundling(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        first, *rest = draft.report.builds
        orphan = replace(first.artifacts[0], parent=factory.sha("nobody"))
        draft.report = replace(draft.report, builds=(replace(first, artifacts=(orphan,)), *rest))

    kit.drafts[FIRST] = edit


@breaks("AB409")
def other_adapter(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: write("adapter/adapter.py", "def make(): return 1\n")(draft.files)


@breaks("AB409")
def added_module(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: write("adapter/more.py", "")(draft.files)


@breaks("AB409")
def no_adapter(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        for path in (draft.files / "adapter").iterdir():
            path.unlink()

    kit.drafts[FIRST] = edit


@breaks("AB410")
def unlocked(kit: Kit) -> None:
    text = '[environment]\nunlocked = ["torch==2.13.0"]\n'
    kit.drafts[FIRST] = lambda draft: write("adapter/backend.toml", text)(draft.files)


@breaks("AB411")
def stranger(kit: Kit) -> None:
    kit.keyring = "another"


@breaks("AB501")
def quick(kit: Kit) -> None:
    kit.drafts[LAST] = facts(effort="quick")


@breaks("AB501")
def nothing_timed(kit: Kit) -> None:
    kit.drafts[LAST] = facts(measurements=(), compliance=())


@breaks("AB502")
def leaks(kit: Kit) -> None:
    grown = replace(factory.measurement(factory.plans(FIRST)[0], "").audit, rss_after_bytes=900 * factory.MS)
    kit.drafts[FIRST] = of_pass(SINGLE, audit=grown)


@breaks("AB503")
def failed(kit: Kit) -> None:
    kit.more.append((LAST, both(forging.without_results, facts(status="failed", reasons=("it crashed",)))))


@breaks("AB504")
def wide(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.stopping(ci_target=0.5)


@breaks("AB504")
def no_interval_wanted(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.stopping(ci_target=None, max_queries=factory.QUERIES, stop_reason="queries")


@breaks("AB504")
def few_queries(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.stopping(max_queries=600)


@breaks("AB504")
def short(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.stopping(max_s=1.0)


@breaks("AB504")
def other_statistic(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.stopping(statistic="mean")


@breaks("AB505")
def no_overhead(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(
        SINGLE, audit=replace(factory.measurement(factory.plans(FIRST)[0], "").audit, overhead_ns=None)
    )


@breaks("AB505")
def no_kernel(kit: Kit) -> None:
    bare = replace(factory.measurement(factory.plans(FIRST)[0], "").audit, calibration_after_ns=())
    kit.drafts[FIRST] = of_pass(SINGLE, audit=bare)


@breaks("AB601")
def no_reference(kit: Kit) -> None:
    kit.drafts[LAST] = facts(quality=None)


@breaks("AB602")
def no_drift(kit: Kit) -> None:
    kit.drafts[LAST] = forging.with_other_shape


@breaks("AB603")
def far(kit: Kit) -> None:
    kit.drafts[LAST] = forging.drifting


@breaks("AB604")
def contradicted(kit: Kit) -> None:
    kit.drafts[LAST] = forging.claiming("bf16")


@breaks("AB605")
def other_precision(kit: Kit) -> None:
    kit.told = disclosed(LAST, precision="fp16")


@breaks("AB605")
def precision_not_counted(kit: Kit) -> None:
    kit.told = disclosed(LAST, precision_trust="counted")


@breaks("AB606")
def other_sparsity(kit: Kit) -> None:
    kit.told = disclosed(FIRST, sparsity=0.5)


@breaks("AB606")
def sparsity_not_counted(kit: Kit) -> None:
    kit.told = disclosed(LAST, sparsity_trust="counted")


@breaks("AB606")
def no_sparsity(kit: Kit) -> None:
    kit.told = disclosed(LAST, sparsity=None)


@breaks("AB701")
def more_queries(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, queries=factory.QUERIES + 1)


@breaks("AB701")
def other_units(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        for room in ("columns", "compliance"):
            forging.constant(draft.files / room / str(OFFLINE), "units", 400)

    kit.drafts[FIRST] = edit


@breaks("AB701")
def other_feeds(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        folder = draft.files / draft.report.measurements[SINGLE].columns
        feeds = np.load(folder / "feed.npy")
        feeds[-1] = factory.SAMPLES
        np.save(folder / "feed.npy", feeds)

    kit.drafts[FIRST] = edit


@breaks("AB701")
def no_columns(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        (draft.files / draft.report.measurements[SINGLE].columns / "done.npy").unlink()

    kit.drafts[FIRST] = edit


@breaks("AB701")
def no_form(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(builds=draft.report.builds[:1])(draft)


@breaks("AB702")
def other_schedule(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SERVER, schedule_sha256=factory.sha("mine"))


@breaks("AB702")
def schedule_not_followed(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.later_arrivals(SERVER)


@breaks("AB703")
def too_early_an_end(kit: Kit) -> None:
    kit.drafts[FIRST] = rewritten(SINGLE, seed=3, noise=1.0)


@breaks("AB703")
def time_is_not_up(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, stop_reason="time")


@breaks("AB703")
def no_modes(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, stop_reason="modes")


@breaks("AB703")
def endless_feeds(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, stop_reason="feeds")


@breaks("AB703")
def endless_queries(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, stop_reason="queries")


@breaks("AB703")
def below_the_least(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.stopping(min_s=30.0)


@breaks("AB704")
def better_accuracy(kit: Kit) -> None:
    kit.drafts[FIRST] = of_quality(accuracy=model.Score("top1", 0.9999, 0.01, factory.SAMPLES))


@breaks("AB704")
def worse_reference(kit: Kit) -> None:
    kit.drafts[FIRST] = of_quality(reference_accuracy=model.Score("top1", 0.5, 0.01, factory.SAMPLES))


@breaks("AB704")
def accuracy_kept_back(kit: Kit) -> None:
    kit.drafts[FIRST] = of_quality(accuracy=None)


@breaks("AB705")
def better_agreement(kit: Kit) -> None:
    kit.drafts[FIRST] = of_quality(agreement=model.Score("top1", 0.99, 0.01, factory.SAMPLES))


@breaks("AB705")
def no_predictions(kit: Kit) -> None:
    kit.drafts[FIRST] = of_quality(predictions=None)


@breaks("AB706")
def own_data(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(
        data=model.DatasetFacts("pictures", factory.sha("d"), 32, factory.SAMPLES, "folder", {}, None, True)
    )


@breaks("AB707")
def smaller_error(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.sums(sum_e2=lambda sums: sums.sum_e2 / 4)


@breaks("AB707")
def other_count(kit: Kit) -> None:
    more = {name: lambda sums, name=name: getattr(sums, name) + 1 for name in ("count", "nan_reference")}
    kit.drafts[FIRST] = forging.sums(**more)


@breaks("AB707")
def other_output(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.sums(output=lambda _sums: "features")


@breaks("AB707")
def larger_reference(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.sums(sum_r2=lambda sums: sums.sum_r2 * 2)


@breaks("AB707")
def smaller_maximum(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.sums(max_abs=lambda sums: sums.max_abs / 2)


@breaks("AB707")
def fewer_bins(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.sums(output_bins=lambda sums: (*sums.output_bins[:-1], sums.output_bins[-1] + 1))


@breaks("AB707")
def more_equal(kit: Kit) -> None:
    kit.drafts[FIRST] = forging.sums(bit_equal=lambda sums: sums.count)


@breaks("AB708")
def more_flops(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(task=replace(draft.report.task, flops=2_000))(draft)


@breaks("AB708")
def more_coverage(kit: Kit) -> None:
    def edit(draft: Draft) -> None:
        first, *rest = draft.report.builds
        draft.report = replace(draft.report, builds=(replace(first, coverage=model.Coverage(1.0, 1.0)), *rest))

    kit.drafts[FIRST] = edit


INTEGRITY = model.Integrity(12, 0, 1e-6, (factory.MS,) * 9, (factory.MS,) * 9)


@breaks("AB801")
def other_outputs(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, integrity=replace(INTEGRITY, mismatched=2))


@breaks("AB801")
def far_outputs(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, integrity=replace(INTEGRITY, worst_relative_l2=0.2))


@breaks("AB801")
def nothing_looked_at(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, integrity=replace(INTEGRITY, checked=0))


@breaks("AB801")
def other_outputs_with_another_seed(kit: Kit) -> None:
    again = factory.measurement(replace(factory.plans(FIRST)[0], seed=77), "compliance/0")
    kit.drafts[FIRST] = of_again(SINGLE, measurement=replace(again, integrity=replace(INTEGRITY, mismatched=12)))


@breaks("AB802")
def no_fresh_feeds(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, integrity=replace(INTEGRITY, unseen_ns=()))


@breaks("AB803")
def cached(kit: Kit) -> None:
    kit.drafts[FIRST] = of_pass(SINGLE, integrity=replace(INTEGRITY, seen_ns=(factory.MS // 10,) * 9))


@breaks("AB804")
def one_seed(kit: Kit) -> None:
    kit.drafts[FIRST] = facts(compliance=())


@breaks("AB804")
def same_seed(kit: Kit) -> None:
    again = factory.measurement(factory.plans(FIRST)[0], "compliance/0")
    kit.drafts[FIRST] = of_again(SINGLE, seed=0, measurement=again)


@breaks("AB804")
def other_load(kit: Kit) -> None:
    again = factory.measurement(replace(factory.plans(FIRST)[0], seed=77, concurrency=8), "compliance/0")
    kit.drafts[FIRST] = of_again(SINGLE, measurement=again)


@breaks("AB804")
def same_samples(kit: Kit) -> None:
    kit.drafts[FIRST] = of_again(SINGLE, samples_sha256=None)


@breaks("AB805")
def slower(kit: Kit) -> None:
    kit.drafts[FIRST] = rewritten(SINGLE, again=True, seed=50, median_ns=2 * factory.MS)


@breaks("AB805")
def not_valid(kit: Kit) -> None:
    again = factory.measurement(replace(factory.plans(FIRST)[0], seed=77), "compliance/0")
    noisy = replace(again.audit, calibration_after_ns=(200_000,) * 8)
    kit.drafts[FIRST] = of_again(SINGLE, measurement=replace(again, audit=noisy))


@breaks("AB805")
def of_nothing(kit: Kit) -> None:
    kit.drafts[FIRST] = lambda draft: facts(
        compliance=(*draft.report.compliance, replace(draft.report.compliance[0], of=9))
    )(draft)
