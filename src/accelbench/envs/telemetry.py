"""Telemetry of a timed pass: readings that the host takes beside the measuring process, a few each second.

The host waits for the worker's answer anyway and looks at its memory meanwhile; ``look`` is called there. It reads
some small files, and the lines that monitors have printed since; it never waits. A reading's moment is that of the
look, so a monitor's line may be up to a look older.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from accelbench.envs.monitors import Monitor, Parse
from accelbench.envs.sensors import Reading, process_tree, sensors
from accelbench.measure.series import Series

APART_NS = 240_000_000
"""Two looks are at least so far apart."""

END_S = 2.0
PIECE_BYTES, LINE_BYTES = 1 << 16, 1 << 12
"""What is read of a monitor at a look, and what is kept of a line that has not ended."""


@dataclass
class _Growing:
    unit: str
    source: str
    wraps_at: float | None
    time_ns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class Telemetry:
    """Readings of a process tree, its host and its devices, taken between entry and exit of a ``with`` block."""

    def __init__(
        self,
        pid: int,
        monitors: Sequence[Monitor],
        *,
        log: Path,
        root: Path = Path("/"),
        now: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """``log`` gets what the monitors write on their standard error; ``now`` is the clock that the worker reads."""
        self._pid, self._root, self._now = pid, root, now
        self._monitors, self._log = monitors, log
        self._sensors = sensors(root)
        self._running: list[_Running] = []
        self._series: dict[tuple[str, str], _Growing] = {}
        self._last: int | None = None

    def __enter__(self) -> Telemetry:
        for monitor in self._monitors:
            with contextlib.suppress(OSError):
                self._running.append(_Running(monitor, self._log))
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._take()
        for running in self._running:
            running.end()
        self._running = []

    def look(self) -> None:
        """Take the readings, if the last ones are long enough ago."""
        if self._last is None or self._now() - self._last >= APART_NS:
            self._take()

    def series(self, began_ns: int) -> tuple[Series, ...]:
        """What was read so far; moments count from ``began_ns`` as the clock told it."""
        return tuple(
            Series(
                name,
                each.unit,
                source,
                tuple(moment - began_ns for moment in each.time_ns),
                tuple(each.values),
                each.wraps_at,
            )
            for (source, name), each in self._series.items()
        )

    def _take(self) -> None:
        self._last = self._now()
        used = process_tree(self._pid, self._root)
        if used is not None:
            self._keep("proc", Reading("worker.cpu_time", "s", used[0]))
            self._keep("proc", Reading("worker.memory", "B", float(used[1])))
        for sensor in self._sensors:
            reading = sensor.read()
            if reading is not None:
                self._keep(sensor.source, reading)
        for running in self._running:
            for reading in running.readings():
                self._keep(running.source, reading)

    def _keep(self, source: str, reading: Reading) -> None:
        moment = self._last or 0
        key = (source, reading.name)
        if key not in self._series:
            self._series[key] = _Growing(reading.unit, source, reading.wraps_at)
        series = self._series[key]
        if series.time_ns and series.time_ns[-1] == moment:
            series.values[-1] = reading.value
            return
        series.time_ns.append(moment)
        series.values.append(reading.value)


class _Running:
    """A monitor at work. Raises OSError when it cannot be started."""

    def __init__(self, monitor: Monitor, log: Path) -> None:
        self.source = monitor.source
        self._parse: Parse = monitor.parse()
        self._rest = b""
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                monitor.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        os.set_blocking(self._pipe.fileno(), False)

    def readings(self) -> list[Reading]:
        """From the lines that were printed since the last call."""
        try:
            self._rest += os.read(self._pipe.fileno(), PIECE_BYTES)
        except BlockingIOError:
            return []
        *lines, self._rest = self._rest.split(b"\n")
        self._rest = self._rest[-LINE_BYTES:]
        return [reading for line in lines for reading in self._parse(line.decode("utf-8", errors="replace"))]

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pipe.close()
