"""Download of pinned weights from the hub, only when the user asks for it."""

from __future__ import annotations

import os
import urllib.parse
from pathlib import Path

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.model import WeightSource
from accelbench.zoo.download import Progress, download


def fetch(source: WeightSource, progress: Progress | None = None) -> Path:
    """The file of a hub source in the cache, downloaded if it is not there yet.

    The server is ``$HF_ENDPOINT``, else https://huggingface.co. A broken download is resumed by the next call. Raises
    AccelbenchError when the network is down or the file is not what the task pins.
    """
    if not (source.repo and source.revision and source.file and source.sha256):
        raise UsageError("a hub source needs repo, revision, file and sha256: correct the task")
    final = paths.home() / "hub" / f"{source.sha256}.safetensors"
    return download(
        url(source.repo, source.revision, source.file),
        source.sha256,
        final,
        "set $HF_ENDPOINT, or use --weights FILE",
        progress,
    )


def url(repo: str, revision: str, file: str) -> str:
    """Where the hub has a file: under ``$HF_ENDPOINT``, else https://huggingface.co."""
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    where = urllib.parse.quote(f"{repo}/resolve/{revision}/{file}")
    return f"{endpoint}/{where}"
