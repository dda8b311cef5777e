"""A signature: which hashes a key's owner vouches for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from accelbench.bundle import keys
from accelbench.errors import UsageError
from accelbench.model import STRICT
from accelbench.report.canonical import canonical, complaint, parse, plain

SCHEMA = 1
"""Version of the stored form. 1: first."""


@dataclass(frozen=True)
class Signature:
    """``of`` has the hashes that were signed, by what they are of: of a bundle ``bundle`` (its manifest's sha256) and
    ``report`` (the report's id), of a reproduction ``reproduction`` (its id). ``key`` is the raw public key and
    ``signature`` Ed25519's, both in hexadecimal digits."""

    __pydantic_config__ = STRICT

    schema: int
    of: Mapping[str, str]
    key: str
    signature: str

    @property
    def public(self) -> bytes:
        return bytes.fromhex(self.key)

    @property
    def fingerprint(self) -> str:
        """By which people know the key."""
        return keys.fingerprint(self.public)

    @property
    def good(self) -> bool:
        """Whether the key's owner did sign ``of``."""
        return keys.holds(self.public, bytes.fromhex(self.signature), _message(self.of))


_ADAPTER = TypeAdapter(Signature)


def sign(private: Ed25519PrivateKey, of: Mapping[str, str]) -> Signature:
    """The signature of these hashes."""
    public, made = keys.signed(private, _message(of))
    return Signature(SCHEMA, dict(of), public.hex(), made.hex())


def encode(signature: Signature) -> bytes:
    """The canonical bytes."""
    return canonical(plain(signature, what="signature"))


def decode(data: bytes, where: str) -> Signature:
    """The signature in ``data``. Raises UsageError for anything else; whether it is good is another question."""
    document = parse(data, where, "a signature")
    if document["schema"] != SCHEMA:
        raise UsageError(f"{where}: signature of schema {document['schema']}; this accelbench reads {SCHEMA}")
    try:
        found = _ADAPTER.validate_json(data)
        bytes.fromhex(found.key), bytes.fromhex(found.signature)
    except ValidationError as error:
        raise UsageError(f"{where}: {complaint(error)}") from None
    except ValueError:
        raise UsageError(f"{where}: key or signature is not in hexadecimal digits") from None
    if encode(found) != data:
        raise UsageError(f"{where}: not in the canonical form: it was changed after it was made")
    return found


def _message(of: Mapping[str, str]) -> bytes:
    return b"accelbench signature\n" + canonical({"of": dict(of), "schema": SCHEMA})
