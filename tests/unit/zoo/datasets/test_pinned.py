"""Sets and vocabularies come from where they are pinned, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.unit.zoo.server import serving

from accelbench.errors import AccelbenchError, UsageError
from accelbench.zoo.datasets import pinned
from accelbench.zoo.datasets.pinned import Pinned

CONTENT = b"content " * 99
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    return tmp_path


def test_a_set_is_downloaded_once_and_resumed_where_it_broke(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int | None]] = []
    with serving(CONTENT) as (server, address):
        monkeypatch.setitem(pinned.SETS, "squad", Pinned(f"{address}/set/dev.json", SHA256))
        server.at_most = 100
        with pytest.raises(AccelbenchError, match="broke after 100 of 792 bytes: try again to resume"):
            pinned.data("squad")
        server.at_most = None
        folder = pinned.data("squad", lambda have, whole: seen.append((have, whole)))
        assert pinned.data("squad") == folder == home / "data" / "squad"
    assert (folder / "dev.json").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == [None, "bytes=100-"]
    assert seen[-1] == (792, 792)


def test_a_vocabulary_comes_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(CONTENT) as (server, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setitem(pinned.VOCABULARIES, "mine", Pinned("org/net/abc/vocab.txt", SHA256))
        assert pinned.vocabulary("mine").read_bytes() == CONTENT
        monkeypatch.setitem(pinned.VOCABULARIES, "other", Pinned("net/abc/vocab.txt", "0" * 64))
        with pytest.raises(AccelbenchError, match=r"000000000000… is pinned: not used"):
            pinned.vocabulary("other")
    assert [path for path, _ in server.requests] == ["/org/net/resolve/abc/vocab.txt", "/net/resolve/abc/vocab.txt"]


def test_what_is_not_pinned_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"imagenet cannot be downloaded \(only squad, cifar-100 can\): .*--data DIR"):
        pinned.data("imagenet")
    with pytest.raises(UsageError, match="pinned for this task: use --tokenizer FILE"):
        pinned.vocabulary("")
    monkeypatch.setitem(pinned.SETS, "squad", Pinned("http://127.0.0.1:9/dev.json", SHA256))
    with pytest.raises(AccelbenchError, match="go online, or use --data DIR"):
        pinned.data("squad")


def test_the_tables_hold_addresses_and_checksums() -> None:
    for each in (*pinned.SETS.values(), *pinned.VOCABULARIES.values()):
        assert each.url.startswith("https://") or each.url.count("/") >= 2
        assert len(bytes.fromhex(each.sha256)) == 32
