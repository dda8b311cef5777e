"""A deployable with an adapter of a few lines, run in this process."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import accelbench
from accelbench.deploy import manifest as stored
from accelbench.deploy.manifest import BACKEND, MODEL, SAMPLE_INPUTS, SAMPLE_OUTPUTS, Manifest
from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import Artifact, Compiled, Target, TensorSpec, Tolerance
from accelbench.tensors import TensorWriter

ADAPTER = """
import numpy as np

class Doubles:
    def __init__(self, factor):
        self.out, self.factor, self.closed = np.empty((2, 3), np.float32), factor, False
    def run(self, feed):
        np.multiply(feed["x"], self.factor, out=self.out)
        return {"y": self.out}
    def close(self):
        self.closed = True

def devices(): return []
def compile(job): raise AssertionError("a deployable is compiled already")
def load(compiled, job): return Doubles(float((job.work / compiled.files[0]).read_text()))
"""
FEED = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}


def made(folder: Path, **changes: object) -> Manifest:
    for name in (MODEL, BACKEND):
        (folder / name).mkdir(parents=True)
    (folder / MODEL / "factor.txt").write_text("2")
    (folder / BACKEND / "adapter.py").write_text(ADAPTER)
    for place, record in ((SAMPLE_INPUTS, FEED), (SAMPLE_OUTPUTS, {"y": 2 * FEED["x"]})):
        with TensorWriter(folder / place) as writer:
            writer.append(record)
    manifest = Manifest(
        schema=1,
        name="doubles",
        created="2026-11-22T00:00:00+00:00",
        accelbench="0.1.0",
        target=Target("doubler", "cpu", "fp32"),
        inputs=(TensorSpec("x", "float32", (2, 3)),),
        outputs=(TensorSpec("y", "float32", (2, 3)),),
        batch=2,
        batched=True,
        purpose=None,
        compiled=Compiled(("factor.txt",), "text", "fp32"),
        chain=(
            Artifact("doubles", "0" * 64, "onnx", 1, "accelbench"),
            Artifact("factor.txt", hashlib.sha256(b"2").hexdigest(), "text", 1, "doubler 1", parent="0" * 64),
        ),
        report="1" * 64,
        outputs_sha256=None,
        tolerance=Tolerance(max_relative_l2=0.02),
        verdict="within",
        reasons=(),
        forced=False,
        requires={"numpy": np.__version__},
        threads=False,
        adapter_sha256=hashlib.sha256(ADAPTER.encode()).hexdigest(),
    )
    manifest = replace(manifest, **changes)  # type: ignore[arg-type]
    stored.write(manifest, folder)
    return manifest


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = made(tmp_path)
    assert stored.read(tmp_path) == written


def test_a_model_runs_in_the_process_that_has_the_stack(tmp_path: Path) -> None:
    made(tmp_path)
    with accelbench.load(str(tmp_path)) as model:
        assert model.where == "process"
        assert [spec.name for spec in (*model.inputs, *model.outputs)] == ["x", "y"]
        first = model(FEED)["y"]
        model({"x": FEED["x"] + 1})
        assert np.array_equal(first, 2 * FEED["x"])
        assert model.check() == 0.0
    with pytest.raises(UsageError, match="doubles was closed: load it again"):
        model(FEED)


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ({}, r"takes the inputs \['x'\], it got \[\]"),
        ({**FEED, "z": FEED["x"]}, r"it got \['x', 'z'\]"),
        ({"x": FEED["x"].astype(np.float64)}, r"is float32 \[2, 3\], it got float64 \[2, 3\]"),
        ({"x": FEED["x"][:1]}, r"is float32 \[2, 3\], it got float32 \[1, 3\]"),
    ],
)
def test_a_feed_that_is_not_the_models_is_refused(
    tmp_path: Path, feed: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]], message: str
) -> None:
    made(tmp_path)
    with accelbench.load(tmp_path) as model, pytest.raises(UsageError, match=message):
        model(feed)


@pytest.mark.parametrize(
    ("now", "distance"),
    [
        ({"y": 2 * FEED["x"]}, 0.0),
        ({"y": 2.002 * FEED["x"]}, 0.001),
        ({"y": np.full((2, 3), np.nan, np.float32)}, np.inf),
        ({"y": FEED["x"].astype(np.float16)}, np.inf),
        ({"other": FEED["x"]}, np.inf),
    ],
)
def test_the_check_tells_how_far_the_outputs_moved(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    now: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
    distance: float,
) -> None:
    made(tmp_path)
    with accelbench.load(tmp_path) as model:
        monkeypatch.setattr(model._session, "run", lambda _feed: now)
        assert model.check() == pytest.approx(distance, rel=1e-3)


@pytest.mark.parametrize("part", [f"{MODEL}/factor.txt", f"{BACKEND}/adapter.py"])
def test_a_file_that_was_not_evaluated_is_not_loaded(tmp_path: Path, part: str) -> None:
    made(tmp_path)
    named = part.removesuffix("/adapter.py")
    (tmp_path / part).write_text("3")
    with pytest.raises(AccelbenchError, match=f"{named} is not what was evaluated"):
        accelbench.load(tmp_path)
    (tmp_path / part).unlink()
    with pytest.raises(AccelbenchError, match=f"{named} cannot be read"):
        accelbench.load(tmp_path)


def test_code_that_was_put_beside_the_adapter_is_not_loaded(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / BACKEND / "helper.py").write_text("")
    with pytest.raises(AccelbenchError, match="backend is not what was evaluated"):
        accelbench.load(tmp_path)


def test_what_is_no_deployable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no deployable .*'accelbench convert' makes one"):
        accelbench.load(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        accelbench.load(tmp_path)


def test_a_manifest_of_another_form_is_refused(tmp_path: Path) -> None:
    fields = asdict(made(tmp_path))
    for changed, message in (
        ({**fields, "schema": 2}, "has schema 2, this accelbench reads 1"),
        ({**fields, "colour": "red"}, "is not a manifest .*colour"),
        ({key: value for key, value in fields.items() if key != "chain"}, "is not a manifest .*chain"),
        ({**fields, "target": 3}, "is not a manifest"),
        ([], "has schema None"),
    ):
        (tmp_path / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(UsageError, match=message):
            accelbench.load(tmp_path)


def test_a_process_without_the_stack_says_what_it_lacks(tmp_path: Path) -> None:
    made(tmp_path, requires={"numpy": "0.1", "nothing-of-that-name": "1"})
    (tmp_path / BACKEND / "adapter.py").write_text("import nothing_of_that_name")
    fields = json.loads((tmp_path / "manifest.json").read_text())
    fields["adapter_sha256"] = hashlib.sha256(b"import nothing_of_that_name").hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(fields))
    with pytest.raises(
        UsageError, match=r"lacking: nothing-of-that-name 1 \(here: not there\), numpy 0.1 \(here: .*\)"
    ):
        accelbench.load(tmp_path, where="process")
    with pytest.raises(UsageError, match=r"backend.toml cannot be read"):
        accelbench.load(tmp_path)
