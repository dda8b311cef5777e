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
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from accelbench import paths
from accelbench.envs import system
from accelbench.envs.spec import BackendSpec, backends, is_shipped, read, registry
from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import Environment

Progress = Callable[[str], None]

COMPLETE = "complete"
PROBE_TIMEOUT_S = 60.0

_UNREACHABLE = (
    "connection error",
    "failed to establish a new connection",
    "name resolution",
    "network is unreachable",
    "connecttimeout",
    "dns error",
    "error sending request",
    "could not connect",
    "proxyerror",
)


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

    uv does it when it is on PATH and pip has no settings of its own on this host (uv would not see them); else venv
    and pip. Raises AccelbenchError with the last line of the installer's output and the path of its log.
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
            for step, command in commands(folder, spec.lock, spec.table.environment.unlocked):
                progress(f"{spec.name}: {step}")
                logged(command, log, f"backend {spec.name}")
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
    known, final = backends().get(spec.name), registry() / spec.name
    if known is not None and known.folder == spec.folder:
        return known
    if known is not None and known.folder != final:
        raise UsageError(f"a backend called {spec.name!r} is there already ({known.folder}): remove it or rename yours")
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


def commands(folder: Path, lock: Path, unlocked: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The steps that make an environment in ``folder``, each in a few words and as what to run: from the hashed lock,
    and then, with what they need and the lock has not, the requirements ``unlocked``."""
    python = str(folder / "bin" / "python")
    required = ["--require-hashes", "--no-deps", "-r", str(lock)]
    uv = shutil.which("uv")
    if uv is not None and not pip_is_configured():
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        add = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        quiet = ["install", "--no-input", "--disable-pip-version-check", "--no-compile"]
        if importlib.util.find_spec("pip") is None:
            make = [sys.executable, "-m", "venv", str(folder)]
            add = [python, "-m", "pip", *quiet]
        else:
            make = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
            add = [sys.executable, "-m", "pip", "--python", python, *quiet]
    steps = [("making the environment", make), ("installing packages", [*add, *required])]
    return [*steps, (f"installing {', '.join(unlocked)}", [*add, *unlocked])] if unlocked else steps


def pip_is_configured() -> bool:
    """Whether this host tells pip where packages are: by variables or by pip's configuration files."""
    if any(
        name in os.environ for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE")
    ):
        return True
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = [Path("/etc/pip.conf"), Path("/etc/xdg/pip/pip.conf"), Path.home() / ".pip" / "pip.conf"]
    return any(path.is_file() for path in [*files, config / "pip" / "pip.conf"])


def logged(command: Sequence[str], log: Path, what: str) -> None:
    """Run an installer, its output going to the end of ``log``. AccelbenchError says why ``what`` was not installed."""
    with log.open("ab") as sink:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False).returncode
    if code == 0:
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    if "no space left" in text.lower():
        raise AccelbenchError(f"no space left on the disk of {log.parent}: free some; log: {log}")
    if any(sign in text.lower() for sign in _UNREACHABLE):
        raise AccelbenchError(
            f"{what} was not installed: the package index cannot be reached; "
            f"check the network or pip's index setting; log: {log}"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    raise AccelbenchError(f"{what} was not installed: {lines[-1] if lines else f'exit code {code}'}; log: {log}")


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
