"""``accelbench profile`` on stacks that tell time per operator, and on one that does not."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.backend


def _profile(*words: str) -> subprocess.CompletedProcess[str]:
    code = "from accelbench.cli.main import main; main()"
    command = [sys.executable, "-c", code, "profile", "digits-cnn", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "backend", ["onnxruntime", "openvino", pytest.param("onnxruntime-openvino", marks=pytest.mark.slow)]
)
def test_arithmetic_is_told_by_operator(backend: str) -> None:
    done = _profile("-b", backend, "--json", "--batch", "64", "--runs", "50")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    flops = {line["op"]: line["flops_share"] for line in told["operators"]}
    assert sum(share or 0 for share in flops.values()) == pytest.approx(1, abs=0.01)
    assert max(flops, key=lambda op: flops[op] or 0).startswith(("Conv", "OpenVINO subgraph"))
    assert 0 < told["kernels_s"] < 20 * told["profiled_p50_s"]
    assert told["runs"] == 50


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize(("backend", "operators"), [("torch", {"mkldnn_convolution", "addmm"}), ("iree", {"matmul"})])
def test_kernels_are_told_where_their_nodes_are_not(backend: str, operators: set[str]) -> None:
    done = _profile("-b", backend, "--json", "--batch", "64", "--runs", "50")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    named = {line["op"]: line for line in told["operators"]}
    assert all(any(op in name for name in named) for op in operators), list(named)
    assert {line["flops_share"] for line in told["operators"]} == {None}
    assert sum(line["share"] for line in told["operators"]) == pytest.approx(1)
    assert all(line["calls"] == round(line["calls"]) for line in told["operators"]), "each run has the same kernels"
    assert 0 < told["kernels_s"] < 20 * told["profiled_p50_s"]


def test_a_backend_that_does_not_tell() -> None:
    done = _profile("-b", "null")
    assert done.returncode == 1
    assert "backend null does not tell time per operator" in done.stderr
