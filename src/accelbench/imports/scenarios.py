"""MLPerf's scenarios by the names that they have here."""

from __future__ import annotations

SCENARIOS = {
    "singlestream": "single_stream",
    "multistream": "multi_stream",
    "server": "server",
    "offline": "offline",
    "interactive": "interactive",
}
TAILS = {"single_stream": "p90", "multi_stream": "p99"}
"""The percentile of the latency that is the result of a scenario."""


def scenario_of(text: str | None) -> str | None:
    """The scenario that a text names, in whatever spelling; None for one that is unknown."""
    return SCENARIOS.get("".join(letter for letter in (text or "").lower() if letter.isalpha()))
