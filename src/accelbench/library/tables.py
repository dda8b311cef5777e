"""The tables of the index: their columns, and what each column says. ``docs/store.md`` shows the same."""

from __future__ import annotations

from collections.abc import Mapping

SCHEMA = 1
"""Version of the tables. An index of another version is made again."""

Columns = tuple[tuple[str, str, str], ...]

REPORTS: Columns = (
    ("number", "INTEGER PRIMARY KEY", "the report's number in this index, another one in the next"),
    ("id", "TEXT NOT NULL UNIQUE", "sha256 of the report's content"),
    ("task", "TEXT NOT NULL", "the task's id"),
    ("version", "INTEGER NOT NULL", "the task's version"),
    ("tier", "TEXT NOT NULL", "regular, popular, frontier, smoke or op"),
    ("domain", "TEXT NOT NULL", "vision, language …"),
    ("weights", "TEXT", "the kind of the weights' source: shipped, local, hub, package, seeded or model"),
    ("backend", "TEXT NOT NULL", "the stack"),
    ("device", "TEXT NOT NULL", "the device as the backend calls it"),
    ("device_name", "TEXT", "the device as its driver calls it"),
    ("precision", "TEXT NOT NULL", "the precision that was asked for"),
    ("executed", "TEXT", "the precision that the bulk of the arithmetic ran in"),
    ("passes", "TEXT NOT NULL", "what was done to the model before, joined by +; empty for nothing"),
    ("effort", "TEXT NOT NULL", "quick, standard or submission"),
    ("status", "TEXT NOT NULL", "ok, failed or unsupported"),
    ("verdict", "TEXT NOT NULL", "within, out or unknown"),
    ("created", "TEXT NOT NULL", "when the report was made, UTC, ISO 8601"),
    ("accelbench", "TEXT NOT NULL", "the version that made it"),
    ("os", "TEXT NOT NULL", "of the host"),
    ("kernel", "TEXT NOT NULL", "of the host"),
    ("machine", "TEXT NOT NULL", "the host's architecture"),
    ("cpu", "TEXT", "the host's processor"),
    ("logical_cpus", "INTEGER NOT NULL", "that the process could use"),
    ("memory_bytes", "INTEGER", "of the host"),
    ("trust", "TEXT NOT NULL", "measured; verified, where somebody signed it; reproduced, where it came out again"),
    ("signed_by", "INTEGER NOT NULL DEFAULT 0", "how many keys signed it"),
    ("reproduced_by", "INTEGER NOT NULL DEFAULT 0", "how many reproductions in this store agree with it"),
    ("folder", "TEXT NOT NULL", "where it lies, relative to the store"),
)

PASSES: Columns = (
    ("report", "INTEGER NOT NULL", "reports.number"),
    ("measurement", "INTEGER NOT NULL", "the position of the timed pass in the report"),
    ("scenario", "TEXT NOT NULL", "single_stream, multi_stream, server, offline or closed_loop"),
    ("batch", "INTEGER NOT NULL", "samples in a query"),
    ("concurrency", "INTEGER NOT NULL", "queries in flight at most"),
    ("instances", "INTEGER NOT NULL", "of the session"),
    ("rate", "REAL", "queries per second that arrived"),
    ("burst", "INTEGER NOT NULL", "how many of them arrived together"),
    ("latency_bound_s", "REAL", "the bound that was to hold"),
    ("bound_statistic", "TEXT", "of what it is the bound"),
    ("max_batch", "INTEGER", "the largest batch that the harness made of waiting queries"),
    ("queries", "INTEGER NOT NULL", "that were timed"),
    ("against", "TEXT", "why the pass is not valid; absent for a valid one"),
)

VALUES: Columns = (
    ("report", "INTEGER NOT NULL", "reports.number"),
    ("name", "TEXT NOT NULL", "the figure's name"),
    ("measurement", "INTEGER NOT NULL", "the position of the timed pass; -1 for a figure of the whole report"),
    ("value", "REAL NOT NULL", "the number, not rounded"),
    ("low", "REAL", "the lower end of its 95 % interval"),
    ("high", "REAL", "the upper end"),
)

UNITS: Columns = (
    ("name", "TEXT PRIMARY KEY", "the figure's name"),
    ("unit", "TEXT NOT NULL", "what it counts"),
    ("better", "TEXT", "more or less, where there is a better"),
)

FOLDERS: Columns = (
    ("folder", "TEXT PRIMARY KEY", "relative to the store"),
    ("mtime_ns", "INTEGER NOT NULL", "when its file was written"),
    ("size_bytes", "INTEGER NOT NULL", "of its file"),
    ("sha256", "TEXT", "of the file of a report"),
    ("holds", "TEXT", "the id of the report, claim or reproduction in it; absent where it cannot be read"),
    ("problem", "TEXT", "what is wrong in it"),
)

