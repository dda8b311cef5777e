from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.measure.made import columns
from tests.unit.page import factory

from accelbench.figures.figures import TAILS, of_pass
from accelbench.figures.passes import Pass
from accelbench.measure import stats
from accelbench.measure.validity import INSTABILITY
from accelbench.reproduce.judge import FEWEST_VALID, judged, keyed
from accelbench.reproduce.pace import BLOCKS, SamePace, same_pace

QUICK, SLOW = 6_000, 10_000
"""The kernel's time in ns while the other half of the core is free, and while it is used."""

BLOCK_NS, PAUSE_NS = 20_000_000, 100_000


def run(chance: np.random.Generator, paces: Sequence[int], latency_ns: float = 1e5, *against: str) -> Pass:
    """A pass with a block of queries at each of the paces. A query takes ``latency_ns`` at the quick pace and as much
    more at another as the kernel does, give or take 2 %."""
    issued, done, pauses, now = [], [], [], 0
    for pace, after in zip(paces, [*paces[1:], paces[-1]], strict=True):
        typical = latency_ns * pace / QUICK
        took = (typical * np.exp(chance.normal(0, 0.02, int(BLOCK_NS / typical)))).astype(np.int64)
        ends = now + np.cumsum(took)
        issued.append(ends - took)
        done.append(ends)
        now = int(ends[-1]) + PAUSE_NS
        pauses.append((int(ends[-1]), now, after))
    begins = np.concatenate(issued)
    table = columns(begins, begins, np.concatenate(done), pauses=np.array(pauses, np.int64))
    timed = factory.measurement("single_stream", 1, len(table))
    return Pass(timed, None, table, stats.summary(table, TAILS), against)


def changing(chance: np.random.Generator, slow: float, blocks: int = 400) -> list[int]:
    """Paces that change now and then, every 25 blocks at most; ``slow`` is the share of the slower one."""
    return [pace for _ in range(blocks // 25) for pace in [SLOW if chance.random() < slow else QUICK] * 25]


def outcomes(first: Pass, runs: Sequence[Pass], alike: SamePace | None) -> dict[str, str]:
    one, others = (alike.first, alike.runs) if alike else (first, tuple(runs))
    told = [keyed(of_pass(each, 0)) for each in others if each is not None]
    return {each.name: each.outcome for each in judged(list(of_pass(one, 0)), told)}


@pytest.mark.parametrize(("slower", "expected"), [(1.0, "reproduced"), (1.1, "not_reproduced")])
def test_a_machine_that_changes_its_pace_decides_nothing_and_hides_nothing(slower: float, expected: str) -> None:
    chance = np.random.default_rng(3)
    first = run(chance, changing(chance, 0.8), 1e5, f"{INSTABILITY}: it moved")
    runs = [run(chance, changing(chance, share), 1e5 * slower) for share in (0.2, 0.5, 0.1, 0.6, 0.3)]
    assert outcomes(first, runs, None)["latency_p50_s"] == "ambiguous"
    alike = same_pace(first, runs, FEWEST_VALID)
    assert alike is not None
    assert alike.first.validity == ()
    found = outcomes(first, runs, alike)
    assert found["latency_p50_s"] == found["throughput"] == expected


def test_what_is_compared_are_the_queries_at_one_pace() -> None:
    chance = np.random.default_rng(4)
    paces = [QUICK] * 100 + [SLOW] * 300
    first, runs = run(chance, paces), [run(chance, paces[::-1]) for _ in range(FEWEST_VALID)]
    alike = same_pace(first, runs, FEWEST_VALID)
    assert alike is not None
    assert alike.shares[0] == pytest.approx(0.75, abs=0.01)
    assert alike.first.columns is not None
    assert alike.first.summary is not None
    found = alike.first.summary
    assert found.quantiles["p50"] is not None
    assert found.quantiles["p50"].value_s == pytest.approx(1e-4 * SLOW / QUICK, rel=0.01)
    assert found.throughput == pytest.approx(1e4 * QUICK / SLOW, rel=0.01)
    assert alike.note("6e-05") == (
        "compared where the machine had the same pace: 75% of the first pass (whole: 6e-05), 75% to 75% of 3 of 3 runs"
    )


def test_a_run_that_never_had_that_pace_is_left_out() -> None:
    chance = np.random.default_rng(5)
    first = run(chance, [SLOW] * 50)
    runs = [run(chance, paces) for paces in ([SLOW] * 50, [QUICK] * 50, [SLOW] * 50, [QUICK] * 20 + [SLOW] * 30)]
    alike = same_pace(first, [*runs, None], FEWEST_VALID)
    assert alike is not None
    assert [each is not None for each in alike.runs] == [True, False, True, True, False]


def test_passes_of_one_pace_are_compared_whole() -> None:
    chance = np.random.default_rng(6)
    passes = [run(chance, [QUICK] * 50) for _ in range(4)]
    assert same_pace(passes[0], passes[1:], FEWEST_VALID) is None


def test_without_a_common_pace_and_without_any_nothing_is_chosen() -> None:
    chance = np.random.default_rng(7)
    quick, slow = ([run(chance, [pace] * 50) for _ in range(FEWEST_VALID)] for pace in (QUICK, SLOW))
    assert same_pace(quick[0], slow, FEWEST_VALID) is None
    assert same_pace(quick[0], [quick[0], slow[0], slow[1]], FEWEST_VALID) is None
    assert slow[0].columns is not None
    unwatched = replace(slow[0], columns=replace(slow[0].columns, pauses=slow[0].columns.pauses[:, :2]))
    assert same_pace(unwatched, slow, FEWEST_VALID) is None
    assert same_pace(slow[0], [unwatched] * FEWEST_VALID, FEWEST_VALID) is None
    short = run(chance, [SLOW] * (BLOCKS - 1))
    assert same_pace(short, slow, FEWEST_VALID) is None
