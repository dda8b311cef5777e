from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.cost import (
    Capital,
    Inputs,
    Operation,
    Porting,
    Purchase,
    Rent,
    break_even,
    common_power,
    devices_needed,
    per_hour,
    per_million,
)
from accelbench.errors import UsageError

ALWAYS = Operation(utilisation=1.0, kwh=0.0, pue=1.0)
PLAIN = Capital(rate=0.0, years=1.0)


def test_recovery_of_capital() -> None:
    assert Capital(0.0, 4).recovery == 0.25
    assert Capital(0.08, 4).recovery == pytest.approx(0.301921, rel=1e-5)  # four payments of 0.301921 at 8 % repay 1
    assert sum(Capital(0.08, 4).recovery / 1.08**year for year in (1, 2, 3, 4)) == pytest.approx(1.0)


def test_an_hour_of_a_purchase() -> None:
    assert per_hour(Purchase(8760.0, kw=0.0), ALWAYS, PLAIN) == 1.0
    assert per_hour(Purchase(4380.0, 0.0, host=2190.0, network=2190.0), ALWAYS, PLAIN) == 1.0
    half = Operation(0.5, kwh=0.1, pue=1.5, support=876.0)
    assert per_hour(Purchase(8760.0, kw=0.4), half, PLAIN) == pytest.approx(2.0 + 0.2 + 0.4 * 1.5 * 0.1)


def test_rent_is_paid_for_idle_hours_too() -> None:
    assert per_hour(Rent(1.5), Operation(0.5, 0.1, 1.5)) == 3.0


def test_porting_is_spread_over_the_fleet_and_its_life() -> None:
    once = Porting(cost=8760.0 * 20, devices=10, years=2.0)
    assert per_hour(Rent(1.0), ALWAYS, porting=once) == pytest.approx(2.0)
    assert per_hour(Rent(0.0), Operation(0.5, 0, 1), porting=once) == pytest.approx(2.0)


def test_a_million_samples() -> None:
    assert per_million(3.6, 1000.0) == pytest.approx(1.0)


def test_devices_for_a_rate() -> None:
    assert devices_needed(1000, 300) == 4
    assert devices_needed(900, 300, headroom=0.25, spare=1) == 5
    assert devices_needed(0.5, 300) == 1


def test_power_is_compared_by_the_best_kind_that_all_have() -> None:
    assert common_power({"wall": 300.0, "tdp": 250.0}, {"board": 200.0, "tdp": 220.0}) == "tdp"
    assert common_power({"wall": 300.0, "tdp": 250.0}, {"wall": 280.0}) == "wall"
    assert common_power({"wall": 300.0}, {"tdp": 200.0}) is None


amounts = st.floats(0, 1e6)


@given(
    device=amounts,
    kw=st.floats(0, 30),
    host=amounts,
    network=amounts,
    support=amounts,
    throughput=st.floats(1e-2, 1e6),
    use=st.floats(0.01, 1),
    rate=st.floats(0, 0.5),
    years=st.floats(0.5, 20),
    porting=amounts,
)
def test_at_the_break_even_price_both_cost_the_same(
    device: float,
    kw: float,
    host: float,
    network: float,
    support: float,
    throughput: float,
    use: float,
    rate: float,
    years: float,
    porting: float,
) -> None:
    capital, operation = Capital(rate, years), Operation(use, 0.12, 1.3, support)
    once = Porting(porting, 100, years)
    hour = per_hour(Purchase(device, kw, host, network), operation, capital, once)
    price = break_even(
        per_million(hour, throughput), throughput, kw, operation, capital, host=host, network=network, porting=once
    )
    assert math.isclose(price, device, rel_tol=1e-6, abs_tol=1e-3 * (1 + host + network + support + porting) / use)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: per_hour(Rent(1.0), Operation(0.0, 0, 1)), "utilisation is a share"),
        (lambda: per_hour(Rent(1.0), Operation(1.5, 0, 1)), "utilisation is a share"),
        (lambda: per_hour(Purchase(1.0, 0.1), ALWAYS), "needs a rate of interest"),
        (lambda: per_hour(Purchase(-1.0, 0.1), ALWAYS, PLAIN), "device must not be below 0"),
        (lambda: per_hour(Purchase(1.0, 0.1), Operation(1, 0.1, 0.9), PLAIN), "1 or more, not 0.9"),
        (lambda: per_hour(Purchase(1.0, math.nan), ALWAYS, PLAIN), "kw must not be below 0: nan"),
        (lambda: per_million(1.0, 0.0), "throughput must be above 0"),
        (lambda: per_million(1.0, math.nan), "throughput must be above 0"),
        (lambda: devices_needed(1, 1, headroom=1.0), "headroom is a share"),
        (lambda: Capital(0.1, 0).recovery, "years must be above 0"),
    ],
)
def test_what_cannot_be_is_refused(call: object, said: str) -> None:
    assert callable(call)
    with pytest.raises(UsageError, match=said):
        call()


def test_inputs_are_the_models_words() -> None:
    given = Inputs(use=0.5, kwh=0.1, pue=1.5, support=876.0, rate=0.0, years=1.0, headroom=0.25, need=900.0)
    assert given.hour(8760.0, 0.4) == pytest.approx(2.0 + 0.2 + 0.4 * 1.5 * 0.1)
    assert given.hour(8760.0, None) is None, "energy that nobody knows is not free"
    assert Inputs(pay="rent", use=0.5).hour(1.5, None) == 3.0
    assert given.devices(300.0) == 5
    hour = given.hour(5000.0, 0.4)
    assert hour is not None
    assert given.even(per_million(hour, 300.0), 300.0, 0.4) == pytest.approx(5000.0)
    assert given.even(1.0, 300.0, None) is None


def test_at_the_break_even_rent_both_cost_the_same() -> None:
    given = Inputs(pay="rent", use=0.5, port=7_000.0, fleet=8)
    hour = given.hour(1.5, None)
    assert hour is not None
    assert given.even(per_million(hour, 300.0), 300.0, None) == pytest.approx(1.5)
    assert given.even(0.0, 300.0, None) == pytest.approx(-7_000.0 / (8 * 4 * 8760)), "dearer even as a gift"


@pytest.mark.parametrize("name", ["support", "host", "network", "kwh", "port", "rate"])
def test_no_amount_is_below_zero(name: str) -> None:
    below: dict[str, Any] = {name: -1.0}
    with pytest.raises(UsageError, match="must not be below 0"):
        replace(Inputs(), **below).hour(1000.0, 0.1)
