"""Ed25519 keys, and the names that this user gave to those that are trusted here.

A keyring is a folder: ``NAME.key`` is an own private key (PKCS #8, PEM, with a passphrase where one was given), and
``NAME.pub`` a public key that is trusted under that name (SubjectPublicKeyInfo, PEM). OpenSSL reads and writes both.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from accelbench.errors import UsageError
from accelbench.paths import disk_errors, writing

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}", re.ASCII)
_LARGEST_FILE = 2**14


@dataclass(frozen=True)
class Key:
    """A key of the keyring: its name, its raw public key (32 bytes), and whether the private one is there too."""

    name: str
    public: bytes
    own: bool


def keyring() -> Path:
    """The user's keyring: ``accelbench/keys`` under ``$XDG_CONFIG_HOME`` or ``~/.config``; it need not be there."""
    chosen = os.environ.get("XDG_CONFIG_HOME")
    return (Path(chosen) if chosen else Path.home() / ".config").absolute() / "accelbench" / "keys"


def fingerprint(public: bytes) -> str:
    """The first 32 hexadecimal digits of the sha256 of the raw public key."""
    return hashlib.sha256(public).hexdigest()[:32]


def new(name: str, ring: Path, passphrase: str | None = None) -> Key:
    """Make a key pair called ``name``. Raises UsageError for a name that is taken or odd."""
    _check(name, ring)
    private = Ed25519PrivateKey.generate()
    sealed = pem.BestAvailableEncryption(passphrase.encode()) if passphrase else pem.NoEncryption()
    data = private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, sealed)
    _folder(ring)
    with writing(ring / f"{name}.key", mode=0o600) as file:
        file.write(data)
    return _keep(name, private.public_key(), ring, own=True)


def trust(name: str, file: Path, ring: Path) -> Key:
    """Keep the public key in ``file`` (PEM) under ``name``. Raises UsageError for a name that is taken or odd, a key
    that is there under another name, and a file without an Ed25519 public key."""
    _check(name, ring)
    public = read_public(file)
    there = names(ring).get(_raw(public))
    if there is not None:
        raise UsageError(f"{file}: this key is there already, as {there!r}")
    _folder(ring)
    return _keep(name, public, ring, own=False)


def read_public(file: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises UsageError for anything else."""
    try:
        found = pem.load_pem_public_key(_content(file))
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{file}: no public key in PEM form, as `accelbench key show NAME` prints it") from None
    if not isinstance(found, Ed25519PublicKey):
        raise UsageError(f"{file}: a public key of another kind than Ed25519")
    return found


def private(name: str, ring: Path, passphrase: str | None = None) -> Ed25519PrivateKey:
    """The own private key called ``name``. Raises UsageError when there is none or the passphrase is not right;
    ``locked`` tells whether it needs one."""
    file = ring / f"{name}.key"
    try:
        found = pem.load_pem_private_key(_content(file), passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError(f"{file}: cannot be opened (wrong or missing passphrase, or not a private key)") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise UsageError(f"{file}: a private key of another kind than Ed25519")
    return found


def locked(name: str, ring: Path) -> bool:
    """Whether the private key called ``name`` has a passphrase. Raises UsageError when there is none of that name."""
    return b"ENCRYPTED" in _content(ring / f"{name}.key")


def keys(ring: Path) -> tuple[Key, ...]:
    """Every key of the keyring, by name. Raises UsageError for a file that holds none."""
    if not ring.is_dir():
        return ()
    return tuple(
        Key(file.stem, _raw(read_public(file)), file.with_suffix(".key").is_file())
        for file in sorted(ring.glob("[!.]*.pub"))
    )


def names(ring: Path) -> Mapping[bytes, str]:
    """The names of the keyring's keys by their raw public keys."""
    return {key.public: key.name for key in keys(ring)}


def find(name: str, ring: Path) -> Key:
    """The key called ``name``. Raises UsageError that lists those there are."""
    known = {key.name: key for key in keys(ring)}
    if name not in known:
        raise UsageError(f"no key is called {name!r} in {ring}; there are: {', '.join(known) or 'none'}")
    return known[name]


def public_pem(public: bytes) -> str:
    """A raw public key as others keep it."""
    encoded = Ed25519PublicKey.from_public_bytes(public).public_bytes(
        pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded.decode("ascii")


def signed(private_key: Ed25519PrivateKey, message: bytes) -> tuple[bytes, bytes]:
    """The raw public key and the signature of ``message``."""
    return _raw(private_key.public_key()), private_key.sign(message)


def holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` of ``message`` was made with the private key that belongs to the raw ``public`` one."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _keep(name: str, public: Ed25519PublicKey, ring: Path, own: bool) -> Key:
    with writing(ring / f"{name}.pub") as file:
        file.write(public.public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo))
    return Key(name, _raw(public), own)


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(pem.Encoding.Raw, pem.PublicFormat.Raw)


def _check(name: str, ring: Path) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!a} cannot name a key: letters, digits and _ . @ + - can, up to 64")
    if any((ring / f"{name}{suffix}").exists() for suffix in (".key", ".pub")):
        raise UsageError(f"a key is called {name!r} already in {ring}: choose another name")


def _folder(ring: Path) -> None:
    with disk_errors(ring):
        ring.mkdir(parents=True, exist_ok=True, mode=0o700)
        ring.chmod(0o700)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(_LARGEST_FILE)
    except OSError as error:
        raise UsageError(f"{file}: no key can be read here ({error.strerror})") from None
