from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.library import made

from accelbench.errors import UsageError
from accelbench.library import export, index
from accelbench.library.query import Answer, Wanted, ask, statement


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, _ = made.store(tmp_path_factory.mktemp("query"), 3)
    made.put(path, made.report("bert-base", "stack-0", "fp32"))
    index.refresh(path)
    return path


def rows(store: Path, wanted: Wanted) -> list[tuple[object, ...]]:
    with ask(store, *statement(wanted)) as answer:
        return list(answer.rows)


def test_options_choose_figures(store: Path) -> None:
    chosen = Wanted(task=("resnet50",), backend=("stack-0", "stack-1"), figure=("latency_p50_s",), where="batch = 1")
    assert [row[:6] for row in rows(store, chosen)] == [
        ("resnet50", "stack-0", "CPU", "bf16", "single_stream", 1),
        ("resnet50", "stack-1", "CPU", "bf16", "single_stream", 1),
    ]
    assert {row[1] for row in rows(store, Wanted(precision=("fp32",)))} == {"stack-0"}
    assert rows(store, Wanted(task=("nothing' OR 1=1 --",))) == []


def test_groups_are_counted_and_summarised(store: Path) -> None:
    found = rows(store, Wanted(figure=("latency_p50_s",), where="batch = 1", by=("task",)))
    assert [row[:4] for row in found] == [("bert-base", "latency_p50_s", "s", 1), ("resnet50", "latency_p50_s", "s", 3)]
    least, median, most = (float(str(value)) for value in found[1][4:])
    assert least < median < most
    assert median == pytest.approx(0.011, rel=0.05)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM reports",
        "UPDATE figure_values SET value = 0",
        "INSERT INTO units VALUES ('a', 'b', 'c')",
        "DROP TABLE reports",
        "CREATE TEMP TABLE t (x)",
        "ATTACH '/tmp/x' AS y",
        "DETACH main",
        "PRAGMA writable_schema = 1",
        "PRAGMA query_only",
        "SELECT * FROM pragma_database_list",
        "VACUUM INTO '/tmp/x'",
        "COMMIT",
        "ROLLBACK",
        "REINDEX",
        "ANALYZE",
    ],
)
def test_nothing_but_reading_is_allowed(store: Path, sql: str) -> None:
    before = (store / index.INDEX).read_bytes()
    with pytest.raises(UsageError), ask(store, sql) as answer:
        list(answer.rows)
    assert (store / index.INDEX).read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM reports", "only SELECT is allowed"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT nix FROM reports", r"no such column: nix \(docs/store.md"),
        ("", "gives no rows"),
        ("SELECT load_extension('x')", "docs/store.md"),
        ("SELECT zeroblob(1000000000)", "too big"),
        ("SELECT median(task) FROM reports", "docs/store.md"),
    ],
)
def test_other_sql_is_one_line(store: Path, sql: str, said: str) -> None:
    with pytest.raises(UsageError, match=said), ask(store, sql) as answer:
        list(answer.rows)


def test_a_query_ends_at_its_limit(store: Path) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    with pytest.raises(UsageError, match=r"took more than 0\.05 s"), ask(store, endless, limit_s=0.05) as answer:
        list(answer.rows)


@given(st.text(max_size=40))
def test_whatever_stands_in_where_is_a_condition_or_one_line(store: Path, words: str) -> None:
    with suppress(UsageError):
        rows(store, Wanted(where=words))


def answer(*values: tuple[object, ...]) -> Answer:
    return Answer(("a", "b"), iter(values))


def test_csv_and_json_hold_what_is_absent_as_nothing() -> None:
    out = io.StringIO()
    export.write_csv(answer((1, None), ('x,"y"', 2.5)), out)
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [["a", "b"], ["1", ""], ['x,"y"', "2.5"]]
    out = io.StringIO()
    export.write_json(answer((1, None), (float("inf"), b"\x01")), out)
    assert json.loads(out.getvalue()) == [{"a": 1, "b": None}, {"a": None, "b": "01"}]
    out = io.StringIO()
    export.write_json(answer(), out)
    assert json.loads(out.getvalue()) == []


def test_rows_for_people_end_somewhere() -> None:
    assert export.first(iter([(1,), (2,), (3,)]), 2) == ([(1,), (2,)], True)
    assert export.first(iter([(1,), (2,)]), 2) == ([(1,), (2,)], False)


def test_parquet_without_its_library_says_what_to_install(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'accelbench\[parquet\]'"):
        export.write_parquet(partial(ask, store, "SELECT 1"), tmp_path / "x.parquet")


def test_parquet_holds_the_rows_with_their_types(store: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    sql = "SELECT task, measurement, batch, value, NULL AS absent FROM figures ORDER BY value"
    count = export.write_parquet(partial(ask, store, sql), tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    with ask(store, sql) as found:
        assert [tuple(row.values()) for row in table.to_pylist()] == list(found.rows)
    assert [str(each) for each in table.schema.types] == ["string", "int64", "int64", "double", "string"]
    assert table.num_rows == count > 10
    with pytest.raises(UsageError, match="values of different kinds"):
        export.write_parquet(partial(ask, store, "SELECT 1 AS a UNION SELECT 'x'"), tmp_path / "y.parquet")
    assert not (tmp_path / "y.parquet").exists()
    with pytest.raises(UsageError, match="never overwritten"):
        export.write_parquet(partial(ask, store, "SELECT 1"), tmp_path / "x.parquet")
