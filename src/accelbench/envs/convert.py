"""Models of other formats as ONNX files, and quantised ones, each made by a tool in an environment of its own.

A tool is a folder ``tools/<name>`` of this room: ``tool.py``, which runs there, and a hashed ``requirements.lock``.
Its environment lies in ``tools/<name>-<hash>`` of accelbench's home and is made when it is first needed. PyTorch is
installed beside the lock, by its version alone: which of its builds suits a host, pip decides there.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from accelbench import paths
from accelbench.envs import packages
from accelbench.errors import UsageError

TOOLS = Path(__file__).parent / "tools"
FORMATS = "an .onnx, .tflite or .pt2 file, a transformers folder or its id on a hub (organisation/name)"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Tool:
    """A converter: the folder's name, and packages beside its lock whose builds differ from host to host."""

    name: str
    unlocked: tuple[str, ...] = ()

    @property
    def lock(self) -> Path:
        return TOOLS / self.name / "requirements.lock"

    @property
    def script(self) -> Path:
        return TOOLS / self.name / "tool.py"

    def pinned(self, package: str) -> str:
        """The version of a package in the lock. Raises StopIteration for one that is not there."""
        lines = self.lock.read_text(encoding="utf-8").splitlines()
        return next(line.split()[0].partition("==")[2] for line in lines if line.startswith(f"{package}=="))


TORCH = Tool("torch", ("torch==2.13.0",))
TFLITE = Tool("tflite")
NNCF = Tool("nncf")


def to_onnx(model: str, data: Path, work: Path, say: Say) -> Path:
    """The ONNX file of ``model``: itself, or one made in the folder ``work``. ``data`` are samples to trace it with.

    Raises UsageError for what cannot be converted, with the tool's last line.
    """
    path = Path(model)
    if path.suffix == ".onnx":
        return path
    if path.suffix == ".tflite" and path.is_file():
        return _converted(TFLITE, "tflite", path.resolve(), data, work, say)
    if path.suffix == ".pt2" and path.is_file():
        return _converted(TORCH, "pt2", path.resolve(), data, work, say)
    if (path / "config.json").is_file():
        return _converted(TORCH, "transformers", path.resolve(), data, work, say)
    if path.exists() or path.suffix in (".tflite", ".pt2") or model.count("/") != 1 or model.startswith((".", "/")):
        there = "is not" if path.exists() else "is not there, and not"
        raise UsageError(f"{model} {there} {FORMATS}: export it to one of these")
    return _converted(TORCH, "transformers", model, data, work, say)


def _converted(tool: Tool, kind: str, model: str | Path, data: Path, work: Path, say: Say) -> Path:
    python = install(tool, say) / "bin" / "python"
    say(f"converting {Path(model).name} to ONNX")
    made, log = work / "model.onnx", paths.home() / "tools" / f"{tool.name}-last.log"
    command = [str(python), "-I", str(tool.script), kind, str(model), str(data.resolve()), str(made)]
    with log.open("wb") as sink:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=work, check=False)
    if code.returncode or not made.is_file():
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        why = lines[-1][:300] if lines else f"exit code {code.returncode}"
        raise UsageError(f"{model} cannot be converted to ONNX: {why}; log: {log}")
    return made


def location(tool: Tool) -> Path:
    """Where the tool's environment is, or would be."""
    key = hashlib.sha256(f"{platform.python_implementation()} {platform.python_version()} {tool.unlocked}".encode())
    key.update(tool.lock.read_bytes())
    return paths.home() / "tools" / f"{tool.name}-{key.hexdigest()[:12]}"


def install(tool: Tool, say: Say) -> Path:
    """The folder of the tool's environment, made when it is not there. Raises AccelbenchError with the last line of the
    installer's output."""
    folder = location(tool)
    if folder.is_dir():
        return folder
    log = folder.with_name(f"{folder.name}.log")
    with paths.building(folder) as made:
        log.unlink(missing_ok=True)
        packages.make(made, tool.lock, tool.unlocked, log, f"converter {tool.name}", say)
    log.unlink(missing_ok=True)
    return folder
