from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.library import made
from tests.unit.page import factory

from accelbench import model
from accelbench.bundle import signature
from accelbench.errors import UsageError
from accelbench.figures.figures import figures
from accelbench.figures.passes import passes
from accelbench.imports.store import FORM, folder_name
from accelbench.library import index, reproductions, rows, workers
from accelbench.library.reproductions import REPRODUCTIONS
from accelbench.library.store import Store
from accelbench.library.verify import verify
from accelbench.measure import columns
from accelbench.report import codec
from accelbench.report.store import RunDirectory, open_report


def ask(store: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(index.open_index(store)) as db:
        return db.execute(sql).fetchall()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return made.store(tmp_path)[0]


def test_the_index_says_what_the_reports_say(store: Path) -> None:
    found = index.refresh(store)
    assert (found.reports, found.claims, found.reproductions, found.read, found.problems) == (3, 0, 0, 3, ())
    for folder in (store / "reports").iterdir():
        report, _ = open_report(folder)
        assert ask(store, f"SELECT task, backend, executed, verdict, folder FROM reports WHERE id = '{report.id}'") == [
            ("resnet50", report.target.backend, "bf16", "unknown", f"reports/{folder.name}")
        ]
        kept = ask(
            store,
            f"SELECT name, measurement, value, low, high, unit FROM figures WHERE report = '{report.id}'",
        )
        expected = {(f.name, f.measurement, f.value, f.low, f.high, f.unit) for f in figures(report, folder)}
        assert set(kept) == expected
        assert len(kept) == len(expected) > 5
    assert ask(store, "SELECT DISTINCT scenario, batch, queries FROM figures WHERE measurement = 1") == [
        ("offline", 8, 120)
    ]


def test_a_refresh_reads_only_what_is_new(store: Path) -> None:
    index.refresh(store)
    assert index.refresh(store).read == 0
    made.put(store, made.report(backend="more"))
    found = index.refresh(store)
    assert (found.reports, found.read) == (4, 1)


def test_what_goes_leaves_the_index(store: Path) -> None:
    index.refresh(store)
    gone = next((store / "reports").iterdir())
    shutil.rmtree(gone)
    found = index.refresh(store)
    assert (found.reports, found.gone, found.read) == (2, 1, 0)
    assert ask(store, "SELECT count(*) FROM reports WHERE folder = 'reports/" + gone.name + "'") == [(0,)]
    orphans = "SELECT count(*) FROM figure_values WHERE report NOT IN (SELECT number FROM reports)"
    assert ask(store, orphans) == [(0,)]


def test_a_deleted_or_damaged_index_is_made_again(store: Path) -> None:
    index.refresh(store)
    before = sorted(ask(store, "SELECT report, name, measurement, value, low, high FROM figures"))
    file = store / index.INDEX
    whole = file.read_bytes()
    for damage in (b"", b"no database at all" * 100, whole[:4096] + os.urandom(len(whole) - 4096)):
        file.unlink()
        file.write_bytes(damage)
        index.refresh(store)
        assert sorted(ask(store, "SELECT report, name, measurement, value, low, high FROM figures")) == before
    file.unlink()
    assert index.refresh(store).read == 3


def test_an_index_that_other_code_made_is_not_believed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index.refresh(store)
    monkeypatch.setattr(rows, "recipe", lambda: "another")
    with pytest.raises(UsageError, match="has no index that this accelbench reads"):
        index.open_index(store)
    assert index.refresh(store).read == 3


def test_a_rebuild_takes_known_figures_over_and_verify_finds_a_false_one(store: Path) -> None:
    index.refresh(store)
    with closing(sqlite3.connect(store / index.INDEX)) as db, db:
        db.execute("UPDATE figure_values SET value = 1e-9 WHERE name = 'latency_p50_s' AND report = 1")
    index.refresh(store, rebuild=True)
    assert ask(store, "SELECT count(*) FROM figures WHERE value = 1e-9") == [(2,)]
    assert ask(store, "SELECT count(*) FROM figures") == ask(store, "SELECT count(*) FROM figure_values")
    _, findings = verify(store)
    assert any("the index has latency_p50_s of pass 0 = 1e-09" in each.problem for each in findings)
    assert any("the raw facts give latency_p50_s of pass 0" in each.problem for each in findings)


def test_the_same_report_under_another_name_is_one_report(store: Path) -> None:
    folder = next((store / "reports").iterdir())
    shutil.copytree(folder, store / "reports" / "zzz-copy")
    found = index.refresh(store)
    assert (found.reports, found.read, found.problems) == (3, 4, ())
    shutil.rmtree(folder)
    assert index.refresh(store).reports == 3
    (kept,) = ask(store, f"SELECT id, folder FROM reports WHERE id LIKE '{folder.name[-12:]}%'")
    assert kept[1] == "reports/zzz-copy"
    assert ask(store, f"SELECT count(*) > 5 FROM figures WHERE report = '{kept[0]}'") == [(1,)]


def test_of_two_copies_the_one_that_is_as_it_was_counts(store: Path) -> None:
    folder = sorted((store / "reports").iterdir())[0]
    shutil.copytree(folder, store / "reports" / "aaa-copy")
    made.edit(store / "reports" / "aaa-copy" / "columns" / "single_stream-1" / "done.npy", b"other")
    found = index.refresh(store)
    assert found.reports == 3
    assert [folder for folder, _ in found.problems] == ["reports/aaa-copy"]
    (kept,) = ask(store, f"SELECT id, folder FROM reports WHERE id LIKE '{folder.name[-12:]}%'")
    assert kept[1] == f"reports/{folder.name}"
    assert ask(store, f"SELECT count(*) > 5 FROM figures WHERE report = '{kept[0]}'") == [(1,)]
    assert verify(store)[1][0].folder == "reports/aaa-copy"


def test_changed_content_is_told_and_is_no_evidence(store: Path) -> None:
    first, second, third = sorted((store / "reports").iterdir())
    made.changed(first, effort="submission")
    made.edit(second / "columns" / "single_stream-1" / "done.npy", b"other")
    (third / "columns" / "offline-8" / "more.npy").write_bytes(b"x")
    found = index.refresh(store)
    assert dict(found.problems) == {
        f"reports/{first.name}": "report.json: the content does not match the report's id; it was changed after it "
        "was made",
        f"reports/{second.name}": "columns/single_stream-1/done.npy differs from what the report names",
        f"reports/{third.name}": "columns/offline-8/more.npy is not named in the report",
    }
    assert found.reports == 2
    assert ask(store, "SELECT count(*) FROM figures WHERE measurement IS NOT NULL") == [(0,)]
    (third / "columns" / "offline-8" / "more.npy").unlink()
    assert len(index.refresh(store).problems) == 2, "what was mended is read again"


def test_a_report_changed_in_place_is_noticed_by_the_next_refresh(store: Path) -> None:
    index.refresh(store)
    folder = next((store / "reports").iterdir())
    made.changed(folder, effort="submission")
    found = index.refresh(store)
    assert (found.reports, found.read, len(found.problems)) == (2, 1, 1)


def test_hostile_content_is_a_problem_of_its_folder(tmp_path: Path) -> None:
    store, _ = made.store(tmp_path, 1)
    huge = made.report(host=replace(made.report().host, memory_bytes=2**64 - 1))
    made.put(store, huge)
    elsewhere = made.report(measurements=(replace(factory.measurement("offline", 8, 9), columns="../../x"),))
    run = store / "reports" / "stranger"
    run.mkdir()
    (run / "report.json").write_bytes(codec.encode(codec.identify(elsewhere)))
    (store / "reports" / "empty").mkdir()
    (store / "reports" / "file").write_text("")
    found = index.refresh(store)
    assert found.reports == 3
    assert dict(found.problems) == {
        "reports/stranger": "../../x lies outside the report's folder",
        "reports/empty": "report.json is missing",
        "reports/file": "report.json is missing",
    }
    assert ask(store, "SELECT max(memory_bytes) FROM reports") == [(float(2**64),)]


def test_columns_that_claim_more_rows_than_there_is_memory_are_a_problem(tmp_path: Path) -> None:
    store = tmp_path / "store"
    folder = made.put(store, made.report())
    draft, _ = open_report(folder)
    shutil.rmtree(folder)
    run = RunDirectory(store)
    with run.staging() as staging:
        for each in draft.measurements:
            factory.columns(staging / each.columns, 30, 1000, 1)
            names = ("scheduled", "issued", "done", "units", "ok", "feed")
            constant = {"schema": 1, "rows": 4 * 10**15, "first": 0, "constant": dict.fromkeys(names, 1)}
            (staging / each.columns / "index.json").write_text(json.dumps(constant))
        run.put(replace(draft, files={}), staging, {})
    found = index.refresh(store)
    assert found.reports == 1
    assert ask(store, "SELECT count(*) FROM figures WHERE name = 'throughput'") == [(0,)]


def test_processes_read_what_one_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = made.store(tmp_path, 5)
    monkeypatch.setattr(workers, "BATCH", 1)
    index.refresh(store, processes=2)
    spread = ask(store, "SELECT report, name, measurement, value FROM figures ORDER BY 1, 2, 3")
    (store / index.INDEX).unlink()
    index.refresh(store, processes=1)
    assert ask(store, "SELECT report, name, measurement, value FROM figures ORDER BY 1, 2, 3") == spread
    assert not multiprocessing.active_children()


def test_a_full_disk_leaves_the_index_as_it_was(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index.refresh(store)
    before = ask(store, "SELECT count(*) FROM figures")
    for number in range(25):
        made.put(store, factory.failed(f"later-{number}"))
    real = sqlite3.connect

    def small(file: Any, **options: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = real(file, **options)
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {max(pages, 3)}")
        return db

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        with pytest.raises(UsageError, match=r"no space left on the disk of .*; the index is as it was"):
            index.refresh(store)
        with pytest.raises(UsageError, match="no space left on the disk of"):
            index.refresh(store, rebuild=True)
    assert ask(store, "SELECT count(*) FROM figures") == before
    assert not list(store.glob(f".{index.INDEX}.*"))
    assert index.refresh(store).reports == 28


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no store"):
        index.refresh(tmp_path)
    with pytest.raises(UsageError, match="has no index"):
        index.open_index(tmp_path)


def judged(outcome: model.Reproduced) -> model.Judged:
    return model.Judged("throughput", 0, 1.0, (1.0,), 1.0, 0.99, 1.01, 0.03, outcome)


def reproduction(of: str, *outcomes: model.Reproduced) -> model.Reproduction:
    found = tuple(judged(outcome) for outcome in outcomes)
    draft = model.Reproduction(
        1, "", "2026-03-05T00:00:00Z", "0.1.0", of, ("0" * 64,), 0.05, found, "bit_equal", None, (), ()
    )
    return REPRODUCTIONS.identify(draft)


def test_reproductions_that_agree_are_counted(tmp_path: Path) -> None:
    store, folders = made.store(tmp_path, 3)
    ids = [open_report(folder)[0].id for folder in folders]
    reproductions.put(store, reproduction(ids[0], "reproduced", "ambiguous"), None)
    reproductions.put(store, reproduction(ids[0], "reproduced"), None)
    reproductions.put(store, reproduction(ids[1], "reproduced", "not_reproduced"), None)
    reproductions.put(store, reproduction(ids[2], "not_comparable"), None)
    found = index.refresh(store)
    assert (found.reproductions, found.problems) == (4, ())
    told = {id_: rest for id_, *rest in ask(store, "SELECT id, trust, reproduced_by FROM reports")}
    assert told == {ids[0]: ["reproduced", 2], ids[1]: ["measured", 0], ids[2]: ["measured", 0]}
    shutil.rmtree(next((store / "reproductions").glob(f"{ids[0][:12]}--*")))
    index.refresh(store)
    assert ask(store, f"SELECT reproduced_by FROM reports WHERE id = '{ids[0]}'") == [(1,)]


def test_good_signatures_verify_a_report_and_others_are_a_problem(tmp_path: Path) -> None:
    store, folders = made.store(tmp_path, 2)
    ids = [open_report(folder)[0].id for folder in folders]
    made_by = signature.sign(Ed25519PrivateKey.generate(), {"report": ids[0], "bundle": "0" * 64})
    for of in ids:
        folder = store / "signatures" / of
        folder.mkdir(parents=True)
        (folder / f"{made_by.fingerprint}.json").write_bytes(signature.encode(made_by))
    found = index.refresh(store)
    assert [folder for folder, _ in found.problems] == [f"signatures/{ids[1]}"]
    told = {id_: rest for id_, *rest in ask(store, "SELECT id, trust, signed_by FROM reports")}
    assert told == {ids[0]: ["verified", 1], ids[1]: ["measured", 0]}
    assert index.refresh(store).reports == 2


TABLE = b"a,b\n"
"""What the claim was read from."""


def claim() -> model.Claim:
    source = model.ClaimSource("csv", "table.csv", hashlib.sha256(TABLE).hexdigest(), len(TABLE), "row 2")
    figure = model.ClaimFigure("throughput", 12000, "samples/s", "/1/qps", batch=8, precision="int8")
    return FORM.identify(
        model.Claim(
            schema=model.CLAIM_SCHEMA,
            id="",
            kind="result",
            source=source,
            vendor=None,
            device=model.Named("Example 9000", "/1/device", "example-9000", "by name"),
            task=None,
            texts=(),
            figures=(figure,),
            notes=(),
            refused=(),
        )
    )


def test_claims_stand_apart(tmp_path: Path) -> None:
    store, _ = made.store(tmp_path, 1)
    folder = store / "claims" / folder_name(claim())
    folder.mkdir(parents=True)
    (folder / "claim.json").write_bytes(FORM.encode(claim()))
    (store / "claims" / "broken").mkdir()
    (store / "claims" / "broken" / "claim.json").write_text("{}")
    found = index.refresh(store)
    assert found.claims == 1
    assert [folder for folder, _ in found.problems] == ["claims/broken"]
    assert ask(store, "SELECT device, device_id, task, trust FROM claims") == [
        ("Example 9000", "example-9000", None, "claimed")
    ]
    assert ask(store, "SELECT name, value, unit, batch, precision, trust FROM claimed_figures") == [
        ("throughput", 12000.0, "samples/s", 8, "int8", "claimed")
    ]
    assert ask(store, "SELECT count(*) FROM figures WHERE value = 12000") == [(0,)]
    shutil.rmtree(store / "claims" / "broken")
    assert [each.problem for each in verify(store, processes=1)[1]] == ["source/table.csv: missing"]
    (folder / "source").mkdir()
    (folder / "source" / "table.csv").write_bytes(TABLE)
    assert verify(store, processes=1)[1] == ()
    assert [each.id for each in Store(store).claims()] == [claim().id]
    shutil.rmtree(folder)
    assert index.refresh(store).claims == 0


def test_figures_that_no_number_tells_are_absent(tmp_path: Path) -> None:
    store = tmp_path / "store"
    made.put(store, factory.failed())
    assert index.refresh(store).reports == 1
    assert ask(store, "SELECT status, executed, weights FROM reports") == [("failed", None, None)]
    assert ask(store, "SELECT count(*) FROM figures") == [(0,)]
    assert np.isfinite([value for (value,) in ask(store, "SELECT value FROM figure_values")]).all()


@pytest.mark.parametrize("queries", [5, 40, 230, 400, 2500, 70_000])
def test_rows_are_what_the_public_figures_are(tmp_path: Path, queries: int) -> None:
    """Of passes whose columns are read at once and of those that are mapped."""
    drafts = (factory.measurement("single_stream", 1, queries), factory.measurement("offline", 8, queries))
    folder = made.put(tmp_path / "store", made.report(measurements=drafts), seed=queries)
    assert (folder / "columns" / "offline-8" / "done.npy").stat().st_size > columns.SMALL_BYTES or queries < 70_000
    report, _ = open_report(folder)
    entry = rows.read(tmp_path / "store", f"reports/{folder.name}")
    assert entry.problem is None
    assert entry.figures == tuple(
        (f.name, rows.WHOLE_REPORT if f.measurement is None else f.measurement, f.value, f.low, f.high)
        for f in figures(report, folder)
    )
    assert [row[-1] for row in entry.passes] == [
        "; ".join(each.validity or ()) or None for each in passes(report, folder)
    ]


@pytest.mark.parametrize("queries", [40, 70_000])
def test_one_byte_of_a_column_that_differs_is_told(tmp_path: Path, queries: int) -> None:
    drafts = (factory.measurement("single_stream", 1, queries),)
    folder = made.put(tmp_path / "store", made.report(measurements=drafts))
    file = folder / "columns" / "single_stream-1" / "done.npy"
    data = file.read_bytes()
    made.edit(file, data[:-1] + bytes([data[-1] ^ 1]))
    entry = rows.read(tmp_path / "store", f"reports/{folder.name}")
    assert entry.problem == "columns/single_stream-1/done.npy differs from what the report names"
    assert {row[1] for row in entry.figures} == {rows.WHOLE_REPORT}


def test_a_rebuild_believes_no_file_of_other_bytes(store: Path) -> None:
    index.refresh(store)
    folder = next((store / "reports").iterdir())
    file = folder / "report.json"
    stamp = file.stat()
    data = file.read_bytes()
    made.edit(file, data.replace(b'"effort":"quick"', b'"effort":"QUICK"'))
    os.utime(file, ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    assert index.refresh(store).problems == (), "same time, same size: not looked at"
    found = index.refresh(store, rebuild=True)
    assert (found.reports, found.read) == (2, 1)
    assert [name for name, _ in found.problems] == [f"reports/{folder.name}"]


def test_verify_looks_into_every_room(tmp_path: Path) -> None:
    store, (folder,) = made.store(tmp_path, 1)
    report, _ = open_report(folder)
    made_by = signature.sign(Ed25519PrivateKey.generate(), {"report": report.id, "bundle": "0" * 64})
    signed = store / "signatures" / report.id / f"{made_by.fingerprint}.json"
    signed.parent.mkdir(parents=True)
    signed.write_bytes(signature.encode(made_by))
    answer = reproductions.put(store, reproduction(report.id, "reproduced"), None)
    claimed = store / "claims" / folder_name(claim())
    (claimed / "source").mkdir(parents=True)
    (claimed / "claim.json").write_bytes(FORM.encode(claim()))
    (claimed / "source" / "table.csv").write_bytes(TABLE)
    assert verify(store) == (4, ())
    made.edit(signed, signed.read_bytes().replace(b'"bundle":"0', b'"bundle":"1'))
    made.edit(answer, answer.read_bytes().replace(b'"reproduced"', b'"ambiguous"'))
    made.edit(claimed / "source" / "table.csv", b"other")
    made.edit(folder / "columns" / "offline-8" / "done.npy", b"other")
    rooms = {each.folder.partition("/")[0] for each in verify(store)[1]}
    assert rooms == {"signatures", "reproductions", "claims", "reports"}
