"""Download of a pinned file over http: resumable, checked before use, and only when the user asks for it."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from accelbench import paths
from accelbench.errors import AccelbenchError

Progress = Callable[[int, "int | None"], None]
"""Called with the bytes that are there and the bytes of the whole, where known."""

BLOCK = 1 << 20
TIMEOUT_S = 30.0


def download(url: str, sha256: str, final: Path, advice: str, progress: Progress | None = None) -> Path:
    """The file ``final`` with the content that ``sha256`` pins, downloaded from ``url`` if it is not there yet.

    A broken download stays beside it as ``.part`` and is resumed by the next call. Raises AccelbenchError when the
    network is down (with ``advice`` on what else there is to do), or the content is not what is pinned.
    """
    if final.exists():
        return final
    part = final.with_name(f"{final.name}.part")
    with paths.disk_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part, advice, progress)
        with part.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if digest != sha256:
            part.unlink()
            raise AccelbenchError(f"{url} has checksum {digest[:12]}…, {sha256[:12]}… is pinned: not used")
        part.rename(final)
    return final


def _receive(url: str, part: Path, advice: str, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            if answer.status != 206:
                have = 0
            length = answer.headers.get("Content-Length")
            whole = have + int(length) if length else None
            with part.open("ab" if have else "wb") as handle:
                while block := answer.read(BLOCK):
                    handle.write(block)
                    have += len(block)
                    if progress:
                        progress(have, whole)
        if whole is not None and have < whole:
            raise AccelbenchError(f"{url}: the connection broke after {have} of {whole} bytes: try again to resume")
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is missing: the checksum decides
            return
        raise AccelbenchError(f"{url} answered {error.code} {error.reason}: {advice}") from error
    except urllib.error.URLError as error:
        raise AccelbenchError(f"{url} cannot be reached ({error.reason}): go online, {advice}") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise AccelbenchError(f"{url}: the connection broke ({error}): try again to resume") from error
