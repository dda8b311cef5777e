"""Packages from hashed locks: fetched once, kept, and put into environments, a second time without a network.

What a lock needs is kept in ``wheels/<hash>`` of accelbench's home, the hash being over the lock and the Python
version; ``complete`` lies in it once everything is there, and an environment that is removed can then be made again
offline. uv does the work when it is on PATH and pip has no settings of its own on this host, which uv would not see,
and keeps the packages in its own cache; else venv and pip do.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from accelbench import paths
from accelbench.errors import AccelbenchError

Say = Callable[[str], None]
Steps = list[tuple[str, list[str]]]

COMPLETE = "complete"

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


def make(folder: Path, lock: Path, unlocked: Sequence[str], log: Path, what: str, say: Say) -> None:
    """Make an environment in ``folder``: all of the hashed ``lock``, and then, with what they need and the lock has
    not, the requirements ``unlocked``. ``say`` is told each step.

    Raises AccelbenchError that says why ``what`` was not installed, with the last line of the installer's output, all
    of which goes to ``log``.
    """
    kept = _kept(lock, unlocked)
    if (kept / COMPLETE).is_file():
        try:
            _carry_out(commands(folder, lock, unlocked, kept, offline=True), log, what, say)
        except AccelbenchError:
            shutil.rmtree(kept)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return
    kept.mkdir(parents=True, exist_ok=True)
    _carry_out(commands(folder, lock, unlocked, kept, offline=False), log, what, say)
    (kept / COMPLETE).write_text("", encoding="utf-8")


def commands(folder: Path, lock: Path, unlocked: Sequence[str], kept: Path, *, offline: bool) -> Steps:
    """The steps that make an environment in ``folder``, each in a few words and as what to run, with packages from
    ``kept``; unless ``offline``, they are fetched before."""
    python, required = str(folder / "bin" / "python"), ["--require-hashes", "--no-deps", "-r", str(lock)]
    free, more = ", ".join(unlocked), list(unlocked)
    uv = shutil.which("uv")
    if uv is not None and not pip_is_configured():
        add = [uv, "pip", "install", "--quiet", *(["--offline"] if offline else []), "--python", python]
        return [
            ("making the environment", [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]),
            ("installing packages", [*add, *required]),
            *([(f"installing {free}", [*add, *more])] if more else []),
        ]
    quiet = ["--no-input", "--disable-pip-version-check"]
    own = importlib.util.find_spec("pip") is not None
    pip = [sys.executable, "-m", "pip", "--python", python] if own else [python, "-m", "pip"]
    fetch = [*pip, "download", *quiet, "--dest", str(kept)]
    add = [*pip, "install", *quiet, "--no-compile", "--no-index", "--find-links", str(kept)]
    return [
        ("making the environment", [sys.executable, "-m", "venv", *(["--without-pip"] if own else []), str(folder)]),
        *([] if offline else [("fetching packages", [*fetch, *required])]),
        ("installing packages", [*add, *required]),
        *([(f"fetching {free}", [*fetch, *more])] if more and not offline else []),
        *([(f"installing {free}", [*add, *more])] if more else []),
    ]


def _kept(lock: Path, unlocked: Sequence[str]) -> Path:
    text = f"{platform.python_implementation()} {platform.python_version()} {list(unlocked)}"
    key = hashlib.sha256(text.encode() + lock.read_bytes())
    return paths.home() / "wheels" / key.hexdigest()[:16]


def _carry_out(steps: Steps, log: Path, what: str, say: Say) -> None:
    for step, command in steps:
        say(f"{what.rpartition(' ')[2]}: {step}")
        logged(command, log, what)


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
