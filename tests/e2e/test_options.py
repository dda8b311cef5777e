"""Options of backends on the real command line: asked for in a terminal, refused in a pipe."""

from pathlib import Path

import pytest
from tests.e2e.command import ACCELBENCH, inside
from tests.terminal import typed

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("verb", [["run"], ["convert", "-o", "new"]], ids=lambda words: words[0])
def test_a_terminal_is_asked(tmp_path: Path, verb: list[str]) -> None:
    words: list[str | Path] = [ACCELBENCH, *verb, "no-such-task", "-b", "onnxruntime", "--ask"]
    code, text = typed(words, "0\n2\n" + 20 * "\n", tmp_path)
    assert code == 2
    assert "int in [1, 1024]: " in text
    assert "Error: option threads of backend onnxruntime is '0'" in text
    assert "calibration: passed over, for it needs precision to be int8-static; it is fp32" in text
    assert "The same without questions: --option onnxruntime.threads=2" in text
    assert "no-such-task" in text


def test_a_pipe_is_not(tmp_path: Path) -> None:
    done = inside("run", "digits-cnn", "-b", "onnxruntime", "--ask", cwd=tmp_path)
    assert done.returncode == 2
    assert "--ask needs a terminal, for its input and its output: use --option or --options FILE" in done.stderr
    assert done.stdout == ""


def test_a_file_is_checked_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "o.toml").write_text("[onnxruntime]\nthreads = 'two'\n")
    done = inside("run", "digits-cnn", "-b", "onnxruntime", "--options", "o.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "o.toml: onnxruntime.threads is 'two', a str; it takes int in [1, 1024]" in done.stderr
