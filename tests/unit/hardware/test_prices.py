from __future__ import annotations

from pathlib import Path

import pytest

from accelbench.cost import Inputs
from accelbench.errors import UsageError
from accelbench.hardware import catalogue
from accelbench.hardware.compare import Limits, against
from accelbench.hardware.prices import exchange, inputs, offer, read, shipped

MINE = """
[cost]
currency = "CNY"
kwh = 0.65

[[rates]]
from = "USD"
to = "CNY"
rate = 8
date = "2026-10-08"
source = "our treasury"

[[prices]]
device = "nvidia-a30"
kind = "buy"
currency = "CNY"
amount = 40000
devices = 2
date = "2026-10"

[[prices]]
device = "nvidia-a30"
kind = "rent"
currency = "EUR"
amount = 1

[[prices]]
device = "nvidia-h100-sxm"
kind = "rent"
currency = "CNY"
amount = 40
"""


def written(tmp_path: Path, text: str = MINE) -> Path:
    file = tmp_path / "prices.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_private_prices_come_first_and_in_the_currency_that_is_asked_for(tmp_path: Path) -> None:
    own = read(written(tmp_path))
    a30, h100 = catalogue.device("nvidia-a30"), catalogue.device("nvidia-h100-sxm")
    bought, rented, without = offer(a30, "buy", "USD", own), offer(h100, "rent", "USD", own), offer(h100, "rent", "USD")
    assert bought is not None
    assert (bought.amount, bought.own, bought.price.date) == (2500.0, True, "2026-10")
    assert rented is not None
    assert (rented.amount, rented.own) == (5.0, True)
    assert without is not None
    assert (without.own, without.price.source) == (False, "inferencex_costs")
    assert offer(a30, "rent", "USD", own) is None, "no rate of the euro is known"
    assert offer(a30, "buy", "USD") is None


def test_a_limit_on_rent_is_kept_by_private_prices(tmp_path: Path) -> None:
    h100 = catalogue.device("nvidia-h100-sxm")
    assert against(h100, Limits(max_rent=2.0)) is None
    assert against(h100, Limits(max_rent=2.0, own=read(written(tmp_path)))) == "rent from 5 USD/h"


def test_rates_are_dated_and_go_both_ways(tmp_path: Path) -> None:
    (rate,) = shipped()
    assert rate.date.startswith("20")
    assert "https://" in rate.source
    assert exchange("USD", "CNY") == rate.rate
    assert exchange("CNY", "USD") == 1 / rate.rate
    assert exchange("USD", "USD") == 1
    assert exchange("USD", "EUR") is None
    assert exchange("USD", "CNY", read(written(tmp_path)).rates) == 8


def test_what_a_cost_starts_from(tmp_path: Path) -> None:
    own = read(written(tmp_path))
    assert own.cost == Inputs(currency="CNY", kwh=0.65)
    assert own.told == ("currency", "kwh")
    assert inputs({"use": "0.5", "fleet": "3"}) == Inputs(use=0.5, fleet=3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[cost", "cannot be read as TOML"),
        ("[costs]\nkwh = 1", "'costs' is not known"),
        ("cost = 3", "cost is a table"),
        ("[cost]\nkw = 1", "'kw' is no input of the cost model: there are currency, "),
        ('[cost]\ncurrency = "EUR"', "currency: Input should be 'USD' or 'CNY', not 'EUR'"),
        ("[[rates]]\nfrom = 'USD'\nto = 'CNY'\nrate = 0\ndate = '2026'\nsource = 'x'", "rates.0.rate: "),
        ("[[rates]]\nfrom = 'USD'\nto = 'CNY'\nrate = 7", "rates.0.date: Field required"),
        ("prices = 3", "prices are tables of their own"),
        ("[[prices]]\nkind = 'buy'", "no device of the catalogue is called ''"),
        ("[[prices]]\ndevice = 'nvidia-a3'", "did you mean"),
        ("[[prices]]\ndevice = 'nvidia-a30'\nkind = 'lease'\ncurrency = 'USD'\namount = 1", "prices.0.kind: "),
        ("[[prices]]\ndevice = 'nvidia-a30'\nkind = 'buy'\ncurrency = 'USD'\namount = 0", "prices.0: the amount must"),
        ("[[prices]]\ndevice = 'nvidia-a30'\nkind = 'buy'\ncurrency = 'USD'\namount = nan", "prices.0"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_field(tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read(file)
    assert str(file) in str(error.value)
    assert told in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "none.toml")
