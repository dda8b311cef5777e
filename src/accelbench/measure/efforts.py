"""How long an effort lasts: its rule to stop."""

from __future__ import annotations

from accelbench.model import Effort, Scenario, Stop

STATISTICS = {"offline": "throughput", "closed_loop": "throughput"}
TAILS = {"single_stream": "p90", "multi_stream": "p99", "server": "p99"}


def stop(effort: Effort, scenario: Scenario, ci_target: float | None = None, max_s: float | None = None) -> Stop:
    """The stop rule of a scenario under an effort; ``ci_target`` and ``max_s`` override.

    ``quick`` keeps a point within 3 s, warm-up and audit included; ``standard`` wants the interval of the median (of
    the throughput, for ``offline`` and ``closed_loop``) within 2 %; ``submission`` wants 1 %, of the tail quantile
    that MLPerf asks for, and lasts a minute at least.
    """
    statistic = STATISTICS.get(scenario, "p50")
    if effort == "quick":
        return Stop(max_s=max_s or 1.2, statistic=statistic, ci_target=ci_target or 0.02)
    if effort == "standard":
        return Stop(max_s=max_s or 120.0, statistic=statistic, ci_target=ci_target or 0.02)
    longest = max_s or 600.0
    return Stop(
        max_s=longest,
        min_s=min(60.0, longest),
        statistic=TAILS.get(scenario, statistic),
        ci_target=ci_target or 0.01,
    )
