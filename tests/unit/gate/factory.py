"""Submissions as vendors would make them, small: tasks of a roster of its own, reports with all their evidence, bundled
and disclosed by the code that does so for everybody."""

from __future__ import annotations

import datetime
import functools
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tests.unit.page.factory import QUIET

from accelbench import model
from accelbench.bundle import keys
from accelbench.bundle.archive import Writer
from accelbench.bundle.manifest import SIGNATURES
from accelbench.bundle.read import Bundle
from accelbench.bundle.signature import encode, sign
from accelbench.errors import UsageError
from accelbench.gate import manifest
from accelbench.gate.assemble import Wishes, assemble
from accelbench.gate.manifest import Manifest, Submitter
from accelbench.gate.world import World
from accelbench.measure import arrivals, efforts
from accelbench.measure.columns import Columns, Ints
from accelbench.quality.assess import assess
from accelbench.report.store import RunDirectory
from accelbench.tensors import Array, TensorSet, TensorWriter
from accelbench.zoo.graph_facts import GraphFacts
from accelbench.zoo.roster import Entry, Roster

MS = 1_000_000
SAMPLES, CLASSES, QUERIES = 32, 10, 600
DEVICE, VENDOR, CONTACT = "example-8000", "Example Devices", "bench@example.com"
FACTS = GraphFacts(parameters=100, by_node={"conv": 800, "fc": 200}, unknown=())
TOLERANCE = model.Tolerance(max_relative_l2=1e-2, min_agreement=0.9)
LABELS = np.arange(SAMPLES) % CLASSES
ADAPTER = "def make(): ...\n"
LOCK = "numpy==2.4.0 \\\n    --hash=sha256:" + "ab" * 32 + "\n"
TIERS: dict[str, model.Tier] = {
    "image": "regular", "text": "regular", "clicks": "regular", "speech": "popular", "chat": "frontier",
    "tiny": "smoke",
}  # fmt: skip
COUNTED = tuple(name for name, tier in TIERS.items() if tier != "smoke")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def task(name: str) -> model.Task:
    return model.Task(
        id=name,
        version=1,
        title=name,
        tier=TIERS[name],
        domain="any",
        graph="graph.onnx",
        graph_sha256=sha(name),
        weights=(model.WeightSource("seeded", seed=1),),
        batched=True,
        inputs=(model.TensorSpec("x", "float32", ("N", 4)),),
        outputs=(model.TensorSpec("logits", "float32", ("N", CLASSES)),),
        dataset=model.Dataset("arrays", SAMPLES),
        metric=model.Metric("top1"),
        tolerance=TOLERANCE,
    )


def the_roster(name: str) -> Roster:
    if name != "2026.9":
        raise UsageError(f"no roster is called {name!r}")
    entries = {each: Entry(tier, 1, "for tests") for each, tier in TIERS.items()}
    return Roster(name, datetime.date(2026, 9, 1), "for tests", entries, {})


WORLD = World(
    roster=the_roster,
    task=lambda roster, name: replace(task(name), tier=roster.tasks[name].tier),
    task_hash=lambda known: sha(f"meaning of {known.id}"),
    facts=lambda _task: FACTS,
    labels=lambda _task: LABELS,
    devices=lambda: {DEVICE: None},
    recognised=lambda device, _host: {"Example Processor 8000": DEVICE}.get(device.name) if device else None,
)


@dataclass
class Draft:
    """A report before it is stored: its facts, and the folder with its files."""

    report: model.Report
    files: Path


Edit = Callable[[Draft], None]


@dataclass
class Kit:
    """What a submission is made of; a fixture breaks one thing in it. ``drafts`` edit the draft of a task, ``bundles``
    the finished bundles by task, ``more`` are further drafts, ``without`` tasks that are left out, ``told`` edits the
    manifest, ``after`` the finished folder; ``keyring`` is that of whoever checks."""

    drafts: dict[str, Edit] = field(default_factory=dict)
    bundles: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    more: list[tuple[str, Edit]] = field(default_factory=list)
    without: tuple[str, ...] = ()
    told: Callable[[Manifest], Manifest] = lambda manifest: manifest
    after: Callable[[Path], None] = lambda _folder: None
    key: dict[str, str | None] = field(default_factory=dict)
    world: World = WORLD
    installation: dict[str, str] = field(default_factory=dict)
    keyring: str = "ring"


@dataclass(frozen=True)
class Stock:
    """What submissions are made from: a draft folder per task, the keys, and the sound submission."""

    base: Path
    ring: Path
    sound: Path


def stock(root: Path) -> Stock:
    for name in ("vendor", "somebody"):
        keys.new(name, root / "ring")
    made = Stock(base(root / "base"), root / "ring", root / "sound")
    return replace(made, sound=assembled(Kit(), made.sound, made, list(COUNTED)))


