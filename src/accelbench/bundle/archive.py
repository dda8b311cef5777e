"""A zip file of one exact form, so that nothing in it can mean two things.

Members follow one another from the first byte without gaps; then comes the directory, then its end record as the last
bytes. Every header is the one that ``header`` makes of the member's name, method, sizes and checksum: no flags, no
comments, no extra fields, one fixed date, plain files. So a reader compares bytes instead of interpreting them, and
whatever else zip files can say — links, encryption, zip64, overlaps, hidden members, data before or between — is
refused. Any zip program opens such a file.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from accelbench.errors import UsageError

STORED, DEFLATED = 0, 8
DATE = 0x0021
"""The first of January 1980, in MS-DOS's form: the earliest there is."""

MOST_MEMBERS = 5_000
MOST_BYTES = 2**32 - 2**20
"""Of the file, and of each member: what the headers can say."""

MOST_UNPACKED = 2**33
"""Of all members together."""

HIGHEST_RATIO = 100
FREE_BYTES = 2**26
"""Members may be so many times larger than what is stored of them; those that are more, FREE_BYTES together."""

CHUNK = 2**16

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_ENTRY = struct.Struct("<HHHHHIIIHH")
_CENTRAL_HEAD = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END_RECORD = struct.Struct("<4sHHHHIIH")
_MADE_BY, _NEEDS, _PLAIN_FILE = 0x0314, 20, 0o100644 << 16


@dataclass(frozen=True)
class Entry:
    """A member: where its header begins, how it is stored, and its checksum."""

    name: str
    method: int
    crc: int
    stored_bytes: int
    size_bytes: int
    offset: int

    @property
    def begin(self) -> int:
        """Where its data begin."""
        return self.offset + len(local_header(self))

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.begin + self.stored_bytes


def local_header(entry: Entry) -> bytes:
    """What stands before the member's data."""
    name = entry.name.encode("ascii")
    sizes = entry.crc, entry.stored_bytes, entry.size_bytes
    return _LOCAL + _ENTRY.pack(_NEEDS, 0, entry.method, 0, DATE, *sizes, len(name), 0) + name


def directory(entries: list[Entry], offset: int) -> bytes:
    """The directory that begins at ``offset``, and its end record."""
    heads = b"".join(
        _CENTRAL_HEAD.pack(
            *(_CENTRAL, _MADE_BY, _NEEDS, 0, each.method, 0, DATE, each.crc, each.stored_bytes, each.size_bytes),
            *(len(each.name), 0, 0, 0, 0, _PLAIN_FILE, each.offset),
        )
        + each.name.encode("ascii")
        for each in entries
    )
    return heads + _END_RECORD.pack(_END, 0, 0, len(entries), len(entries), len(heads), offset, 0)


class Writer:
    """Writes members one after the other into ``file``, which is open for reading and writing and empty."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._entries: list[Entry] = []
        self._offset = 0

    def add(self, name: str, source: Path | bytes) -> str:
        """Append a member, deflated where that saves something and a reader takes it. Returns its sha256. Raises
        UsageError for what is larger than a member can be."""
        pieces = partial(_pieces, source)
        entry, sha256 = self._put(name, DEFLATED, pieces())
        if entry.stored_bytes >= entry.size_bytes or _dense_bytes([*self._entries, entry]) > FREE_BYTES:
            entry, sha256 = self._put(name, STORED, pieces())
        self._entries.append(entry)
        self._offset = entry.end
        return sha256

    def copy(self, path: Path, entry: Entry) -> None:
        """Append a member of the bundle at ``path`` as it is stored there."""
        moved = replace(entry, offset=self._offset)
        self._file.seek(self._offset)
        self._file.write(local_header(moved))
        for piece in _stored(path, entry):
            self._file.write(piece)
        self._entries.append(moved)
        self._offset = moved.end

    def close(self) -> None:
        """Write the directory. Raises UsageError where there are more members than a bundle may have."""
        self._file.seek(self._offset)
        self._file.truncate()
        self._file.write(directory(self._entries, self._offset))
        whole = self._file.tell()
        if len(self._entries) > MOST_MEMBERS or whole > MOST_BYTES or _unpacked(self._entries) > MOST_UNPACKED:
            raise UsageError(f"a bundle of {len(self._entries)} files and {whole} bytes is larger than one can be")

    def _put(self, name: str, method: int, pieces: Iterator[bytes]) -> tuple[Entry, str]:
        start = Entry(name, method, 0, 0, 0, self._offset)
        self._file.seek(start.begin)
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS) if method == DEFLATED else None
        crc, size, digest = 0, 0, hashlib.sha256()
        for piece in pieces:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            digest.update(piece)
            self._file.write(packer.compress(piece) if packer else piece)
            if size > MOST_BYTES or self._file.tell() > MOST_BYTES:
                raise UsageError(f"{name} is larger than a bundle can hold ({MOST_BYTES} bytes)")
        if packer:
            self._file.write(packer.flush())
        entry = replace(start, crc=crc, stored_bytes=self._file.tell() - start.begin, size_bytes=size)
        self._file.seek(start.offset)
        self._file.write(local_header(entry))
        return entry, digest.hexdigest()


def entries(path: Path) -> list[Entry]:
    """The members of the file at ``path``, in their order. Raises UsageError with one line for every other form."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        found, begin = _listed(file, size, path)
        expected = 0
        for entry in found:
            if entry.offset != expected:
                raise _odd(path, f"{entry.name!a} does not begin where the one before it ends")
            file.seek(entry.offset)
            head = local_header(entry)
            if file.read(len(head)) != head:
                raise _odd(path, f"the header of {entry.name!a} differs from what the directory says")
            expected = entry.end
    if expected != begin:
        raise _odd(path, "bytes that belong to no member")
    return found


