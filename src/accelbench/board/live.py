"""A board that follows its stores: built anew when one of them changes, the old one being shown until then."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from accelbench.board import build
from accelbench.board.data import Wish
from accelbench.errors import AccelbenchError
from accelbench.library import layout
from accelbench.library.rows import Stamp

Stamps = tuple[dict[str, Stamp], ...]


class Live:
    """The board of ``stores`` in a folder of its own, gone at the end. ``version`` rises with each new board,
    whose data ``index`` has."""

    def __init__(self, stores: Sequence[Path], wish: Wish, assets: Path = build.ASSETS, poll_s: float = 2.0) -> None:
        build.check_page(assets)
        self.stores, self.poll_s, self.version = tuple(stores), poll_s, 0
        self.problem: str | None = None
        self.index: Mapping[str, Any] = {}
        self._wish, self._assets = wish, assets
        self._scratch = Path(tempfile.mkdtemp(prefix="accelbench-board-"))
        self._changed, self._building, self._ended = threading.Condition(), threading.Lock(), threading.Event()
        self._seen: Stamps = ()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Live:
        try:
            self.rebuild()
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self._watcher.join()
        shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the present board lies. The one before it stays for those who are reading it."""
        return self._scratch / str(self.version)

    @property
    def ended(self) -> bool:
        """Whether nobody follows the stores any more."""
        return self._ended.is_set()

    def rebuild(self) -> None:
        """Build the board anew, and tell those that wait. Raises as ``build.fill`` does; the old board stays then."""
        with self._building:
            seen, following = self._stamps(), self.version + 1
            folder = self._scratch / str(following)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            index = build.fill(folder, self.stores, self._wish, self._assets, None)
            self._seen, self.problem = seen, None
            with self._changed:
                self.version, self.index = following, index
                self._changed.notify_all()
            shutil.rmtree(self._scratch / str(following - 2), ignore_errors=True)

    def wait(self, version: int, timeout_s: float) -> bool:
        """Whether another board than ``version`` is there; waits at most so long for one."""
        with self._changed:
            return self._changed.wait_for(lambda: self.version != version or self.ended, timeout_s)

    def _stamps(self) -> Stamps:
        return tuple(layout.folders(store) for store in self.stores)

    def _watch(self) -> None:
        while not self._ended.wait(self.poll_s):
            with suppress(OSError):
                if self._stamps() == self._seen:
                    continue
                try:
                    self.rebuild()
                except AccelbenchError as error:
                    self.problem = str(error)
