"""MLPerf's published tables of results and system descriptions.

Tables are ``summary_results.json`` and ``summary.csv`` of mlcommons' repositories ``inference_results_v…``; a system
description is a file of a submission's ``systems`` folder.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from accelbench.hardware.match import device_named
from accelbench.imports.csv_rows import csv_rows
from accelbench.imports.ledger import Ledger, claim
from accelbench.imports.scenarios import TAILS, scenario_of
from accelbench.imports.source import Imported, Origin, Path_, described, restored, text_of
from accelbench.model import Named

TEXTS = {
    "submitter": "submitter",
    "organization": "submitter",
    "availability": "availability",
    "category": "division",
    "division": "division",
    "suite": "system_type",
    "systemtype": "system_type",
    "system": "system",
    "systemname": "system",
    "platform": "platform",
    "usedmodel": "model",
    "scenario": "scenario",
    "software": "software",
    "framework": "software",
    "operating_system": "operating_system",
    "notes": "notes",
    "version": "version",
    "weight_data_types": "precision",
    "details": "details",
    "code": "code",
    "location": "location",
    "id": "submission",
    "unique id (e.g. for audit)": "audit_id",
    "units": "unit",
    "performance_units": "unit",
}
FIGURES = {
    "nodes": "nodes",
    "number_of_nodes": "nodes",
    "a#": "devices",
    "accelerators_per_node": "devices_per_node",
    "p#": "processors",
    "host_processors_per_node": "processors_per_node",
    "host_processor_core_count": "cores_per_processor",
    "errors": "checker_errors",
}
"""Columns of both forms of the tables, in small letters, and their names here."""

SYSTEM_TEXTS = {
    "accelerator_host_interconnect": "interface",
    "accelerator_interconnect": "links.name",
    "accelerator_memory_capacity": "memory.main.capacity",
    "accelerator_memory_configuration": "memory.main.technology",
    "division": "division",
    "framework": "software",
    "host_memory_capacity": "host_memory",
    "hw_notes": "notes",
    "operating_system": "operating_system",
    "other_software_stack": "software_stack",
    "status": "availability",
    "submitter": "submitter",
    "sw_notes": "software_notes",
    "system_name": "system",
    "system_type": "system_type",
}

MODELS = {"resnet": "resnet50", "resnet50": "resnet50", "resnet50-v1.5": "resnet50"}
"""Models of MLPerf that the zoo has; its BERT is the large one, ours is not."""

_RATES = {"samples/s": "samples/s", "queries/s": "queries/s", "tokens/s": "tokens/s"}
_OTHERS = {
    "latency (ms)": ("latency", "ms"),
    "latency (ns)": ("latency", "ns"),
    "ms": ("latency", "ms"),
    "watts": ("power", "W"),
    "joules": ("energy", "J"),
    "millijoules": ("energy", "mJ"),
}
_ACCURACY = re.compile(r"([A-Za-z][\w@.-]*):\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)", re.IGNORECASE)


def is_table(document: Any) -> bool:
    """Whether a JSON document looks like a table of results."""
    return isinstance(document, list) and bool(document) and all(_is_row(row) for row in document)


def is_system(document: Any) -> bool:
    """Whether a JSON document looks like a system description."""
    return isinstance(document, dict) and "host_processor_model_name" in document and "submitter" in document


def is_csv(text: str) -> bool:
    """Whether a text looks like a table of results, by its first line."""
    head = next(csv.reader([text.partition("\n")[0]]), [])
    return _is_row(dict.fromkeys(head))


def json_table(document: list[dict[str, Any]], data: bytes, name: str, origin: Origin) -> Iterator[Imported]:
    """A claim per row of a table in JSON."""
    for position, row in enumerate(document):
        kept = json.dumps([restored(row)], ensure_ascii=False, indent=2).encode()
        yield _row(row, kept, data, name, f"row {position + 1}", origin)


def csv_table(data: bytes, name: str, origin: Origin) -> Iterator[Imported]:
    """A claim per row of a table in CSV. UsageError as ``csv_rows`` raises."""
    for position, row, kept in csv_rows(text_of(data, name), name, ","):
        yield _row(row, kept, data, name, f"row {position}", origin)


def system(document: Mapping[str, Any], data: bytes, name: str, origin: Origin) -> Imported:
    """The claim that a system description is."""
    book = Ledger(document)
    device = _device(book, ("accelerator_model_name",), ("host_processor_model_name",))
    book.text("host", ("host_processor_model_name",))
    for key, called in SYSTEM_TEXTS.items():
        book.text(called, (key,))
    for key in ("number_of_nodes", "accelerators_per_node", "host_processors_per_node", "host_processor_core_count"):
        book.figure(FIGURES[key], (key,), "count")
    book.rest()
    source = described("mlperf-system", name, data, origin)
    return Imported(claim("system", source, [book], device=device), {name: data})


def _row(row: Mapping[str, Any], kept: bytes, whole: bytes, name: str, part: str, origin: Origin) -> Imported:
    book = Ledger(row)
    paths = {str(path[0]).strip().lower(): path for path in reversed(book.paths()) if len(path) == 1}

    def at(*names: str) -> Path_:
        return next((paths[each] for each in names if each in paths), ())

    scenario = scenario_of(_text(book, at("scenario")))
    precision, unit = _text(book, at("weight_data_types")), _text(book, at("performance_units", "units"))
    if str(book.value(at("inferred"))) in ("1", "True"):
        book.caveats.append("inferred from another scenario's run, not measured")
    device = _device(book, at("accelerator", "accelerator_model_name"), at("processor", "host_processor_model_name"))
    book.text("host", at("processor", "host_processor_model_name"))
    task = _task(book.named(at("mlperfmodel", "model")))
    book.text("model", at("model"))
    _accuracy(book, at("accuracy"))
    for key, called in TEXTS.items():
        book.text(called, at(key))
    for key, called in FIGURES.items():
        made = book.figure(called, at(key), "count")
        if made is not None and called == "checker_errors" and made.value:
            book.caveats.append(f"the submission checker counted {made.value} errors")
    told, in_unit = _result(unit)
    statistic = TAILS.get(scenario or "") if told == "latency" else None
    for key in ("performance_result", "result"):
        book.figure(told, at(key), in_unit, scenario=scenario, precision=precision, statistic=statistic)
    book.rest()
    source = described("mlperf-results", name, kept, origin, part, whole)
    return Imported(claim("result", source, [book], device=device, task=task), {name: kept})


def _result(unit: str | None) -> tuple[str, str | None]:
    """What a result in this unit is called, and its unit here."""
    told = (unit or "").strip().lower()
    if told in _RATES:
        return "throughput", _RATES[told]
    return _OTHERS.get(told, ("result", unit))


def _accuracy(book: Ledger, path: Path_) -> None:
    """The text as it is, and the numbers in it."""
    text = book.text("accuracy", path)
    for metric, value in _ACCURACY.findall(text or ""):
        book.derived(f"accuracy.{metric.lower()}", float(value), path, value)


def _device(book: Ledger, accelerator: Path_, processor: Path_) -> Named | None:
    """The accelerator; of a system without one the processor, which did the work then."""
    named, reason = book.named(accelerator), None
    if named is None and isinstance(book.value(processor), str):
        named, reason = book.named(processor), "the host's processor: no accelerator is told"
    if named is None:
        return None
    found = device_named(named.text)
    return replace(named, id=found, reason="; ".join(filter(None, (reason, "by its name" if found else None))) or None)


def _task(named: Named | None) -> Named | None:
    found = MODELS.get(named.text.lower()) if named is not None else None
    if named is None or found is None:
        return named
    return replace(named, id=found, reason="the same architecture in the zoo; weights, data and limits may differ")


def _text(book: Ledger, path: Path_) -> str | None:
    told = book.value(path)
    return told if isinstance(told, str) else None


def _is_row(row: Any) -> bool:
    known = {str(key).strip().lower() for key in row} if isinstance(row, dict) else set()
    return "scenario" in known and "platform" in known and bool(known & {"result", "performance_result"})
