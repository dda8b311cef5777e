"""LoadGen over a system that does nothing; a script for an interpreter that has mlcommons-loadgen.

Usage: loadgen_null.py single_stream|server RATE SECONDS. Prints one JSON object: latencies in ns, from its own log.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODULE = "mlperf_loadgen"


def settings(loadgen: Any, scenario: str, rate: float, seconds: float) -> Any:
    made = loadgen.TestSettings()
    made.mode = loadgen.TestMode.PerformanceOnly
    made.min_duration_ms = int(seconds * 1000)
    made.min_query_count = 1
    made.max_duration_ms = int(seconds * 1000)
    if scenario == "server":
        made.scenario = loadgen.TestScenario.Server
        made.server_target_qps = rate
        made.server_target_latency_ns = 1_000_000_000
        made.max_query_count = int(rate * seconds)
        made.min_query_count = made.max_query_count
    else:
        made.scenario = loadgen.TestScenario.SingleStream
        made.single_stream_expected_latency_ns = 1_000
    return made


def main() -> None:
    scenario, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    loadgen: Any = importlib.import_module(MODULE)
    complete, response = loadgen.QuerySamplesComplete, loadgen.QuerySampleResponse

    def issue(query_ids: Sequence[int], _sample_ids: Sequence[int]) -> None:
        complete([response(each, 0, 0) for each in query_ids])

    with tempfile.TemporaryDirectory() as scratch:
        logs = loadgen.LogSettings()
        logs.log_output.outdir = scratch
        logs.enable_trace = False
        sut = loadgen.ConstructFastSUT(issue, lambda: None)
        qsl = loadgen.ConstructQSL(64, 64, lambda _: None, lambda _: None)
        loadgen.StartTestWithLogSettings(sut, qsl, settings(loadgen, scenario, rate, seconds), logs, "")
        text = (Path(scratch) / "mlperf_log_summary.txt").read_text()
    figures = {name.strip(): float(value) for name, value in re.findall(r"^(.+?)\s*:\s*([\d.]+)$", text, re.M)}
    sys.stdout.write(
        json.dumps(
            {
                "mean_ns": figures["Mean latency (ns)"],
                "p50_ns": figures["50.00 percentile latency (ns)"],
                "p99_ns": figures["99.00 percentile latency (ns)"],
                "wall_ns": 1e9 / figures["QPS w/ loadgen overhead"] if scenario == "single_stream" else None,
            }
        )
    )


if __name__ == "__main__":
    main()
