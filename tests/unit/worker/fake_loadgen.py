"""A LoadGen that issues a fixed number of queries and notes what it was told, in place of the real module."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

SERVER, OFFLINE = "Server", "Offline"


class FakeLoadGen:
    """The part of ``mlperf_loadgen`` that a driver needs."""

    TestMode = SimpleNamespace(PerformanceOnly="PerformanceOnly")
    TestScenario = SimpleNamespace(
        SingleStream="SingleStream", MultiStream="MultiStream", Server=SERVER, Offline=OFFLINE
    )
    LogSettings = staticmethod(lambda: SimpleNamespace(log_output=SimpleNamespace(outdir="."), enable_trace=True))
    TestSettings = SimpleNamespace
    QuerySampleResponse = staticmethod(lambda query, _data, _size: query)

    def __init__(self, queries: int = 40) -> None:
        self.queries = queries
        self.completed: list[int] = []
        self.destroyed: list[str] = []
        self.settings: Any = None
        self.logs: Any = None
        self.audit = ""
        self.samples = 0

    def QuerySamplesComplete(self, ids: list[int]) -> None:  # noqa: N802
        self.completed += ids

    def ConstructFastSUT(self, issue: Callable[..., None], _flush: object) -> Callable[..., None]:  # noqa: N802
        return issue

    def ConstructQSL(self, total: int, _loaded: int, _load: object, _unload: object) -> str:  # noqa: N802
        self.samples = total
        return "QSL"

    def DestroyQSL(self, _library: object) -> None:  # noqa: N802
        self.destroyed.append("QSL")

    def DestroyFastSUT(self, _sut: object) -> None:  # noqa: N802
        self.destroyed.append("SUT")

    def StartTestWithLogSettings(  # noqa: N802
        self, issue: Callable[..., None], _library: object, settings: Any, logs: Any, audit: str
    ) -> None:
        self.settings, self.logs, self.audit = settings, logs, audit
        ids = list(range(self.queries))
        if settings.scenario == OFFLINE:
            issue(ids, ids)
            return
        width = getattr(settings, "multi_stream_samples_per_query", 1)
        for start in range(0, self.queries, width):
            issue(ids[start : start + width], ids[start : start + width])
