"""The search for a peak: on known queues, with probes that lie now and then."""

import numpy as np
import pytest
from tests.unit.measure.fakes import FakeClock, Timed, timed_pass
from tests.unit.measure.made import MS, closed, noisy

from accelbench.errors import UsageError
from accelbench.measure import peak
from accelbench.model import Stop


def test_a_bound_far_away_is_met_or_missed() -> None:
    table = closed(noisy(1000))
    assert peak.meets(table, 0.99, 2e-3) is True
    assert peak.meets(table, 0.99, 0.5e-3) is False


def test_few_samples_leave_the_tail_open() -> None:
    assert peak.meets(closed(noisy(290)), 0.99, 2e-3) is None
    assert peak.meets(closed(noisy(310)), 0.99, 2e-3) is True
    assert peak.meets(closed([]), 0.99, 1.0) is None


def test_a_bound_at_the_quantile_is_open() -> None:
    times = np.array(noisy(4000))
    assert peak.meets(closed(times), 0.9, float(np.quantile(times, 0.9)) * 1e-9) is None


def test_failed_queries_are_beyond_the_bound() -> None:
    ok = np.ones(1000, dtype=np.bool_)
    ok[::10] = False
    assert peak.meets(closed(noisy(1000), ok=ok), 0.99, 2e-3) is False


def test_wrong_verdicts_are_few() -> None:
    rng = np.random.default_rng(3)
    at_bound = [peak.meets(closed(rng.exponential(MS, 1000)), 0.9, float(-np.log(0.1)) * 1e-3) for _ in range(1000)]
    assert at_bound.count(True) <= 65
    assert at_bound.count(False) <= 65


@pytest.mark.parametrize("start", [10.0, 700.0, 40_000.0])
def test_the_peak_is_found_to_the_precision(start: float) -> None:
    found = peak.highest_rate(lambda rate: rate <= 777.0, start, 1.0, 50_000.0)
    assert found.rate is not None
    assert 777 / 1.051 <= found.rate <= 777
    assert len(found.probes) < 25


def test_open_probes_are_repeated_not_guessed() -> None:
    answers = iter([None, None, True] + [False] * 100)
    found = peak.highest_rate(lambda _: next(answers), 100.0, 50.0, 200.0)
    assert [each.met for each in found.probes[:4]] == [None, None, True, False]


def test_a_peak_is_confirmed_or_given_up() -> None:
    asked: list[float] = []

    def lucky_once(rate: float) -> bool:
        asked.append(rate)
        return rate <= 100.0 or (rate < 120 and asked.count(rate) == 1)

    found = peak.highest_rate(lucky_once, 100.0, 1.0, 1000.0)
    assert found.rate is not None
    assert 95 <= found.rate <= 100.0


def test_no_rate_may_meet_the_bound_and_all_may() -> None:
    assert peak.highest_rate(lambda _: False, 10.0, 1.0, 100.0).rate is None
    assert peak.highest_rate(lambda _: True, 10.0, 1.0, 100.0).rate == 100.0
    with pytest.raises(UsageError):
        peak.highest_rate(lambda _: True, 0.0, 1.0, 2.0)


def test_the_peak_of_a_queue() -> None:
    """M/D/1 with 1 ms of service: P(latency > 5 ms) = 1 % at a load of some 0.56, by its exponential tail."""

    def probe(rate: float) -> bool | None:
        clock = FakeClock()
        stop = Stop(max_s=20_000 / rate, max_queries=8_000)
        run = timed_pass(clock, Timed(clock, [MS]), "server", stop, rate=rate)
        return peak.meets(run.columns, 0.99, 5e-3)

    found = peak.highest_rate(probe, 100.0, 10.0, 2000.0)
    assert found.rate is not None
    assert 450 <= found.rate <= 580


def test_the_best_setting_is_the_smallest_that_none_beats() -> None:
    rates = {1: 100.0, 2: 190.0, 4: 250.0, 8: 255.0, 16: 251.0, 32: 900.0}
    best, tried = peak.best_setting(rates.get, list(rates))
    assert (best, list(tried)) == (4, [1, 2, 4, 8, 16])
    assert peak.best_setting(lambda _: None, [1, 2]) == (None, {})


@pytest.mark.parametrize("limit", [3.0, 99.0, 777.0, 1e6])
def test_a_confirmed_peak_can_be_read_off_the_probes(limit: float) -> None:
    found = peak.highest_rate(lambda rate: rate <= limit, 100.0, 5.0, 5000.0)
    assert peak.confirmed(found.probes) == found.rate


def test_a_search_that_was_cut_short_has_no_peak() -> None:
    found = peak.highest_rate(lambda rate: rate <= 777.0, 100.0, 1.0, 5000.0)
    assert peak.confirmed(found.probes[:-2]) is None
    assert peak.confirmed(found.probes[:1]) is None
    assert peak.confirmed(()) is None
