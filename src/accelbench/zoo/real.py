"""Real data as a task's feeds, and its outputs judged by the data's truth; every step can be timed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.model import DatasetFacts, RealData, Score, Stage, Task, TensorSpec
from accelbench.tensors import Array, Record, TensorSet, TensorWriter
from accelbench.zoo.datasets import cail, cifar100, coco, criteo, imagenet, pinned, squad
from accelbench.zoo.datasets.loaded import Loaded, Request
from accelbench.zoo.download import Progress
from accelbench.zoo.feeds import Feeds

FORMAT = 1
"""Goes up when a loader's records change, so that old ones are not taken for new ones."""

LOADERS: Mapping[str, Callable[[Request], Loaded]] = {
    "cail2019-scm": cail.load,
    "cifar-100": cifar100.load,
    "coco": coco.load,
    "criteo": criteo.load,
    "imagenet": imagenet.load,
    "squad": squad.load,
}
"""Every loader that a task's ``[real]`` table can name."""

STAGED = 100
"""So many items are timed one by one, after one that is not."""

DOWNLOAD = "download"

COUNTS = "counts.npy"


@dataclass(frozen=True)
class Asked:
    """The real data that the user wants: a folder, a file, or DOWNLOAD for what is pinned; how many items at most
    (None: all); a tokeniser's file, or DOWNLOAD."""

    data: str
    samples: int | None = None
    tokenizer: str | None = None


@dataclass(frozen=True, eq=False)
class Real:
    """Real data that a task is evaluated on: ``feeds`` are the records of all items, one after another, ``calibration``
    those of other items where the set has more, ``folder`` what is kept of the set."""

    source: RealData
    loaded: Loaded
    feeds: Feeds
    calibration: Feeds
    folder: Path

    def facts(self, scored: bool) -> DatasetFacts:
        """What a report says of the data. ``scored``: whether labels mean something for the weights in use."""
        return DatasetFacts(
            name=self.loaded.name,
            sha256=self.loaded.sha256,
            items=self.loaded.items,
            records=self.feeds.count,
            loader=self.source.loader,
            options=dict(self.source.options),
            tokenizer_sha256=self.loaded.tokenizer_sha256,
            scored=scored,
        )

    def judge(self, outputs: TensorSet) -> tuple[dict[str, Array], tuple[Score, ...]]:
        """The answers as arrays worth storing, and the scores, the accuracy first, from ``outputs``, which has one
        record per record of the feeds. Raises AccelbenchError where the outputs are not what the judge needs."""
        judge = self.loaded.judge
        table = judge.table([judge.answer(*given) for given in self._given(outputs)])
        return table, judge.score(table)

    def postprocess(self, outputs: TensorSet) -> Stage:
        """How long an answer takes, for the first STAGED items. Raises as ``judge`` does."""
        took = []
        for given in self._given(outputs, STAGED):
            began = time.perf_counter_ns()
            self.loaded.judge.answer(*given)
            took.append(time.perf_counter_ns() - began)
        return Stage("postprocess", tuple(took))

    @cached_property
    def stages(self) -> tuple[Stage, Stage]:
        """Loading and preprocessing of the first STAGED items, timed one after another. What opening a set of one file
        costs is shared by all of its items."""
        read, prepared = [], []
        for item in [0, *range(min(STAGED, self.loaded.items))]:
            began = time.perf_counter_ns()
            raw = self.loaded.read(item)
            decoded = time.perf_counter_ns()
            self.loaded.prepare(raw)
            prepared.append(time.perf_counter_ns() - decoded)
            read.append(decoded - began + self.loaded.opening_ns)
        return Stage("load", tuple(read[1:])), Stage("preprocess", tuple(prepared[1:]))

    def _given(self, outputs: TensorSet, limit: int | None = None) -> Iterator[tuple[int, list[Record], list[Record]]]:
        """For each item what its answer is made from: its number, the outputs of its records, and their notes."""
        notes = TensorSet(self.folder / "notes")
        counts = np.load(self.folder / COUNTS).tolist()
        end = 0
        for item, count in enumerate(counts[:limit]):
            start, end = end, end + count
            yield item, outputs[start:end], notes[start:end]