def content(path: Path, entry: Entry) -> Iterator[bytes]:
    """What the member holds, in pieces of bounded size. Raises UsageError where it is not what its header says; never
    gives more than ``entry.size_bytes``."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == DEFLATED else None
    crc, left = 0, entry.size_bytes
    for stored in _stored(path, entry):
        for piece in _unpack(unpacker, stored, path, entry) if unpacker else (stored,):
            left -= len(piece)
            if left < 0:
                raise _damaged(path, entry, "more comes out than its header says")
            crc = zlib.crc32(piece, crc)
            yield piece
    if left or crc != entry.crc or (unpacker and (not unpacker.eof or unpacker.unused_data)):
        raise _damaged(path, entry, "its content does not match its checksum")


def _unpack(unpacker: zlib._Decompress, stored: bytes, path: Path, entry: Entry) -> Iterator[bytes]:
    rest = stored
    while rest and not unpacker.eof:
        try:
            yield unpacker.decompress(rest, CHUNK)
        except zlib.error:
            raise _damaged(path, entry, "it cannot be decompressed") from None
        rest = unpacker.unconsumed_tail
    if rest:
        raise _damaged(path, entry, "bytes stand behind its compressed content")


def _listed(file: BinaryIO, size: int, path: Path) -> tuple[list[Entry], int]:
    """The entries of the directory, and where it begins."""
    if not _END_RECORD.size <= size <= MOST_BYTES:
        raise _odd(path, f"{size} bytes")
    file.seek(size - _END_RECORD.size)
    mark, _, _, _, count, length, begin, _ = _END_RECORD.unpack(file.read(_END_RECORD.size))
    if mark != _END or count > MOST_MEMBERS or begin + length + _END_RECORD.size != size:
        raise _odd(path, "no directory stands at its end: it is truncated, or no zip file of this form")
    file.seek(begin)
    tail = file.read()
    found: list[Entry] = []
    place = 0
    while len(found) < count:
        entry, place = _entry(tail, place, path)
        found.append(entry)
    if directory(found, begin) != tail:
        raise _odd(path, "an entry of its directory is a link, encrypted, commented, or made by another program")
    if _dense_bytes(found) > FREE_BYTES:
        raise _odd(path, f"its {size} bytes would grow to {_unpacked(found)}")
    if _unpacked(found) > MOST_UNPACKED:
        raise _odd(path, f"it would take {_unpacked(found)} bytes")
    return found, begin


def _entry(tail: bytes, place: int, path: Path) -> tuple[Entry, int]:
    end = place + _CENTRAL_HEAD.size
    if end > len(tail):
        raise _odd(path, "its directory has fewer entries than it says")
    head = _CENTRAL_HEAD.unpack_from(tail, place)
    method, (crc, stored, size, length), offset = head[4], head[7:11], head[16]
    try:
        name = tail[end : end + length].decode("ascii")
    except UnicodeDecodeError:
        raise _odd(path, f"a name that is not ASCII: {tail[end : end + length][:80]!r}") from None
    entry = Entry(name, method, crc, stored, size, offset)
    if method not in (STORED, DEFLATED) or (method == STORED and stored != size):
        raise _odd(path, f"{name[:80]!a} is stored by a method that bundles do not use")
    return entry, end + length


def _dense_bytes(found: list[Entry]) -> int:
    return sum(each.size_bytes for each in found if each.size_bytes > HIGHEST_RATIO * each.stored_bytes)


def _unpacked(found: list[Entry]) -> int:
    return sum(entry.size_bytes for entry in found)


def _stored(path: Path, entry: Entry) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(entry.begin)
        left = entry.stored_bytes
        while left:
            piece = file.read(min(left, CHUNK))
            if not piece:
                raise _damaged(path, entry, "the file ends within it")
            left -= len(piece)
            yield piece


def _pieces(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def _odd(path: Path, what: str) -> UsageError:
    return UsageError(f"{path}: not a bundle of accelbench's ({what})")


def _damaged(path: Path, entry: Entry, what: str) -> UsageError:
    return UsageError(f"{path}: {entry.name} is damaged ({what})")
