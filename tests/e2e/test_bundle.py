"""A report packed by the real command, checked and signed, by another user in another home."""

from __future__ import annotations

import json
import shutil
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import accelbench, inside
from tests.unit.bundle.rewriting import contents, write


def faults(source: Path, *words: str, **variables: Any) -> tuple[int, list[tuple[str, str]], Any]:
    done = inside("report", "verify", source, *words, "--json", cwd=source.parent, **variables)
    found = json.loads(done.stdout)
    return done.returncode, [(each["part"], each["path"]) for one in found for each in one["faults"]], found


@pytest.mark.backend
def test_pack_verify_and_sign(tmp_path: Path) -> None:
    home = tmp_path / "home" / "meifang"
    home.mkdir(parents=True)
    mine: dict[str, Any] = {"XDG_CONFIG_HOME": str(home / ".config"), "SITE_SECRET": "s3cr3t-of-ours"}
    run = accelbench(
        "run",
        "digits-cnn",
        "-b",
        "null",
        "--quick",
        "--max-time",
        "0.3",
        "--keep-outputs",
        "-o",
        home / "run",
        cwd=home,
        **mine,
    )
    assert run.returncode in (0, 1), run.stderr
    made = accelbench("key", "new", "mei", "--json", cwd=home, **mine)
    (key,) = json.loads(made.stdout)
    packed = accelbench("report", "pack", home / "run", "--outputs", "--key", "mei", "--json", cwd=home, **mine)
    assert packed.returncode == 0, packed.stderr
    (told,) = json.loads(packed.stdout)
    path = home / told["path"]
    assert told["size_bytes"] == path.stat().st_size < 5_000_000
    names = set(contents(path))
    assert {"report/adapter/adapter.py", "report/adapter/backend.toml", "report/adapter/requirements.lock"} <= names
    assert "outputs/index.json" in names
    assert "report/private.json" not in names
    with zipfile.ZipFile(path) as other:
        everything = path.read_bytes() + b"".join(other.read(name) for name in other.namelist())
    host = socket.gethostname()
    telling = ["meifang", str(tmp_path), "s3cr3t-of-ours", *([host] if len(host) > 5 and host != "localhost" else [])]
    assert not [word for word in telling if word.encode() in everything]

    room = tmp_path / "elsewhere"
    room.mkdir()
    bundle = Path(shutil.copy(path, room / "a.zip"))
    theirs: dict[str, Any] = {"XDG_CONFIG_HOME": str(room / ".config")}
    shown = inside("key", "show", "mei", cwd=home, **mine)
    (room / "mei.pem").write_text(shown.stdout)
    code, found, whole = faults(bundle, **theirs)
    assert (code, found) == (0, [])
    assert whole[0]["signers"] == [{"fingerprint": key["fingerprint"], "name": None}]
    assert accelbench("key", "trust", "vendor", "mei.pem", cwd=room, **theirs).returncode == 0
    code, found, whole = faults(bundle, "--key", "vendor", **theirs)
    assert (code, whole[0]["signers"][0]["name"]) == (0, "vendor")

    members = contents(bundle)
    for name, part in (
        ("report/columns/0/done.npy", "column"),
        ("report/predictions.npz", "prediction"),
        ("report/requirements.lock", "lock"),
        ("report/report.json", "report"),
        (f"signatures/{key['fingerprint']}.json", "signature"),
    ):
        data = members[name]
        edited = write(room / "edited.zip", {**members, name: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]})
        code, found, _ = faults(edited, **theirs)
        assert (code, (part, name) in found) == (1, True), (name, found)
    unpacked = inside("report", "unpack", "a.zip", "into", cwd=room)
    assert unpacked.stdout.strip() == "into/report"
    assert faults(room / "into" / "report")[:2] == (0, [])
    (room / "bad.zip").write_bytes(bundle.read_bytes()[:-1])
    bad = inside("report", "verify", "bad.zip", cwd=room)
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert "truncated" in bad.stderr
