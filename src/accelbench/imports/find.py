"""Which files of a folder are what, and the claims that they come to. Everything is read before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from accelbench.envs.loadgen_log import DETAIL, SUMMARY
from accelbench.errors import UsageError
from accelbench.imports import bytemlperf, bytemlperf_hardware, mlperf
from accelbench.imports.loadgen import loadgen
from accelbench.imports.source import Imported, Origin, json_of, load, text_of

TRACE = "mlperf_log_trace.json"
"""A file of LoadGen's for a browser's trace viewer; it is often cut off."""

Reader = Callable[[Path, Origin], list[Imported] | None]
"""From a file to what it comes to; None for a file that is none of its kind."""


@dataclass(frozen=True)
class Found:
    """What a file came to; ``skipped``: nothing, because it is none of the kind that was asked for."""

    path: Path
    imported: tuple[Imported, ...]
    skipped: bool = False


def find(path: Path, reader: Reader, suffixes: frozenset[str], what: str, origin: Origin) -> list[Found]:
    """What ``path`` comes to: a file, or every file with one of ``suffixes`` in a folder and those below it, in the
    order of their names. Raises UsageError when there is nothing of the kind, and for a file that cannot be read."""
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.suffix.lower() in suffixes and each.is_file())
        found = [_read(each, reader, origin) for each in files]
        if all(each.skipped for each in found):
            raise UsageError(f"{path}: no {what} in this folder or below it")
        return found
    single = _read(path, reader, origin)
    if single.skipped:
        raise UsageError(f"{path} is no {what}")
    return [single]


def read_bytemlperf(path: Path, origin: Origin) -> list[Imported] | None:
    """A general report or a hardware specification of ByteMLPerf."""
    data = load(path)
    document = json_of(data, str(path))
    for known, made in (
        (bytemlperf.is_report, bytemlperf.report),
        (bytemlperf_hardware.is_hardware, bytemlperf_hardware.hardware),
    ):
        if known(document):
            return [Imported(made(document, data, path.name, origin), {path.name: data})]
    return None


def read_mlperf(path: Path, origin: Origin) -> list[Imported] | None:
    """A summary of LoadGen's (with the detail log beside it), a system description, or a table of results."""
    if path.name == SUMMARY:
        detail = path.with_name(DETAIL)
        return [loadgen(load(path), load(detail) if detail.is_file() else None, origin)]
    if path.suffix.lower() not in (".json", ".csv") or path.name == TRACE:
        return None
    data = load(path)
    if path.suffix.lower() == ".csv":
        known = mlperf.is_csv(text_of(data, str(path)))
        return list(mlperf.csv_table(data, path.name, origin)) if known else None
    document = json_of(data, str(path))
    if mlperf.is_table(document):
        return list(mlperf.json_table(document, data, path.name, origin))
    return [mlperf.system(document, data, path.name, origin)] if mlperf.is_system(document) else None


def imported(found: list[Found]) -> Iterator[tuple[Path, Imported]]:
    """Everything that was found, with the file that it is from."""
    return ((each.path, one) for each in found for one in each.imported)


def _read(path: Path, reader: Reader, origin: Origin) -> Found:
    read = reader(path, origin)
    return Found(path, tuple(read or ()), skipped=read is None)
