"""Data and vocabularies that can be downloaded: where they are, and the checksum that they must have.

ImageNet, Criteo and CAIL2019-SCM cannot: their licences want to be agreed to, or no lasting address of them is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.zoo import hub
from accelbench.zoo.download import Progress, download


@dataclass(frozen=True)
class Pinned:
    """A file at ``url``; without scheme it is ``repo/revision/file`` on the hub."""

    url: str
    sha256: str


SETS: Mapping[str, Pinned] = {
    "squad": Pinned(
        "https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v1.1.json",
        "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9",
    ),
    "cifar-100": Pinned(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
}
"""By the name of the loader. Checksums as the sets' users have published them: huggingface_hub's tests (SQuAD), Keras
(CIFAR-100)."""

VOCABULARIES: Mapping[str, Pinned] = {
    "bert-base-uncased": Pinned(
        "bert-base-uncased/86b5e0934494bd15c9632b12f734a8a67f723594/vocab.txt",
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    ),
}
"""By the name that a task's ``[real]`` table gives as ``tokenizer``."""


def data(loader: str, progress: Progress | None = None) -> Path:
    """The folder with the downloaded set of a loader. Raises UsageError where it cannot be downloaded."""
    if loader not in SETS:
        raise UsageError(f"{loader} cannot be downloaded (only {', '.join(SETS)} can): get it and use --data DIR")
    return _fetch(SETS[loader], paths.home() / "data" / loader, "or use --data DIR", progress).parent


def vocabulary(name: str, progress: Progress | None = None) -> Path:
    """The downloaded vocabulary of this name. Raises UsageError where there is none."""
    if name not in VOCABULARIES:
        raise UsageError(f"no vocabulary to download is pinned for {name or 'this task'}: use --tokenizer FILE")
    return _fetch(
        VOCABULARIES[name], paths.home() / "data" / name, "set $HF_ENDPOINT, or use --tokenizer FILE", progress
    )


def _fetch(pinned: Pinned, folder: Path, advice: str, progress: Progress | None) -> Path:
    name = pinned.url.rpartition("/")[2]
    where = pinned.url
    if "://" not in where:
        repo, revision, file = where.rsplit("/", 2)
        where = hub.url(repo, revision, file)
    return download(where, pinned.sha256, folder / name, advice, progress)
