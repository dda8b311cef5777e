"""A report's folder becomes one file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from accelbench import __version__
from accelbench.bundle import manifest
from accelbench.bundle.archive import Writer
from accelbench.bundle.manifest import MANIFEST, Manifest, Member
from accelbench.errors import UsageError
from accelbench.paths import writing
from accelbench.report.store import OUTPUTS, PRIVATE, files_in, folder_name, open_report, outputs_in, sha256_of, verify

SUFFIX = ".accelbench.zip"

_COMMON = frozenset({"/", "/root", "/home", "/tmp", "/work", "/workspace", "/app", "/src"})
"""Folders that tell nothing of anybody."""


def pack(
    report_folder: Path,
    target: Path,
    *,
    outputs: Path | None = None,
    task: Path | None = None,
    private: bool = False,
) -> Path:
    """Write the report that lies in ``report_folder`` into one file and return that. ``target`` is the file's path, or
    a folder that is there, where the report's name becomes the file's.

    ``outputs`` is the folder with the outputs of the accuracy pass (``kept_outputs``), ``task`` that of a user's own
    task. The file with private facts stays where it is, unless they are to be told. Raises UsageError where the report
    is not as it was made, when it names a folder of the person who made it, and when the file is there already.
    """
    report, folder = open_report(report_folder)
    problems = verify(folder)
    if problems:
        raise UsageError(f"{folder} is not as it was made ({problems[0]}): it cannot be packed")
    sources = {f"report/{name}": path for name, path in files_in(folder).items() if private or name != PRIVATE}
    for room, beside in (("outputs", outputs), ("task", task)):
        if beside is not None:
            sources |= {f"{room}/{name}": path for name, path in files_in(beside).items()}
    final = target / f"{folder_name(report)}{SUFFIX}" if target.is_dir() else target
    manifest.check_names(sources, str(folder))
    if not private:
        for told in _told(folder, sources):
            raise UsageError(f"{folder}: {told}: take that out and run again, or pack with --private")
    _write(final, report.id, sources)
    return final


def kept_outputs(report_folder: Path) -> Path:
    """The outputs of the report's accuracy pass, as ``run --keep-outputs`` left them beside the reports. Raises
    UsageError when they are not there."""
    report, folder = open_report(report_folder)
    found = outputs_in(folder.absolute().parents[1] / OUTPUTS, report.quality)
    if found is None or not found.is_dir():
        raise UsageError(f"{folder}: its outputs were not kept: run again with --keep-outputs")
    return found


def _write(final: Path, report: str, sources: Mapping[str, Path]) -> None:
    files = {name: Member(sha256_of(path), path.stat().st_size) for name, path in sorted(sources.items())}
    with writing(final) as file:
        writer = Writer(file)
        writer.add(MANIFEST, manifest.encode(Manifest(manifest.SCHEMA, report, __version__, files)))
        for name, member in files.items():
            if writer.add(name, sources[name]) != member.sha256:
                raise UsageError(f"{sources[name]} changed while it was packed: pack again")
        writer.close()


def _told(folder: Path, sources: Mapping[str, Path]) -> Iterator[str]:
    """Files with the home folder or the working folder of the person who made the report, as its private file knows
    them. A run takes them out of all that it writes itself; an adapter's source and a task are somebody's own."""
    try:
        facts = json.loads((folder / PRIVATE).read_text(encoding="utf-8"))
        places = {str(facts[name]) for name in ("home", "cwd")} - _COMMON - {""}
    except (OSError, ValueError, KeyError, TypeError):
        return
    wanted = re.compile(rb"|".join(re.escape(place.encode()) + rb"(?![\w.-])" for place in places) or rb"(?!)")
    for name, path in sources.items():
        if name.partition("/")[0] != "outputs" and wanted.search(path.read_bytes()):
            yield f"{name} names your home folder or the one that you worked in"
