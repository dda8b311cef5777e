"""A model taken through a chain of passes: each makes a new ONNX file, kept in the cache, and an artifact of the chain.

    $ACCELBENCH_HOME/passes/<key>/model.onnx, weights.bin     key: source, passes so far, calibration, and this code

Pruning, and weights in bfloat16 and int4, are done here. Quantisation to int8 and float16 are ONNX Runtime's own tools,
in the environment of the onnxruntime backend, which every machine has for the reference. NNCF is in an environment of
its own, made when it is first needed.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from accelbench import paths
from accelbench.envs.convert import NNCF, install
from accelbench.envs.install import interpreter
from accelbench.envs.process import variables
from accelbench.envs.spec import find
from accelbench.errors import Unsupported
from accelbench.model import Artifact
from accelbench.passes import tidy, weights
from accelbench.passes.names import Pass, read
from accelbench.zoo.materialise import Model

TOOL = Path(__file__).with_name("tool.py")
TOOLS_BACKEND = "onnxruntime"
MODEL, WEIGHTS = "model.onnx", "weights.bin"
LIMIT_S = 1800.0
BY_NNCF = "int8-nncf"
QUIET = {"NNCF_CI": "1"}
"""With it NNCF sends no account of its use."""

CALIBRATED = ("int8-static", BY_NNCF)
OWN = ("prune", "bf16", "int4")
PRECISIONS = {
    "fp16": "fp16",
    "bf16": "bf16",
    "int8": "int8",
    "int8-static": "int8",
    "int8-nncf": "int8",
    "int4": "int4",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Calibration:
    """Samples that a pass may look at: the first ``count`` of the tensor set at ``path``, in feeds of ``batch``."""

    path: Path
    sha256: str
    count: int
    batch: int
    batched: bool


@dataclass(frozen=True)
class Passed:
    """A model after its passes, and the artifacts from the source model to it."""

    model: Model
    chain: tuple[Artifact, ...]


def passed(model: Model, words: tuple[str, ...], calibration: Calibration, say: Say) -> Passed:
    """``model`` after the passes of these words, one after the other. Raises Unsupported where a pass cannot take it,
    with its reason."""
    chain = [model.source]
    for word in words:
        say(f"pass {word}")
        model = _step(model, read(word), calibration, say)
        chain.append(model.source)
    return Passed(model, tuple(chain))


def _step(model: Model, asked: Pass, calibration: Calibration, say: Say) -> Model:
    folder = paths.home() / "passes" / _key(model, asked, calibration)
    made_before = (folder / MODEL).is_file()
    tool = None if made_before or asked.kind in OWN else _tool(asked, say)
    started = time.perf_counter()
    if not made_before:
        with paths.building(folder) as made:
            if tool is None:
                _here(model.path, asked, made)
            else:
                _by_tool(tool, model.path, asked, calibration, made)
    artifact = Artifact(
        name=f"{model.source.name} {asked.word}",
        sha256=_sha256(folder),
        format="onnx",
        size_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        maker=_maker(asked),
        precision=PRECISIONS.get(asked.kind, model.source.precision),
        parent=model.source.sha256,
        options={"pass": asked.word},
        seconds=time.perf_counter() - started,
        contents=weights.contents(folder / MODEL),
    )
    return replace(model, path=folder / MODEL, source=artifact)


def _here(source: Path, asked: Pass, folder: Path) -> None:
    model = onnx.load(str(source))
    if asked.kind != "int4" and not weights.weights(model.graph):
        raise Unsupported(f"pass {asked.word}: the model has no weights in products or convolutions")
    if asked.kind == "prune":
        weights.prune(model, asked)
    elif asked.kind == "bf16":
        weights.in_bfloat16(model)
    else:
        model = weights.in_int4(model)
    onnx.save_model(
        model, str(folder / MODEL), save_as_external_data=True, all_tensors_to_one_file=True, location=WEIGHTS
    )


def _maker(asked: Pass) -> str:
    if asked.kind in OWN:
        return "accelbench"
    return (
        f"nncf {NNCF.pinned('nncf')}" if asked.kind == BY_NNCF else f"onnxruntime {find(TOOLS_BACKEND).table.version}"
    )


def _tool(asked: Pass, say: Say) -> tuple[Path, Path]:
    """The interpreter and the script that make this pass; the environment is made where it is not there."""
    if asked.kind == BY_NNCF:
        return install(NNCF, say) / "bin" / "python", NNCF.script
    return interpreter(find(TOOLS_BACKEND)), TOOL


def _by_tool(tool: tuple[Path, Path], source: Path, asked: Pass, calibration: Calibration, folder: Path) -> None:
    spec = find(TOOLS_BACKEND)
    job = {
        "kind": asked.kind,
        "model": str(source),
        "folder": str(folder),
        "backend": str(spec.folder),
        "package": str(Path(paths.__file__).parent.parent),
        "calibration": str(calibration.path),
        "count": calibration.count,
        "batch": calibration.batch,
        "batched": calibration.batched,
    }
    python, script = tool
    command = [str(python), "-I", str(script), json.dumps(job)]
    with paths.scratch() as work:
        seen = {**variables([], QUIET), "TMPDIR": str(work)}
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                cwd=work,
                env=seen,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unsupported(f"pass {asked.word} did not end within {LIMIT_S:g} s") from error
    if done.returncode or not (folder / MODEL).is_file():
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise Unsupported(f"pass {asked.word}: {lines[-1][:300] if lines else f'exit code {done.returncode}'}")


def _key(model: Model, asked: Pass, calibration: Calibration) -> str:
    seen = [calibration.sha256, calibration.count, calibration.batch] if asked.kind in CALIBRATED else []
    read_too = (NNCF.script, NNCF.lock) if asked.kind == BY_NNCF else ()
    sources = (TOOL, Path(tidy.__file__), Path(weights.__file__), *read_too)
    code = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources]
    tool = find(TOOLS_BACKEND)
    text = json.dumps([model.source.sha256, asked.word, seen, code, tool.lock_sha256, tool.adapter_sha256])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _sha256(folder: Path) -> str:
    """Over the files of the model: of the only one, or of the names and hashes of all."""
    hashes = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as handle:
            hashes[path.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return (
        hashes[MODEL] if len(hashes) == 1 else hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
    )
