"""Where accelbench keeps what it makes on this machine, and how a folder comes into being whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from accelbench.errors import UsageError


def home() -> Path:
    """The folder for environments, models, feeds and references: ``$ACCELBENCH_HOME``, else ``accelbench`` under
    ``$XDG_CACHE_HOME`` or ``~/.cache``. All of it can be deleted and is made again when needed."""
    chosen = os.environ.get("ACCELBENCH_HOME")
    if chosen:
        return Path(chosen).absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache").absolute() / "accelbench"


@contextmanager
def building(final: Path) -> Iterator[Path]:
    """A temporary sibling of ``final`` that becomes ``final`` when the block ends well and disappears when it does not.

    Where another process made ``final`` meanwhile, its work stands: what is made here is named by its content. Raises
    UsageError when ``final`` exists at the start, and one that names it when the disk is full or not writable.
    """
    with disk_errors(final):
        with _begun(final):
            temporary = Path(tempfile.mkdtemp(prefix=f".{final.name[:80]}.", dir=final.parent))
        try:
            temporary.chmod(0o755)
            with held(temporary):
                yield temporary
                _rename(temporary, final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _rename(temporary: Path, final: Path) -> None:
    try:
        temporary.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(temporary)


NO_PLACE = (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""What is wrong with a path under which nothing can be made."""

FRESH_S = 60.0
"""A hidden folder younger than this may be one whose maker has not locked it yet."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder is somebody's at work: ``sweep`` leaves it until the block ends or this process is gone. On a file
    system without locks nothing is held, and nothing swept."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def sweep(room: Path, fresh_s: float = FRESH_S) -> int:
    """Remove the hidden folders in ``room`` that writers left who were killed: those that nobody holds and that have
    not changed for ``fresh_s`` seconds. Returns how many."""
    swept = 0
    for folder in [room / name for name in os.listdir(room) if name.startswith(".")]:  # noqa: PTH208 - a store is large
        with suppress(OSError):
            if not folder.is_dir() or folder.is_symlink() or time.time() - folder.stat().st_mtime < fresh_s:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                swept += 1
            finally:
                os.close(descriptor)
    return swept


@contextmanager
def writing(final: Path, replace: bool = False, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A new file, open for reading and writing, that becomes ``final`` when the block ends well and disappears when it
    does not; it is on the disk before it gets its name. Raises UsageError when ``final`` is there already, unless it
    is to be replaced, and one that names it when the disk is full or not writable."""
    with disk_errors(final):
        with _begun(final, replace):
            handle, name = tempfile.mkstemp(prefix=f".{final.name[:80]}.", dir=final.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            if replace:
                temporary.replace(final)
            else:
                final.hardlink_to(temporary)
        except FileExistsError:
            raise _refusal(final) from None
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _begun(final: Path, replace: bool = False) -> Iterator[None]:
    """The folder of ``final`` is there; UsageError that names ``final`` where it cannot be made in it, or is there."""
    try:
        if final.exists() and not replace:
            raise _refusal(final)
        final.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno not in NO_PLACE:
            raise
        raise UsageError(f"{final} cannot be made ({error.strerror}): choose another path") from error


def _refusal(final: Path) -> UsageError:
    return UsageError(f"{final} exists already; it is never overwritten: choose another path or remove it")


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn a full or read-only disk, or a missing permission, into one line that names ``place``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UsageError(f"no space left on the disk of {place}: free some or choose another place") from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG):
            raise UsageError(f"{place} cannot be written ({error.strerror}): choose a writable place") from error
        raise


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one evaluation's large intermediate files, gone afterwards; also those of killed processes go."""
    room = home() / "scratch"
    with disk_errors(room):
        room.mkdir(parents=True, exist_ok=True)
        sweep(room)
        folder = Path(tempfile.mkdtemp(prefix=".", dir=room))
    try:
        with disk_errors(room), held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
