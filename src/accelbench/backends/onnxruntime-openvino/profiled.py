"""What a profile that ONNX Runtime wrote says of the kernels in its last runs.

Facts relied on, seen in such files: an event stands where it ended, with its begin (``ts``) and its length (``dur``)
in whole microseconds; the event ``model_run`` holds the kernels of a run, that of a loop or a branch those of its body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SUFFIX = "_kernel_time"

Event = Mapping[str, Any]


def kernels(events: Sequence[Event]) -> list[Event]:
    """The events of kernels."""
    return [event for event in events if event.get("cat") == "Node" and str(event["name"]).endswith(SUFFIX)]


def last_runs(events: Sequence[Event], runs: int) -> list[Event]:
    """The events of kernels in the last ``runs`` runs. Raises RuntimeError when the file has fewer: ONNX Runtime keeps
    a million events and drops the others."""
    ran = [event for event in events if event["name"] == "model_run"]
    if not 0 < runs <= len(ran):
        raise RuntimeError(f"ONNX Runtime's profile has {len(ran)} runs, not {runs}: it ran full; ask for fewer runs")
    begin = min(event["ts"] for event in ran[-runs:])
    return [event for event in kernels(events) if event["ts"] >= begin]


def own_us(events: Sequence[Event]) -> list[float]:
    """Of each kernel the microseconds that no kernel within it took."""
    found: list[float] = []
    open_: list[Event] = []
    for event in events:
        within = 0
        while open_ and open_[-1]["ts"] >= event["ts"]:
            within += open_.pop()["dur"]
        open_.append(event)
        found.append(max(0, event["dur"] - within))
    return found
