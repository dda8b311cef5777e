"""What was evaluated runs in production: the same files, the same bits, here and in the stack's own environment."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.e2e.command import accelbench as command
from tests.e2e.command import left_behind

import accelbench
from accelbench.envs.install import interpreter
from accelbench.envs.spec import BackendSpec
from accelbench.errors import WorkerError
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.worker.infer import batches
from accelbench.zoo import catalogue
from accelbench.zoo.subject import from_task

SOURCE = Path(accelbench.__file__).parents[1]
ALL = """
import sys
from pathlib import Path
import accelbench
from accelbench.tensors import TensorSet, TensorWriter
with accelbench.load(sys.argv[1]) as model, TensorWriter(Path(sys.argv[3])) as writer:
    assert model.where == "process", model.where
    assert model.check() == 0.0
    for record in TensorSet(Path(sys.argv[2])):
        outputs = model({name: value[None] for name, value in record.items()})
        writer.append({name: value[0] for name, value in outputs.items()})
"""

WAITS = """
import sys, time
import accelbench
model = accelbench.load(sys.argv[1], "environment")
print("up", flush=True)
time.sleep(60)
"""


def converted(folder: Path, backend: str, *words: str) -> Path:
    done = command("convert", "digits-cnn", "-b", backend, "-o", folder / backend, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / backend


@pytest.mark.parametrize(
    "name",
    ["onnxruntime", "openvino", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mnn", "iree", "tvm"))],
)
def test_the_reports_own_outputs_bit_for_bit(tmp_path: Path, backend: Callable[[str], BackendSpec], name: str) -> None:
    spec = backend(name)
    folder = converted(tmp_path, name)
    manifest = json.loads((folder / "manifest.json").read_text())
    report = json.loads((folder / "report" / "report.json").read_text())
    built = {item["name"]: item["sha256"] for item in report["builds"][0]["artifacts"]}
    assert built == {item["name"]: item["sha256"] for item in manifest["chain"][1:]}
    assert report["quality"]["outputs_sha256"] == manifest["outputs_sha256"]
    feeds = from_task(catalogue.find("digits-cnn"), None).feeds.path

    subprocess.run(
        [interpreter(spec), "-c", ALL, folder, feeds, tmp_path / "in-process"],
        env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]},
        check=True,
    )
    with (
        accelbench.load(folder, where="environment") as model,
        TensorWriter(tmp_path / "beside") as writer,
    ):
        for feed in batches(TensorSet(feeds), 1, batched=True):
            writer.append({key: value[0] for key, value in model(feed).items()})
    for place in ("in-process", "beside"):
        assert TensorSet(tmp_path / place).sha256() == manifest["outputs_sha256"], place


def test_threads_share_a_model_and_nobody_mixes_them_up(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    backend("openvino")
    with accelbench.load(converted(tmp_path, "openvino", "--batch", "2"), where="environment") as model:
        (name,) = model.sample
        rng = np.random.default_rng(0)
        feeds = [rng.random(model.sample[name].shape, dtype=np.float32) for _ in range(4)]
        alone = [{key: value.copy() for key, value in model({name: feed}).items()} for feed in feeds]
        wrong: list[int] = []

        def ask(place: int) -> None:
            for _ in range(50):
                found = model({name: feeds[place]})
                if any(not np.array_equal(found[key], value) for key, value in alone[place].items()):
                    wrong.append(place)

        threads = [threading.Thread(target=ask, args=[place]) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_worker_that_dies_is_told_and_one_whose_host_dies_is_gone(
    tmp_path: Path, backend: Callable[[str], BackendSpec]
) -> None:
    backend("onnxruntime")
    folder = converted(tmp_path, "onnxruntime")
    with accelbench.load(folder, where="environment") as model:
        model(model.sample)
        (worker,) = [int(line.split()[0]) for line in _workers(os.getpid())]
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(WorkerError, match="the worker died in call"):
            model(model.sample)
    with subprocess.Popen([sys.executable, "-c", WAITS, folder], stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
    for _ in range(100):
        if not left_behind(folder / "backend"):
            break
        threading.Event().wait(0.1)
    assert left_behind(folder / "backend") == []


def test_what_leaves_its_tolerance_is_refused_unless_forced(
    tmp_path: Path, backend: Callable[[str], BackendSpec]
) -> None:
    backend("openvino")
    words = ["convert", "digits-cnn", "-b", "openvino", "--precision", "bf16", "--max-drift", "1e-9", "-o", "out"]
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing was written: digits-cnn on openvino bf16 is out of its tolerance" in done.stderr
    assert not any(tmp_path.iterdir())

    assert command(*words, "--force", cwd=tmp_path).returncode == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["verdict"], manifest["forced"]) == ("out", True)
    assert manifest["reasons"]

    again = command(*words, "--force", cwd=tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def _workers(parent: int) -> list[str]:
    """Process ids of grandchildren: a keeper's worker."""

    def children(of: int) -> list[str]:
        return " ".join(path.read_text() for path in Path(f"/proc/{of}/task").glob("*/children")).split()

    return [worker for keeper in children(parent) for worker in children(int(keeper))]
