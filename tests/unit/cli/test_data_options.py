"""Options about real data mean something with --data alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from accelbench.cli.main import accelbench
from accelbench.errors import UsageError


@pytest.mark.parametrize("words", [["--samples", "5"], ["--tokenizer", "vocab.txt"], ["--stages"]])
def test_without_data_they_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{words[0]} is about real data, which --data names"):
        accelbench.main(["run", "bert-base", *words], standalone_mode=False)


def test_a_file_of_ones_own_takes_inputs_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.onnx").write_bytes(b"")
    with pytest.raises(UsageError, match=r"--data is what a task knows how to read: m.onnx takes --inputs"):
        accelbench.main(["run", "m.onnx", "--data", ".", "-b", "null"], standalone_mode=False)


def test_a_task_tells_what_real_data_it_reads() -> None:
    done = CliRunner().invoke(accelbench, ["zoo", "show", "widedeep", "--json"])
    assert json.loads(done.stdout)["real"] == {"loader": "criteo", "options": {"ids": "hashed"}}
