"""Passes through the real command: each on a stack that takes its result, and what they cost."""

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper
from tests.e2e.command import accelbench, rows_of

CHAINS = ("none", "fp16", "bf16", "int8", "int8-static", "prune:0.5", "prune:2:4", "prune:2:4+int8-static")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("passes")
    words = ["run", "digits-cnn", "-b", "onnxruntime", "--quick", "--scenario", "single_stream", "--json"]
    done = accelbench(*words, "--pass", ",".join(CHAINS), "-o", folder / "run", cwd=folder)
    assert done.returncode == 1, done.stderr  # what is pruned is out of its tolerance
    return {"+".join(row["passes"]) or "none": row for row in rows_of(done)}


def test_each_is_run_and_told(rows: dict[str, dict[str, Any]]) -> None:
    assert tuple(rows) == CHAINS
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(CHAINS, "ok")
    executed = {name: row["executed_precision"] for name, row in rows.items()}
    assert executed["int8"] == executed["int8-static"] == executed["prune:2:4+int8-static"] == "int8"
    assert executed["none"] == executed["bf16"] == executed["prune:0.5"] == "fp32"


def test_what_they_cost_is_of_the_order_that_they_must(rows: dict[str, dict[str, Any]]) -> None:
    drift = {name: row["drift"]["relative_l2"] for name, row in rows.items()}
    assert drift["none"] == 0
    assert 2**-16 < drift["fp16"] < 2**-9
    assert 2**-12 < drift["bf16"] < 2**-6
    assert 1e-3 < drift["int8"] < 0.1
    assert 1e-3 < drift["int8-static"] < 0.1
    assert drift["prune:0.5"] > 0.1
    assert rows["int8"]["size_bytes"] < rows["none"]["size_bytes"] / 3


def test_accuracy_may_hold_where_drift_does_not(rows: dict[str, dict[str, Any]]) -> None:
    pruned = rows["prune:2:4"]
    assert pruned["drift"]["relative_l2"] > 0.3
    assert pruned["accuracy"] > rows["none"]["accuracy"] - 0.03


def test_zeros_are_counted_in_what_the_stack_compiled(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["none"]["sparsity"] == 0
    assert rows["prune:0.5"]["sparsity"] == pytest.approx(0.5, abs=0.001)
    assert rows["prune:2:4"]["sparsity"] == pytest.approx(0.5, abs=0.01)


def test_the_chain_leads_from_the_source_to_the_compiled_file(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["prune:2:4+int8-static"]
    report = json.loads((Path(row["report"]) / "report.json").read_text())
    chain = [*report["chain"], report["builds"][0]["artifacts"][0]]
    assert [item["maker"].split()[0] for item in chain] == ["accelbench", "accelbench", "onnxruntime", "onnxruntime"]
    assert [item["parent"] for item in chain[1:]] == [item["sha256"] for item in chain[:-1]]
    assert [item["options"].get("pass") for item in chain] == [None, "prune:2:4", "int8-static", None]
    assert chain[2]["contents"]["values"].keys() == {"int8"}


@pytest.mark.slow
def test_nncf_quantises_in_an_environment_of_its_own(tmp_path: Path) -> None:
    words = ("run", "digits-cnn", "-b", "onnxruntime", "--quick", "--scenario", "single_stream", "--json")
    done = accelbench(
        *words, "--pass", "int8-nncf,prune:2:4+int8-nncf", "-o", tmp_path / "out", cwd=tmp_path, timeout=1200
    )
    plain, pruned = rows_of(done)
    assert plain["status"] == pruned["status"] == "ok", done.stderr
    assert plain["executed_precision"] == pruned["executed_precision"] == "int8"
    assert plain["accuracy"] > 0.95
    assert 1e-3 < plain["drift"]["relative_l2"] < 0.1
    chain = json.loads((Path(pruned["report"]) / "report.json").read_text())["chain"]
    assert [item["maker"].split()[0] for item in chain] == ["accelbench", "accelbench", "nncf"]
    assert [item["parent"] for item in chain[1:]] == [item["sha256"] for item in chain[:-1]]
    assert chain[2]["contents"]["values"].keys() == {"int8"}


def test_what_a_pass_cannot_take_is_unsupported_with_its_reason(tmp_path: Path) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [x], [y])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), tmp_path / "relu.onnx"
    )
    words = ["run", "relu.onnx", "-b", "onnxruntime", "--quick", "--pass", "prune:0.5,int4,int2", "--json"]
    done = accelbench(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "no pass is called 'int2'" in done.stderr
    words[words.index("prune:0.5,int4,int2")] = "prune:0.5,int4"
    pruned, narrow = rows_of(accelbench(*words, cwd=tmp_path))
    assert (pruned["status"], narrow["status"]) == ("unsupported", "unsupported")
    assert pruned["reasons"] == ["pass prune:0.5: the model has no weights in products or convolutions"]
    assert narrow["reasons"] == ["pass int4: no matrix product sums over a multiple of 32 constants"]
