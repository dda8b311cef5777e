"""What a board's server answers programs: reports, figures, devices, tasks and claims as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import accelbench
from accelbench.board import catalogue, downloads
from accelbench.board.live import Live
from accelbench.errors import UsageError
from accelbench.library import index
from accelbench.library.query import Wanted, ask, statement
from accelbench.report.store import REPORT

PREFIX = "/api/v1"
MOST, USUAL = 10_000, 1000
"""Rows of an answer: at most, and where nothing is said."""

Query = Mapping[str, Sequence[str]]


class NotFound(UsageError):
    """Nothing is known by this name."""


@dataclass(frozen=True)
class Route:
    """An address below ``PREFIX``: what it answers, in words, and by which function. ``by`` are the parameters that
    choose rows; one that ends in ``/{id}`` takes a name."""

    path: str
    summary: str
    answer: Callable[[Live, Query, str], bytes]
    by: tuple[str, ...] = ()


def answer(live: Live, path: str, query: Query) -> bytes | None:
    """The JSON for a path below ``PREFIX``; None for an address that there is not. Raises NotFound for a name that is
    not known, UsageError for parameters that are not understood."""
    room, _, name = path.strip("/").partition("/")
    for route in ROUTES:
        base, _, named = route.path.strip("/").partition("/")
        if base == room and bool(named) == bool(name):
            unknown = set(query) - {*route.by, *(() if named else ("limit", "offset"))}
            if unknown:
                raise UsageError(f"{path} knows no parameter {', '.join(sorted(unknown))}")
            return route.answer(live, query, name)
    return None


def openapi(uploads: bool) -> dict[str, Any]:
    """The description of all addresses (OpenAPI 3.1)."""
    paths: dict[str, Any] = {f"{PREFIX}{route.path}": {"get": _described(route)} for route in ROUTES}
    events = {"text/event-stream": {"schema": {"type": "string"}}}
    paths[f"{PREFIX}/events"] = {
        "get": {
            "summary": "An event `reload` for each new board",
            "responses": {"200": {"description": "a stream", "content": events}},
        }
    }
    if uploads:
        paths[f"{PREFIX}/bundles"] = {"post": _UPLOAD}
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    about = {"title": "accelbench board", "version": accelbench.__version__}
    return {"openapi": "3.1.0", "info": about, "paths": paths, "components": {"securitySchemes": schemes}}


def _described(route: Route) -> dict[str, Any]:
    named = route.path.endswith("/{id}")
    told = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in route.by]
    paged = [{"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}} for name in ("limit", "offset")]
    own = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    kind = {"type": "object"} if named else {"type": "array", "items": {"type": "object"}}
    found = {"description": "found", "content": {"application/json": {"schema": kind}}}
    problem = {"description": "what is wrong, as `error`"}
    return {
        "summary": route.summary,
        "parameters": own if named else [*told, *paged],
        "responses": {"200": found, "400": problem, **({"404": problem} if named else {})},
    }


_UPLOAD: Mapping[str, Any] = {
    "summary": "Add a bundle: verified before it comes into the store",
    "security": [{"token": []}],
    "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
    "responses": {
        "201": {"description": "added"},
        "200": {"description": "was there already"},
        "401": {"description": "no token, or another"},
        "411": {"description": "no length is told"},
        "413": {"description": "too large"},
        "422": {"description": "not a bundle as it was made"},
        "503": {"description": "another upload is going on"},
    },
}


def _rows(found: Iterator[Any], query: Query) -> bytes:
    limit, offset = (_whole(query, name, usual) for name, usual in (("limit", USUAL), ("offset", 0)))
    return _json(list(islice(found, offset, offset + min(limit, MOST))))


def _whole(query: Query, name: str, usual: int) -> int:
    text = query[name][-1] if name in query else str(usual)
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise UsageError(f"{name} is a whole number, not {text[:40]!r}")
    return int(text)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _chosen(found: Iterator[dict[str, Any]], query: Query, by: Sequence[str]) -> Iterator[dict[str, Any]]:
    wanted = {name: set(query[name]) for name in by if name in query}
    return (row for row in found if all(str(row[name]) in values for name, values in wanted.items()))


def _reports(live: Live, query: Query, _: str) -> bytes:
    return _rows(_chosen(_table(live, "reports"), query, _REPORTS_BY), query)


def _table(live: Live, what: str) -> Iterator[dict[str, Any]]:
    """The rows of a table of the present board."""
    return downloads.records(live.index, what)


def _report(live: Live, _: Query, name: str) -> bytes:
    """The report as it is stored, by its id or the first twelve digits of it."""
    for store in live.stores:
        with closing(index.open_index(store)) as db:
            found = db.execute(
                "SELECT folder FROM reports WHERE id = ? OR substr(id, 1, 12) = ?", (name, name)
            ).fetchone()
        if found is not None:
            return (store / str(found[0]) / REPORT).read_bytes()
    raise NotFound(f"no report {name[:64]!r} is in the stores")


def _passes(live: Live, query: Query, _: str) -> bytes:
    return _rows(_chosen(_table(live, "passes"), query, _PASSES_BY), query)


def _figures(live: Live, query: Query, _: str) -> bytes:
    task, backend, precision, figure = (tuple(query.get(name, ())) for name in _FIGURES_BY)
    sql, parameters = statement(Wanted(task, backend, precision, figure, columns=_FIGURES))
    return _rows(_asked(live.stores, sql, parameters), query)


def _asked(stores: Sequence[Path], sql: str, parameters: Sequence[str]) -> Iterator[dict[str, Any]]:
    for store in stores:
        with ask(store, sql, parameters) as found:
            for row in found.rows:
                yield dict(zip(found.columns, row, strict=True))


def _devices(_live: Live, query: Query, _: str) -> bytes:
    return _rows(_chosen(iter(catalogue.devices()), query, _DEVICES_BY), query)


def _device(_live: Live, _: Query, name: str) -> bytes:
    for device in catalogue.devices():
        if device["id"] == name:
            return _json(device)
    raise NotFound(f"no device of the catalogue is called {name[:64]!r}")


def _tasks(live: Live, query: Query, _: str) -> bytes:
    return _rows(_chosen(iter(catalogue.tasks(_table(live, "reports"))), query, _TASKS_BY), query)


def _claims(live: Live, query: Query, _: str) -> bytes:
    return _rows(_chosen(_table(live, "claims"), query, _CLAIMS_BY), query)


_REPORTS_BY = ("task", "backend", "device", "precision", "status", "verdict", "trust", "division", "domain")
_PASSES_BY = ("report", "scenario")
_FIGURES_BY = ("task", "backend", "precision", "figure")
_DEVICES_BY = ("vendor", "kind", "scope")
_TASKS_BY = ("tier", "domain")
_CLAIMS_BY = ("kind", "vendor", "deviceId", "taskId")
_FIGURES = (
    *("report", "task", "version", "backend", "device", "precision", "passes", "status", "verdict", "trust"),
    *("measurement", "scenario", "batch", "concurrency", "rate", "against", "name", "value", "unit", "low", "high"),
)

ROUTES = (
    Route("/reports", "Reports, newest first, a row each", _reports, _REPORTS_BY),
    Route("/reports/{id}", "A report as it is stored", _report),
    Route("/passes", "Timed passes, a row each", _passes, _PASSES_BY),
    Route("/figures", "Figures of reports with their intervals, in base units", _figures, _FIGURES_BY),
    Route("/devices", "The hardware catalogue", _devices, _DEVICES_BY),
    Route("/devices/{id}", "A product of the catalogue", _device),
    Route("/tasks", "Tasks", _tasks, _TASKS_BY),
    Route("/claims", "Figures that others published, a row each", _claims, _CLAIMS_BY),
)
