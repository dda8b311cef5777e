"""Download of pinned weights over https: resumable, checked before use, and only when the user asks for it."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from accelbench import paths
from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import WeightSource

Progress = Callable[[int, "int | None"], None]
"""Called with the bytes that are there and the bytes of the whole, where known."""

BLOCK = 1 << 20
TIMEOUT_S = 30.0


def fetch(source: WeightSource, progress: Progress | None = None) -> Path:
    """The file of a hub source in the cache, downloaded if it is not there yet.

    The server is ``$HF_ENDPOINT``, else https://huggingface.co. A broken download is resumed by the next call. Raises
    AccelbenchError when the network is down or the file is not what the task pins.
    """
    if not (source.repo and source.revision and source.file and source.sha256):
        raise UsageError("a hub source needs repo, revision, file and sha256: correct the task")
    final = paths.home() / "hub" / f"{source.sha256}.safetensors"
    if final.exists():
        return final
    part = final.with_suffix(".part")
    with paths.disk_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        url = _url(source)
        _download(url, part, progress)
        with part.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if digest != source.sha256:
            part.unlink()
            raise AccelbenchError(f"{url} has checksum {digest[:12]}…, the task pins {source.sha256[:12]}…: not used")
        part.rename(final)
    return final


def _url(source: WeightSource) -> str:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    where = urllib.parse.quote(f"{source.repo}/resolve/{source.revision}/{source.file}")
    return f"{endpoint}/{where}"


def _download(url: str, part: Path, progress: Progress | None) -> None:
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
        raise AccelbenchError(f"{url} answered {error.code} {error.reason}: check $HF_ENDPOINT and the task") from error
    except urllib.error.URLError as error:
        raise AccelbenchError(
            f"{url} cannot be reached ({error.reason}): go online, set $HF_ENDPOINT, or use --weights FILE"
        ) from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise AccelbenchError(f"{url}: the connection broke ({error}): try again to resume") from error
