from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.board.factory import assets, column, loaded
from tests.unit.library import made
from tests.unit.page import factory

from accelbench import model
from accelbench.board import data
from accelbench.board import detail as details
from accelbench.board.build import PAGE, build
from accelbench.board.data import Wish
from accelbench.board.downloads import records
from accelbench.errors import UsageError
from accelbench.knowledge.catalogue import recipes
from accelbench.knowledge.match import Match
from accelbench.library import export
from accelbench.library.reproductions import REPRODUCTIONS, put
from accelbench.model import REPRODUCTION_SCHEMA, Judged, Reproduction
from accelbench.report.store import open_report


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return assets(tmp_path)


def index(stores: list[Path], board: Path, page: Path, **wish: Any) -> Any:
    build(stores, board, Wish(**wish), page, processes=1)
    return loaded(board / "data/index.js")


def test_a_board_has_what_the_store_has(tmp_path: Path, page: Path) -> None:
    store, folders = made.store(tmp_path)
    found = index([store], tmp_path / "board", page, title="Ours")
    reports, passes = found["reports"], found["passes"]
    assert found["meta"]["title"] == "Ours"
    assert found["meta"]["stores"] == [{"name": "store", "reports": 3}]
    assert {len(column(reports, name)) for name in reports} == {3}
    assert {len(column(passes, name)) for name in passes} == {len(passes["report"])} == {6}
    assert sorted(column(reports, "backend")) == ["stack-0", "stack-1", "stack-2"]
    assert set(column(reports, "trust")) == {"measured"}
    assert {len(devices) for devices in (found["devices"], found["tasks"], found["lints"])}.isdisjoint({0})
    for folder in folders:
        report, _ = open_report(folder)
        detail = loaded(tmp_path / f"board/data/reports/{report.id[:12]}.js")
        assert detail["id"] == report.id
        assert detail["command"] == list(report.command)
        assert [each["queries"] for each in detail["measurements"]] == [each.queries for each in report.measurements]
    for name in PAGE:
        assert (tmp_path / "board" / name).read_bytes() == (page / name).read_bytes()