def build(kit: Kit, room: Path, made_from: Stock) -> Path:
    """The submission that the kit makes, in ``room``: what it leaves as it is are links to the sound one's bundles."""
    touched = {*kit.drafts, *kit.bundles, *kit.key}
    fresh = assembled(kit, room / "fresh", made_from, [name for name in COUNTED if name in touched])
    folder = room.joinpath(*made_from.sound.parts[-3:])
    own = manifest.read(fresh / manifest.MANIFEST).reports if fresh.is_dir() else ()
    kept = tuple(
        each
        for each in manifest.read(made_from.sound / manifest.MANIFEST).reports
        if each.bundle.partition("/")[0] not in {*touched, *kit.without}
    )
    for source, told in ((fresh, own), (made_from.sound, kept)):
        for each in told:
            (folder / each.bundle).parent.mkdir(parents=True, exist_ok=True)
            (folder / each.bundle).hardlink_to(source / each.bundle)
    whole = manifest.read(made_from.sound / manifest.MANIFEST)
    whole = replace(whole, reports=tuple(sorted((*kept, *own), key=lambda each: each.bundle)))
    (folder / manifest.MANIFEST).write_text(manifest.text(kit.told(whole)), encoding="utf-8")
    kit.after(folder)
    return folder


def assembled(kit: Kit, room: Path, made_from: Stock, names: list[str]) -> Path:
    """The submission of the kit's drafts of these tasks and of what it has besides, as ``accelbench submit`` makes it;
    a folder that is not there where that is nothing."""
    run = RunDirectory.create(room / "run")
    wanted = [*((name, kit.drafts.get(name)) for name in names), *kit.more]
    for number, (name, edit) in enumerate(wanted):
        with run.staging() as staging:
            shutil.copytree(made_from.base / name, staging, dirs_exist_ok=True)
            draft = Draft(report(name, made_from.base / name), staging)
            if number >= len(names):
                draft.report = replace(draft.report, created="2026-03-04T05:06:09Z")
            if edit:
                edit(draft)
            run.put(draft.report, staging, {})

    def finish(bundle: Path) -> None:
        name = bundle.parent.name
        if name in kit.bundles:
            kit.bundles[name](bundle)
        key = kit.key.get(name, "vendor")
        if key:
            seal(bundle, key, made_from.ring)

    vendor = Submitter(VENDOR, CONTACT)
    wishes = Wishes(vendor, DEVICE, 1, "2026.9", "closed", {"": 0.0}, None, finish)
    return assemble([run.path], room, wishes) if wanted else room / "nothing"


def seal(path: Path, key: str, ring: Path) -> None:
    """Sign a bundle, whatever is in it."""
    bundle = Bundle.open(path)
    made = sign(keys.private(key, ring), {"bundle": bundle.manifest_sha256, "report": bundle.manifest.report})
    fresh = path.with_suffix(".new")
    with fresh.open("w+b") as file:
        writer = Writer(file)
        for entry in bundle.members.values():
            writer.copy(path, entry)
        writer.add(f"{SIGNATURES}/{made.fingerprint}.json", encode(made))
        writer.close()
    fresh.replace(path)


def base(root: Path) -> Path:
    """A draft folder for each task: columns, predictions, lock, log."""
    for name in TIERS:
        folder = root / name
        folder.mkdir(parents=True)
        for position, plan in enumerate(plans(name)):
            write_columns(folder / f"columns/{position}", plan, seed=position)
            write_columns(folder / f"compliance/{position}", replace(plan, seed=77), seed=50 + position)
        (folder / "requirements.lock").write_text(LOCK)
        (folder / "logs").mkdir()
        (folder / "logs/worker.txt").write_text("loaded\n")
        (folder / "adapter").mkdir()
        (folder / "adapter/adapter.py").write_text(ADAPTER)
        (folder / "adapter/requirements.lock").write_text(LOCK)
        (folder / "adapter/backend.toml").write_text("[environment]\nunlocked = []\n")
        quality_of(name, folder)
    return root


def plans(name: str) -> list[model.Plan]:
    """The first task has every kind of pass, the others one."""
    closed = model.Plan("single_stream", efforts.stop("standard", "single_stream"))
    if name != COUNTED[0]:
        return [closed]
    server = model.Plan("server", efforts.stop("standard", "server"), rate=20.0, seed=5)
    return [closed, model.Plan("offline", efforts.stop("standard", "offline"), batch=4), server]


def due(plan: model.Plan) -> Ints:
    return arrivals.scheduled(plan)[:QUERIES]


