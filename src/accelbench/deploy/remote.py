"""A session in the backend's own environment, beside a process that does not have the stack itself."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from accelbench.backends.protocol import Feed, Outputs
from accelbench.deploy.manifest import BACKEND, Manifest
from accelbench.envs import spec as specs
from accelbench.envs.install import installed
from accelbench.envs.worker import Worker
from accelbench.errors import UsageError
from accelbench.worker.shared import SharedArrays, size_bytes


class RemoteSession:
    """The loaded model in a worker process, as a ``Session``.

    Each calling thread has its own memory, shared with the worker, for one feed and its outputs: a query costs a copy
    of the feed, a copy of the outputs and two short messages. The worker takes one query at a time. It ends with
    ``close``, or with this process, however that ends.
    """

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        """Start and load. Raises UsageError when the environment is not there or a tensor has no fixed shape, and what
        a Worker raises."""
        spec = specs.read(folder / BACKEND)
        if not installed(spec):
            raise UsageError(
                f"the environment of {spec.name} {spec.table.version} is not on this machine: run "
                f"'accelbench backend install {folder}', or have {_words(manifest)} in this process's environment"
            )
        self._manifest, self._bytes = manifest, size_bytes((*manifest.inputs, *manifest.outputs))
        self._local, self._turn = threading.local(), threading.Lock()
        self._logs = tempfile.TemporaryDirectory(prefix="accelbench-", ignore_cleanup_errors=True)
        self._worker = Worker(spec, Path(self._logs.name), handles_sigterm=False)
        try:
            self._worker.__enter__()
            self._worker.load(manifest.compiled, manifest.job(folder.absolute()))
        except BaseException:
            self.close()
            raise

    def run(self, feed: Feed) -> Outputs:
        """The outputs are this thread's part of the shared memory."""
        with self._turn:
            shared, number = self._memory()
            for name, room in shared.inputs.items():
                room[...] = feed[name]
            self._worker.call(number)
        return shared.outputs

    def close(self) -> None:
        self._worker.__exit__(None, None, None)
        self._logs.cleanup()

    def _memory(self) -> tuple[SharedArrays, int]:
        """The calling thread's memory and its number, made the first time."""
        mine: tuple[SharedArrays, int] | None = getattr(self._local, "mine", None)
        if mine is None:
            inputs, outputs = self._manifest.inputs, self._manifest.outputs
            descriptor = os.memfd_create("accelbench")
            try:
                os.ftruncate(descriptor, self._bytes)
                shared = SharedArrays(descriptor, inputs, outputs)
                path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
                mine = self._local.mine = shared, self._worker.share(path, inputs, outputs)
            finally:
                os.close(descriptor)
        return mine


def _words(manifest: Manifest) -> str:
    return ", ".join(f"{name} {version}" for name, version in manifest.requires.items()) or "the stack"
