"""Run by the interpreter of the openvino environment: openvino_session.py MODEL WORK. A session of the model that
``feeds_of_every_kind`` makes is fed, and asserts what it must hold; prints how many feeds it ran."""

import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from accelbench.backends.openvino import adapter
from accelbench.backends.openvino.ov_session import OvSession
from accelbench.backends.protocol import CompileJob, Feed, Outputs
from accelbench.model import Target, TensorSpec

LARGE = 32768

JOB = CompileJob(
    model=Path(sys.argv[1]),
    inputs=(
        TensorSpec("small", "float32", (2, 3)),
        TensorSpec("large", "float32", (1, LARGE)),
        TensorSpec("flag", "bool", ()),
        TensorSpec("count", "int64", (4,)),
    ),
    outputs=(
        TensorSpec("sum", "float32", (1, LARGE)),
        TensorSpec("tripled", "float32", (2, 3)),
        TensorSpec("places", "int64", (1, "n")),
        TensorSpec("not_flag", "bool", ()),
    ),
    target=Target("openvino", "cpu", "fp32", {}),
    batch=1,
    purpose=None,
    work=Path(sys.argv[2]),
    calibration=(),
)


def feed(seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {
        "small": generator.normal(size=(2, 3)).astype(np.float32),
        "large": generator.normal(size=(1, LARGE)).astype(np.float32),
        "flag": np.array(seed % 2 == 0),
        "count": generator.integers(0, 2, 4),
    }


def strided(value: np.ndarray) -> np.ndarray:
    wide = np.zeros((*value.shape[:-1], 2 * value.shape[-1]), value.dtype)
    wide[..., ::2] = value
    return wide[..., ::2]


def read_only(value: np.ndarray) -> np.ndarray:
    copy = value.copy()
    copy.flags.writeable = False
    return copy


def right(outputs: Outputs, given: Feed) -> None:
    np.testing.assert_allclose(outputs["sum"], given["large"] + given["small"].sum(), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(outputs["tripled"], 3 * given["small"])
    np.testing.assert_array_equal(outputs["places"], np.array([np.flatnonzero(given["count"])]))
    np.testing.assert_array_equal(outputs["not_flag"], ~given["flag"])


def every_form_of_a_feed(session: OvSession) -> int:
    kinds: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "plain": lambda value: value,
        "strided": lambda value: strided(value) if value.ndim else value,
        "read-only": read_only,
        "column order": lambda value: np.array(value, order="F"),
        "big endian": lambda value: value.astype(value.dtype.newbyteorder(">")),
    }
    order = [*kinds, *reversed(kinds), "plain"]
    for seed, kind in enumerate(order):
        given = {name: kinds[kind](value) for name, value in feed(seed).items()}
        before = {name: value.copy() for name, value in given.items()}
        right(session.run(given), before)
        for name, value in before.items():
            np.testing.assert_array_equal(given[name], value, f"{kind}: the session wrote into the feed's {name}")
    return len(order)


def outputs_stay_until_the_thread_runs_again(session: OvSession) -> int:
    mine, others = feed(100), feed(101)
    kept = session.run(mine)
    given = {name: value.copy() for name, value in mine.items()}
    for value in mine.values():
        value[...] = 0
    seen: list[Outputs] = []
    thread = threading.Thread(target=lambda: seen.append(session.run(others)))
    thread.start()
    thread.join()
    right(kept, given)
    right(seen[0], others)
    return 2


def submitted(session: OvSession) -> int:
    fed, right_ones, ended = [feed(seed) for seed in range(200, 232)], [], threading.Semaphore(0)

    def done(position: int, outputs: object) -> None:
        try:
            right(outputs, fed[position])  # type: ignore[arg-type]
            right_ones.append(position)
        finally:
            ended.release()

    for position, given in enumerate(fed):
        session.submit(given, partial(done, position))
    for _ in fed:
        assert ended.acquire(timeout=10)
    assert sorted(right_ones) == list(range(len(fed)))
    return len(fed)


def a_wrong_shape(session: OvSession) -> int:
    for method in (session.run, lambda given: session.submit(given, print)):
        said = ""
        try:
            method({**feed(1), "small": np.zeros((1, 3), np.float32)})
        except ValueError as error:
            said = str(error)
        assert said == "input small is float32 (1, 3), the model takes float32 (2, 3)", said
    return 0


def main() -> None:
    compiled = adapter.compile(JOB)
    session = adapter.load(compiled, JOB)
    steps = (every_form_of_a_feed, outputs_stay_until_the_thread_runs_again, a_wrong_shape, submitted)
    ran = sum(step(session) for step in steps)
    session.close()
    sys.stdout.write(f"{ran}\n")


if __name__ == "__main__":
    main()
