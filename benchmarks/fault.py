"""One fault in a process of its own: ``fault.py ours|theirs FAULT``, run by faults.py. Prints what became of it."""

from __future__ import annotations

import importlib
import re
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

MEASURE = "accelbench.measure"
RATE, SECONDS, FAULT_S = 200.0, 5.0, 3.0


class Session:
    """Does nothing for 100 µs, and from some moment on has the fault; beside a busy thread it does nothing at all."""

    def __init__(self, fault: str) -> None:
        self.fault, self.moment = fault, time.monotonic() + FAULT_S
        self.never = threading.Event()

    def run(self, _feed: object) -> dict[str, Any]:
        if self.fault == "busy thread":
            return {}
        if time.monotonic() > self.moment:
            if self.fault == "raises":
                raise RuntimeError("the device is gone")
            if self.fault == "never completes":
                self.moment = float("inf")
                self.never.wait()
        time.sleep(1e-4)
        return {}

    def close(self) -> None:
        pass


def busy() -> None:
    while True:
        sum(range(1000))


def ours(fault: str) -> str:
    """One pass with the fault: what it says of itself."""
    load, validity = importlib.import_module(f"{MEASURE}.load"), importlib.import_module(f"{MEASURE}.validity")
    model = importlib.import_module("accelbench.model")
    plan = model.Plan("closed_loop", model.Stop(max_s=SECONDS), concurrency=2)
    if fault == "busy thread":
        plan = model.Plan("server", model.Stop(max_s=SECONDS), rate=RATE)
    run = load.measure(Session(fault), [{}] * 8, plan, threads=True, submit=False, concurrency=2)
    found = "; ".join(validity.reasons(run.measurement(plan, ""), run.columns)) or "valid"
    p50 = median((run.columns.done - run.columns.scheduled).tolist()) / 1e6 if len(run.columns) else 0.0
    return f"{len(run.columns)} queries kept, p50 {p50:.3g} ms, ended by {run.stop_reason}: {found}"


def theirs(fault: str) -> str:
    """The same under LoadGen, called as its examples do."""
    loadgen: Any = importlib.import_module("mlperf_loadgen")
    made = importlib.import_module("accelbench.worker.loadgen_null").settings
    session = Session(fault)

    def issue(queries: Sequence[int], _samples: Sequence[int]) -> None:
        for query in queries:
            session.run(None)
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query, 0, 0)])

    settings = made(loadgen, "server" if fault == "busy thread" else "single_stream", RATE, SECONDS)
    with TemporaryDirectory() as scratch:
        logs = loadgen.LogSettings()
        logs.log_output.outdir, logs.enable_trace = scratch, False
        sut = loadgen.ConstructFastSUT(issue, lambda: None)
        qsl = loadgen.ConstructQSL(64, 64, lambda _: None, lambda _: None)
        loadgen.StartTestWithLogSettings(sut, qsl, settings, logs, "")
        text = (Path(scratch) / "mlperf_log_summary.txt").read_text()
    p50 = re.search(r"50.00 percentile latency \(ns\)\s*: (\d+)", text)
    result = re.search(r"Result is : (\w+)", text)
    unmet = ", ".join(re.findall(r"(\S[^\n:]*?)\s*: NO", text)) or "nothing"
    return f"p50 {int(p50[1]) / 1e6:.3g} ms: {result[1]} (unmet: {unmet})" if p50 and result else "no summary"


if __name__ == "__main__":
    if sys.argv[2] == "busy thread":
        threading.Thread(target=busy, daemon=True).start()
    sys.stdout.write({"ours": ours, "theirs": theirs}[sys.argv[1]](sys.argv[2]))
    sys.stdout.flush()
