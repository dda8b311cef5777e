"""Reports become a submission."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.gate import factory
from tests.unit.gate.factory import Kit, Stock

from accelbench.bundle.read import Bundle
from accelbench.errors import UsageError
from accelbench.gate import manifest
from accelbench.gate.assemble import Wishes, assemble
from accelbench.gate.disclosure import disclosed
from accelbench.gate.manifest import Submitter
from accelbench.model import Contents, Report

WISHES = Wishes(Submitter("示例 Devices", "a@b.org"), "example-8000", 2, "2026.9", "open", {}, None, None)


@pytest.fixture(scope="module")
def run(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("run")
    factory.assembled(Kit(), room, stock, ["image", "text"])
    return room / "run"


def test_bundles_lie_under_vendor_device_and_task(run: Path, tmp_path: Path) -> None:
    folder = assemble([run], tmp_path, WISHES)
    assert folder == tmp_path / "results/示例-devices/example-8000"
    told = manifest.read(folder / manifest.MANIFEST)
    assert (told.device.count, told.device.instances, told.division, told.embargo) == (2, 1, "open", None)
    assert [Bundle.open(folder / each.bundle).report.task.id for each in told.reports] == ["image", "text"]


def test_what_nobody_can_count_is_what_the_vendor_claims(run: Path, tmp_path: Path) -> None:
    def told(claims: dict[str, float], place: str) -> list[tuple[float | None, str]]:
        folder = assemble([run], tmp_path / place, replace(WISHES, claims=claims))
        return [(each.sparsity, each.sparsity_trust) for each in manifest.read(folder / manifest.MANIFEST).reports]

    assert told({}, "a") == [(0.01, "counted"), (None, "claimed")]
    assert told({"": 0.5}, "b") == [(0.01, "counted"), (0.5, "claimed")]
    assert told({"": 0.5, "text": 0.75}, "c") == [(0.01, "counted"), (0.75, "claimed")]


def test_under_an_embargo_it_lies_elsewhere(run: Path, tmp_path: Path) -> None:
    folder = assemble([run], tmp_path, replace(WISHES, embargo=datetime.date(2027, 1, 31)))
    assert folder == tmp_path / "private/示例-devices/example-8000"
    assert not (tmp_path / "results").exists()


def test_a_submission_is_never_overwritten(run: Path, tmp_path: Path) -> None:
    assemble([run], tmp_path, WISHES)
    with pytest.raises(UsageError, match="exists already"):
        assemble([run], tmp_path, WISHES)


def test_a_claim_about_nothing_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'chat', which is none of image, text"):
        assemble([run], tmp_path, replace(WISHES, claims={"chat": 0.5}))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run/reports").mkdir(parents=True)
    with pytest.raises(UsageError, match="no reports"):
        assemble([tmp_path / "run"], tmp_path, WISHES)


def with_contents(report: Report, contents: Contents | None, executed: str) -> Report:
    first = report.builds[0]
    made = replace(first.artifacts[0], contents=contents)
    compiled = replace(first.compiled, executed_precision=executed)
    return replace(report, builds=(replace(first, artifacts=(made,), compiled=compiled),))


def test_precision_is_counted_where_the_weights_are_stored_in_it(stock: Stock) -> None:
    report = factory.report("text", stock.base / "text")
    mostly = Contents({"int8": 900, "float": 100}, 450)
    told = disclosed(with_contents(report, mostly, "int8-static"), "x")
    assert (told.precision, told.precision_trust, told.sparsity) == ("int8-static", "counted", 0.45)
    told = disclosed(with_contents(report, Contents({"float": 100}, 0), "bf16"), "x")
    assert (told.precision, told.precision_trust, told.sparsity_trust) == ("bf16", "claimed", "counted")
    told = disclosed(with_contents(report, None, "bf16"), "x")
    assert (told.precision_trust, told.sparsity, told.sparsity_trust) == ("claimed", None, "claimed")
