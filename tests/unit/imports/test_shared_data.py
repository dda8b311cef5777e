"""Every published report and specification at hand is read without loss."""

from collections import Counter
from pathlib import Path

import pytest
from tests.unit.imports.accounting import assert_accounted

from accelbench.hardware import catalogue
from accelbench.hardware.rows import facts, rows
from accelbench.imports import store
from accelbench.imports.find import find, imported, read_bytemlperf
from accelbench.imports.propose import propose
from accelbench.imports.source import Imported, Origin, json_of
from accelbench.model import preferred

SHARED = Path(__file__).parents[4] / "shared" / "data" / "bytemlperf"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data/bytemlperf is not here")


def published() -> list[tuple[Path, Imported]]:
    return list(imported(find(SHARED, read_bytemlperf, frozenset({".json"}), "report", Origin())))


def test_all_are_read() -> None:
    kinds = Counter(one.claim.source.kind for _, one in published())
    assert kinds == {"bytemlperf-report": 11, "bytemlperf-hardware": 17}


def test_every_field_is_accounted_for_and_its_value_recovered(tmp_path: Path) -> None:
    for path, one in published():
        folder, _ = store.put(tmp_path, one)
        claim = store.open_claim(folder)
        assert (folder / "source" / path.name).read_bytes() == path.read_bytes()
        assert_accounted(json_of(path.read_bytes(), path.name), claim)


def test_what_is_told_has_a_name_here() -> None:
    left = {note.field for _, one in published() for note in one.claim.notes if note.reason != "nothing is told"}
    assert left == {"/Graph Compile/Optimizations"}
    assert not any(one.claim.refused for _, one in published())


def test_reports_have_a_task_and_a_product() -> None:
    for path, one in published():
        claim = one.claim
        assert claim.device is not None
        assert claim.device.id in catalogue.devices(), path
        if claim.kind == "result":
            assert claim.task is not None
            assert claim.task.id, path


def test_bf16_in_a_file_called_fp32_is_said() -> None:
    told = {path.parts[-3]: one.claim.caveats for path, one in published() if one.claim.kind == "result"}
    assert told == {"HPU": ("the file's name says fp32, the report bf16",), "STC": ()}


def test_drift_over_nothing_is_marked() -> None:
    drift = [each for _, one in published() for each in one.claim.figures if each.name == "max_relative_difference"]
    assert len(drift) == 11
    assert {each.caveat is None for each in drift if each.value > 1000} == {False}
    assert {each.caveat for each in drift if each.value == 1.0} == {None}


def test_the_catalogue_has_every_figure_of_the_specifications() -> None:
    for path, one in published():
        if one.claim.kind != "specification":
            continue
        assert one.claim.device is not None
        record = catalogue.device(str(one.claim.device.id))
        have = {(figure.value, row.quantity) for row in rows(record) for figure in row.figures}
        for row in rows(propose(one.claim)):
            figure = preferred(row.figures)
            assert figure is not None
            assert (figure.value, row.quantity) in have, (path, row.name)


def test_the_catalogue_has_every_text_of_the_specifications() -> None:
    read = [(path, one.claim) for path, one in published() if one.claim.kind == "specification"]
    assert len(read) == 17
    for path, claim in read:
        assert claim.device is not None
        have = dict(facts(catalogue.device(str(claim.device.id))))
        for name, told in facts(propose(claim)):
            texts = {fact.text for fact in have.get(name, ())}
            assert {fact.text for fact in told} <= texts, (path, name)
