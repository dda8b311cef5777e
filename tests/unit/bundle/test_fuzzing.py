"""Bundles and reports with random damage, for as long as ACCELBENCH_FUZZ_S says (ten minutes unless told): nothing but
a clear refusal comes of it, and nothing is left."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.bundle.rewriting import contents, write
from tests.unit.report.sample import report as sample

from accelbench.bundle import keys
from accelbench.bundle.pack import kept_outputs, pack
from accelbench.bundle.read import Bundle
from accelbench.bundle.sign import sign
from accelbench.bundle.verify import signers, verify
from accelbench.errors import AccelbenchError
from accelbench.measure import columns
from accelbench.report import codec

SECONDS = float(os.environ.get("ACCELBENCH_FUZZ_S", "600"))

TELLING = (
    b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 50_000, b'{"a":', b"\\ud800", b"\xff\xfe", b"\x00", b"../",
    b"null", b"-1", b"18446744073709551616", b"1.0", b"true", b'"', b"}", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06",
    b"\xff\xff\xff\xff", b"(10000000000000,)", b"'|O'", b"'<f8'", b"'<U9'",
)  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    """``data`` with one to four changes."""
    for _ in range(chance.randint(1, 4)):
        place, length = chance.randrange(len(data) + 1), int(chance.expovariate(0.1))
        piece = chance.choice(
            (b"", chance.randbytes(length), chance.choice(TELLING), data[:length], data[place : place + length] * 2)
        )
        data = data[:place] + piece + data[place + length * chance.choice((0, 1)) :]
    return data


def until(seconds: float, trial: Callable[[random.Random], None]) -> int:
    """Trials, each with a seed of its own that a failure names."""
    end, seed = time.monotonic() + seconds, time.time_ns()
    first = seed
    while time.monotonic() < end:
        try:
            trial(random.Random(seed))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
        seed += 1
    return seed - first


def refused(path: Path, into: Path) -> bool:
    """Whether something was found wrong with a stranger's file; all of it is read that ever is."""
    try:
        bundle = Bundle.open(path)
        found = verify(bundle)
        signers(bundle, into.parent / "no-keys")
        folder = bundle.unpack(into)
    except AccelbenchError:
        return True
    assert (folder / "report.json").is_file()
    return bool(found)


@pytest.fixture
def packed(stored: Path, tmp_path: Path) -> Path:
    path = pack(stored, tmp_path / "whole.zip", outputs=kept_outputs(stored))
    keys.new("mei", tmp_path / "ring")
    sign(path, keys.private("mei", tmp_path / "ring"))
    return path


def bundles(packed: Path, room: Path, seconds: float) -> int:
    """Half of them damaged as bytes, half of them in one member, in the form that bundles have."""
    original, members = packed.read_bytes(), contents(packed)
    room.mkdir()

    def trial(chance: random.Random) -> None:
        path, into = room / "fuzzed.zip", room / "into"
        if chance.random() < 0.5:
            path.write_bytes(damaged(original, chance))
            same = path.read_bytes() == original
        else:
            name = chance.choice(list(members))
            data = damaged(members[name], chance)
            write(path, {**members, name: data})
            same = data == members[name]
        assert refused(path, into) or same
        shutil.rmtree(into, ignore_errors=True)
        assert [entry.name for entry in room.iterdir()] == ["fuzzed.zip"]

    return until(seconds, trial)


def tables(stored: Path, room: Path, seconds: float) -> int:
    """Columns of a stranger who has made his report fit them: they are read, or refused."""
    shutil.copytree(stored / "columns" / "0", room)
    originals = {path: path.read_bytes() for path in room.iterdir()}

    def trial(chance: random.Random) -> None:
        path = chance.choice(list(originals))
        path.chmod(0o600)
        path.write_bytes(damaged(originals[path], chance))
        with suppress(AccelbenchError):
            columns.read(room)
        path.write_bytes(originals[path])

    return until(seconds, trial)


def reports(seconds: float) -> int:
    original = codec.encode(codec.identify(sample(bins=2)))

    def trial(chance: random.Random) -> None:
        data = damaged(original, chance)
        try:
            codec.REPORTS.open(data, "here")
        except AccelbenchError:
            return
        assert data == original

    return until(seconds, trial)


def test_a_few_seconds_of_damage(packed: Path, stored: Path, tmp_path: Path) -> None:
    assert bundles(packed, tmp_path / "room", 1.0) > 20
    assert tables(stored, tmp_path / "table", 0.5) > 20
    assert reports(0.5) > 20


@pytest.mark.slow
def test_ten_minutes_of_damage(packed: Path, stored: Path, tmp_path: Path) -> None:
    assert bundles(packed, tmp_path / "room", SECONDS * 0.6) > SECONDS
    assert tables(stored, tmp_path / "table", SECONDS * 0.2) > SECONDS
    assert reports(SECONDS * 0.2) > SECONDS
