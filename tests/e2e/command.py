"""Runs the real command, as a user would, and says what is left of it."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from accelbench.cli.main import main

ACCELBENCH = Path(sys.executable).with_name("accelbench")


def accelbench(
    *words: str | Path, cwd: Path, timeout: float = 300, **variables: str
) -> subprocess.CompletedProcess[str]:
    """``accelbench words`` in ``cwd``; environment variables on top of this process's, which lists no backends."""
    own = {name: value for name, value in os.environ.items() if name != "ACCELBENCH_BACKENDS"}
    return subprocess.run(
        [str(ACCELBENCH), *map(str, words)],
        cwd=cwd,
        env={**own, **variables},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def inside(*words: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What ``accelbench`` above returns, without the half second of a process: for what starts no worker."""
    handler = signal.getsignal(signal.SIGTERM)
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.delenv("ACCELBENCH_BACKENDS", raising=False)
        for name, value in {"COLUMNS": "80", **variables}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.StringIO())
        patch.setattr(sys, "argv", [str(ACCELBENCH), *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
    signal.signal(signal.SIGTERM, handler)
    code = ended.value.code or 0
    assert isinstance(code, int)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def rows_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The rows of ``run --json``."""
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def left_behind(mark: Path) -> list[str]:
    """Command lines of living processes that were started in or for ``mark``: by their working directory, an argument
    or an environment variable."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        try:
            where = str((process / "cwd").readlink())
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(mark) in where or str(mark) in words or str(mark) in environment:
            found.append(words)
    return found


def keys(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Some of a row, for assertions that print well."""
    return {name: row[name] for name in names}
