"""General reports of ByteMLPerf: ``result.json`` and ``result-<precision>.json``, as every vendor writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accelbench.hardware.match import device_named
from accelbench.imports.ledger import Ledger, claim
from accelbench.imports.source import Origin, Path_, described
from accelbench.model import Claim, ClaimFigure, Named
from accelbench.zoo.catalogue import tasks

BACKENDS = {
    "HPU": "habana-gaudi2",
    "IPU": "graphcore-c600",
    "SPU": "moffett-s30",
    "STC": "stream-stc-p920",
}
"""The product that ByteMLPerf's vendor list names for a backend: byte_infer_perf/general_perf/README.md there."""

MODELS = {"bert": "bert-base"}
"""Tasks of the zoo that are called otherwise than ByteMLPerf's models without framework and precision."""

TEXTS = {
    "host info": "host",
    "dataset": "dataset",
    "graph compile/compile precision": "precision",
    "accuracy/diff dist": "error_histogram",
}
"""Fields that are texts, in small letters and with blanks for underscores, and their names here."""

FIGURES: Mapping[str, tuple[str, str | None]] = {
    "instance count": ("instances", "count"),
    "device count": ("devices", "count"),
    "graph compile/compile duration": ("compile_time", "s"),
    "graph compile/subgraph coverage": ("subgraph_coverage", "%"),
    "graph compile/sparsity ratio": ("sparsity", "ratio"),
    "accuracy/data percent": ("data_share", "%"),
    "accuracy/exact match": ("exact_match", "%"),
    "accuracy/f1 score": ("f1", "%"),
    "accuracy/top-1": ("top1", "ratio"),
    "accuracy/mean diff": ("mean_difference", None),
    "accuracy/std diff": ("std_difference", None),
    "accuracy/max diff": ("max_difference", None),
    "accuracy/mean rel-diff": ("mean_relative_difference", "ratio"),
    "accuracy/max rel-diff": ("max_relative_difference", "ratio"),
}
"""Fields that are numbers, their names and units here; differences are in the unit of the outputs."""

ROW: Mapping[str, tuple[str, str, str | None]] = {
    "bs": ("batch", "samples", None),
    "qps": ("throughput", "samples/s", None),
    "avg latency": ("latency", "ms", "mean"),
    "p99 latency": ("latency", "ms", "p99"),
}
"""Fields of one row of the performance: name, unit, statistic."""

RELATIVE_LIMIT = 10.0
"""A relative difference above this tells of values near zero in the reference, not of the outputs."""
CONSISTENT = 0.05
"""How far batch ÷ mean latency may be from the rate, as a share, before it is said."""

_PRECISION_IN_NAME = re.compile(r"result-(\w+)\.json", re.IGNORECASE)


def is_report(document: Any) -> bool:
    """Whether a document looks like a general report."""
    known = {_norm(key) for key in document} if isinstance(document, dict) else set()
    return "model" in known and bool(known & {"backend", "graph compile", "performance", "accuracy"})


def report(document: Mapping[str, Any], data: bytes, name: str, origin: Origin) -> Claim:
    """The claim that a report is, read from ``data`` of the file ``name``."""
    book = Ledger(document)
    keys = {_key(path): path for path in book.paths()}
    executed = book.value(keys.get("graph compile/compile precision", ()))
    precision = executed.strip().lower() if isinstance(executed, str) else None
    task = _task(book.named(keys.get("model", ())))
    device = _device(book.named(keys.get("backend", ())))
    for key, called in TEXTS.items():
        book.text(called, keys.get(key, ()))
    for key, (called, unit) in FIGURES.items():
        made = book.figure(called, keys.get(key, ()), unit, precision=precision)
        if made is not None:
            _judge(book, made)
    for row in sorted({path[:-1] for key, path in keys.items() if key.startswith("performance")}, key=_order):
        _row(book, row, precision)
    book.rest()
    told = _PRECISION_IN_NAME.fullmatch(name)
    if told and precision and told[1].lower() != precision:
        book.caveats.append(f"the file's name says {told[1].lower()}, the report {precision}")
    source = described("bytemlperf-report", name, data, origin)
    return claim("result", source, [book], device=device, task=task)


def _row(book: Ledger, row: Path_, precision: str | None) -> None:
    """One object of the performance: its fields, however they are spelled."""
    fields = {_norm(str(path[-1])): path for path in book.paths() if path[:-1] == row and isinstance(path[-1], str)}
    if not fields.keys() & ROW.keys():
        return
    told = book.value(fields.get("bs", ()))
    batch = told if isinstance(told, int) and not isinstance(told, bool) and told > 0 else None
    made = {
        (called, statistic): book.figure(
            called, fields[key], unit, batch=batch, precision=precision, statistic=statistic
        )
        for key, (called, unit, statistic) in ROW.items()
        if key in fields
    }
    rate, mean = made.get(("throughput", None)), made.get(("latency", "mean"))
    if rate and mean and batch and mean.value > 0 and rate.value > 0:
        ratio = rate.value / (batch / mean.value * 1e3)
        if abs(ratio - 1) > CONSISTENT:
            book.amend(rate, caveat=f"{ratio:.3g} × batch ÷ mean latency: several in flight, or counted in another way")


def _judge(book: Ledger, made: ClaimFigure) -> None:
    if made.name in ("exact_match", "f1") and 0 <= made.value <= 1:
        book.amend(made, unit=None, caveat="percent or fraction: not told, and others give percent")
    elif made.name == "top1" and 1 < made.value <= 100:
        book.amend(made, unit="%", caveat="above 1, so it is a percentage; others give a fraction")
    elif made.unit == "%" and not 0 <= made.value <= 100:
        book.amend(made, caveat="no percentage is outside 0 to 100")
    elif made.unit == "ratio" and made.name in ("top1", "sparsity") and not 0 <= made.value <= 1:
        book.amend(made, caveat="no share is outside 0 to 1")
    elif made.name.endswith("relative_difference") and made.value > RELATIVE_LIMIT:
        book.amend(made, caveat="an artefact: divided by values of the reference that are near zero")


def _task(named: Named | None) -> Named | None:
    if named is None:
        return None
    model = re.sub(r"-(tf|torch|pt|onnx|ixrt|paddle|mhlo)?(-(fp|bf|int)\d+)?$", "", named.text.lower())
    found = MODELS.get(model, model)
    if found not in tasks():
        return named
    return replace(named, id=found, reason="the same architecture in the zoo; weights, data and limits may differ")


def _device(named: Named | None) -> Named | None:
    if named is None:
        return None
    listed = BACKENDS.get(named.text.upper())
    if listed is not None:
        return replace(named, id=listed, reason="the product that ByteMLPerf's vendor list has for this backend")
    found = device_named(named.text)
    return named if found is None else replace(named, id=found, reason="by its name")


def _key(path: Path_) -> str:
    return "/".join(_norm(str(step)) for step in path)


def _norm(key: str) -> str:
    return " ".join(key.replace("_", " ").split()).casefold()


def _order(path: Path_) -> list[tuple[bool, int, str]]:
    """Positions in lists by their number, keys by their letters."""
    return [(isinstance(step, str), step if isinstance(step, int) else 0, str(step)) for step in path]
