"""Whether a bundle, or a report's folder, is what it was when it was made: checked offline, every fault by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from accelbench.backends import identity
from accelbench.bundle import keys, signature
from accelbench.bundle.manifest import MANIFEST, SIGNATURES
from accelbench.bundle.read import FOLDER, MOST_SIGNATURE_BYTES, Bundle
from accelbench.bundle.signature import Signature
from accelbench.errors import AccelbenchError, UsageError
from accelbench.measure import columns
from accelbench.model import Report
from accelbench.report import store
from accelbench.report.store import OUTPUTS, PRIVATE, REPORT
from accelbench.tensors import TensorSet


@dataclass(frozen=True)
class Finding:
    """A fault: in which part (``report``, ``column``, ``prediction``, ``lock``, ``adapter``, ``log``, ``telemetry``,
    ``trace``, ``private``, ``output``, ``task``, ``signature``, ``manifest``, ``file``), in which file, and what is
    wrong."""

    part: str
    path: str
    problem: str


_PARTS = {
    "report/report.json": "report",
    "report/columns/": "column",
    "report/compliance/": "column",
    "report/predictions.npz": "prediction",
    "report/requirements.lock": "lock",
    "report/adapter/requirements.lock": "lock",
    "report/adapter/": "adapter",
    "report/logs/": "log",
    "report/telemetry/": "telemetry",
    "report/traces/": "trace",
    "report/private.json": "private",
    "outputs/": "output",
    "task/": "task",
    "signatures/": "signature",
    MANIFEST: "manifest",
}


def part_of(path: str) -> str:
    """What the file of this name in a bundle is."""
    return next((part for start, part in _PARTS.items() if path.startswith(start)), "file")


def verify(bundle: Bundle) -> tuple[Finding, ...]:
    """Every fault of a bundle; none where it is as it was packed. That a signature's key is not in the keyring is none:
    ``signers`` tells who signed. Raises UsageError when the file cannot be read any more."""
    return tuple(_faults(bundle))


def verify_folder(folder: Path) -> tuple[Finding, ...]:
    """Every fault of a report's folder, as ``verify`` names them. Raises UsageError where there is none."""
    try:
        report, folder = store.open_report(folder)
    except UsageError:
        raise
    except AccelbenchError as error:
        return (Finding("report", f"{FOLDER}/{REPORT}", str(error)),)
    found = [line.rpartition(": ") for line in store.verify(folder)]
    plain = [Finding(part_of(f"{FOLDER}/{name}"), f"{FOLDER}/{name}", problem) for name, _, problem in found]
    return (*plain, *_at_odds(report))


def _faults(bundle: Bundle) -> Iterator[Finding]:
    said = bundle.manifest.files
    report: Report | None = None
    try:
        report = bundle.report
    except AccelbenchError as error:
        yield Finding("report", f"{FOLDER}/{REPORT}", str(error))
    if report is not None and report.id != bundle.manifest.report:
        yield Finding("manifest", MANIFEST, "it names another report than the one that is there")
    there = {name for name in bundle.members if name != MANIFEST and not name.startswith(f"{SIGNATURES}/")}
    named = {f"{FOLDER}/{name}": sha256 for name, sha256 in report.files.items()} if report else {}
    whole = True
    unread = set() if report else {f"{FOLDER}/{REPORT}"}
    for name in sorted((there | said.keys() | named.keys()) - unread):
        problem = _problem(bundle, name, named.get(name), report)
        if problem:
            whole = False
            yield Finding(part_of(name), name, problem)
    if report is not None:
        yield from _at_odds(report)
    if whole and report is not None and any(name.startswith(f"{OUTPUTS}/") for name in there):
        problem = _other_outputs(bundle, report)
        if problem:
            yield Finding("output", f"{OUTPUTS}/", problem)
    for name, found in _signatures(bundle):
        problem = found if isinstance(found, str) else _unsigned(bundle, name, found)
        if problem:
            yield Finding("signature", name, problem)


def _at_odds(report: Report) -> Iterator[Finding]:
    """Where a report's files are not those that the rest of it tells of."""
    for each in (*report.measurements, *(again.measurement for again in report.compliance)):
        index = f"{each.columns}/{columns.INDEX}"
        if index not in report.files:
            yield Finding("column", f"{FOLDER}/{index}", "missing, and the report tells of its pass")
    predictions = report.quality.predictions if report.quality else None
    if predictions is not None and predictions not in report.files:
        yield Finding("prediction", f"{FOLDER}/{predictions}", "missing, and the report tells of it")
    source = {name.removeprefix("adapter/"): sha for name, sha in report.files.items() if name.startswith("adapter/")}
    if not source or report.environment is None:
        return
    if identity.of_files(source) != report.environment.adapter_sha256:
        yield Finding("adapter", f"{FOLDER}/adapter/", "not the source of the adapter that made the report")
    if source.get("requirements.lock") != report.environment.lock_sha256:
        yield Finding("lock", f"{FOLDER}/adapter/requirements.lock", "not the lock that the environment was made from")


def _other_outputs(bundle: Bundle, report: Report) -> str | None:
    """Why the outputs are not those of the report's accuracy pass; None where they are."""
    with TemporaryDirectory() as scratch:
        folder = bundle.unpack(Path(scratch) / "bundle").parent
        try:
            found = TensorSet(folder / OUTPUTS).sha256()
        except (AccelbenchError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError) as error:
            return f"no complete outputs ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    expected = report.quality.outputs_sha256 if report.quality else None
    return None if found == expected else "not the outputs that the report's drift was computed from"


def _problem(bundle: Bundle, name: str, named: str | None, report: Report | None) -> str | None:
    said = bundle.manifest.files.get(name)
    if name not in bundle.members:
        return "missing"
    try:
        digest, size = _digest(bundle, name)
    except UsageError as error:
        return str(error)
    outside = (f"{FOLDER}/{REPORT}", f"{FOLDER}/{PRIVATE}")
    if name.startswith(f"{FOLDER}/") and name not in outside and report and named is None:
        return "not named in the report"
    if named not in (None, digest):
        return "content differs from what the report names"
    if said is None:
        return "not named in the manifest"
    if (said.sha256, said.size_bytes) != (digest, size):
        return "content differs from what the manifest names"
    return None


def _digest(bundle: Bundle, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in bundle.pieces(name):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _signatures(bundle: Bundle) -> Iterator[tuple[str, Signature | str]]:
    for name in bundle.members:
        if name.startswith(f"{SIGNATURES}/"):
            try:
                data = bundle.read(name, MOST_SIGNATURE_BYTES)
                yield name, signature.decode(data, name)
            except UsageError as error:
                yield name, str(error)


def _unsigned(bundle: Bundle, name: str, found: Signature) -> str | None:
    if name != f"{SIGNATURES}/{found.fingerprint}.json":
        return "its name is not the fingerprint of its key"
    if found.of != {"bundle": bundle.manifest_sha256, "report": bundle.manifest.report}:
        return "it signs something else than this bundle"
    if not found.good:
        return "it was not made with the key that it names"
    return None


@dataclass(frozen=True)
class Signer:
    """Who signed: the key's fingerprint, and its name for a key of the keyring."""

    fingerprint: str
    name: str | None


def signers(bundle: Bundle, keyring: Path | None = None) -> tuple[Signer, ...]:
    """Whose good signatures the bundle has."""
    known = keys.names(keyring or keys.keyring())
    return tuple(
        Signer(found.fingerprint, known.get(found.public))
        for name, found in _signatures(bundle)
        if isinstance(found, Signature) and _unsigned(bundle, name, found) is None
    )
