"""Packages that one worker process gets beside its backend's environment, from a lock of their own.

An overlay is a folder ``overlays/<name>`` of this room with a hashed ``requirements.lock``. It is installed to
``overlays/<name>-<hash>`` of accelbench's home, the hash being over the lock and the version of the interpreter that
will import it; the environment itself stays as its own lock says.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from accelbench import paths
from accelbench.envs.install import Progress, interpreter
from accelbench.envs.packages import logged, pip_is_configured
from accelbench.envs.spec import BackendSpec
from accelbench.errors import UsageError, WorkerError

LOADGEN = "loadgen"
LOCKS = Path(__file__).parent / "overlays"
VERSION_LIMIT_S = 60.0

_VERSION = "import platform; print(platform.python_implementation(), platform.python_version())"


def install(name: str, spec: BackendSpec, progress: Progress) -> Path:
    """The folder of overlay ``name`` for the backend's interpreter, made when it is not there.

    Raises UsageError where there are no wheels for this machine, and AccelbenchError with the last line of the
    installer's output.
    """
    if name == LOADGEN and (platform.system(), platform.machine()) == ("Linux", "aarch64"):
        raise UsageError(
            "LoadGen has no wheels for Linux on aarch64: leave out --driver loadgen here, or measure on x86-64"
        )
    lock, python = _lock(name), interpreter(spec)
    folder = location(name, python)
    if folder.is_dir():
        return folder
    progress(f"{spec.name}: installing {name} beside it")
    log = folder.with_name(f"{folder.name}.log")
    with paths.building(folder) as made:
        log.unlink(missing_ok=True)
        logged(_command(python, lock, made), log, f"overlay {name}")
    log.unlink(missing_ok=True)
    return folder


def location(name: str, python: Path) -> Path:
    """Where overlay ``name`` is, or would be, for the interpreter ``python``."""
    key = hashlib.sha256(_version(python).encode() + _lock(name).read_bytes()).hexdigest()[:12]
    return paths.home() / "overlays" / f"{name}-{key}"


def _lock(name: str) -> Path:
    return LOCKS / name / "requirements.lock"


def _version(python: Path) -> str:
    try:
        return subprocess.run(
            [python, "-I", "-c", _VERSION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=VERSION_LIMIT_S,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise WorkerError("crashed", f"{python} does not tell its version: {' '.join(str(error).split())}") from error


def _command(python: Path, lock: Path, folder: Path) -> Sequence[str]:
    required = ["--require-hashes", "--no-deps", "--target", str(folder), "-r", str(lock)]
    uv = shutil.which("uv")
    if uv is not None and not pip_is_configured():
        return [uv, "pip", "install", "--quiet", "--python", str(python), *required]
    quiet = ["install", "--no-input", "--disable-pip-version-check", "--no-compile", "--only-binary", ":all:"]
    if importlib.util.find_spec("pip") is None:
        return [str(python), "-m", "pip", *quiet, *required]
    return [sys.executable, "-m", "pip", "--python", str(python), *quiet, *required]
