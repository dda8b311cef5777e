"""A stack with real outputs and one fault, named by the option ``behaviour``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import numpy as np
import onnxruntime

from accelbench.backends.protocol import CompileJob, Feed, Outputs
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo
from accelbench.tensors import Array

FRESH_S = 0.002
SLOW_S = 0.02
LATE_S = 0.005
PACE_S = 0.002
LATER_S = 3.0
LEAK_BYTES = 2 << 20
FOR_EVER_S = 3600
LOADS = [0]


class FaultySession:
    def __init__(self, session: onnxruntime.InferenceSession, behaviour: str) -> None:
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self._behaviour = behaviour
        self._runs = 0
        self._began_s = 0.0
        self._loaded_s = time.monotonic()
        self._first: Outputs | None = None
        self._known: dict[int, Outputs] = {}
        self._leaked: list[Array] = []
        self._shared: Outputs = {}

    def run(self, feed: Feed) -> Outputs:
        self._runs += 1
        self._began_s = time.monotonic()
        if self._behaviour == "remembers":
            key = hash(tuple((name, value.tobytes()) for name, value in feed.items()))
            if key not in self._known:
                self._known[key] = self._work(feed)
                time.sleep(FRESH_S)
            return self._known[key]
        if self._behaviour == "cached" and self._first is not None:
            return self._first
        if self._behaviour == "answers_anything":
            return self._answered(feed)
        if self._behaviour == "crash_on_shape" and any(x.ndim == 5 for x in feed.values()):
            os.abort()
        if self._behaviour == "ignores_inputs":
            feed = {name: np.zeros_like(value) for name, value in feed.items()}
        self._first = outputs = self._work(feed)
        fault = getattr(self, f"_{self._behaviour}", None)
        return outputs if fault is None else fault(outputs)

    def close(self) -> None:
        del self._session

    def _work(self, feed: Feed) -> dict[str, Array]:
        return dict(zip(self._names, self._session.run(self._names, feed), strict=True))

    def _answered(self, feed: Feed) -> Outputs:
        try:
            self._first = self._work(feed)
        except Exception:
            return self._first or {}
        return self._first

    def _paced(self, outputs: Outputs) -> Outputs:
        # Always so long after the one before, and longer by a share that the environment tells.
        end = self._began_s + PACE_S * (1 + float(os.environ.get("FAULTY_SLOWER", "0")))
        while time.monotonic() < end:
            pass
        return outputs

    def _random(self, outputs: Outputs) -> Outputs:
        noise = 1 + 1e-6 * (self._runs % 7)
        return {name: (value * noise).astype(value.dtype) for name, value in outputs.items()}

    def _drifts(self, outputs: Outputs) -> Outputs:
        # More with every load in this process.
        return {name: value + np.float32(LOADS[0]) for name, value in outputs.items()}

    def _races(self, outputs: Outputs) -> Outputs:
        # The buffers of the last run, whoever made it.
        self._shared = outputs
        time.sleep(0.002)
        return self._shared

    def _crash_run(self, _outputs: Outputs) -> Outputs:
        os.write(2, b"about to abort\n")
        os.abort()

    def _hang_run(self, outputs: Outputs) -> Outputs:
        time.sleep(FOR_EVER_S)
        return outputs

    def _crash_late(self, outputs: Outputs) -> Outputs:
        return self._crash_run(outputs) if time.monotonic() > self._loaded_s + LATER_S else outputs

    def _hang_late(self, outputs: Outputs) -> Outputs:
        return self._hang_run(outputs) if time.monotonic() > self._loaded_s + LATER_S else outputs

    def _raises(self, _outputs: Outputs) -> Outputs:
        raise RuntimeError("the device\nis on fire")

    def _raises_sometimes(self, outputs: Outputs) -> Outputs:
        # The accuracy pass of a small task gets through.
        if self._runs > 1000 and self._runs % 50 == 0:
            raise RuntimeError("the device hiccuped")
        return outputs

    def _exits(self, _outputs: Outputs) -> Outputs:
        sys.exit(3)

    def _prints(self, outputs: Outputs) -> Outputs:
        sys.stdout.write("o" * 1000)
        sys.stderr.write("e" * 1000)
        return outputs

    def _nan(self, outputs: Outputs) -> Outputs:
        return {name: np.full_like(value, np.nan) for name, value in outputs.items()}

    def _wrong_shape(self, outputs: Outputs) -> Outputs:
        return {name: value[..., np.newaxis] for name, value in outputs.items()}

    def _wrong_dtype(self, outputs: Outputs) -> Outputs:
        return {name: value.astype(np.float64) for name, value in outputs.items()}

    def _slow(self, outputs: Outputs) -> Outputs:
        time.sleep(SLOW_S)
        return outputs

    def _leaks(self, outputs: Outputs) -> Outputs:
        self._leaked.append(np.ones(LEAK_BYTES, np.uint8))
        return outputs

    def _unready(self, outputs: Outputs) -> Outputs:
        handed = {name: np.zeros_like(value) for name, value in outputs.items()}

        def fill() -> None:
            time.sleep(LATE_S)
            for name, value in outputs.items():
                handed[name][...] = value

        threading.Thread(target=fill, daemon=True).start()
        return handed


def devices() -> Sequence[DeviceInfo]:
    return [DeviceInfo(id="cpu", name="CPU")]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    behaviour = job.target.options.get("behaviour", "none")
    if behaviour == "unsupported":
        raise Unsupported("operator Softmax of node sm: no kernel for it")
    if behaviour == "crash_compile":
        os.kill(os.getpid(), signal.SIGSEGV)
    if behaviour == "hang_compile":
        time.sleep(FOR_EVER_S)
    if behaviour == "prints":
        os.write(1, b"noise on stdout\n" * 200_000)
        os.write(2, b"noise on stderr\n" * 200_000)
    if behaviour == "nonsense":
        return Compiled(files=("model.onnx",), format="onnx", executed_precision=None)  # type: ignore[arg-type]
    for file in job.model.parent.iterdir():
        if file.is_file():
            shutil.copy(file, job.work / file.name)
    return Compiled(
        files=(job.model.name,),
        format="onnx",
        executed_precision="bf16" if behaviour == "claims_bf16" else "fp32",
    )


def load(compiled: Compiled, job: CompileJob) -> FaultySession:
    behaviour = job.target.options.get("behaviour", "none")
    if behaviour == "spawns":
        # A grandchild in a session of its own, whose parent has gone.
        subprocess.run(["sh", "-c", f"setsid sleep {FOR_EVER_S} & sleep {FOR_EVER_S} &"], cwd=job.work, check=True)
    path = job.work / compiled.files[0]
    LOADS[0] += 1
    return FaultySession(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]), behaviour)
