"""``submission.toml`` is read as it was written, strictly."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.errors import UsageError
from accelbench.gate.manifest import MANIFEST, Disclosure, Machine, Manifest, Submitter, read, slug, text

WHOLE = Manifest(
    schema=1,
    rules=1,
    roster="2026.2",
    division="open",
    vendor=Submitter('示例 "Devices" Ltd.', "https://example.com/bench"),
    device=Machine("example-8000", 8, 2),
    reports=(
        Disclosure("resnet50/a.accelbench.zip", "bf16", "claimed", None, "claimed"),
        Disclosure("vit/b.accelbench.zip", "int8-static", "counted", 0.1, "counted"),
    ),
    embargo=datetime.date(2027, 1, 31),
)


def stored(folder: Path, content: str) -> Path:
    (folder / MANIFEST).write_text(content, encoding="utf-8")
    return folder / MANIFEST


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read(stored(tmp_path, text(WHOLE))) == WHOLE
    assert read(stored(tmp_path, text(replace(WHOLE, embargo=None)))) == replace(WHOLE, embargo=None)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.floats(0, 1))
def test_any_text_and_share_survive(tmp_path_factory: pytest.TempPathFactory, name: str, share: float) -> None:
    odd = replace(WHOLE, vendor=Submitter(name, name), reports=(replace(WHOLE.reports[1], sparsity=share),))
    assert read(stored(tmp_path_factory.mktemp("m"), text(odd))) == odd


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count = 8", 'count = "8"', "device.count"),
        ("count = 8", "count = 8\nslots = 2", "device.slots"),
        ("rules = 1\n", "", "rules"),
        ('division = "open"', 'division = "ajar"', "division"),
        ("embargo = 2027-01-31", "embargo = 31", "embargo"),
        ("sparsity = 0.1", "sparsity = nan", "sparsity"),
        ("schema = 1", "schema = 7", "schema 7"),
    ],
)
def test_the_wrong_field_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read(stored(tmp_path, text(WHOLE).replace(old, new)))


def test_names_become_folders() -> None:
    assert slug("Example Devices, Inc.") == "example-devices-inc"
    assert slug("qwen-0.5b-prefill") == "qwen-0.5b-prefill"
    assert slug("../..") == "_"
    assert slug("示例 科技") == "示例-科技"
