"""Tables of anybody's, by a mapping file."""

from pathlib import Path

import pytest
from tests.unit.imports.accounting import assert_accounted

from accelbench.errors import UsageError
from accelbench.imports.source import Imported, Origin
from accelbench.imports.store import FORM
from accelbench.imports.tables import mapping, table

TABLE = "Card;Network;img/s;BS;remark\nNVIDIA A30;resnet50;1250.5;8;fast\nBox 7;mine;n/a;?;\n"
MAPPING = """
vendor = "NVIDIA"
delimiter = ";"
[texts]
Card = "device"
Network = "task"
[[figures]]
column = "img/s"
name = "throughput"
unit = "samples/s"
batch = "BS"
precision = {is = "int8"}
"""


def read(tmp_path: Path, text: str = TABLE, mapped: str = MAPPING) -> list[Imported]:
    path = tmp_path / "mapping.toml"
    path.write_text(mapped, encoding="utf-8")
    return list(table(text.encode("utf-8-sig"), "cards.csv", mapping(path), Origin()))


def test_a_row_is_a_claim(tmp_path: Path) -> None:
    first, second = (one.claim for one in read(tmp_path))
    (figure,) = first.figures
    assert (figure.name, figure.value, figure.unit, figure.batch, figure.precision) == (
        "throughput",
        1250.5,
        "samples/s",
        8,
        "int8",
    )
    assert [(named.text, named.id) for named in first.named()] == [
        ("NVIDIA", "nvidia"),
        ("NVIDIA A30", "nvidia-a30"),
        ("resnet50", "resnet50"),
    ]
    assert [(note.field, note.json) for note in first.notes] == [("/BS", '"8"'), ("/remark", '"fast"')]
    assert (second.figures, second.device and second.device.id, second.task and second.task.id) == ((), None, None)
    assert (first.source.part, second.source.part) == ("row 1", "row 2")
    assert FORM.identify(first).id != FORM.identify(second).id
    for row, one in zip(TABLE.splitlines()[1:], read(tmp_path), strict=True):
        assert_accounted(dict(zip(TABLE.splitlines()[0].split(";"), row.split(";"), strict=True)), one.claim)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("img/s", "fps", "has no column 'fps'"),
        ('"BS"', '"Batch"', "has no column 'Batch'"),
        ('Network = "task"', 'Network = "task"\n"img/s" = "x"', "mapped twice"),
        ('delimiter = ";"', 'delimiter = ";;"', "not one character"),
        ("[[figures]]", "[[numbers]]", "Unexpected keyword"),
        ('unit = "samples/s"', "unit = 3", "figures.0.unit"),
        ("[texts]", "[texts", "cannot be read as TOML"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in MAPPING
    with pytest.raises(UsageError, match=complaint.replace(".", r"\.")):
        read(tmp_path, mapped=MAPPING.replace(old, new))


def test_a_mapping_without_figures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name at least one column of numbers"):
        read(tmp_path, mapped='vendor = "x"')


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    with pytest.raises(UsageError, match="not UTF-8 at byte 0"):
        list(table("Ärger".encode("latin-1"), "cards.csv", mapping(path), Origin()))
