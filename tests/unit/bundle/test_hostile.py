"""What is no bundle is refused in one line, and nothing is left of it; whatever else happens to the bytes too."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.bundle.rewriting import contents, write

from accelbench.bundle import archive, manifest
from accelbench.bundle.archive import Entry
from accelbench.bundle.pack import pack
from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import signers, verify
from accelbench.errors import AccelbenchError, UsageError


@pytest.fixture
def packed(stored: Path, tmp_path: Path) -> Path:
    return pack(stored, tmp_path / "whole.zip")


@contextmanager
def nothing_left(room: Path) -> Iterator[None]:
    before = sorted(room.rglob("*"))
    yield
    assert sorted(room.rglob("*")) == before


def take(path: Path, into: Path) -> None:
    """All that is done with a stranger's file."""
    bundle = Bundle.open(path)
    verify(bundle)
    signers(bundle, into.parent / "no-keys")
    bundle.unpack(into)


def refused(path: Path, said: str = ".") -> None:
    with nothing_left(path.parent), pytest.raises(UsageError, match=said) as caught:
        take(path, path.parent / "into")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def zipped(path: Path, members: dict[str, bytes], **options: object) -> Path:
    """A zip file as others write it."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as other:
        warnings.simplefilter("ignore")
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            for option, value in options.items():
                setattr(info, option, value)
            other.writestr(info, data)
    return path


NAMES = [
    "report/../../x", "/etc/x", "../x", "report//x", "report/./x", "C:/x", "report\\x", "report/x/", "report/con",
    "report/NUL.txt", "report/com1", "report/.hidden", "report/x.", "report/x ", "report/a:b", "report/a\0b",
    "report/ü", "report/" + "x" * 300, "/".join(["report"] + ["x"] * 20), "", "report/\n", "~/x", "report/a|b",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_refused(packed: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        manifest.check_names([name], "here")
    if name.isascii():
        refused(write(tmp_path / "odd.zip", {**contents(packed), name: b"x"}))
    refused(zipped(tmp_path / "other.zip", {**contents(packed), name or " ": b"x"}))


@pytest.mark.parametrize(
    "names",
    [
        ["report/x", "report/X"],
        ["report/a/x", "report/A/y"],
        ["report/x", "report/x"],
        ["report/x", "report/x/y"],
        ["report/x/y", "report/x"],
    ],
)
def test_names_that_are_one_on_some_system_are_refused(names: list[str]) -> None:
    with pytest.raises(UsageError, match=r"case only|stands twice"):
        manifest.check_names(names, "here")


def test_members_twice_and_in_another_order_are_refused(packed: Path, tmp_path: Path) -> None:
    members = list(contents(packed).items())

    def rewritten(name: str, order: list[tuple[str, bytes]]) -> Path:
        with (tmp_path / name).open("w+b") as file:
            writer = archive.Writer(file)
            for member, data in order:
                writer.add(member, data)
            writer.close()
        return tmp_path / name

    refused(rewritten("twice.zip", [*members[:2], *members[1:]]), "stands twice")
    refused(rewritten("order.zip", [members[0], *reversed(members[1:])]), "not in their order")
    refused(rewritten("late.zip", [*members[1:], members[0]]), "first file is not bundle.json")
    refused(rewritten("none.zip", []), "first file is not bundle.json")
    refused(rewritten("without.zip", members[:1]), "is missing")


def test_other_programs_zip_files_are_refused(packed: Path, tmp_path: Path) -> None:
    members = contents(packed)
    refused(zipped(tmp_path / "a.zip", members), "made by another program")
    refused(zipped(tmp_path / "b.zip", members, external_attr=0o120777 << 16), "a link")
    refused(zipped(tmp_path / "c.zip", members, comment=b"hello"))
    refused(zipped(tmp_path / "d.zip", members, extra=b"\x01\x00\x00\x00"))
    refused(zipped(tmp_path / "e.zip", members, compress_type=zipfile.ZIP_LZMA), "method that bundles do not use")
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as other, other.open("bundle.json", "w", force_zip64=True) as file:
        file.write(members["bundle.json"])
    refused(tmp_path / "f.zip")


def test_data_before_between_and_after_are_refused(packed: Path, tmp_path: Path) -> None:
    data = packed.read_bytes()
    for number, changed in enumerate((b"x" + data, data + b"x", data[:30] + b"x" + data[30:], data + data)):
        (tmp_path / f"{number}.zip").write_bytes(changed)
        refused(tmp_path / f"{number}.zip")


def entries_of(path: Path) -> tuple[list[Entry], bytes]:
    found = archive.entries(path)
    return found, path.read_bytes()[: found[-1].end]


Change = Callable[[Entry], Entry]
CHANGES: dict[str, Change] = {
    "larger": lambda e: replace(e, size_bytes=e.size_bytes + 1),
    "smaller": lambda e: replace(e, size_bytes=e.size_bytes - 1),
    "checksum": lambda e: replace(e, crc=e.crc ^ 1),
    "gigantic": lambda e: replace(e, size_bytes=2**32 - 1),
    "zip64": lambda e: replace(e, stored_bytes=2**32 - 1, size_bytes=2**32 - 1),
    "stored": lambda e: replace(e, method=archive.STORED, size_bytes=e.stored_bytes),
}


@pytest.mark.parametrize("lie", CHANGES)
def test_headers_that_lie_are_refused(packed: Path, tmp_path: Path, lie: str) -> None:
    found, data = entries_of(packed)
    place = next(i for i, entry in enumerate(found) if entry.method == archive.DEFLATED and i)
    liar = CHANGES[lie](found[place])
    body = data[: liar.offset] + archive.local_header(liar) + data[found[place].begin :]
    listed = [*found[:place], liar, *found[place + 1 :]]
    (tmp_path / "both.zip").write_bytes(body + archive.directory(listed, len(body)))
    refused(tmp_path / "both.zip")
    (tmp_path / "directory.zip").write_bytes(data + archive.directory(listed, len(data)))
    refused(tmp_path / "directory.zip")


def test_members_that_share_their_bytes_are_refused(packed: Path, tmp_path: Path) -> None:
    found, data = entries_of(packed)
    shared = [*found, replace(found[-1], name="report/zzz")]
    (tmp_path / "overlap.zip").write_bytes(data + archive.directory(shared, len(data)))
    refused(tmp_path / "overlap.zip", "does not begin where")


def test_a_bomb_is_refused_before_it_is_unpacked(packed: Path, tmp_path: Path) -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    stored = bomb.compress(bytes(80_000_000)) + bomb.flush()
    found, data = entries_of(packed)
    entry = Entry("report/zzz", archive.DEFLATED, zlib.crc32(bytes(80_000_000)), len(stored), 80_000_000, len(data))
    body = data + archive.local_header(entry) + stored
    (tmp_path / "bomb.zip").write_bytes(body + archive.directory([*found, entry], len(body)))
    refused(tmp_path / "bomb.zip", "would grow to 80")
    liar = replace(entry, size_bytes=100, crc=zlib.crc32(bytes(100)))
    body = data + archive.local_header(liar) + stored
    (tmp_path / "liar.zip").write_bytes(body + archive.directory([*found, liar], len(body)))
    with pytest.raises(UsageError, match="more comes out than its header says"):
        list(archive.content(tmp_path / "liar.zip", liar))


def test_what_is_dense_is_packed_so_that_it_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "FREE_BYTES", 15_000)
    path = write(tmp_path / "dense.zip", {f"report/{number}": bytes(10_000) for number in range(3)})
    found = archive.entries(path)
    assert [entry.method for entry in found] == [archive.DEFLATED, archive.STORED, archive.STORED]
    monkeypatch.setattr(archive, "FREE_BYTES", 5_000)
    refused(path, "would grow to 30")


def test_what_would_fill_the_disk_is_refused(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_UNPACKED", 1000)
    refused(packed, "it would take")
    monkeypatch.undo()
    usage = os.statvfs(tmp_path)
    monkeypatch.setattr("accelbench.bundle.read.disk_usage", lambda _: type("U", (), {"free": 10})())
    assert usage.f_blocks
    refused(packed, "no space left on the disk")


def test_thousands_of_members_are_refused(tmp_path: Path) -> None:
    count = archive.MOST_MEMBERS + 1
    with pytest.raises(UsageError, match="larger than one can be"):
        write(tmp_path / "many.zip", {f"report/{number}": b"" for number in range(count)})
    listed = [Entry(f"report/{number}", archive.STORED, 0, 0, 0, 0) for number in range(count)]
    (tmp_path / "many.zip").write_bytes(archive.directory(listed, 0))
    refused(tmp_path / "many.zip")


def test_counts_that_nothing_stands_for_are_refused(tmp_path: Path) -> None:
    for count, length, begin in ((5000, 0, 0), (1, 46, 0), (0, 0, 5), (65535, 2**32 - 1, 2**32 - 1)):
        end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, length, begin, 0)
        (tmp_path / "x.zip").write_bytes(bytes(46) + end)
        refused(tmp_path / "x.zip")


def test_no_file_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(UsageError, match="no bundle can be read here"):
            Bundle.open(path)
    (tmp_path / "empty").write_bytes(b"")
    refused(tmp_path / "empty")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no bundle can be read here"):
        Bundle.open(tmp_path / "pipe")


JSON = {
    "NaN": (b'"schema":1', b'"schema":NaN'),
    "infinite": (b'"size_bytes":', b'"size_bytes":1e999,"x":'),
    "long": (b'"schema":1', b'"schema":' + b"9" * 5000),
    "negative": (b'"size_bytes":', b'"size_bytes":-1,"size_bytes":'),
    "deep": (b'"files":{', b'"files":' + b"[" * 100_000),
    "later": (b'"schema":1', b'"schema":2'),
    "no schema": (b'"schema":1', b'"schema":"1"'),
    "unknown": (b'"schema":1', b'"more":1,"schema":1'),
    "twice": (b'"schema":1', b'"schema":1,"schema":1'),
    "path": (b'"report/logs', b'"../logs'),
    "room": (b'"report/logs', b'"nowhere/logs'),
    "list": (b"{", b"["),
}


@pytest.mark.parametrize("fault", JSON)
def test_a_bad_manifest_is_refused(packed: Path, tmp_path: Path, fault: str) -> None:
    members = contents(packed)
    old, new = JSON[fault]
    assert old in members["bundle.json"]
    refused(write(tmp_path / "bad.zip", {**members, "bundle.json": members["bundle.json"].replace(old, new, 1)}))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_other_encodings_are_refused(packed: Path, tmp_path: Path, encoding: str) -> None:
    members = contents(packed)
    for name in ("bundle.json", "report/report.json"):
        text = members[name].decode().replace("numpy", "nümpy").replace("Some", "Sömé").replace("report/l", "repört/l")
        data = text.encode(encoding)
        path = write(tmp_path / f"{encoding}.zip", {**members, name: data})
        if name == "bundle.json":
            refused(path)
        else:
            assert "report" in {finding.part for finding in verify(Bundle.open(path))}


@pytest.mark.parametrize(
    "data", [b"{}", b"[" * 100_000, b'{"schema":2,"id":NaN}', b"\xff\xfe", b"", b'{"schema":' + b"1" * 5000 + b"}"]
)
def test_a_report_that_is_none_is_a_fault_by_name(packed: Path, tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path / "bad.zip", {**contents(packed), "report/report.json": data})
    found = verify(Bundle.open(path))
    assert ("report", "report/report.json") in {(each.part, each.path) for each in found}
    refused(path, "is not what bundle.json says")


def test_what_is_too_large_to_be_json_is_not_read(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.open(packed)
    with pytest.raises(UsageError, match="more than it can have"):
        bundle.read("bundle.json", 10)
    with pytest.raises(UsageError, match="it has no report/x"):
        bundle.read("report/x")
    monkeypatch.setattr("accelbench.bundle.read.MOST_JSON_BYTES", 10)
    refused(packed, "more than it can have")


FAST = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FAST
@given(st.data())
def test_any_change_of_any_bytes_is_refused_or_found(packed: Path, tmp_path: Path, data: st.DataObject) -> None:
    original = packed.read_bytes()
    begin = data.draw(st.integers(0, len(original)))
    length = data.draw(st.integers(0, 40))
    changed = original[:begin] + data.draw(st.binary(max_size=40)) + original[begin + length :]
    if changed == original:
        return
    (tmp_path / "fuzzed.zip").write_bytes(changed)
    with nothing_left(tmp_path):
        told = True
        try:
            bundle = Bundle.open(tmp_path / "fuzzed.zip")
            told = bool(verify(bundle))
            bundle.unpack(tmp_path / "into")
        except AccelbenchError:
            return
        finally:
            assert told
    raise AssertionError("unpacked although it was changed")


@FAST
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "random.zip").write_bytes(data)
    refused(tmp_path / "random.zip")


@given(st.dictionaries(st.from_regex(r"report/[a-z]{1,8}", fullmatch=True), st.binary(max_size=200), max_size=8))
@FAST
def test_whatever_is_written_is_read(tmp_path: Path, members: dict[str, bytes]) -> None:
    path = write(tmp_path / "any.zip", members)
    found = archive.entries(path)
    assert {entry.name: b"".join(archive.content(path, entry)) for entry in found} == members
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as other:
        assert {name: other.read(name) for name in other.namelist()} == members
