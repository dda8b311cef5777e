"""The process of ``toolbox_process.py`` as this side sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

PROCESS = Path(__file__).with_name("toolbox_process.py")


class Toolbox:
    """Starts the process when it is needed, and again when it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, name: str, words: Sequence[str], limit_s: int) -> tuple[int, str]:
        """What a tool's exit code was, negative for the number of the signal that ended it, and what it printed. Raises
        RuntimeError when the process cannot be started."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            log.touch()
            request = {"name": name, "words": list(words), "log": str(log), "limit_s": limit_s}
            answer = self._asked(request) or self._asked(request)
            printed = log.read_text(encoding="utf-8", errors="replace")
        if not answer:
            raise RuntimeError(f"the process of IREE's tools ended with {self._ended()}")
        return int(answer), printed

    def _asked(self, request: object) -> str:
        """The answer; empty when the process ends instead, as it does when it was idle for long."""
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = subprocess.Popen(
                [sys.executable, "-I", str(PROCESS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        try:
            asks = cast(IO[str], process.stdin)
            asks.write(json.dumps(request) + "\n")
            asks.flush()
        except BrokenPipeError:
            return ""
        return cast(IO[str], process.stdout).readline()

    def _ended(self) -> int:
        return -1 if self._process is None else self._process.wait()
