"""Environments of backends: made from a hashed lock, found again, described, removed.

An environment lies in ``envs/<name>-<hash>`` of accelbench's home, where the hash is over the lock and the Python
version, so that two versions of a backend live side by side; over what is ``unlocked`` too, where something is. The
file ``complete`` is written last: a folder without it was interrupted and is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from accelbench import paths
from accelbench.envs import packages, system
from accelbench.envs.spec import BackendSpec, is_shipped, read, registry, taken
from accelbench.errors import UsageError
from accelbench.model import Environment

Progress = Callable[[str], None]

COMPLETE = "complete"
PROBE_TIMEOUT_S = 60.0


def location(spec: BackendSpec) -> Path:
    """The folder of the backend's own environment, whether it is there or not."""
    key = hashlib.sha256(platform.python_implementation().encode() + platform.python_version().encode())
    key.update(spec.lock.read_bytes())
    if spec.table.environment.unlocked:
        key.update(repr(spec.table.environment.unlocked).encode())
    return paths.home() / "envs" / f"{spec.name}-{key.hexdigest()[:12]}"


def interpreter(spec: BackendSpec) -> Path:
    """The Python that runs the backend's worker. Raises UsageError when the environment is not there."""
    if spec.table.environment.kind == "system":
        return system.interpreter(spec).path
    if not installed(spec):
        raise UsageError(f"backend {spec.name} is not installed: run 'accelbench backend install {spec.name}'")
    return location(spec) / "bin" / "python"


def installed(spec: BackendSpec) -> bool:
    """Whether the backend can be started: its environment is complete, or its system interpreter is there with all
    packages that it declares."""
    if spec.table.environment.kind == "system":
        return system.usable(spec)
    return (location(spec) / COMPLETE).is_file()


def install(spec: BackendSpec, progress: Progress) -> None:
    """Make the backend's environment, unless it is there. ``progress`` is told each step in a few words.

    Raises AccelbenchError with the last line of the installer's output and the path of its log.
    """
    if spec.table.environment.kind == "system":
        progress(f"{spec.name}: uses {interpreter(spec)}, nothing to install")
        return
    folder = location(spec)
    with paths.disk_errors(folder), _locked(folder):
        if installed(spec):
            progress(f"{spec.name}: installed")
            return
        shutil.rmtree(folder, ignore_errors=True)
        log = folder.with_suffix(".log")
        log.unlink(missing_ok=True)
        try:
            packages.make(folder, spec.lock, spec.table.environment.unlocked, log, f"backend {spec.name}", progress)
            (folder / COMPLETE).write_text("", encoding="utf-8")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        log.unlink(missing_ok=True)
    progress(f"{spec.name}: installed")


def register(folder: Path) -> BackendSpec:
    """Copy a backend's folder from outside into accelbench's home, where it is found by its name from then on; a copy
    that was made before is replaced. A folder that is known where it lies stays there."""
    spec = read(folder)
    final, others = registry() / spec.name, taken(spec.name)
    if others == [spec.folder]:
        return spec
    for there in others:
        if there != final:
            raise UsageError(f"a backend called {spec.name!r} is there already ({there}): remove it or rename yours")
    fresh = final.with_name(f".{spec.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with paths.building(fresh) as temporary:
        shutil.copytree(folder, temporary, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    with paths.disk_errors(final):
        shutil.rmtree(final, ignore_errors=True)
        fresh.rename(final)
    return read(final)


def remove(spec: BackendSpec) -> list[Path]:
    """Delete the backend's environments of all versions, and its folder when it was registered. Returns what went."""
    rooms = [path for path in (paths.home() / "envs").glob(f"{spec.name}-*") if len(path.name) == len(spec.name) + 13]
    if not is_shipped(spec) and spec.folder.parent == registry():
        rooms.append(spec.folder)
    for room in rooms:
        with paths.disk_errors(room):
            shutil.rmtree(room)
            room.with_suffix(".lock").unlink(missing_ok=True)
    return rooms


def environment_facts(spec: BackendSpec) -> Environment:
    """What is really in the environment now: Python, packages, and what the declared probes say."""
    python = interpreter(spec)
    if spec.table.environment.kind == "system":
        found = system.interpreter(spec)
        version, packages = found.version, found.packages
    else:
        version, packages = platform.python_version(), _packages(location(spec))
    probes = {
        name: _probe([part.replace("{python}", str(python)) for part in argv])
        for name, argv in spec.table.environment.probes.items()
    }
    return Environment(
        kind=spec.table.environment.kind,
        python=version,
        packages=dict(sorted(packages.items())),
        lock_sha256=spec.lock_sha256,
        adapter_sha256=spec.adapter_sha256,
        probes=probes,
    )


def _packages(folder: Path) -> Mapping[str, str]:
    libraries = [str(path) for path in folder.glob("lib/python*/site-packages")]
    return {item.metadata["Name"]: item.version for item in importlib.metadata.distributions(path=libraries)}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One installer at a time per environment."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _output(argv: Sequence[str]) -> str:
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=PROBE_TIMEOUT_S, text=True
    ).stdout


def _probe(argv: Sequence[str]) -> str:
    try:
        lines = _output(argv).strip().splitlines()
    except (OSError, subprocess.SubprocessError) as error:
        return f"failed: {' '.join(str(error).split())[:200]}"
    return lines[0] if lines else ""
