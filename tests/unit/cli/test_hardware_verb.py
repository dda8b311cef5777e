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
