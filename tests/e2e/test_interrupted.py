"""Ctrl-C and kill at several moments: no process is left, and nothing half-written has the name that was asked for."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.command import ACCELBENCH

pytestmark = [pytest.mark.backend, pytest.mark.slow]

CONVERT = ("convert", "digits-cnn", "-b", "openvino", "-o", "out")
PROFILE = ("profile", "digits-cnn", "-b", "openvino", "--runs", "100000")
CHECK = ("backend", "check", "onnxruntime", "--only", "contract,operators", "-o", "found.json")
PARTIAL = "found.json.partial"
"""From which the same check goes on."""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    ("words", "moment"),
    [
        (CONVERT, "float32 reference"),
        (CONVERT, "compiling"),
        (CONVERT, "accuracy"),
        (PROFILE, "compiling"),
        (PROFILE, "profiler on"),
        (CHECK, "contract"),
        (CHECK, "operators"),
    ],
)
def test_nothing_is_left(tmp_path: Path, words: tuple[str, ...], moment: str, how: signal.Signals) -> None:
    with subprocess.Popen(
        [ACCELBENCH, *words],
        cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said = next(line for line in process.stderr if moment in line)
        started = [process.pid, *descendants(process.pid)]
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does
        else:
            process.send_signal(how)
        _, rest = process.communicate(timeout=60)
    assert moment in said
    assert process.returncode == (-9 if how == signal.SIGKILL else 130)
    if how != signal.SIGKILL:
        assert rest.splitlines()[-1] == "accelbench: interrupted; what was finished is kept"
        assert "Traceback" not in rest
    deadline = time.monotonic() + 10
    while (living := [pid for pid in started if lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert living == []
    left = [path.name for path in tmp_path.iterdir() if path.name != PARTIAL]
    assert left == [] if how != signal.SIGKILL else all(name.startswith(".") for name in left)


def descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from descendants(child)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