def real(task: Task, asked: Asked, say: Callable[[str], None]) -> Real:
    """The real data as ``task`` wants it, made now or from the cache. In a folder for several sets, a set lies in the
    folder that has its loader's name.

    Raises UsageError where the task names no real data, and for data that are missing, damaged or do not fit.
    """
    source = task.real
    if source is None:
        raise UsageError(f"task {task.id} has no loader of real data: leave --data out")
    if source.loader not in LOADERS:
        raise UsageError(f"task {task.id}: unknown loader {source.loader!r}: known are {', '.join(LOADERS)}")
    vocabulary = task.dataset.options.get("vocabulary")
    request = Request(
        folder=_place(source.loader, asked.data, say),
        inputs=task.inputs,
        options=source.options,
        outputs=task.metric.outputs,
        samples=asked.samples,
        tokenizer=_tokenizer(str(source.options.get("tokenizer", "")), asked.tokenizer, say),
        vocabulary=vocabulary if isinstance(vocabulary, int) else None,
    )
    say(f"{task.id}: real data")
    loaded = LOADERS[source.loader](request)
    feeds, folder = _keep(task, source, loaded, say)
    others, _ = _keep(task, source, LOADERS[source.loader](replace(request, calibrating=True)), say)
    return Real(source, loaded, feeds, others, folder)


def _place(loader: str, data: str, say: Callable[[str], None]) -> Path:
    if data == DOWNLOAD:
        return pinned.data(loader, _telling(say, loader))
    given = Path(data)
    if not given.exists():
        raise UsageError(f"--data {data}: there is no such folder or file")
    return given / loader if (given / loader).is_dir() else given


def _tokenizer(name: str, asked: str | None, say: Callable[[str], None]) -> Path | None:
    if asked == DOWNLOAD:
        return pinned.vocabulary(name, _telling(say, name))
    return None if asked is None else Path(asked)


def _telling(say: Callable[[str], None], name: str) -> Progress:
    return lambda have, whole: say(f"{name}: {have:,} of {whole or '?'} bytes")


def _keep(task: Task, source: RealData, loaded: Loaded, say: Callable[[str], None]) -> tuple[Feeds, Path]:
    """The records of all items in the cache, the notes beside them."""
    key = ["real", FORMAT, asdict(source), loaded.sha256, loaded.tokenizer_sha256, [asdict(i) for i in task.inputs]]
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
    folder = paths.home() / "feeds" / name
    if not folder.is_dir():
        with paths.building(folder) as temporary:
            counts = _write(task, loaded, temporary, say)
            np.save(temporary / COUNTS, np.array(counts, np.int64))
            (temporary / "sha256").write_text(TensorSet(temporary / "samples").sha256())
    samples = TensorSet(folder / "samples")
    return Feeds(folder / "samples", None, (folder / "sha256").read_text(), len(samples)), folder


def _write(task: Task, loaded: Loaded, folder: Path, say: Callable[[str], None]) -> list[int]:
    """Write samples and notes of all items; how many records each has."""
    counts, told = [], time.monotonic()
    with TensorWriter(folder / "samples") as samples, TensorWriter(folder / "notes") as notes:
        for item in range(loaded.items):
            records = loaded.prepare(loaded.read(item))
            for record in records:
                samples.append({spec.name: _fitting(task, spec, record, loaded.name) for spec in task.inputs})
                inputs = {spec.name for spec in task.inputs}
                notes.append({name: value for name, value in record.items() if name not in inputs})
            counts.append(len(records))
            if time.monotonic() - told > 1:
                say(f"{loaded.name}: {item + 1} of {loaded.items}")
                told = time.monotonic()
    return counts


def _fitting(task: Task, spec: TensorSpec, record: Record, name: str) -> Array:
    wanted = tuple(spec.shape[1 if task.batched else 0 :])
    found = record.get(spec.name)
    if found is None or found.dtype.name != spec.dtype or found.shape != wanted:
        what = "nothing" if found is None else f"{found.dtype.name}{list(found.shape)}"
        raise UsageError(
            f"{name} gives {what} for input {spec.name} of task {task.id}, which wants {spec.dtype}{list(wanted)}: "
            "correct the options in its [real] table"
        )
    return found
