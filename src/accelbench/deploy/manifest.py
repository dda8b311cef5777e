"""What a deployable says of itself, and where its parts lie.

    DIR/manifest.json   this; the one file that names the others
        model/          the files that the stack compiled, each with its hash in ``chain``
        backend/        the adapter with its backend.toml and its lock
        sample/         one feed and the outputs that it gave when it was evaluated: tensor sets
        report/         the report of that evaluation
        load.py         runs the sample

Standard library and NumPy only, Python 3.9 syntax: a stack's own environment reads it too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from accelbench.backends.identity import adapter_sha256
from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import Artifact, Compiled, Contents, Purpose, Target, TensorSpec, Tolerance, Verdict
from accelbench.worker import jobs

MANIFEST = "manifest.json"
MODEL, BACKEND, SAMPLE_INPUTS, SAMPLE_OUTPUTS = "model", "backend", "sample/inputs", "sample/outputs"

SCHEMA = 1
"""Version of the manifest's stored form. 1: first."""


@dataclass(frozen=True)
class Manifest:
    """A deployable. ``inputs`` and ``outputs`` have the batch that it was compiled for. ``chain`` begins with the
    source model and ends with the files in ``model/``; ``report`` is the id of the report that the evaluation gave.

    ``verdict`` is that on ``tolerance``, and ``reasons`` say why where it is not ``within``; with ``forced`` it was
    written although it was ``out``. ``requires`` are the packages, with their versions, that a process must have to run
    it by itself; ``threads`` whether several threads may run it at once.
    """

    schema: int
    name: str
    created: str
    accelbench: str
    target: Target
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    batch: int
    batched: bool
    purpose: Purpose | None
    compiled: Compiled
    chain: tuple[Artifact, ...]
    report: str
    outputs_sha256: str | None
    tolerance: Tolerance
    verdict: Verdict
    reasons: tuple[str, ...]
    forced: bool
    requires: Mapping[str, str]
    threads: bool
    adapter_sha256: str

    def job(self, folder: Path) -> jobs.Job:
        """The job that the stack loads in the deployable at ``folder``; the source model is not there."""
        return jobs.Job(
            model=str(folder / self.chain[0].name),
            inputs=self.inputs,
            outputs=self.outputs,
            target=self.target,
            batch=self.batch,
            batched=self.batched,
            purpose=self.purpose,
            work=str(folder / MODEL),
        )


def write(manifest: Manifest, folder: Path) -> None:
    text = json.dumps(asdict(manifest), indent=2, sort_keys=True, allow_nan=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read(folder: Path) -> Manifest:
    """The manifest of the deployable at ``folder``. Raises UsageError when there is none or it cannot be understood."""
    path = folder / MANIFEST
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{folder} is no deployable ({MANIFEST} cannot be read: {error.strerror}): 'accelbench convert' makes one"
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON ({error}): convert the model again") from error
    schema = fields.get("schema") if isinstance(fields, dict) else None
    if schema != SCHEMA:
        raise UsageError(f"{path} has schema {schema}, this accelbench reads {SCHEMA}: use the version that wrote it")
    try:
        return _decoded(fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a manifest ({error}): convert the model again") from error


def verify(manifest: Manifest, folder: Path) -> None:
    """Raise AccelbenchError when a file of the model or the adapter is not what was evaluated."""
    expected = {f"{MODEL}/{item.name}": item.sha256 for item in manifest.chain if item.name in manifest.compiled.files}
    expected[BACKEND] = manifest.adapter_sha256
    for name, sha256 in expected.items():
        try:
            found = adapter_sha256(folder / name) if name == BACKEND else _sha256(folder / name)
        except OSError as error:
            raise AccelbenchError(
                f"{folder / name} cannot be read ({error.strerror}): copy the deployable again"
            ) from error
        if found != sha256:
            raise AccelbenchError(f"{folder / name} is not what was evaluated: its sha256 differs; convert again")


def _decoded(fields: Mapping[str, Any]) -> Manifest:
    values = dict(fields)
    for name in ("inputs", "outputs"):
        values[name] = tuple(jobs.tensor_spec(item) for item in values[name])
    values["target"] = jobs.target(values["target"])
    values["compiled"] = jobs.compiled(values["compiled"])
    values["chain"] = tuple(_artifact(item) for item in values["chain"])
    values["tolerance"] = Tolerance(**values["tolerance"])
    values["reasons"] = tuple(values["reasons"])
    return Manifest(**values)


def _artifact(fields: Mapping[str, Any]) -> Artifact:
    told = fields["contents"]
    return Artifact(**{**fields, "contents": None if told is None else Contents(**told)})


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        for piece in iter(lambda: handle.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()
