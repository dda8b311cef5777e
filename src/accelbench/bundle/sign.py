"""A bundle gets the signature of a key's owner, and stays the same bundle."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accelbench.bundle import signature
from accelbench.bundle.archive import Writer
from accelbench.bundle.manifest import SIGNATURES
from accelbench.bundle.read import Bundle
from accelbench.bundle.signature import Signature
from accelbench.bundle.verify import verify
from accelbench.errors import UsageError
from accelbench.paths import writing


def sign(path: Path, private: Ed25519PrivateKey) -> Signature:
    """Add the key's signature to the bundle at ``path``; what was signed is the sha256 of its manifest and the report's
    id. Raises UsageError where something is wrong with the bundle."""
    bundle = Bundle.open(path)
    faults = verify(bundle)
    if faults:
        raise UsageError(f"{path} is not what was packed ({faults[0].path}: {faults[0].problem}): it cannot be signed")
    made = signature.sign(private, {"bundle": bundle.manifest_sha256, "report": bundle.manifest.report})
    own = f"{SIGNATURES}/{made.fingerprint}.json"
    signatures = sorted({own, *(name for name in bundle.members if name.startswith(f"{SIGNATURES}/"))})
    with writing(path, replace=True) as file:
        writer = Writer(file)
        for name in (*(name for name in bundle.members if name not in signatures), *signatures):
            if name == own:
                writer.add(name, signature.encode(made))
            else:
                writer.copy(path, bundle.members[name])
        writer.close()
    return made