CLAIMS: Columns = (
    ("id", "TEXT PRIMARY KEY", "sha256 of the claim's content"),
    ("kind", "TEXT NOT NULL", "result, specification or system"),
    ("source", "TEXT NOT NULL", "the kind of the file that it was read from"),
    ("source_name", "TEXT NOT NULL", "that file's name"),
    ("source_sha256", "TEXT NOT NULL", "and hash"),
    ("part", "TEXT", "the row of a table that it is"),
    ("vendor", "TEXT", "as the source says it"),
    ("device", "TEXT", "as the source says it"),
    ("device_id", "TEXT", "the device of the catalogue that it is taken for"),
    ("task", "TEXT", "as the source says it"),
    ("task_id", "TEXT", "the task that it is taken for"),
    ("software", "TEXT", "as the source says it"),
    ("date", "TEXT", "as the source says it"),
    ("caveats", "TEXT", "what is wrong with the whole of it"),
    ("trust", "TEXT NOT NULL", "always claimed"),
    ("folder", "TEXT NOT NULL", "where it lies, relative to the store"),
)

CLAIMED: Columns = (
    ("claim", "TEXT NOT NULL", "claims.id"),
    ("name", "TEXT NOT NULL", "the figure's name"),
    ("value", "REAL NOT NULL", "the number as claimed"),
    ("unit", "TEXT", "what it counts, where that is told"),
    ("batch", "INTEGER", "where told"),
    ("scenario", "TEXT", "where told"),
    ("precision", "TEXT", "where told"),
    ("statistic", "TEXT", "where told"),
    ("caveat", "TEXT", "what is wrong with the number"),
    ("trust", "TEXT NOT NULL", "always claimed"),
)

REPRODUCTIONS: Columns = (
    ("id", "TEXT PRIMARY KEY", "sha256 of the reproduction's content"),
    ("of", "TEXT NOT NULL", "the id of the report that was run again"),
    ("created", "TEXT NOT NULL", "when, UTC"),
    ("reproduced", "INTEGER NOT NULL", "how many figures came out again"),
    ("not_reproduced", "INTEGER NOT NULL", "how many did not"),
    ("ambiguous", "INTEGER NOT NULL", "of how many nothing can be said"),
    ("not_comparable", "INTEGER NOT NULL", "how many another machine forbids to compare"),
    ("outputs", "TEXT NOT NULL", "bit_equal, within_drift, differ or unknown"),
)

SIGNATURES: Columns = (
    ("report", "TEXT NOT NULL", "the id of the report that was signed"),
    ("key", "TEXT NOT NULL", "the fingerprint of the key"),
)

TABLES: Mapping[str, Columns] = {
    "reports": REPORTS,
    "passes": PASSES,
    "figure_values": VALUES,
    "units": UNITS,
    "claims": CLAIMS,
    "claimed_figures": CLAIMED,
    "reproductions": REPRODUCTIONS,
    "signatures": SIGNATURES,
    "folders": FOLDERS,
}

_KEYS = {
    "passes": "report, measurement",
    "figure_values": "report, name, measurement",
    "signatures": "report, key",
}

_OF_REPORT = (
    *("task", "version", "tier", "domain", "weights", "backend", "device", "device_name", "precision", "executed"),
    *("passes", "effort", "status", "verdict", "created", "cpu", "trust", "signed_by", "reproduced_by"),
)
_OF_PASS = tuple(name for name, _, _ in PASSES if name not in ("report", "measurement"))

FIGURES = ("report", *_OF_REPORT, "measurement", *_OF_PASS, "name", "value", "unit", "low", "high")
"""The columns of the view ``figures``: one row per figure, with what it is a figure of."""

_VIEW = f"""
CREATE VIEW figures AS SELECT
  r.id AS report, {", ".join(f"r.{name}" for name in _OF_REPORT)},
  nullif(v.measurement, -1) AS measurement, {", ".join(f"p.{name}" for name in _OF_PASS)},
  v.name, v.value, u.unit, v.low, v.high
FROM figure_values v
JOIN reports r ON r.number = v.report
LEFT JOIN passes p ON p.report = v.report AND p.measurement = v.measurement
LEFT JOIN units u ON u.name = v.name;
"""

INDEXES = """
CREATE INDEX reports_by_task ON reports (task, backend);
CREATE INDEX reports_by_backend ON reports (backend);
CREATE INDEX reports_trusted ON reports (trust) WHERE trust <> 'measured';
CREATE INDEX folders_by_content ON folders (holds);
CREATE INDEX folders_with_problems ON folders (folder) WHERE problem IS NOT NULL;
CREATE INDEX claimed_by_claim ON claimed_figures (claim);
CREATE INDEX reproductions_by_first ON reproductions (of);
"""


def _table(name: str, columns: Columns) -> str:
    lines = [f"{column} {kind}" for column, kind, _ in columns]
    if name in _KEYS:
        return f"CREATE TABLE {name} ({', '.join(lines)}, PRIMARY KEY ({_KEYS[name]})) WITHOUT ROWID;\n"
    return f"CREATE TABLE {name} ({', '.join(lines)});\n"


CREATE = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);\n"
    + "".join(_table(name, columns) for name, columns in TABLES.items())
    + _VIEW
)


def insert(table: str) -> str:
    """The statement that adds a whole row."""
    columns = TABLES[table]
    return f"INSERT INTO {table} ({', '.join(c for c, _, _ in columns)}) VALUES ({', '.join('?' * len(columns))})"
