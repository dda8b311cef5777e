"""Run by the interpreter of the mnn environment: mnn_session.py MODEL WORK, with the tests' convolutional network.
Asserts what a session must hold, and says ``right``."""

import sys
import threading
from pathlib import Path

import numpy as np

from accelbench import backends
from accelbench.backends.protocol import CompileJob, Outputs
from accelbench.model import Target, TensorSpec
from accelbench.worker.main import import_adapter

ADAPTER = Path(backends.__path__[0]) / "mnn" / "adapter.py"

JOB = CompileJob(
    model=Path(sys.argv[1]),
    inputs=(TensorSpec("x", "float32", (1, 1, 8, 8)),),
    outputs=(TensorSpec("y", "float32", (1, 10)), TensorSpec("share", "float32", (1, 10))),
    target=Target("mnn", "cpu", "fp32", {}),
    batch=1,
    purpose=None,
    work=Path(sys.argv[2]),
    calibration=(),
)


def feed(seed: int) -> np.ndarray:
    value = np.random.default_rng(seed).normal(size=(1, 1, 8, 8)).astype(np.float32)
    value.flags.writeable = False
    return value


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def main() -> None:
    adapter = import_adapter(ADAPTER)
    compiled = adapter.compile(JOB)
    session = adapter.load(compiled, JOB)
    first = session.run({"x": feed(1)})
    kept = {name: value.copy() for name, value in first.items()}
    seen: list[Outputs] = []
    thread = threading.Thread(target=lambda: seen.append(session.run({"x": feed(2)})))
    thread.start()
    thread.join()
    for name, value in kept.items():
        np.testing.assert_array_equal(first[name], value)
        assert not np.array_equal(seen[0][name], value)
    wide = np.zeros((1, 1, 8, 16), np.float32)
    wide[..., ::2] = feed(1)
    np.testing.assert_array_equal(session.run({"x": wide[..., ::2]})["y"], kept["y"])
    for wrong in (np.zeros((2, 1, 8, 8), np.float32), np.zeros((1, 1, 8, 8), np.float64)):
        said = ""
        try:
            session.run({"x": wrong})
        except ValueError as error:
            said = str(error)
        assert said == f"input x is {wrong.dtype} {wrong.shape}, the model takes float32 (1, 1, 8, 8)", said
    session.close()
    for _ in range(20):
        adapter.load(compiled, JOB).close()
    before = resident()
    for _ in range(200):
        session = adapter.load(compiled, JOB)
        session.run({"x": feed(3)})
        session.close()
    grown = resident() - before
    assert grown < 8 << 20, f"200 sessions kept {grown} bytes"
    sys.stdout.write("\nright\n")


if __name__ == "__main__":
    main()
