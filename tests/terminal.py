"""A person at a terminal."""

import os
import pty
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

PATIENCE_S = 60.0
"""Of a person who is asked more than there are answers for."""


def typed(command: Sequence[str | Path], answers: str, cwd: Path | None = None) -> tuple[int, str]:
    """The exit code of a command, and what a person sees who types these answers."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd) as process:
        impatient = threading.Timer(PATIENCE_S, process.kill)
        impatient.start()
        os.close(theirs)
        os.write(ours, answers.encode())
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:  # how a terminal without anybody at the other end reads
            pass
        os.close(ours)
        process.wait()
        impatient.cancel()
    return process.returncode, seen.decode().replace("\r\n", "\n")
