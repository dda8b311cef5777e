"""Which probe of a search for the highest rate is its peak: read off the probes, by the search's own rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from accelbench.figures.passes import Pass
from accelbench.measure.peak import Probe, confirmed, meets
from accelbench.measure.stats import QUANTILES
from accelbench.model import Plan, Stop


def marked(timed: Sequence[Pass]) -> list[Pass]:
    """The passes, those of a search with ``peak`` set: True for the last probe at the rate that was confirmed."""
    searches: dict[Plan, list[int]] = {}
    for index, each in enumerate(timed):
        if _is_probe(each.measurement.plan):
            searches.setdefault(_shared(each.measurement.plan), []).append(index)
    found = list(timed)
    for places in searches.values():
        peak = confirmed([_probe(timed[place]) for place in places])
        for place in places:
            found[place] = replace(timed[place], peak=peak is not None and place == places[-1])
    return found


def _is_probe(plan: Plan) -> bool:
    return plan.rate is not None and plan.latency_bound_s is not None and plan.stop.statistic in QUANTILES


def _shared(plan: Plan) -> Plan:
    """What all probes of a search have in common."""
    return replace(plan, rate=None, seed=0, stop=Stop(max_s=0.0, statistic=plan.stop.statistic))


def _probe(timed: Pass) -> Probe:
    plan = timed.measurement.plan
    met = None
    if timed.columns is not None and plan.latency_bound_s is not None:
        met = meets(timed.columns, QUANTILES[plan.stop.statistic], plan.latency_bound_s)
    return Probe(plan.rate or 0.0, met)
