"""A signature is put into a bundle, beside those that are there."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accelbench.bundle import signature
from accelbench.bundle.archive import Writer
from accelbench.bundle.manifest import SIGNATURES
from accelbench.bundle.read import Bundle
from accelbench.bundle.signature import Signature
from accelbench.paths import writing


def sign(path: Path, private: Ed25519PrivateKey) -> Signature:
    """Sign the bundle at ``path``: its manifest, and with that every file, and the report's id. A signature that the
    same key made before is replaced; the file is there as it was, or signed. Raises UsageError for what is no bundle.
    """
    bundle = Bundle.open(path)
    made = signature.sign(private, {"bundle": bundle.manifest_sha256, "report": bundle.manifest.report})
    own = f"{SIGNATURES}/{made.fingerprint}.json"
    kept = {name: entry for name, entry in bundle.members.items() if name != own}
    signed = {name: entry for name, entry in kept.items() if name.startswith(f"{SIGNATURES}/")}
    with writing(path, replace=True) as file:
        writer = Writer(file)
        for name, entry in kept.items():
            if name not in signed:
                writer.copy(path, entry)
        for name in sorted({*signed, own}):
            if name == own:
                writer.add(name, signature.encode(made))
            else:
                writer.copy(path, signed[name])
        writer.close()
    return made
