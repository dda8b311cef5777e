"""Products beside the one in use today: only what is known of both counts."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.hardware import catalogue
from accelbench.hardware.compare import QUANTITIES, Limits, against, beside, find
from accelbench.hardware.prices import offer
from accelbench.model import Device, DeviceFact, DeviceFigure, Engine, MemoryLevel, Names, Peak, Power, Price


def device(
    name: str = "one",
    fp16: float | None = 100,
    memory: float | None = 32,
    tdp: float | None = 150,
    unit: str = "GB",
) -> Device:
    def told(value: float | None, unit: str) -> tuple[DeviceFigure, ...]:
        return () if value is None else (DeviceFigure(value, unit, "third_party", "page"),)

    return Device(
        id=name,
        vendor="acme",
        names=Names(name),
        kind="asic",
        scope="card",
        engines=(Engine("tensor", peaks=(Peak("fp16", figures=told(fp16, "TFLOPS")),)),),
        memory=(MemoryLevel("main", capacity=told(memory, unit)),),
        power=(Power("tdp", told(tdp, "W")),),
    )


@pytest.mark.parametrize(
    ("other", "relation", "known"),
    [
        (device(), "close", 3),
        (device(fp16=119, memory=27, tdp=170), "close", 3),
        (device(fp16=200, memory=32, tdp=150), "dominates", 3),
        (device(fp16=200, tdp=100), "dominates", 3),
        (device(fp16=50, tdp=300), "dominated", 3),
        (device(fp16=200, tdp=300), "trade-off", 3),
        (device(fp16=200, tdp=None), "dominates", 2),
        (device(fp16=None, memory=None, tdp=None), "not comparable", 0),
        (replace(device(), scope="instance"), "not comparable", 3),
    ],
)
def test_relations(other: Device, relation: str, known: int) -> None:
    found = beside(device(), replace(other, id="two"))
    assert (found.relation, len(found.ratios)) == (relation, known)
    assert found.known == f"{known} of {len(QUANTITIES)} known"
    assert (found.distance is None) == (relation == "not comparable")


def test_units_meet_before_they_are_compared() -> None:
    (ratio,) = (each for each in beside(device(), device(unit="GiB")).ratios if each.name == "memory")
    assert ratio.ratio == pytest.approx(2**30 / 1e9)
    assert (ratio.today.unit, ratio.other.unit) == ("GB", "GiB")


def test_distance_is_the_weighted_mean_of_log_ratios() -> None:
    today, other = device(), device("two", fp16=200, memory=32, tdp=75)
    assert beside(today, other).distance == pytest.approx(math.sqrt(2 * math.log(2) ** 2 / 3))
    assert beside(today, other, {"fp16": 0, "tdp": 3}).distance == pytest.approx(math.log(2) * math.sqrt(3 / 4))
    assert beside(today, other, dict.fromkeys(QUANTITIES, 0)).relation == "not comparable"


figures = st.none() | st.sampled_from([1.0, 50.0, 99.0, 100.0, 101.0, 400.0])


Told = tuple[float | None, float | None, float | None]


@given(st.tuples(figures, figures, figures), st.tuples(figures, figures, figures))
def test_what_is_missing_is_never_a_number(one: Told, two: Told) -> None:
    found = beside(device("one", *one), device("two", *two))
    assert len(found.ratios) == sum(a is not None and b is not None for a, b in zip(one, two, strict=True))
    back = beside(device("two", *two), device("one", *one))
    mirrored = {"dominates": "dominated", "dominated": "dominates"}
    assert back.relation == mirrored.get(found.relation, found.relation)
    assert back.distance == pytest.approx(found.distance)


def test_limits_rule_out_with_a_reason_and_what_is_unknown_too() -> None:
    housed = replace(device(), form_factor=(DeviceFact("FHFL, Single Slot Card", "third_party"),))
    assert against(device(), Limits()) is None
    assert against(device(), Limits(max_tdp_w=149)) == "TDP 150 W"
    assert against(device(tdp=None), Limits(max_tdp_w=1000)) == "its TDP is unknown"
    assert against(device(), Limits(min_memory_bytes=33e9)) == "memory 32 GB"
    assert against(device(memory=None), Limits(min_memory_bytes=1)) == "its memory is unknown"
    assert against(housed, Limits(form_factor="single slot")) is None
    assert against(housed, Limits(form_factor="dual")) == "form factor FHFL, Single Slot Card"
    assert against(device(), Limits(form_factor="dual")) == "its form factor is unknown"


def test_a_region_is_told_by_a_seller_or_a_price_and_unknown_rules_out() -> None:
    zoned = replace(device(), regions=(DeviceFact("europe-west4-a", "vendor_claimed"),))
    rented = replace(device(), prices=(Price("rent", "USD", 1.0, "third_party", region="us-east-1"),))
    assert against(zoned, Limits(region="Europe")) is None
    assert against(rented, Limits(region="us-east")) is None
    assert against(rented, Limits(region="europe")) == "told to be had in us-east-1"
    assert against(device(), Limits(region="us")) == "where it can be had is unknown"


def test_the_lowest_rent_per_device_counts() -> None:
    prices = (
        Price("rent", "USD", 4.0, "third_party", devices=2),
        Price("rent", "USD", 3.0, "third_party"),
        Price("rent", "EUR", 1.0, "third_party"),
        Price("buy", "USD", 1.0, "third_party"),
    )
    priced = replace(device(), prices=prices)
    told = offer(priced, "rent", "USD")
    assert told is not None
    assert (told.amount, told.price) == (2.0, prices[0])
    assert against(priced, Limits(max_rent=2)) is None
    assert against(priced, Limits(max_rent=1.9)) == "rent from 2 USD/h"
    assert against(device(), Limits(max_rent=100)) == "its rent is unknown"


def test_the_nearest_come_first_and_the_others_have_a_reason() -> None:
    today = catalogue.device("nvidia-a30")
    kept, ruled_out = find(today, catalogue.devices().values(), Limits(max_tdp_w=200))
    assert kept[0].device.id == "nvidia-a10"
    assert {each.device.id for each in kept} | set(ruled_out) | {today.id} == set(catalogue.devices())
    assert ruled_out["nvidia-h100-sxm"] == "TDP 700 W"
    assert ruled_out["google-tpu-v5e"] == "its TDP is unknown"
    distances = [each.distance for each in kept if each.distance is not None]
    assert distances == sorted(distances)
    for each in kept:
        assert all(ratio.today.source and ratio.other.source for ratio in each.ratios)
