"""``accelbench.load``: the one call that a business codes against, whatever chip is below.

Standard library and NumPy only, Python 3.9 syntax, as long as the model runs in the process itself: so it works in a
stack's own environment. Only to run it in another environment the host's modules are imported.
"""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, cast

import numpy as np

from accelbench.backends.protocol import Feed, Session
from accelbench.deploy import manifest as stored
from accelbench.deploy.manifest import BACKEND, SAMPLE_INPUTS, SAMPLE_OUTPUTS, Manifest
from accelbench.errors import UsageError
from accelbench.model import TensorSpec
from accelbench.tensors import Array, TensorSet, relative_l2
from accelbench.worker.jobs import compile_job
from accelbench.worker.main import import_adapter

Where = Literal["auto", "process", "environment"]


class Model:
    """A loaded deployable: call it with a feed. ``where`` it runs: in this ``process`` or in the backend's own
    ``environment``. As a context it closes itself."""

    def __init__(self, manifest: Manifest, folder: Path, session: Session, where: str) -> None:
        self.manifest = manifest
        self.where = where
        self._folder = folder
        self._session: Session | None = session
        self._free = where == "environment" or manifest.threads
        self._turn = threading.Lock()

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Name, dtype and shape of each input, the batch included."""
        return self.manifest.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Name, dtype and shape of each output, the batch included. A string in a shape is a symbolic dimension."""
        return self.manifest.outputs

    @property
    def sample(self) -> Mapping[str, Array]:
        """A feed that was run when the model was evaluated."""
        return self._record(SAMPLE_INPUTS)

    def __call__(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run one feed, ``{name: array}`` as ``inputs`` lists them, and give ``{name: array}`` as ``outputs`` does.

        Threads may call at once. The arrays that come back may be the stack's own: they hold until the same thread's
        next call; copy what is kept longer. Raises UsageError for a feed that is not the model's, and what the stack
        raises.
        """
        session = self._session
        if session is None:
            raise UsageError(f"the model {self.manifest.name} was closed: load it again")
        feed = self._feed(inputs)
        if self._free:
            return session.run(feed)
        with self._turn:
            return {name: np.array(value) for name, value in session.run(feed).items()}

    def check(self) -> float:
        """Run the sample and give the largest relative L2 distance of an output from what it was when the model was
        evaluated: 0.0 for the same values, infinite for another shape, or for NaN where there was none."""
        found, expected = self(self.sample), self._record(SAMPLE_OUTPUTS)
        return max(_distance(found.get(name), value) for name, value in expected.items())

    def close(self) -> None:
        """Give back what the session holds; in another environment, end it. Does nothing the second time."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _feed(self, inputs: Mapping[str, Array]) -> Feed:
        names = [spec.name for spec in self.inputs]
        if set(inputs) != set(names):
            raise UsageError(f"model {self.manifest.name} takes the inputs {names}, it got {sorted(inputs)}")
        feed = {}
        for spec in self.inputs:
            value = feed[spec.name] = np.asarray(inputs[spec.name])
            if value.dtype.name != spec.dtype or value.shape != spec.shape:
                raise UsageError(
                    f"input {spec.name} of model {self.manifest.name} is {spec.dtype} {list(spec.shape)}, "
                    f"it got {value.dtype.name} {list(value.shape)}"
                )
        return feed

    def _record(self, name: str) -> Mapping[str, Array]:
        return cast("Mapping[str, Array]", TensorSet(self._folder / name)[0])


def load(folder: Path | str, where: Where = "auto") -> Model:
    """The deployable in ``folder``, verified and loaded.

    ``process``: in this process, whose environment must have the stack. ``environment``: in the backend's own, in a
    worker process. ``auto``: in this process where it has the packages that the model was evaluated with, in the same
    versions, else in the environment. Raises UsageError when there is no deployable or nowhere to run it,
    AccelbenchError when a file is not the one that was evaluated, and what the stack raises.
    """
    place = Path(folder).absolute()
    manifest = stored.read(place)
    stored.verify(manifest, place)
    lacking = _lacking(manifest)
    if where == "process" or (where == "auto" and not lacking):
        try:
            adapter = import_adapter(place / BACKEND / "adapter.py")
        except ImportError as error:
            raise UsageError(
                f"{manifest.target.backend} cannot be imported in this process ({error}); lacking: "
                f"{', '.join(lacking) or 'unknown'}: install it, or load the model with where='environment'"
            ) from error
        return Model(manifest, place, adapter.load(manifest.compiled, compile_job(manifest.job(place))), "process")
    from accelbench.deploy.remote import RemoteSession

    return Model(manifest, place, RemoteSession(manifest, place), "environment")


def _lacking(manifest: Manifest) -> list[str]:
    """What this process's environment would need to run the model as it was evaluated."""
    found = []
    for name, version in manifest.requires.items():
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            here = "not there"
        if here != version:
            found.append(f"{name} {version} (here: {here})")
    return found


def _distance(found: Any, expected: Array) -> float:
    if found is None or found.dtype != expected.dtype:
        return float("inf")
    apart = relative_l2(found, expected)
    return float("inf") if apart is None else apart
