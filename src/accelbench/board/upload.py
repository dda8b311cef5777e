"""Bundles that a server is given: kept aside, verified, and only then added to a store."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.library.store import Added, Store

MOST_BYTES = 256 * 2**20
CHUNK = 2**16


class Busy(UsageError):
    """One upload at a time."""


class Quarantine:
    """Takes bundles of at most ``most_bytes`` for the store at ``store``, one at a time."""

    def __init__(self, store: Path, most_bytes: int = MOST_BYTES) -> None:
        self.store, self.most_bytes = store, most_bytes
        self._one = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether one is taken just now."""
        return self._one.locked()

    def take(self, source: BinaryIO, length: int) -> Added:
        """Read ``length`` bytes aside, verify them as a bundle, and add it. Raises Busy while another is taken,
        UsageError for bytes that end too early or are no bundle as it was made; nothing of them is left then."""
        if not self._one.acquire(blocking=False):
            raise Busy("another upload is going on: try again")
        try:
            with paths.disk_errors(self.store), tempfile.TemporaryDirectory(prefix="accelbench-upload-") as aside:
                file = Path(aside) / "upload"
                with file.open("xb") as out:
                    left = length
                    while left and (piece := source.read(min(CHUNK, left))):
                        out.write(piece)
                        left -= len(piece)
                if left:
                    raise UsageError(f"the upload ended {left} bytes too early")
                (added,) = Store(self.store).add(file)
                return added
        finally:
            self._one.release()
