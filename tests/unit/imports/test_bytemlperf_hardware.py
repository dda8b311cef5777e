"""Hardware specifications of ByteMLPerf: Chinese keys, of which every product has its own."""

import json
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.imports import documents
from tests.unit.imports.accounting import assert_accounted

from accelbench.hardware.catalogue import load_device
from accelbench.hardware.write import toml
from accelbench.imports.bytemlperf_hardware import hardware
from accelbench.imports.propose import propose
from accelbench.imports.source import Origin, json_of
from accelbench.imports.store import FORM
from accelbench.model import Claim, Device, preferred


def read(document: Any) -> Claim:
    data = json.dumps(document, ensure_ascii=False).encode()
    parsed = json_of(data, "One.json")
    claim = hardware(parsed, data, "One.json", Origin(url="https://example.org/One.json"))
    assert_accounted(parsed, claim)
    return FORM.identify(claim)


def test_chinese_fields_have_names() -> None:
    claim = read(documents.hardware())
    assert claim.kind == "specification"
    assert claim.vendor is not None
    assert (claim.vendor.text, claim.vendor.id) == ("Acme", None)
    figures = {(each.name, each.precision): (each.value, each.unit) for each in claim.figures}
    assert figures["power.tdp", None] == (150, "W")
    assert figures["memory.main.bandwidth", None] == (800.5, "GB/s")
    assert figures["memory.l2.capacity", None] == (40, "MB")
    assert figures["engines.tensor.peak", "fp16"] == (200.0, "TFLOPS")
    assert figures["engines.vector.peak", "int8"] == (4, "TOPS")
    assert ("memory.l1.capacity", None) not in figures
    assert claim.text("elements.architecture") == "同构众核"
    assert [each.text for each in claim.texts if each.name == "source"] == documents.hardware()["数据源"]


def test_free_text_in_a_field_of_numbers_stays_text() -> None:
    claim = read(documents.hardware())
    assert claim.text("links.ports") == "A:1\nB:2"
    assert claim.text("links.down") == "3*100GbE"
    assert [each.value for each in claim.figures if each.name == "links.up"] == [32]


def test_labels_that_contradict_the_file_itself_are_said() -> None:
    caveats = {each.precision: each.caveat for each in read(documents.hardware()).figures if "tensor" in each.name}
    assert caveats["fp16"] is None
    assert "not among the types" in str(caveats["int8"])
    assert "labelled TFLOPS" in str(caveats["int8"])


def test_a_product_that_the_catalogue_has_is_recognised() -> None:
    document = documents.hardware()
    document["SKU参数"] |= {"厂商": "NVIDIA", "型号": "A30 PCIe"}
    claim = read(document)
    assert claim.vendor is not None
    assert claim.device is not None
    assert (claim.vendor.id, claim.device.id) == ("nvidia", "nvidia-a30")


def proposed(claim: Claim, folder: Path) -> Device:
    device = propose(claim)
    path = folder / f"{device.id}.toml"
    path.write_text(toml(device), encoding="utf-8")
    assert load_device(path) == device
    return device


def test_a_specification_becomes_a_proposal_that_the_catalogue_reads(tmp_path: Path) -> None:
    device = proposed(read(documents.hardware()), tmp_path)
    assert (device.id, device.scope, device.purpose) == ("acme-one", "card", ("training", "inference"))
    assert [level.level for level in device.memory] == ["main", "l2"]
    main = preferred(device.memory[0].capacity)
    assert main is not None
    assert (main.value, main.unit, main.basis) == (32, "GB", "third_party")
    assert device.sources["bytemlperf"].url == "https://example.org/One.json"
    assert device.sources["bytemlperf"].cites == ("https://example.org/one", "https://example.org/two")
    assert device.links[0].detail[0].text == "3*100GbE"
    text = tomllib.loads((tmp_path / "acme-one.toml").read_text(encoding="utf-8"))
    assert "prices" not in text


def test_a_specification_that_tells_nothing_becomes_an_empty_proposal(tmp_path: Path) -> None:
    device = proposed(read({"SKU参数": {"厂商": None, "型号": "-"}, "硬件参数": {"功耗(W/TDP)": 0}}), tmp_path)
    assert (device.power, device.memory, device.engines) == ((), (), ())


odd = st.none() | st.sampled_from(["-", "N/A", "7", "7 nm", "HL:21\nH:24", "支持"]) | st.integers() | st.floats()


@settings(max_examples=50)
@given(st.data())
def test_no_field_of_a_specification_is_lost(data: st.DataObject) -> None:
    document = documents.hardware()
    for section in document.values():
        if isinstance(section, dict):
            for key in list(section):
                changed = data.draw(st.sampled_from(["keep", "odd", "drop", "nest"]))
                if changed == "odd":
                    section[key] = data.draw(odd)
                elif changed == "drop":
                    del section[key]
                elif changed == "nest":
                    section[key] = {data.draw(st.text(max_size=4)): data.draw(odd), "功耗(W/TDP)": data.draw(odd)}
    claim = read(document)
    assert tomllib.loads(toml(propose(claim)))
