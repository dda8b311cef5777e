"""What ``accelbench hardware`` prints."""

import json

import pytest
from click.testing import CliRunner, Result

from accelbench.cli.hardware import hardware
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
    assert first["ratios"]["bandwidth"]["other"]["source"] == "bytemlperf"
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
