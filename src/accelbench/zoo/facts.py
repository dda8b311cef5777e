"""What tasks' graphs tell of themselves, counted once per machine: a listing of the zoo should not take seconds."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path

import onnx
from pydantic import TypeAdapter, ValidationError

from accelbench import paths
from accelbench.model import Task
from accelbench.zoo import catalogue, graph_facts
from accelbench.zoo.graph_facts import GraphFacts

ADAPTER = TypeAdapter(GraphFacts)


def facts_of(task: Task, where: Path | None = None) -> GraphFacts:
    """The facts of one sample of a task in folder ``where`` (None: a shipped one).

    They are kept in accelbench's home under the hash of the graph and of what counts it; what cannot be read there is
    counted again, and where nothing can be written nothing is kept. Raises UsageError for a graph that is not the
    task's, when it has to be read.
    """
    path = paths.home() / "facts" / f"{_key(task.graph_sha256)}.json"
    with contextlib.suppress(OSError, ValidationError):
        return ADAPTER.validate_json(path.read_bytes())
    counted = graph_facts.graph_facts(catalogue.graph(task, where))
    with contextlib.suppress(OSError):
        _keep(path, ADAPTER.dump_json(counted))
    return counted


def _key(graph_sha256: str) -> str:
    return hashlib.sha256(json.dumps([graph_sha256, _counter()]).encode()).hexdigest()[:32]


@cache
def _counter() -> str:
    """What the figures depend on besides the graph: our counting, and the library's inference of shapes."""
    return hashlib.sha256(Path(graph_facts.__file__).read_bytes() + onnx.__version__.encode()).hexdigest()


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).rename(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
