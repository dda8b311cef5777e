"""Models that we did not make: the whole-model graphs that the onnx package ships, with weights drawn anew."""

from pathlib import Path

import onnx.backend.test
import pytest
from tests.e2e.command import accelbench, rows_of

LIGHT = Path(onnx.backend.test.__file__).parent / "data" / "light"
MODELS = sorted(LIGHT.glob("*.onnx"))
QUICK = {"light_squeezenet", "light_shufflenet"}


def test_the_package_ships_the_models() -> None:
    assert len(MODELS) == 9


@pytest.mark.backend
@pytest.mark.parametrize(
    "model",
    [pytest.param(model, marks=[] if model.stem in QUICK else [pytest.mark.slow]) for model in MODELS],
    ids=lambda path: path.stem,
)
def test_a_light_model_runs_on_both_stacks(tmp_path: Path, model: Path) -> None:
    done = accelbench(
        "run", model, "--seed-weights", "-b", "onnxruntime", "-b", "openvino", "--quick",
        "--scenario", "single_stream", "--json", "-o", "out", cwd=tmp_path, timeout=300,
    )  # fmt: skip
    rows = rows_of(done)
    assert [(row["backend"], row["status"]) for row in rows] == [("onnxruntime", "ok"), ("openvino", "ok")], done.stderr
    for row in rows:
        assert row["weights"] == "seeded"
        assert row["drift"]["relative_l2"] < 1e-4
        assert row["drift"]["nan_count"] == 0
        assert not [reason for reason in row["reasons"] if "vary" in reason or "constant" in reason]
