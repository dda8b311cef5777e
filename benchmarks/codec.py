"""Strict decoding of reports: pydantic's adapter and msgspec on the same dataclasses, and accelbench's own codec.

Run one candidate per process, so that memory is its own:

    python benchmarks/codec.py pydantic|msgspec|accelbench|errors [COUNT]

COUNT reports (100,000 unless told), each with another command, drift sum and latency bound, are decoded one by one
from bytes. Prints seconds, bytes per report and the growth of the peak resident memory while every hundredth decoded
report is kept. ``errors`` shows what each candidate says about five faults.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from accelbench import model

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.unit.report.sample import report as sample

from accelbench.report import codec

Decoder = Callable[[bytes], object]


def reports(count: int) -> Iterator[bytes]:
    """``count`` encoded reports that differ in a few values."""
    document = json.loads(codec.encode(sample()))
    for position in range(count):
        document["command"][-1] = f"out-{position}"
        document["quality"]["drift"][0]["sum_e2"] = position / 7
        document["measurements"][0]["plan"]["latency_bound_s"] = position / 1e5
        yield json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def decoder(candidate: str) -> Decoder:
    """The candidate's function from bytes to a Report. msgspec need not be installed for the others."""
    if candidate == "msgspec":
        msgspec = __import__("msgspec")
        decode: Decoder = msgspec.json.Decoder(model.Report).decode
        return decode
    if candidate == "pydantic":
        return codec.REPORTS.adapter.validate_json
    return lambda data: codec.decode(data, "report.json")


def measure(candidate: str, count: int) -> None:
    decode = decoder(candidate)
    size, seconds, kept = 0, 0.0, []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for position, data in enumerate(reports(count)):
        size += len(data)
        start = time.perf_counter()
        decoded = decode(data)
        seconds += time.perf_counter() - start
        if position % 100 == 0:
            kept.append(decoded)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    sys.stdout.write(
        f"{candidate}: {count} reports of {size / count:.0f} bytes in {seconds:.2f} s "
        f"({seconds / count * 1e6:.0f} us each), peak memory +{grown / 1024:.1f} MiB with {len(kept)} kept\n"
    )


def faults() -> Iterator[tuple[str, bytes]]:
    """One report per kind of fault."""
    text = codec.encode(sample()).decode()
    changes = {
        "unknown field": ('"checked":', '"chekced":0,"checked":'),
        "missing field": ('"mismatched":0,', ""),
        "mistyped field": ('"mismatched":0', '"mismatched":"0"'),
        "not a number": ('"sum_e2":', '"sum_e2":NaN,"was":'),
        "same key twice": ('"mismatched":0', '"mismatched":7,"mismatched":0'),
    }
    for name, (old, new) in changes.items():
        assert old in text, old
        yield name, text.replace(old, new, 1).encode()


def show_errors(candidate: str) -> None:
    decode = decoder(candidate)
    for name, data in faults():
        try:
            decode(data)
            said = "ACCEPTED"
        except Exception as error:
            said = f"{type(error).__name__}: {' | '.join(str(error).splitlines())}"
        sys.stdout.write(f"{candidate}, {name}: {said}\n")


def main() -> None:
    candidate = sys.argv[1]
    if candidate == "errors":
        for each in sys.argv[2:]:
            show_errors(each)
    else:
        measure(candidate, int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)


if __name__ == "__main__":
    main()
