"""Every part of the evidence that was changed is found, by name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.bundle.rewriting import changed, contents, write

from accelbench.bundle import keys, manifest
from accelbench.bundle.manifest import Member
from accelbench.bundle.pack import kept_outputs, pack
from accelbench.bundle.read import Bundle
from accelbench.bundle.sign import sign
from accelbench.bundle.verify import Finding, part_of, signers, verify, verify_folder
from accelbench.errors import AccelbenchError, UsageError
from accelbench.report import codec
from accelbench.report.canonical import canonical


@pytest.fixture
def packed(stored: Path, tmp_path: Path) -> Path:
    """A signed bundle with outputs."""
    path = pack(stored, tmp_path / "whole.zip", outputs=kept_outputs(stored))
    ring = tmp_path / "ring"
    keys.new("mei", ring)
    sign(path, keys.private("mei", ring))
    return path


def parts(found: tuple[Finding, ...]) -> set[tuple[str, str]]:
    return {(each.part, each.path) for each in found}


def test_what_is_whole_has_no_faults(packed: Path, stored: Path) -> None:
    assert verify(Bundle.open(packed)) == ()
    assert verify_folder(stored) == ()


EDITS = [
    ("report/columns/0/done.npy", "column"),
    ("report/predictions.npz", "prediction"),
    ("report/requirements.lock", "lock"),
    ("report/adapter/requirements.lock", "lock"),
    ("report/adapter/adapter.py", "adapter"),
    ("report/logs/stdout.txt", "log"),
    ("outputs/0.bin", "output"),
]


@pytest.mark.parametrize(("name", "part"), EDITS)
def test_an_edited_file_is_named(packed: Path, tmp_path: Path, name: str, part: str) -> None:
    members = contents(packed)
    data = members[name]
    edited = write(tmp_path / "edited.zip", {**members, name: data[:-1] + bytes([data[-1] ^ 1])})
    assert parts(verify(Bundle.open(edited))) == {(part, name)}
    with pytest.raises(UsageError, match=f"{name} is not what bundle.json says"):
        Bundle.open(edited).unpack(tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(("name", "part"), EDITS)
def test_an_edit_that_the_manifest_was_made_to_fit_is_named_too(
    packed: Path, tmp_path: Path, name: str, part: str
) -> None:
    members = contents(packed)
    data = members[name][:-1] + bytes([members[name][-1] ^ 1])
    told = manifest.decode(members["bundle.json"], "here")
    files = {**told.files, name: Member(hashlib.sha256(data).hexdigest(), len(data))}
    fitted = {**members, "bundle.json": manifest.encode(replace(told, files=files)), name: data}
    found = parts(verify(Bundle.open(write(tmp_path / "edited.zip", fitted))))
    assert {each for each, _ in found} == {part, "signature"}


def forged(members: dict[str, bytes], change: Any) -> dict[str, bytes]:
    """The members with a report that was changed and named anew, and a manifest that fits."""
    report = codec.decode(members["report/report.json"], "here")
    data = codec.encode(codec.identify(change(report)))
    told = manifest.decode(members["bundle.json"], "here")
    files = {**told.files, "report/report.json": Member(hashlib.sha256(data).hexdigest(), len(data))}
    new = manifest.encode(replace(told, report=codec.decode(data, "here").id, files=files))
    return {**members, "bundle.json": new, "report/report.json": data}


def test_a_report_made_anew_is_told_by_the_signature(packed: Path, tmp_path: Path) -> None:
    members = forged(contents(packed), lambda report: replace(report, effort="submission"))
    found = verify(Bundle.open(write(tmp_path / "forged.zip", members)))
    assert [(each.part, each.problem) for each in found] == [
        ("signature", "it signs something else than this bundle"),
    ]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda r: replace(r, environment=replace(r.environment, adapter_sha256="0" * 64)), "adapter"),
        (lambda r: replace(r, environment=replace(r.environment, lock_sha256="0" * 64)), "lock"),
        (lambda r: replace(r, quality=replace(r.quality, outputs_sha256="0" * 64)), "output"),
        (lambda r: replace(r, quality=replace(r.quality, predictions="no.npz")), "prediction"),
        (lambda r: replace(r, measurements=(replace(r.measurements[0], columns="columns/9"),)), "column"),
    ],
)
def test_a_report_at_odds_with_its_files_is_found(packed: Path, tmp_path: Path, change: Any, part: str) -> None:
    members = {name: data for name, data in contents(packed).items() if not name.startswith("signatures/")}
    found = verify(Bundle.open(write(tmp_path / "forged.zip", forged(members, change))))
    assert {each.part for each in found} == {part}


def test_an_edited_report_is_named(packed: Path, tmp_path: Path) -> None:
    edited = changed(packed, tmp_path / "e.zip", "report/report.json", b'"status":"ok"', b'"status":"failed"')
    (found,) = [each for each in verify(Bundle.open(edited)) if each.part == "report"]
    assert "does not match the report's id" in found.problem
    with pytest.raises(AccelbenchError, match="does not match"):
        _ = Bundle.open(edited).report


def test_files_too_many_and_too_few_are_named(packed: Path, tmp_path: Path) -> None:
    members = contents(packed)
    more = dict(sorted({**members, "report/logs/more.txt": b""}.items(), key=order))
    assert parts(verify(Bundle.open(write(tmp_path / "more.zip", more)))) == {("log", "report/logs/more.txt")}
    fewer = {name: data for name, data in members.items() if name != "report/columns/0/done.npy"}
    found = verify(Bundle.open(write(tmp_path / "fewer.zip", fewer)))
    assert found == (Finding("column", "report/columns/0/done.npy", "missing"),)


def order(item: tuple[str, bytes]) -> tuple[bool, bool, str]:
    name = item[0]
    return name != "bundle.json", name.startswith("signatures/"), name


@pytest.mark.parametrize("damage", ["of", "key", "signature", "no json", "another name", "white space"])
def test_a_bad_signature_is_named(packed: Path, tmp_path: Path, damage: str) -> None:
    members = contents(packed)
    name = next(name for name in members if name.startswith("signatures/"))
    document = json.loads(members[name])
    if damage == "of":
        document["of"]["report"] = "0" * 64
    elif damage in ("key", "signature"):
        document[damage] = ("00" if document[damage][:2] != "00" else "01") + document[damage][2:]
    data = b"{" if damage == "no json" else canonical(document)
    data += b" " if damage == "white space" else b""
    renamed = name.replace(".json", "x.json") if damage == "another name" else name
    members = {each: value for each, value in members.items() if each != name}
    found = verify(Bundle.open(write(tmp_path / "e.zip", {**members, renamed: data})))
    assert parts(found) == {("signature", renamed)}
    assert signers(Bundle.open(tmp_path / "e.zip"), tmp_path / "ring") == ()


def test_a_signer_has_a_name_only_where_the_keyring_has_it(packed: Path, tmp_path: Path) -> None:
    (known,) = signers(Bundle.open(packed), tmp_path / "ring")
    (stranger,) = signers(Bundle.open(packed), tmp_path / "nobody")
    assert (known.name, stranger.name) == ("mei", None)
    assert known.fingerprint == stranger.fingerprint


def test_several_sign_and_a_second_signature_of_one_key_changes_nothing(packed: Path, tmp_path: Path) -> None:
    before = packed.read_bytes()
    ring = tmp_path / "ring"
    sign(packed, keys.private("mei", ring))
    assert packed.read_bytes() == before
    keys.new("anna", ring)
    sign(packed, keys.private("anna", ring))
    assert {each.name for each in signers(Bundle.open(packed), ring)} == {"anna", "mei"}
    assert verify(Bundle.open(packed)) == ()


def test_what_is_broken_is_not_signed(packed: Path, tmp_path: Path) -> None:
    broken = changed(packed, tmp_path / "e.zip", "report/logs/stdout.txt", b"compiled", b"Compiled")
    with pytest.raises(UsageError, match="cannot be signed"):
        sign(broken, keys.private("mei", tmp_path / "ring"))


def test_faults_of_a_folder_are_named(stored: Path) -> None:
    (stored / "columns" / "0" / "done.npy").chmod(0o600)
    (stored / "columns" / "0" / "done.npy").write_bytes(b"")
    (stored / "adapter" / "more.py").write_text("")
    assert parts(verify_folder(stored)) == {
        ("column", "report/columns/0/done.npy"),
        ("adapter", "report/adapter/more.py"),
    }
    (stored / "report.json").chmod(0o600)
    (stored / "report.json").write_bytes((stored / "report.json").read_bytes().replace(b'"ok"', b'"failed"'))
    assert parts(verify_folder(stored)) == {("report", "report/report.json")}


def test_every_name_has_a_part() -> None:
    assert part_of("report/compliance/0/done.npy") == "column"
    assert part_of("report/anything.bin") == "file"
    assert part_of("task/task.toml") == "task"