def test_figures_are_those_of_the_index(tmp_path: Path, page: Path) -> None:
    store = tmp_path / "store"
    made.put(store, made.report())
    found = index([store], tmp_path / "board", page)
    passes = found["passes"]
    detail = loaded(next((tmp_path / "board/data/reports").iterdir()))
    for row, timed in enumerate(detail["measurements"]):
        p50 = next(each for each in timed["quantiles"] if each["q"] == 0.5)
        assert (p50["s"], p50["lowS"]) == (passes["p50"][row], passes["p50Low"][row])
        assert passes["p50Low"][row] <= passes["p50"][row] <= passes["p50High"][row]
        assert timed["histogram"]["lowS"] <= passes["p50"][row] <= timed["histogram"]["highS"]


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_stores_give_the_same_board(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    store, _ = made.store(tmp_path)
    contents = []
    for name, batch, several in (("a", data.BATCH, 1), ("b", 1, processes)):
        monkeypatch.setattr(data, "BATCH", batch)
        build([store], tmp_path / name, Wish(raw=True), page, processes=several)
        files = sorted(file for file in (tmp_path / name).rglob("*") if file.is_file())
        contents.append({file.relative_to(tmp_path / name): file.read_bytes() for file in files})
    assert contents[0] == contents[1]


def test_a_report_of_two_stores_is_shown_once(tmp_path: Path, page: Path) -> None:
    draft = made.report()
    for name in ("one", "two"):
        made.put(tmp_path / name, draft)
    found = index([tmp_path / "one", tmp_path / "two"], tmp_path / "board", page)
    assert len(found["reports"]["id"]) == 1
    assert [each["reports"] for each in found["meta"]["stores"]] == [1, 1]


def test_trust_is_told_over_all_stores(tmp_path: Path, page: Path) -> None:
    folder = made.put(tmp_path / "one", made.report())
    report, _ = open_report(folder)
    again = Judged("latency_p50_s", 0, 0.02, (0.02, 0.021), 1.02, 0.99, 1.05, 0.03, "reproduced")
    answer = REPRODUCTIONS.identify(
        Reproduction(
            REPRODUCTION_SCHEMA, "", "2026-03-04T05:06:07+00:00", "0.1.0", report.id, ("b" * 64,), 0.05, (again,),
            "bit_equal", 0.0, (), (),
        )
    )  # fmt: skip
    put(tmp_path / "two", answer, None)
    found = index([tmp_path / "one", tmp_path / "two"], tmp_path / "board", page)
    assert column(found["reports"], "trust") == ["reproduced"]
    assert found["reports"]["reproducedBy"] == [1]
    detail = loaded(tmp_path / f"board/data/reports/{report.id[:12]}.js")
    assert [each["id"] for each in detail["reproductions"]] == [answer.id]


def test_what_cannot_be_read_is_told_and_the_rest_is_shown(tmp_path: Path, page: Path) -> None:
    store, folders = made.store(tmp_path)
    made.changed(folders[0], effort="standard")
    found = index([store], tmp_path / "board", page)
    assert len(found["reports"]["id"]) == 2
    assert [Path(each["folder"]).name for each in found["meta"]["problems"]] == [folders[0].name]


def test_a_pass_without_its_columns_has_no_figures(tmp_path: Path, page: Path) -> None:
    store, (folder, *_) = made.store(tmp_path, 1)
    for file in (folder / "columns").glob("*/done.npy"):
        made.edit(file, b"nothing")
    found = index([store], tmp_path / "board", page)
    assert set(found["passes"]["p50"]) == set(found["passes"]["throughput"]) == {None}
    assert None not in column(found["passes"], "against")
    assert found["meta"]["problems"]


def test_the_stored_report_travels_where_it_is_wanted(tmp_path: Path, page: Path) -> None:
    folder = made.put(tmp_path / "store", made.report())
    build([tmp_path / "store"], tmp_path / "with", Wish(raw=True), page)
    build([tmp_path / "store"], tmp_path / "without", Wish(), page)
    kept = [loaded(next((tmp_path / name / "data/reports").iterdir()))["raw"]["gzip"] for name in ("with", "without")]
    assert gzip.decompress(base64.b64decode(kept[0])) == (folder / "report.json").read_bytes()
    assert kept[1] is None


def test_downloads_are_as_the_index_says(tmp_path: Path, page: Path) -> None:
    store, _ = made.store(tmp_path)
    found = index([store], tmp_path / "board", page)
    assert {(each["what"], each["format"]) for each in found["downloads"]} == {
        (what, form) for what in ("reports", "passes") for form in ("csv", "json")
    }
    for each in found["downloads"]:
        content = (tmp_path / "board" / each["href"]).read_bytes()
        assert len(content) == each["bytes"]
        if each["format"] == "csv":
            assert content.count(b"\n") == each["rows"] + 1
        else:
            assert json.loads(content) == found[each["what"]]


def test_downloads_as_parquet_are_asked_for(tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = made.store(tmp_path, 1)
    monkeypatch.setattr(export, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'accelbench\[parquet\]'"):
        index([store], tmp_path / "board", page, parquet=True)
    assert not (tmp_path / "board").exists()


def test_downloads_as_parquet_have_the_rows(tmp_path: Path, page: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    store, _ = made.store(tmp_path, 2)
    found = index([store], tmp_path / "board", page, parquet=True)
    listed = {each["what"]: each for each in found["downloads"] if each["format"] == "parquet"}
    assert set(listed) == {"reports", "passes"}
    for what, each in listed.items():
        table = parquet.read_table(tmp_path / "board" / each["href"])
        assert table.to_pylist() == list(records(found, what))
        assert table.num_rows == each["rows"]


def test_a_board_is_replaced_and_nothing_else_is(tmp_path: Path, page: Path) -> None:
    store, _ = made.store(tmp_path)
    board = tmp_path / "board"
    build([store], board, Wish(), page)
    made.put(store, made.report(backend="later"))
    assert build([store], board, Wish(), page).reports == 4
    assert "later" in column(loaded(board / "data/index.js")["reports"], "backend")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is no board"):
        build([store], other, Wish(), page)
    assert (other / "mine.txt").read_text() == "mine"


def test_what_fails_leaves_the_old_board_and_nothing_else(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = made.store(tmp_path)
    board = tmp_path / "board"
    build([store], board, Wish(), page)
    before = (board / "data/index.js").read_bytes()

    def fail(*_: object) -> None:
        raise UsageError("the disk is full")

    monkeypatch.setattr(data, "_index", fail)
    for folder in (board, tmp_path / "new"):
        with pytest.raises(UsageError, match="the disk is full"):
            build([store], folder, Wish(), page)
    assert (board / "data/index.js").read_bytes() == before
    assert not (tmp_path / "new").exists()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_page_that_is_not_built_is_told(tmp_path: Path) -> None:
    store, _ = made.store(tmp_path)
    with pytest.raises(UsageError, match=r"not built here \(index.html, board.js, board.css\)"):
        build([store], tmp_path / "board", Wish(), tmp_path / "nothing")


@st.composite
def drafts(draw: st.DrawFn) -> model.Report:
    """Reports of which parts are missing."""
    whole = factory.report(draw(st.sampled_from(["a", "b"])), draw(st.sampled_from(["x", "y"])), "fp32")
    quality = draw(st.sampled_from([None, factory.quality(), factory.quality(accuracy=0.0), whole.quality]))
    return replace(
        whole,
        created=f"2026-01-0{draw(st.integers(1, 9))}T00:00:00Z",
        status=draw(st.sampled_from(["ok", "failed", "unsupported"])),
        device=draw(st.sampled_from([None, whole.device])),
        weights=draw(st.sampled_from([None, whole.weights])),
        builds=draw(st.sampled_from([(), whole.builds])),
        environment=draw(st.sampled_from([None, whole.environment])),
        measurements=whole.measurements[: draw(st.integers(0, 2))],
        quality=quality,
    )


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(drafts(), min_size=1, max_size=4, unique_by=repr))
def test_what_is_missing_is_null_and_never_zero(
    tmp_path_factory: pytest.TempPathFactory, chosen: list[model.Report]
) -> None:
    root = tmp_path_factory.mktemp("boards")
    folders = [made.put(root / "store", draft) for draft in chosen]
    found = index([root / "store"], root / "board", assets(root))
    reports, passes = found["reports"], found["passes"]
    rows = {id_: row for row, id_ in enumerate(reports["id"])}
    assert len(rows) == len(folders)
    assert reports["created"] == sorted(reports["created"], reverse=True)
    for folder in folders:
        report, _ = open_report(folder)
        row = rows[report.id[:12]]
        told = {name: column(reports, name)[row] for name in reports}
        quality = report.quality
        accuracy = quality.accuracy if quality else None
        assert told["accuracy"] == (None if accuracy is None else accuracy.value)
        assert (told["accuracyRatio"] is None) == (accuracy is None or accuracy.value == 0)
        assert (told["relativeL2"] is None) == (told["nonFinite"] is None) == (quality is None or not quality.drift)
        assert (told["compileS"] is None) == (told["executed"] is None) == (not report.builds)
        assert (told["weights"] is None) == (report.weights is None)
        assert told["deviceName"]
        own = [place for place, owner in enumerate(passes["report"]) if owner == row]
        assert len(own) == len(report.measurements)
        assert all(passes["watts"][place] is None and passes["p50"][place] > 0 for place in own)
        assert all(passes["rate"][place] is None for place in own)


def test_recipes_are_told_and_which_apply(tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = next(iter(recipes().values()))
    monkeypatch.setattr(details, "applying", lambda _: (Match(recipe, (), ()),))
    made.put(tmp_path / "store", made.report())
    found = index([tmp_path / "store"], tmp_path / "board", page)
    assert [each["id"] for each in found["recipes"]] == list(recipes())
    assert found["recipes"][0]["title"] == {"en": recipe.title.en, "zh": recipe.title.zh}
    assert loaded(next((tmp_path / "board/data/reports").iterdir()))["recipes"] == [recipe.id]
