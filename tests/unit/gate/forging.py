"""How things are forged: edits that take more than one line."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.unit.gate import factory
from tests.unit.gate.factory import Draft, Edit

from accelbench import model
from accelbench.bundle import manifest
from accelbench.bundle.archive import Writer
from accelbench.bundle.manifest import MANIFEST, Member
from accelbench.bundle.pack import SUFFIX
from accelbench.bundle.read import Bundle
from accelbench.measure.columns import read
from accelbench.quality.assess import assess
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.zoo.roster import Entry, Roster


def with_another_popular(name: str) -> Roster:
    """The roster with the smoke task in the popular tier."""
    found = factory.the_roster(name)
    return replace(found, tasks={**found.tasks, "tiny": Entry("popular", 1, "for tests")})


def rebuild(path: Path, files: dict[str, bytes]) -> None:
    """A bundle of these files, with a manifest that fits them; signatures stay as they are."""
    inside = {name: data for name, data in files.items() if not name.startswith("signatures/")}
    told = {name: Member(hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(inside.items())}
    old = Bundle.open(path).manifest
    path.unlink()
    with path.open("w+b") as file:
        writer = Writer(file)
        writer.add(MANIFEST, manifest.encode(replace(old, files=told)))
        for name in (*sorted(inside), *sorted(files.keys() - inside.keys())):
            writer.add(name, files[name])
        writer.close()


def contents(path: Path) -> dict[str, bytes]:
    bundle = Bundle.open(path)
    return {name: b"".join(bundle.pieces(name)) for name in bundle.members if name != MANIFEST}


def forge(path: Path, name: str, data: bytes) -> None:
    """Put other content in the place of a file, or add one, and have the manifest say so."""
    rebuild(path, {**contents(path), name: data})


def swap_signatures(folder: Path, one: str, other: str) -> None:
    """Give the bundle of one task the signature of another's."""
    a, b = (next(folder.glob(f"{task}/*{SUFFIX}")) for task in (one, other))
    stolen = {name: data for name, data in contents(b).items() if name.startswith("signatures/")}
    rebuild(a, {**contents(a), **stolen})


def environment(draft: Draft) -> model.Environment:
    assert draft.report.environment is not None
    return draft.report.environment


def with_lock(text: str) -> Edit:
    def edit(draft: Draft) -> None:
        for place in (draft.files, draft.files / "adapter"):
            (place / "requirements.lock").write_text(text)
        told = replace(environment(draft), lock_sha256=hashlib.sha256(text.encode()).hexdigest())
        draft.report = replace(draft.report, environment=told)

    return edit


def without_results(draft: Draft) -> None:
    for name in ("columns", "compliance"):
        shutil.rmtree(draft.files / name)
    draft.report = replace(
        draft.report,
        measurements=(),
        compliance=(),
        quality=None,
        builds=(),
        device=None,
        environment=None,
        weights=None,
    )


def stopping(stop_reason: model.StopReason = "interval", **changed: Any) -> Edit:
    """The first pass and its repetition with another rule to stop."""

    def edit(draft: Draft) -> None:
        def other(measured: model.Measurement) -> model.Measurement:
            plan = replace(measured.plan, stop=replace(measured.plan.stop, **changed))
            return replace(measured, plan=plan, stop_reason=stop_reason)

        first, *passes = draft.report.measurements
        again, *others = draft.report.compliance
        draft.report = replace(
            draft.report,
            measurements=(other(first), *passes),
            compliance=(replace(again, measurement=other(again.measurement)), *others),
        )

    return edit


def constant(folder: Path, name: str, value: int) -> None:
    """Put a constant in the place of a column."""
    index = json.loads((folder / "index.json").read_text())
    index["constant"][name] = value
    (folder / "index.json").write_text(json.dumps(index))


def later_arrivals(position: int) -> Edit:
    """Every query of the pass was due, issued and done a moment later."""

    def edit(draft: Draft) -> None:
        folder = draft.files / draft.report.measurements[position].columns
        found = read(folder)
        shutil.rmtree(folder)
        late = 5_000
        replace(found, scheduled=found.scheduled + late, issued=found.issued + late, done=found.done + late).write(
            folder
        )

    return edit


def assessed(draft: Draft, reference: Any, outputs: Any, labels: Any) -> None:
    """Put the quality of these outputs in the place of the report's, with the decisions."""
    sets = []
    for side, values in (("reference", reference), ("outputs", outputs)):
        folder = draft.files.parent.parent / f".{draft.files.name}-{side}"
        with TensorWriter(folder) as writer:
            for row in values:
                writer.append({"logits": row})
        sets.append(TensorSet(folder))
    found, predictions = assess(factory.task(draft.report.task.id), sets[1], sets[0], labels, 0)
    (draft.files / "predictions.npz").unlink()
    np.savez_compressed(draft.files / "predictions.npz", allow_pickle=False, **predictions)
    draft.report = replace(draft.report, quality=replace(found, predictions="predictions.npz"))


def on_fewer_samples(draft: Draft) -> None:
    theirs, ours = factory.outputs(draft.report.task.id)
    assessed(draft, theirs[:16], ours[:16], None)


def with_other_shape(draft: Draft) -> None:
    theirs, ours = factory.outputs(draft.report.task.id)
    assessed(draft, theirs, ours[:, :-1], factory.LABELS)


def drifting(draft: Draft) -> None:
    """Outputs off by 5 %, of a stack that says it computes in int8."""
    theirs, _ = factory.outputs(draft.report.task.id)
    noise = np.random.default_rng(1).standard_normal(theirs.shape)
    assessed(draft, theirs, (theirs * (1 + 0.05 * noise)).astype(np.float32), factory.LABELS)
    claiming("int8")(draft)


def claiming(precision: str) -> Edit:
    def edit(draft: Draft) -> None:
        builds = tuple(
            replace(build, compiled=replace(build.compiled, executed_precision=precision))
            for build in draft.report.builds
        )
        target = replace(draft.report.target, precision=precision)
        draft.report = replace(draft.report, builds=builds, target=target)

    return edit


def sums(**changed: Callable[[model.DriftSums], Any]) -> Edit:
    def edit(draft: Draft) -> None:
        quality = draft.report.quality
        assert quality is not None
        first = quality.drift[0]
        forged = replace(first, **{name: change(first) for name, change in changed.items()})
        draft.report = replace(draft.report, quality=replace(quality, drift=(forged, *quality.drift[1:])))

    return edit