def write_columns(folder: Path, plan: model.Plan, seed: int, median_ns: int = MS, noise: float = 0.05) -> None:
    rng = np.random.default_rng(seed)
    took = (median_ns * np.exp(noise * rng.standard_normal(QUERIES))).astype(np.int64)
    if plan.scenario == "server":
        scheduled = due(plan)
        issued, done = scheduled.copy(), scheduled + took
        for row in range(1, QUERIES):
            issued[row] = max(scheduled[row], done[row - 1])
            done[row] = issued[row] + took[row]
    else:
        done = np.cumsum(took + 2_000)
        issued = done - took
        scheduled = issued
    Columns(
        scheduled=scheduled,
        issued=issued,
        done=done,
        units=np.full(QUERIES, plan.batch, dtype=np.int32),
        ok=np.ones(QUERIES, dtype=np.bool_),
        feed=(np.arange(QUERIES) % 8).astype(np.int32),
        pauses=np.empty((0, 2), dtype=np.int64),
    ).write(folder)


@functools.cache
def outputs(name: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(len(name))
    theirs = rng.standard_normal((SAMPLES, CLASSES)).astype(np.float32)
    theirs[np.arange(SAMPLES), LABELS] += 6
    return theirs, (theirs * (1 + 1e-6 * rng.standard_normal(theirs.shape))).astype(np.float32)


_QUALITY: dict[str, model.Quality] = {}


def quality_of(name: str, folder: Path) -> None:
    """Assess made-up outputs and keep the decisions in the draft's folder."""
    sets = []
    for side, values in zip(("reference", "outputs"), outputs(name), strict=True):
        with TensorWriter(folder.parent / ".tensors" / name / side) as writer:
            for row in values:
                writer.append({"logits": row})
        sets.append(TensorSet(folder.parent / ".tensors" / name / side))
    found, predictions = assess(task(name), sets[1], sets[0], LABELS, 0)
    np.savez_compressed(folder / "predictions.npz", allow_pickle=False, **predictions)
    _QUALITY[name] = replace(found, predictions="predictions.npz", outputs_sha256=sha(name))


def measurement(plan: model.Plan, columns: str) -> model.Measurement:
    return model.Measurement(
        plan=plan,
        columns=columns,
        queries=QUERIES,
        stop_reason="interval",
        concurrency=1,
        warmup_queries=24,
        warmup_s=0.3,
        stationary=True,
        audit=QUIET,
        integrity=model.Integrity(12, 0, 1e-6, (MS,) * 9, (MS,) * 9),
        schedule_sha256=arrivals.sha256(arrivals.scheduled(plan)) if plan.scenario == "server" else None,
    )


def form(batch: int, opaque: bool) -> model.Build:
    contents = None if opaque else model.Contents({"float": 1000}, 10)
    made = model.Artifact(
        "model.bin", sha(f"compiled {batch}"), "Example", 4000, "example 1.0", "fp32", sha("source"), contents=contents
    )
    placements = (
        model.Placement("Conv", DEVICE, "fp32", nodes=("conv",)),
        model.Placement("Gemm", "CPU", "fp32", nodes=("fc",)),
    )
    return model.Build(
        batch, None, 2.5, 0.1, model.Compiled(("model.bin",), "Example", "fp32", placements),
        model.Coverage(0.5, 0.8, ("Gemm ×1 on CPU",)), (made,),
    )  # fmt: skip


def report(name: str, folder: Path) -> model.Report:
    """The facts of an evaluation that went well."""
    timed = plans(name)
    measured = tuple(measurement(plan, f"columns/{position}") for position, plan in enumerate(timed))
    again = tuple(
        model.Compliance(position, 77, sha("fresh"), measurement(replace(plan, seed=77), f"compliance/{position}"))
        for position, plan in enumerate(timed)
    )
    lock = hashlib.sha256((folder / "requirements.lock").read_bytes()).hexdigest()
    return model.Report(
        schema=model.REPORT_SCHEMA,
        id="",
        created="2026-03-04T05:06:07Z",
        accelbench="0.1.0",
        command=("accelbench", "run", name, "-b", "example", "--compliance"),
        effort="standard",
        status="ok",
        reasons=(),
        task=model.TaskFacts(name, 1, TIERS[name], "any", sha(f"meaning of {name}"), FACTS.flops, sha("feeds")),
        weights=model.Weights("seeded", sha("weights"), 100, "Philox stream, seed 1"),
        target=model.Target("example", DEVICE, "fp32"),
        tolerance=TOLERANCE,
        untested=False,
        device=model.DeviceInfo(DEVICE, "Example Processor 8000"),
        host=model.Host("Linux", "6.1.0", "x86_64", "Example CPU", ("avx2",), 8, 8 << 30, "3.11.7"),
        environment=model.Environment("venv", "3.11.7", {"numpy": "2.4.0"}, lock, sha(ADAPTER), {"driver": "1.2"}),
        chain=(model.Artifact("model", sha("source"), "onnx", 4000, "accelbench", "fp32"),),
        builds=(form(1, opaque=name != COUNTED[0]), *([form(4, opaque=False)] if len(timed) > 1 else [])),
        quality=_QUALITY[name],
        measurements=measured,
        files={},
        compliance=again,
    )  # fmt: skip
