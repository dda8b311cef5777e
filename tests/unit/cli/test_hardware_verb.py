"""What ``accelbench hardware`` prints."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from accelbench.cli.hardware import hardware
from accelbench.cost import Inputs
from accelbench.errors import UsageError


def run(*words: str) -> Result:
    return CliRunner().invoke(hardware, words, standalone_mode=False)


def test_list_has_what_is_preferred_with_its_source() -> None:
    found = {row["device"]: row for row in json.loads(run("list", "--json").output)}
    assert len(found) >= 40
    assert found["nvidia-a30"]["figures"]["memory.main.bandwidth"]["source"] == "bytemlperf"
    assert found["aws-trainium"]["figures"]["engines.tensor.int8"]["value"] == 380
    assert found["hailo-hailo-8"]["figures"].keys() == {"engines.tensor.int8", "power.typical"}


def test_list_of_a_vendor() -> None:
    table = run("list", "--vendor", "groq").output
    assert "groq-lpu" in table
    assert "80,000 GB/s (on chip)" in table
    assert "nvidia" not in table


def test_vendors_with_what_is_known_of_them_and_what_is_not() -> None:
    found = {each["id"]: each for each in json.loads(run("list", "--vendors", "--json").output)}
    assert {"nvidia", "kunlunxin"} <= found.keys()
    assert "are unknown" in run("list", "--vendors").output
    shown = run("show", "昆仑芯").output
    assert all(word in shown for word in ("2026-01-02", "unknown", "support", "third_party"))
    assert json.loads(run("show", "kunlunxin", "--json").output) == found["kunlunxin"]


def test_find_in_a_region() -> None:
    told = json.loads(run("find", "--like", "nvidia-a30", "--region", "europe-west4", "--json").output)
    assert [each["device"] for each in told["found"]] == ["google-tpu-v6e"]
    assert told["ruled_out"]["nvidia-l4"] == "where it can be had is unknown"


def test_show_has_every_source_and_what_is_taken() -> None:
    shown = run("show", "aws-trainium").output
    assert all(word in shown for word in ("380 TOPS*", "3,040.0 TFLOPS", "scope: instance", "亚马逊云科技"))
    assert "1.3–1.69 USD per hour" in run("show", "nvidia-h100-sxm").output
    assert "125,000 USD for 8" in run("show", "intel-gaudi3").output
    record = json.loads(run("show", "aws-trainium", "--json").output)
    assert (record["id"], record["vendor_record"]["id"]) == ("aws-trainium", "aws")


def test_an_unknown_product_is_refused() -> None:
    found = run("show", "nvidia-a3").exception
    assert isinstance(found, UsageError)
    assert "did you mean" in str(found)


def test_lint_tells_and_passes() -> None:
    done = run("lint", "--json")
    assert done.exit_code == 0
    assert {finding["level"] for finding in json.loads(done.output)} == {"warning"}
    assert "0 errors" in run("lint").output


def test_lint_fails_where_something_has_to_be_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelbench.hardware.catalogue.vendors", dict)
    assert isinstance(run("lint", "--json").exception, SystemExit)


def test_find_answers_with_ratios_and_reasons() -> None:
    told = json.loads(run("find", "--like", "nvidia-a30", "--max-tdp", "200", "--json").output)
    first = told["found"][0]
    assert (told["like"], first["device"], first["relation"], first["known"]) == (
        "nvidia-a30",
        "nvidia-a10",
        "trade-off",
        5,
    )
    bandwidth = first["ratios"]["bandwidth"]
    assert bandwidth["other"]["source"] == "bytemlperf"
    told_by = [
        side["told_by"]
        for found in told["found"]
        for each in found["ratios"].values()
        for side in (each["today"], each["other"])
    ]
    assert all(source["title"] for source in told_by)
    listed = run("find", "--like", "nvidia-a30", "--max-tdp", "200", "--sources").output
    assert "933.1 GB/s" in listed
    assert "third_party" in listed
    assert told["ruled_out"]["nvidia-h100-sxm"] == "TDP 700 W"
    table = run("find", "--like", "nvidia-a30", "--max-tdp", "200", "--weight", "memory=3").output
    assert "×0.64" in table
    assert "do not; ratios are to nvidia-a30" in table


def test_probe_tells_what_this_machine_calls_its_devices() -> None:
    found = json.loads(run("probe", "--json").output)
    assert all(set(row) == {"name", "told_by", "id"} for row in found)
    assert run("probe").exception is None


def test_compare_side_by_side() -> None:
    table = run("compare", "nvidia-a30", "nvidia-l4").output
    assert "121 TFLOPS ×0.73" in table
    assert "trade-off, 5 of 6 known" in table
    told = json.loads(run("compare", "nvidia-a30", "nvidia-l4", "--json").output)
    assert told["others"][0]["ratios"]["tdp"]["ratio"] == pytest.approx(72 / 165)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("compare", "nvidia-a30"), "two to six"),
        (("compare", "nvidia-a30", "nvidia-a30"), "different products"),
        (("find", "--like", "nothing"), "no device of the catalogue"),
        (("find", "--like", "nvidia-a30", "--weight", "tdp"), "NAME=NUMBER"),
        (("find", "--like", "nvidia-a30", "--weight", "colour=1"), "weights are"),
        (("find", "--like", "nvidia-a30", "--weight", "tdp=nan"), "weights are"),
    ],
)
def test_what_cannot_be_asked_is_refused(words: tuple[str, ...], complaint: str) -> None:
    found = run(*words).exception
    assert isinstance(found, UsageError)
    assert complaint in str(found)


def test_cost_shows_the_answer_and_every_input() -> None:
    words = ("cost", "nvidia-a30", "--price", "3000", "--throughput", "1000", "--against", "0.05", "--set", "use=1")
    told = json.loads(run(*words, "--json").output)
    assert (told["watts"], told["private"], told["devices"]) == (165.0, False, 3)
    assert told["per_hour"] == pytest.approx(3000 * 0.301921 / 8760 + 0.165 * 1.4 * 0.1, rel=1e-5)
    assert told["per_million"] == pytest.approx(told["per_hour"] / 3.6)
    assert told["break_even"] > 3000
    assert told["inputs"] == asdict(Inputs(use=1.0))
    shown = run(*words).output
    assert all(word in shown for word in ("as you say", "165 W, rated", "use=1,", "devices for 1000 samples/s"))


def test_what_is_not_known_of_a_cost_is_absent() -> None:
    told = json.loads(run("cost", "nvidia-a30", "--json").output)
    assert {told[name] for name in ("price", "per_hour", "per_million", "break_even", "devices")} == {None}
    assert "nobody told one" in run("cost", "nvidia-a30").output


def test_private_prices_are_marked(tmp_path: Path) -> None:
    mine = tmp_path / "prices.toml"
    mine.write_text(
        '[cost]\npay = "rent"\n[[prices]]\ndevice = "nvidia-h100-sxm"\nkind = "rent"\ncurrency = "USD"\namount = 9\n'
    )
    words = ("nvidia-h100-sxm", "--set", "use=1")
    assert "private" in run("cost", *words, "--prices", str(mine)).output
    assert json.loads(run("cost", *words, "--prices", str(mine), "--json").output)["per_hour"] == 9
    assert "InferenceX" in run("cost", *words, "--set", "pay=rent").output
    limits = ("find", "--like", "nvidia-a30", "--max-rent", "8", "--json")
    assert "nvidia-h100-sxm" not in json.loads(run(*limits).output)["ruled_out"]
    out = json.loads(run(*limits, "--prices", str(mine)).output)["ruled_out"]
    assert out["nvidia-h100-sxm"] == "rent from 9 USD/h"


@pytest.mark.parametrize("word", ["kwh", "kw=1", "use=much"])
def test_an_input_that_is_none_is_refused(word: str) -> None:
    assert isinstance(run("cost", "nvidia-a30", "--set", word).exception, UsageError)
