"""Options of backends on the real command line: asked for in a terminal, refused in a pipe."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from tests.e2e.command import ACCELBENCH, accelbench

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("verb", [["run"], ["convert", "-o", "new"]], ids=lambda words: words[0])
def test_a_terminal_is_asked(tmp_path: Path, verb: list[str]) -> None:
    ours, theirs = pty.openpty()
    argv = [str(ACCELBENCH), *verb, "no-such-task", "-b", "onnxruntime", "--ask"]
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path) as process:
        os.close(theirs)
        os.write(ours, b"0\n2\n")
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:  # how a terminal without anybody at the other end reads
            pass
        os.close(ours)
    text = seen.decode()
    assert process.returncode == 2
    assert "int in [1, 1024]: " in text
    assert "Error: option threads of backend onnxruntime is '0'" in text
    assert "calibration: passed over, for it needs precision to be int8-static; it is fp32" in text
    assert "The same without questions: --option onnxruntime.threads=2" in text
    assert "no-such-task" in text


def test_a_pipe_is_not(tmp_path: Path) -> None:
    done = accelbench("run", "digits-cnn", "-b", "onnxruntime", "--ask", cwd=tmp_path)
    assert done.returncode == 2
    assert "--ask needs a terminal, for its input and its output: use --option or --options FILE" in done.stderr
    assert done.stdout == ""


def test_a_file_is_checked_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "o.toml").write_text("[onnxruntime]\nthreads = 'two'\n")
    done = accelbench("run", "digits-cnn", "-b", "onnxruntime", "--options", "o.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "o.toml: onnxruntime.threads is 'two', a str; it takes int in [1, 1024]" in done.stderr
