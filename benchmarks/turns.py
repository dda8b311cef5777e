"""Our timed pass and benchmark_app's loop in one process, in short turns, so that the host's noise meets both alike.

Usage, with the interpreter of the openvino environment and src on PYTHONPATH: turns.py MODEL FEEDS TURNS SECONDS, where
FEEDS is a tensor set and a turn lasts SECONDS. Prints medians over the turns in µs: ours, theirs, and the same two for
a model with the same inputs that does next to nothing, which is each driver's own cost; then the median ratio of what
is left when these are taken off.

Both run one compiled model, each with a request of its own. benchmark_app's synchronous loop calls ``infer()`` on
inputs that it filled once, and tells the median of what OpenVINO keeps as ``InferRequest.latency``. Ours goes through
the adapter's session and the production loop, with feeds that change, and is stamped outside.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import openvino
from openvino import opset13 as ops

from accelbench.backends.openvino.ov_session import OvSession
from accelbench.backends.protocol import Feed
from accelbench.measure import load, stats
from accelbench.model import Plan, Stop
from accelbench.tensors import TensorSet
from accelbench.worker.timed import in_memory

HINT = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
WARM = 5
"""One part in so many of a loop of theirs is its warm-up."""


class Drivers:
    """The two drivers of one model."""

    def __init__(self, source: str | openvino.Model, feeds: Sequence[Feed], seconds: float) -> None:
        model = openvino.Core().compile_model(source, "CPU", HINT)
        inputs, outputs = ([port.get_any_name() for port in ports] for ports in (model.inputs, model.outputs))
        self._session, self._feeds, self._seconds = OvSession(model, inputs, outputs, 0), feeds, seconds
        self._request = model.create_infer_request()
        for name in inputs:
            self._request.set_tensor(name, openvino.Tensor(np.array(feeds[0][name])))

    def ours(self) -> float:
        plan = Plan("single_stream", Stop(max_s=self._seconds))
        run = load.measure(self._session, self._feeds, plan, threads=True, submit=False, concurrency=1, audited=False)
        return float(np.median(stats.latencies(run.columns))) / 1e3

    def theirs(self) -> float:
        inside = []
        end = time.perf_counter() + self._seconds * WARM / (WARM - 1)
        while time.perf_counter() < end:
            self._request.infer()
            inside.append(self._request.latency * 1e3)
        return float(median(inside[len(inside) // WARM :]))


def nothing(path: str) -> openvino.Model:
    """A model with the inputs of the one at ``path``, which gives the first value of each."""
    parameters, results = [], []
    for port in openvino.Core().read_model(path).inputs:
        parameter = ops.parameter(port.shape, port.element_type, port.get_any_name())
        parameter.output(0).set_names({port.get_any_name()})
        flat = ops.reshape(parameter, np.array([-1]), special_zero=False)
        first = ops.slice(flat, np.array([0]), np.array([1]), np.array([1]))
        first.output(0).set_names({f"first of {port.get_any_name()}"})
        parameters.append(parameter)
        results.append(first)
    return openvino.Model(results, parameters)


def main() -> None:
    path, folder, turns, seconds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    feeds = in_memory(TensorSet(folder), 1, batched=True)
    real, null = Drivers(path, feeds, seconds), Drivers(nothing(path), feeds, seconds / 4)
    found = np.array([[real.ours(), real.theirs(), null.ours(), null.theirs()] for _ in range(turns + 1)])[1:]
    ratio = np.median((found[:, 0] - found[:, 2]) / (found[:, 1] - found[:, 3]))
    sys.stdout.write(" ".join(f"{value:.3f}" for value in (*np.median(found, axis=0), ratio)) + "\n")


if __name__ == "__main__":
    main()
