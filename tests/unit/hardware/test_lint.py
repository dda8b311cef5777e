"""Each rule finds what it is for, and nothing in a record without that fault."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from accelbench.hardware import catalogue
from accelbench.hardware.lint import Finding, lint, told_on
from accelbench.model import (
    Device,
    DeviceFigure,
    Engine,
    MemoryLevel,
    Names,
    Peak,
    Power,
    Price,
    Source,
    Vendor,
    VendorFact,
)

STATUS = VendorFact("status", "independent", "third_party", "page", "2026-01")
VENDORS = {"acme": Vendor("acme", Names("Acme"), sources={"page": Source("a page")}, facts=(STATUS,))}


def figure(value: float, unit: str, **more: str) -> DeviceFigure:
    return DeviceFigure(value, unit, "third_party", **{"source": "page", **more})  # type: ignore[arg-type]


def device(name: str = "acme-one", **fields: object) -> Device:
    sound = Device(
        id=name,
        vendor="acme",
        names=Names("One"),
        kind="asic",
        scope="card",
        sources={"page": Source("a page")},
        engines=(
            Engine(
                "tensor",
                peaks=(
                    Peak("int8", figures=(figure(200, "TOPS"),)),
                    Peak("fp16", figures=(figure(100, "TFLOPS"),)),
                    Peak("fp16", "2:4", (figure(200, "TFLOPS"),)),
                ),
            ),
        ),
        memory=(MemoryLevel("main", capacity=(figure(32, "GB"),)),),
        power=(Power("tdp", (figure(150, "W"),)),),
    )
    return replace(sound, **fields)  # type: ignore[arg-type]


def found(*devices: Device) -> list[Finding]:
    return lint({each.id: each for each in devices}, VENDORS)


def rules(*devices: Device) -> list[tuple[str, str]]:
    return [(each.level, each.rule) for each in found(*devices)]


def memory(*figures: DeviceFigure) -> Device:
    return device(memory=(MemoryLevel("main", capacity=figures),))


def peaks(*rows: Peak) -> Device:
    return device(engines=(Engine("tensor", peaks=rows),))


def test_a_sound_record_has_no_finding() -> None:
    assert found(device(), device("acme-two")) == []


@pytest.mark.parametrize(
    ("faulty", "told"),
    [
        (lambda: memory(figure(32, "GB"), figure(33.5, "GB")), []),
        (lambda: memory(figure(32, "GB"), figure(40, "GB")), [("error", "disagree")]),
        (lambda: memory(figure(32, "GB"), figure(40, "GB", preferred="so")), [("warning", "disagree")]),
        (lambda: memory(figure(32, "GB"), figure(32, "GiB")), [("warning", "gib-or-gb"), ("error", "disagree")]),
        (lambda: memory(figure(32, "GB"), figure(320, "GB", scope="instance")), []),
        (lambda: memory(figure(320, "GB", scope="instance")), [("error", "scope")]),
        (lambda: memory(DeviceFigure(32, "GB", "third_party")), [("error", "no-source")]),
        (lambda: device(vendor="nobody"), [("error", "no-vendor")]),
        (lambda: device(power=(Power("system", (figure(900, "W", scope="instance"),)),)), []),
        (lambda: peaks(Peak("int8", figures=(figure(200, "TFLOPS"),))), [("warning", "label")]),
        (lambda: peaks(Peak("fp8", figures=(figure(200, "TOPS"),))), [("warning", "label")]),
        (
            lambda: peaks(Peak("fp16", figures=(figure(756, "TFLOPS", preferred="so"), figure(1513, "TFLOPS")))),
            [("warning", "disagree"), ("error", "sparse-as-dense")],
        ),
        (
            lambda: peaks(Peak("fp16", figures=(figure(9, "TFLOPS"),)), Peak("fp16", "2:4", (figure(9, "TFLOPS"),))),
            [("error", "sparse-as-dense")],
        ),
        (
            lambda: device(prices=(Price("buy", "USD", 1.0, "third_party"),)),
            [("error", "no-source"), ("warning", "no-date")],
        ),
        (lambda: device(prices=(Price("buy", "USD", 1.0, "third_party", "page", "2026-01"),)), []),
    ],
)
def test_a_fault_is_found_by_its_rule(faulty: Callable[[], Device], told: list[tuple[str, str]]) -> None:
    assert rules(faulty()) == told


def test_a_known_conflict_tells_why_one_figure_is_taken() -> None:
    (known,) = found(memory(figure(32, "GB"), figure(40, "GB", preferred="read in the data sheet")))
    assert known.text.endswith("25% apart; taken is 40 GB: read in the data sheet")


def test_a_ratio_off_its_family() -> None:
    odd = Peak("int8", figures=(figure(100, "TOPS"),)), Peak("fp16", figures=(figure(100, "TFLOPS"),))
    family = [device(f"acme-{name}") for name in ("a", "b", "c")]
    alone = replace(peaks(*odd), id="acme-odd")
    assert [(each.rule, each.device) for each in found(*family, alone)] == [("int8-ratio", "acme-odd")]
    assert found(alone) == []


def fact(name: str, **more: str | None) -> VendorFact:
    return VendorFact(name, "told", "third_party", **{"source": "page", "date": "2026-01", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ((fact("status"),), []),
        ((fact("listing"),), []),
        ((fact("status", date=None),), [("warning", "no-date")]),
        ((fact("status", source=None),), [("error", "no-source")]),
        ((fact("support"),), [("warning", "no-status")]),
        ((), [("warning", "no-status")]),
        ((fact("status", date="2023-12"), fact("support")), [("warning", "old-status")]),
        ((fact("status", date="2024-01"), fact("support")), []),
    ],
)
def test_a_fault_of_a_company_is_found_by_its_rule(facts: tuple[VendorFact, ...], told: list[tuple[str, str]]) -> None:
    company = Vendor("acme", Names("Acme"), sources={"page": Source("a page")}, facts=facts)
    assert [(each.level, each.rule) for each in lint({}, {"acme": company})] == told


def test_the_date_of_a_source_is_that_of_its_facts() -> None:
    company = Vendor("acme", Names("Acme"), sources={"page": Source("a page", date="2026")})
    assert told_on(company, fact("status", date=None)) == "2026"
    assert told_on(company, fact("status")) == "2026-01"


def test_the_shipped_catalogue_has_nothing_to_settle() -> None:
    shipped = lint(catalogue.devices(), catalogue.vendors())
    assert [finding for finding in shipped if finding.level == "error"] == []
    assert ("gib-or-gb", "aws-trainium") in {(finding.rule, finding.device) for finding in shipped}
