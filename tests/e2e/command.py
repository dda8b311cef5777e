"""Runs the real command, as a user would, and says what is left of it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
