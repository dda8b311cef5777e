"""A store of many small reports: how long its index takes to make, to open again and to ask, and with how much memory.

    python benchmarks/store.py [--reports 100000] [--folder SCRATCH] [--peers PYTHON]

The reports differ in task, backend, precision, date and figures; each has two timed passes with their columns, as
small as the null backend's can be. PYTHON has ``duckdb``, the peer that is asked the same. The reports are removed at
the end.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.unit.report.sample import report as sample

from accelbench.library import index
from accelbench.measure.columns import Columns
from accelbench.report import codec
from accelbench.report.canonical import canonical
from accelbench.report.store import verify

TASKS = [f"task-{number:02d}" for number in range(24)]
BACKENDS = ["onnxruntime", "openvino", "iree", "tvm", "torch", "tinygrad", "mnn", "null"]
PRECISIONS = ["fp32", "bf16", "int8"]
VARIANTS = 2048
"""Different columns; every report takes two of them. So what the statistics remember of the last passes (256 ranks) is
of no use, as in a store of real runs."""

LENGTHS = 64
"""Different numbers of queries."""

AGGREGATE = (
    "SELECT backend, precision, count(*), avg(value) FROM figures WHERE task = 'task-07' AND name = 'latency_p50_s' "
    "AND scenario = 'single_stream' AND status = 'ok' GROUP BY backend, precision"
)

JSON_WALK = """
import glob, json, sys, time
began, groups = time.perf_counter(), {}
for path in glob.iglob(sys.argv[1] + "/reports/*/report.json"):
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    if found["task"]["id"] == "task-07":
        key = found["target"]["backend"], found["target"]["precision"]
        groups.setdefault(key, []).append(found["builds"][0]["compile_s"])
