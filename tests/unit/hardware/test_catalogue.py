"""The shipped catalogue as it is, and what its reader refuses."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from accelbench.errors import UsageError
from accelbench.hardware import catalogue
from accelbench.hardware.catalogue import DEVICES, VENDORS, load_all, load_device, load_vendor
from accelbench.hardware.rows import evidence, facts, rows
from accelbench.hardware.write import toml
from accelbench.model import Device, preferred

A30 = (DEVICES / "nvidia-a30.toml").read_text(encoding="utf-8")


def test_the_catalogue_is_large_and_every_vendor_is_known() -> None:
    assert len(catalogue.devices()) >= 40
    assert {device.vendor for device in catalogue.devices().values()} == set(catalogue.vendors())


@pytest.mark.parametrize("device", catalogue.devices().values(), ids=lambda device: device.id)
def test_a_record_is_written_as_it_is_read(device: Device) -> None:
    text = (DEVICES / f"{device.id}.toml").read_text(encoding="utf-8")
    assert toml(device) == text
    for name, each in evidence(device):
        assert each.source in device.sources, name


def test_vendors_are_written_as_they_are_read() -> None:
    for vendor in catalogue.vendors().values():
        assert toml(vendor) == (VENDORS / f"{vendor.id}.toml").read_text(encoding="utf-8")


def test_no_record_names_a_place_of_a_machine() -> None:
    for path in (*DEVICES.glob("*.toml"), *VENDORS.glob("*.toml")):
        assert not re.search(r"(?<!:/)/(home|work|tmp|root)/|file://", path.read_text(encoding="utf-8")), path


def test_figures_that_are_known_to_be_wrong_elsewhere_are_right_here() -> None:
    def taken(device: str, row: str) -> tuple[float, str]:
        figure = preferred(next(each.figures for each in rows(catalogue.device(device)) if each.name == row))
        assert figure is not None
        return figure.value, figure.unit

    assert taken("nvidia-a30", "memory.main.bandwidth") == (933.1, "GB/s")
    assert taken("nvidia-h100-sxm", "engines.tensor.bf16") == (989, "TFLOPS")
    assert taken("nvidia-h100-sxm", "engines.tensor.fp16[2:4]") == (1979.0, "TFLOPS")
    assert taken("aws-trainium", "engines.tensor.fp16") == (190, "TFLOPS")
    assert taken("habana-gaudi2", "engines.tensor.fp8") == (866.4, "TFLOPS")
    assert "engines.tensor.int8" not in {row.name for row in rows(catalogue.device("graphcore-c600"))}


def test_sources_that_disagree_all_survive() -> None:
    told = next(row for row in rows(catalogue.device("aws-trainium")) if row.name == "engines.tensor.int8")
    assert [(figure.value, figure.scope) for figure in told.figures] == [(380, None), (3040.0, "instance"), (420, None)]
    assert preferred(told.figures) == told.figures[0]


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"nvidia-a3: did you mean|'nvidia-a3': did you mean .*nvidia-a30"):
        catalogue.device("nvidia-a3")
    with pytest.raises(UsageError, match="hardware list"):
        catalogue.device("zzzzzz")


EDITS: list[tuple[str, Callable[[str], str], str]] = [
    ("unknown field", lambda text: "colour = 3\n" + text, "Unexpected keyword"),
    ("mistyped field", lambda text: text.replace('scope = "card"', "scope = 3"), "scope"),
    ("unknown scope", lambda text: text.replace('scope = "card"', 'scope = "box"'), "scope"),
    ("a text for a number", lambda text: text.replace("value = 933.1", 'value = "933.1"'), "bandwidth"),
    ("zero", lambda text: text.replace("value = 933.1", "value = 0"), "not a positive number"),
    ("NaN", lambda text: text.replace("value = 933.1", "value = nan"), "memory"),
    ("a unit of another quantity", lambda text: text.replace('"GB/s"', '"GB"'), "'GB' is none of"),
    ("a source that is not there", lambda text: text.replace('source = "bytemlperf"', 'source = "x"', 1), "not among"),
    ("no date", lambda text: text.replace('unit = "nm",', 'unit = "nm", date = "July",'), "not YYYY"),
    (
        "two preferred",
        lambda text: re.sub(r"( {2}\{value = 933\.1.*?)\},\n", r'\1, preferred = "a"},\n\1, preferred = "b"},\n', text),
        "at most one",
    ),
    (
        "a derived figure that says not how",
        lambda text: re.sub(r"(value = 933\.1.*?)third_party", r"\1derived", text),
        "says how",
    ),
    ("another id", lambda text: text.replace("nvidia-a30", "nvidia-a31"), "must be the file's name"),
    ("no TOML", lambda text: text + "=", "cannot be read as TOML"),
    ("a broken pattern", lambda text: text.replace("[sources", 'matches = ["("]\n\n[sources', 1), "regular expression"),
    (
        "a price from high to low",
        lambda text: text.replace(
            "[sources",
            'prices = [{kind = "buy", currency = "USD", amount = 2, amount_to = 1, basis = "derived"}]\n[sources',
            1,
        ),
        "amount_to",
    ),
]


@pytest.mark.parametrize(("edit", "complaint"), [each[1:] for each in EDITS], ids=[each[0] for each in EDITS])
def test_a_fault_is_refused_with_its_place(tmp_path: Path, edit: Callable[[str], str], complaint: str) -> None:
    path = tmp_path / "nvidia-a30.toml"
    path.write_text(edit(A30), encoding="utf-8")
    assert edit(A30) != A30
    with pytest.raises(UsageError) as caught:
        load_device(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


def test_an_alias_means_one_product(tmp_path: Path) -> None:
    (tmp_path / "nvidia-a30.toml").write_text(A30, encoding="utf-8")
    (tmp_path / "twin.toml").write_text(A30.replace('id = "nvidia-a30"', 'id = "twin"'), encoding="utf-8")
    with pytest.raises(UsageError, match=r"'A30' is nvidia-a30 and twin"):
        load_all(tmp_path, load_device)


def test_a_vendor_cites_what_it_lists(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    base = 'id = "acme"\nnames = {en = "Acme"}\n[[facts]]\nname = "status"\ntext = "listed"\nbasis = "third_party"\n'
    path.write_text(base, encoding="utf-8")
    assert load_vendor(path).facts[0].text == "listed"
    path.write_text(base + 'source = "x"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="not among the file's sources"):
        load_vendor(path)
    path.write_text(base + 'date = "soon"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="not YYYY"):
        load_vendor(path)


def test_rows_and_facts_have_every_field_of_the_file() -> None:
    device = catalogue.device("graphcore-c600")
    values = {figure.value for row in rows(device) for figure in row.figures}
    text = tomllib.loads((DEVICES / "graphcore-c600.toml").read_text(encoding="utf-8"))
    assert values == set(_values(text))
    assert {"Distributed Buffer", "MIMD", "同构众核", "IPU-Link", "10", "Not Support"} <= {
        fact.text for _, told in facts(device) for fact in told
    }


def _values(document: object) -> list[float]:
    if isinstance(document, dict):
        own = [document["value"]] if "value" in document else []
        return own + [value for each in document.values() for value in _values(each)]
    return [value for each in document for value in _values(each)] if isinstance(document, list) else []
