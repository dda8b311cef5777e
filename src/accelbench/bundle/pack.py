"""A report's folder becomes one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from accelbench import __version__
from accelbench.bundle import manifest
from accelbench.bundle.archive import Writer
from accelbench.bundle.manifest import MANIFEST, Manifest, Member
from accelbench.errors import UsageError
from accelbench.paths import writing
from accelbench.report.store import PRIVATE, files_in, folder_name, open_report, sha256_of, verify

SUFFIX = ".accelbench.zip"


def pack(report_folder: Path, target: Path, *, outputs: Path | None = None) -> Path:
    """Write the report that lies in ``report_folder`` into one file and return that. ``target`` is the file's path, or
    a folder that is there, where the report's name becomes the file's.

    ``outputs`` is the folder with the outputs of the accuracy pass. The file with private facts stays where it is.
    Raises UsageError where the report is not as it was made, and when the file is there already.
    """
    report, folder = open_report(report_folder)
    problems = verify(folder)
    if problems:
        raise UsageError(f"{folder} is not as it was made ({problems[0]}): it cannot be packed")
    sources = {f"report/{name}": path for name, path in files_in(folder).items() if name != PRIVATE}
    if outputs is not None:
        sources |= {f"outputs/{name}": path for name, path in files_in(outputs).items()}
    final = target / f"{folder_name(report)}{SUFFIX}" if target.is_dir() else target
    manifest.check_names(sources, str(folder))
    _write(final, report.id, sources)
    return final


def _write(final: Path, report: str, sources: Mapping[str, Path]) -> None:
    files = {name: Member(sha256_of(path), path.stat().st_size) for name, path in sorted(sources.items())}
    with writing(final) as file:
        writer = Writer(file)
        writer.add(MANIFEST, manifest.encode(Manifest(manifest.SCHEMA, report, __version__, files)))
        for name, member in files.items():
            if writer.add(name, sources[name]) != member.sha256:
                raise UsageError(f"{sources[name]} changed while it was packed: pack again")
        writer.close()