print(f"{time.perf_counter() - began:.2f} s, {len(groups)} groups")
"""

DUCKDB_JSON = """
import duckdb, sys, time
began = time.perf_counter()
rows = duckdb.sql(f\"\"\"SELECT target.backend, target.precision, count(*), avg(builds[1].compile_s)
FROM read_json('{sys.argv[1]}/reports/*/report.json', maximum_depth=3, union_by_name=true,
  columns={{'task': 'STRUCT(id VARCHAR)', 'target': 'STRUCT(backend VARCHAR, precision VARCHAR)',
  'builds': 'STRUCT(compile_s DOUBLE)[]'}}) WHERE task.id = 'task-07' GROUP BY ALL\"\"\").fetchall()
print(f"{time.perf_counter() - began:.2f} s, {len(rows)} groups")
"""

DUCKDB_INDEX = """
import csv, duckdb, os, resource, sqlite3, sys, time
store, kinds = sys.argv[1], {"INTEGER": "BIGINT", "REAL": "DOUBLE", "TEXT": "TEXT"}
target = f"{store}/index.duckdb"
read, db = sqlite3.connect(f"{store}/index.sqlite"), duckdb.connect(target)
began = time.perf_counter()
for table in ("reports", "passes", "figure_values"):
    columns = {c[1]: kinds[c[2].split()[0]] for c in read.execute(f"PRAGMA table_info({table})")}
    path = f"{store}/{table}.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(read.execute(f"SELECT * FROM {table}"))
    db.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{path}', header=false, columns={columns})")
    os.unlink(path)
db.execute("CHECKPOINT")
loaded = time.perf_counter() - began
db.close()
began = time.perf_counter()
db = duckdb.connect(target, read_only=True)
db.execute("SELECT count(*) FROM reports").fetchall()
opened, asked = time.perf_counter() - began, []
for sql in sys.argv[2:]:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        db.execute(sql).fetchall()
        times.append(time.perf_counter() - began)
    asked.append(f"{1e3 * min(times):.1f}")
size, peak = os.path.getsize(target) / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"loaded by CSV {loaded:.1f} s, opened {1e3 * opened:.0f} ms, asked in ms: {', '.join(asked)}")
print(f"{size:.0f} MB, peak {peak:.0f} MiB")
os.unlink(target)
"""

DUCKDB_AGGREGATE = (
    "SELECT r.backend, r.precision, count(*), avg(v.value) FROM figure_values v JOIN reports r ON r.number = v.report "
    "JOIN passes p ON p.report = v.report AND p.measurement = v.measurement WHERE r.task = 'task-07' "
    "AND v.name = 'latency_p50_s' AND p.scenario = 'single_stream' AND r.status = 'ok' GROUP BY ALL"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--peers", type=Path, default=None)
    chosen = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="store-", dir=chosen.folder))
    try:
        _say(f"load {Path('/proc/loadavg').read_text().split()[:3]}")
        made = _timed(lambda: make(scratch, chosen.reports))
        _say(f"{chosen.reports} reports written in {made:.0f} s")
        measure(scratch)
        if chosen.peers:
            _peers(scratch, chosen.peers)
    finally:
        shutil.rmtree(scratch)


def make(store: Path, count: int) -> None:
    """Write ``count`` reports with their columns."""
    template = json.loads(codec.encode(codec.identify(sample(bins=8))))
    variants = [_columns(seed) for seed in range(VARIANTS)]
    kinds = itertools.cycle(itertools.product(TASKS, BACKENDS, PRECISIONS))
    for number, (task, backend, precision) in zip(range(count), kinds, strict=False):
        chosen = [variants[(number * 7 + side * 31) % VARIANTS] for side in range(2)]
        files = {f"columns/{side}/{name}": data for side, kept in enumerate(chosen) for name, data in kept.items()}
        document = {**template, "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}
        document["task"] = {**template["task"], "id": task}
        document["target"] = {**template["target"], "backend": backend, "precision": precision}
        document["created"] = f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}T00:00:{number % 60:02d}Z"
        document["command"] = ["accelbench", "run", task, "-b", backend, "--seed", str(number)]
        document["builds"] = [{**each, "compile_s": 1 + number % 1000 / 250} for each in template["builds"]]
        document["measurements"] = [
            {**each, "columns": f"columns/{side}"} for side, each in enumerate(template["measurements"])
        ]
        _write(store, document, files)


def _write(store: Path, document: dict[str, Any], files: dict[str, bytes]) -> None:
    document.pop("id")
    identity = hashlib.sha256(canonical(document)).hexdigest()
    target = document["target"]
    folder = f"{store}/reports/{document['task']['id']}--{target['backend']}--{target['precision']}--{identity[:12]}"
    for side in range(2):
        Path(f"{folder}/columns/{side}").mkdir(parents=True)
    for name, data in {**files, "report.json": canonical({**document, "id": identity})}.items():
        Path(f"{folder}/{name}").write_bytes(data)


def _columns(seed: int) -> dict[str, bytes]:
    """The files of a pass of some hundred queries, one in flight."""
    rng = np.random.default_rng(seed)
    took = (rng.lognormal(0.0, 0.1, 150 + 3 * (seed % LENGTHS)) * 1e5 * (1 + seed % 9)).astype(np.int64)
    done = np.cumsum(took + 300)
    issued = done - took
    with tempfile.TemporaryDirectory() as scratch:
        Columns(
            scheduled=issued,
            issued=issued,
            done=done,
            units=np.broadcast_to(np.int32(1), len(took)),
            ok=np.ones(len(took), dtype=np.bool_),
            feed=(np.arange(len(took)) % 8).astype(np.uint16),
            pauses=np.empty((0, 2), dtype=np.int64),
        ).write(Path(scratch) / "c")
        return {path.name: path.read_bytes() for path in (Path(scratch) / "c").iterdir()}


def measure(store: Path) -> None:
    """Build, rebuild, open again, ask, verify one."""
    before = _cpu_s()
    built = _timed(lambda: index.refresh(store))
    used = _cpu_s() - before
    found = index.refresh(store)
    _say(f"index built from raw facts in {built:.1f} s, {len(found.problems)} problems")
    _say(f"by {used:.1f} s of CPU time of all processes, {1e3 * used / found.reports:.2f} ms a report")
    _say(f"rebuilt with known figures in {_timed(lambda: index.refresh(store, rebuild=True)):.1f} s")
    opened = [_timed(lambda: index.refresh(store)) for _ in range(3)]
    _say(
        f"opened again, every folder looked at, in {min(opened):.2f} s ({', '.join(f'{each:.2f}' for each in opened)})"
    )
    for sql in (AGGREGATE, AGGREGATE.replace("task = 'task-07'", "backend = 'iree'")):
        asked = [_timed(partial(_ask, store, sql)) for _ in range(5)]
        _say(f"aggregate in {1e3 * min(asked):.1f} ms ({', '.join(f'{1e3 * each:.1f}' for each in asked)})")
    folders = list(itertools.islice(_reports(store), 200))
    read = [_timed(partial(verify, folder)) for folder in folders]
    _say(f"one report read and verified in {1e3 * float(np.median(read)):.2f} ms (at most {1e3 * max(read):.2f})")
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    _say(f"largest process {peak / 1024:.0f} MiB; index {(store / index.INDEX).stat().st_size / 1e6:.0f} MB")


def _reports(store: Path) -> Iterator[Path]:
    with os.scandir(store / "reports") as entries:
        for entry in entries:
            yield Path(entry.path)


def _ask(store: Path, sql: str) -> None:
    with closing(index.open_index(store)) as db:
        db.execute(sql).fetchall()


def _peers(store: Path, python: Path) -> None:
    by_backend = DUCKDB_AGGREGATE.replace("r.task = 'task-07'", "r.backend = 'iree'")
    for name, program, more in (
        ("json walk", JSON_WALK, []),
        ("DuckDB on the JSON files", DUCKDB_JSON, []),
        ("DuckDB with the same tables", DUCKDB_INDEX, [DUCKDB_AGGREGATE, by_backend]),
    ):
        words = [str(python), "-c", program, str(store), *more]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        _say(f"{name}: {done.stdout.strip() or done.stderr.strip()[-300:]}")


def _cpu_s() -> float:
    """CPU time of this process and of those that it waited for, in user and kernel mode."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
