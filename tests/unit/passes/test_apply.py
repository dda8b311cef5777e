"""Which tool makes a pass, and what is told of it; the tools themselves are at work in tests/backend and tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelbench.envs import convert
from accelbench.envs.convert import NNCF, TFLITE, TORCH, Tool
from accelbench.passes import apply
from accelbench.passes.names import read


def test_the_maker_is_told_with_its_version() -> None:
    assert apply._maker(read("prune:0.5")) == "accelbench"
    assert apply._maker(read("int8-static")).startswith("onnxruntime 1.")
    assert apply._maker(read("int8-nncf")) == f"nncf {NNCF.pinned('nncf')}"


def test_pinned_versions_are_those_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "TOOLS", tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "requirements.lock").write_text("a-b==9 \\\n    --hash=sha256:00\nb==1.2 ; x\n")
    assert Tool("mine").pinned("b") == "1.2"


@pytest.mark.parametrize("tool", [NNCF, TFLITE, TORCH])
def test_no_lock_has_pytorch(tool: Tool) -> None:
    """Which build of it suits a host is for pip to choose; NNCF's ONNX backend does without."""
    lines = tool.lock.read_text(encoding="utf-8").splitlines()
    assert not any(line.startswith(("torch==", "nvidia")) for line in lines)
    assert sum("--hash=" in line for line in lines) > sum("==" in line for line in lines)
