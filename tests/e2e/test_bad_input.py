"""Bad input: one line that names the thing and what to do, exit code 2, nothing half-written."""

import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.e2e.command import accelbench, inside

SMALL = ["-b", "onnxruntime", "--quick", "--scenario", "single_stream"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    graph = onnx.parser.parse_graph("g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }")
    path = tmp_path / "model.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    lines = done.stderr.strip().splitlines()
    complaints = [line for line in lines if line.startswith("accelbench: ")]
    assert done.returncode == 2, done.stderr
    assert len(complaints) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for part in parts:
        assert part in complaints[0], complaints[0]


@pytest.mark.backend
@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["digits-cnm"], ["digits-cnm", "digits-cnn"]),
        (["digits-cnn", "-b", "onnxruntim"], ["onnxruntim", "onnxruntime"]),
        (["digits-cnn", "--precision", "bf61"], ["bf61", "bf16"]),
        (["digits-cnn", "--scenario", "ofline"], ["ofline", "offline"]),
        (["digits-cnn", "--batch", "0"], ["0"]),
        (["digits-cnn", "--option", "onnxruntime.colour=red"], ["colour"]),
        (["digits-cnn", "--option", "colour"], ["colour", "BACKEND.NAME=VALUE"]),
        (["--tier", "regulr"], ["regulr", "regular"]),
        (["absent.onnx"], ["absent.onnx"]),
        (["digits-cnn", "--weights", "absent.safetensors"], ["absent.safetensors"]),
        ([], ["zoo list"]),
        (["digits-cnn", "--nonsense"], ["--nonsense"]),
    ],
)
def test_wrong_words(tmp_path: Path, words: list[str], parts: list[str]) -> None:
    more = [] if "-b" in words else SMALL
    refused(inside("run", *more, *words, cwd=tmp_path), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.backend
@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08\x12\xff\xff\xff\xff\xff"])
def test_a_file_that_is_not_onnx(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    refused(inside("run", "model.onnx", *SMALL, cwd=tmp_path), "model.onnx")


@pytest.mark.backend
def test_truncated_onnx(tmp_path: Path, model: Path) -> None:
    model.write_bytes(model.read_bytes()[:-7])
    refused(accelbench("run", model, *SMALL, cwd=tmp_path), "model.onnx")


@pytest.mark.backend
@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"z": np.zeros((8, 4), np.float32)}, ["x", "z"]),
        ({"x": np.zeros((8, 5), np.float32)}, ["x", "5"]),
        ({"x": np.zeros((8, 4), np.int64)}, ["x", "int64", "float32"]),
    ],
)
def test_wrong_inputs(tmp_path: Path, model: Path, arrays: dict[str, np.ndarray], parts: list[str]) -> None:
    np.savez(tmp_path / "feeds.npz", **arrays)  # type: ignore[arg-type]
    refused(inside("run", model, "--inputs", "feeds.npz", *SMALL, cwd=tmp_path), *parts)


@pytest.mark.backend
def test_an_existing_run_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    refused(accelbench("run", "digits-cnn", "-o", "out", *SMALL, cwd=tmp_path), "out", "overwritten")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.backend
def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    refused(accelbench("run", "digits-cnn", "-o", "/proc/accelbench", *SMALL, cwd=tmp_path), "/proc/accelbench")


@pytest.mark.backend
def test_a_backend_that_is_not_installed(tmp_path: Path) -> None:
    done = accelbench("run", "digits-cnn", *SMALL, cwd=tmp_path, ACCELBENCH_HOME=str(tmp_path / "home"))
    refused(done, "onnxruntime", "accelbench backend install onnxruntime")


@pytest.mark.backend
def test_a_network_that_is_down(tmp_path: Path) -> None:
    done = accelbench(
        "backend", "install", "null", cwd=tmp_path,
        ACCELBENCH_HOME=str(tmp_path / "home"), PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_NO_CACHE_DIR="1",
        PIP_RETRIES="0", PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="", PIP_CONFIG_FILE=os.devnull,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "null" in done.stderr.splitlines()[-1]
    assert not list((tmp_path / "home" / "envs").glob("null-*/bin"))
