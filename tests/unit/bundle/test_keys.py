from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from accelbench.bundle import keys, signature
from accelbench.errors import UsageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_key_signs_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    ring = tmp_path / "a" / "keys"
    made = keys.new("mei", ring)
    assert (mode(ring), mode(ring / "mei.key"), mode(ring / "mei.pub")) == (0o700, 0o600, 0o644)
    assert keys.keys(ring) == (made,)
    assert (made.name, made.own, len(keys.fingerprint(made.public))) == ("mei", True, 32)
    public, made_of = keys.signed(keys.private("mei", ring), b"text")
    assert public == made.public
    assert keys.holds(public, made_of, b"text")
    assert not keys.holds(public, made_of, b"texts")
    assert not keys.holds(public[:-1], made_of, b"text")


def test_a_passphrase_is_needed_where_there_is_one(tmp_path: Path) -> None:
    keys.new("mei", tmp_path, "a long one")
    keys.new("open", tmp_path)
    assert (keys.locked("mei", tmp_path), keys.locked("open", tmp_path)) == (True, False)
    keys.private("mei", tmp_path, "a long one")
    for wrong in (None, "another"):
        with pytest.raises(UsageError, match="wrong or missing passphrase"):
            keys.private("mei", tmp_path, wrong)


def test_what_one_shows_another_trusts(tmp_path: Path) -> None:
    made = keys.new("mei", tmp_path / "hers")
    file = tmp_path / "mei.pem"
    file.write_text(keys.public_pem(made.public))
    trusted = keys.trust("mei-of-lab", file, tmp_path / "mine")
    assert (trusted.public, trusted.own) == (made.public, False)
    assert keys.names(tmp_path / "mine") == {made.public: "mei-of-lab"}
    assert keys.find("mei-of-lab", tmp_path / "mine") == trusted
    with pytest.raises(UsageError, match="there already, as 'mei-of-lab'"):
        keys.trust("again", file, tmp_path / "mine")
    with pytest.raises(UsageError, match="no key can be read here"):
        keys.private("mei-of-lab", tmp_path / "mine")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "x" * 65, "a\n", "ü", "-x"])
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a key"):
        keys.new(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_key_is_overwritten(tmp_path: Path) -> None:
    keys.new("mei", tmp_path)
    before = (tmp_path / "mei.key").read_bytes()
    with pytest.raises(UsageError, match="already"):
        keys.new("mei", tmp_path)
    assert (tmp_path / "mei.key").read_bytes() == before


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1())
    (tmp_path / "text.pem").write_text("hello")
    (tmp_path / "other.pem").write_bytes(
        other.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "other.key").write_bytes(
        other.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    )
    with pytest.raises(UsageError, match="no public key in PEM form"):
        keys.read_public(tmp_path / "text.pem")
    with pytest.raises(UsageError, match="another kind than Ed25519"):
        keys.read_public(tmp_path / "other.pem")
    with pytest.raises(UsageError, match="another kind than Ed25519"):
        keys.private("other", tmp_path)
    with pytest.raises(UsageError, match=r"no key is called 'x' .*: none"):
        keys.find("x", tmp_path / "nothing")


def test_the_keyring_lies_with_the_user_s_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert keys.keyring() == tmp_path / "accelbench" / "keys"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/somewhere")
    assert keys.keyring() == Path("/somewhere/.config/accelbench/keys")


def test_a_signature_comes_back_and_strangers_forms_are_refused(tmp_path: Path) -> None:
    keys.new("mei", tmp_path)
    made = signature.sign(keys.private("mei", tmp_path), {"report": "0" * 64})
    data = signature.encode(made)
    assert signature.decode(data, "here") == made
    assert made.good
    for old, new, said in (
        (b'"schema":1', b'"schema":9', "signature of schema 9"),
        (b'"key":"', b'"key":"zz', "hexadecimal"),
        (b'"of":', b'"off":', "of: missing"),
    ):
        with pytest.raises(UsageError, match=said):
            signature.decode(data.replace(old, new), "here")
