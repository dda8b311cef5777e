"""Ten million queries: write their columns, read them back, and summarise them; seconds and peak memory."""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from accelbench.measure import columns, stats

QUERIES = 10_000_000


def made(queries: int) -> columns.Columns:
    """One query in flight, lognormal latencies around 1 ms, eight feeds."""
    took = (np.random.default_rng(0).lognormal(0.0, 0.3, queries) * 1e6).astype(np.int64)
    done = np.cumsum(took + 300)
    issued = done - took
    return columns.Columns(
        scheduled=issued,
        issued=issued,
        done=done,
        units=np.broadcast_to(np.int32(1), queries),
        ok=np.ones(queries, dtype=np.bool_),
        feed=(np.arange(queries) % 8).astype(np.uint16),
        pauses=np.empty((0, 2), dtype=np.int64),
    )


def main() -> None:
    table = made(QUERIES)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "columns"
        begun = time.perf_counter()
        table.write(folder)
        written = time.perf_counter()
        del table
        back = columns.read(folder)
        read = time.perf_counter()
        summary = stats.summary(back)
        end = time.perf_counter()
        size = sum(file.stat().st_size for file in folder.iterdir())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"write {written - begun:.2f} s, read {read - written:.2f} s, summarise {end - read:.2f} s")  # noqa: T201
    print(f"together {end - begun:.2f} s (aim 3 s), on disk {size / 1e6:.0f} MB, peak {peak / 1e9:.2f} GB (aim 0.6 GB)")  # noqa: T201
    print(summary)  # noqa: T201


if __name__ == "__main__":
    main()
