"""Each source of weights gives what the graph needs, or one line that names what is wrong."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from tests.unit.zoo.server import Server, serving

from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import Dataset, Metric, Task, TensorSpec, Tolerance, WeightSource
from accelbench.zoo import hub, seeded
from accelbench.zoo.weights import Slot, choose, from_seed, graph_bytes, local, shipped

SLOTS = [Slot("w", "float32", (2, 3)), Slot("b", "float32", (3,))]
TENSORS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(3, np.float32)}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write(path: Path, tensors: dict[str, np.ndarray] | None = None) -> Path:
    path.write_bytes(safetensors.numpy.save(TENSORS if tensors is None else tensors))
    return path


def task(*weights: WeightSource, graph: bytes = b"") -> Task:
    spec = TensorSpec("x", "float32", ("batch",))
    return Task(
        id="t", version=1, title="t", tier="smoke", domain="any", graph="graph.onnx.gz", graph_sha256=sha256(graph),
        weights=weights, batched=True, inputs=(spec,), outputs=(spec,), dataset=Dataset("digits", 1),
        metric=Metric("none"), tolerance=Tolerance(),
    )  # fmt: skip


def moments_file(folder: Path, tensors: dict[str, dict[str, object]], statistics: str | None = None) -> WeightSource:
    data = json.dumps({"statistics_sha256": statistics, "tensors": tensors}).encode()
    (folder / "moments.json").write_bytes(data)
    return WeightSource("seeded", file="moments.json", sha256=sha256(data), seed=3)


def values(source_pieces: Iterator[np.ndarray]) -> list[float]:
    return [float(value) for piece in source_pieces for value in piece]


# --- local and shipped -------------------------------------------------------------------------------------------


def test_local_file_gives_its_values(tmp_path: Path) -> None:
    source = local(write(tmp_path / "mine.safetensors"), SLOTS)
    assert source.kind == "local"
    assert values(source.pieces(SLOTS[0])) == [0, 1, 2, 3, 4, 5]


def bfloat16(path: Path, name: str, shape: list[int], halves: list[int]) -> Path:
    """A file as the hub has them, with a tensor of a type that NumPy does not know."""
    row = {"dtype": "BF16", "shape": shape, "data_offsets": [0, 2 * len(halves)]}
    header = json.dumps({name: row}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.array(halves, "<u2").tobytes())
    return path


def test_narrow_floats_are_taken_for_float32(tmp_path: Path) -> None:
    slot = Slot("w", "float32", (2, 2))
    brain = local(bfloat16(tmp_path / "b.safetensors", "w", [2, 2], [0x3F80, 0xC000, 0x4049, 0x0001]), [slot])
    assert values(brain.pieces(slot)) == [1.0, -2.0, 3.140625, 2.0**-133]
    assert {piece.dtype for piece in brain.pieces(slot)} == {np.dtype(np.float32)}
    half = local(write(tmp_path / "h.safetensors", {"w": np.array([[1, 2], [3, 2**-24]], np.float16)}), [slot])
    assert values(half.pieces(slot)) == [1, 2, 3, 2**-24]
    with pytest.raises(UsageError, match=r"tensor w is bfloat16\[2, 2\], the graph needs int64\[2, 2\]"):
        local(tmp_path / "b.safetensors", [Slot("w", "int64", (2, 2))])


def test_an_index_stands_for_its_files(tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    write(tmp_path / "1.safetensors", {"w": TENSORS["w"]})
    bfloat16(tmp_path / "2.safetensors", "b", [3], [0x3F80, 0x4000, 0x4040])
    index.write_text(json.dumps({"weight_map": {"w": "1.safetensors", "b": "2.safetensors"}}))
    source = local(index, SLOTS)
    assert values(source.pieces(SLOTS[0])) == [0, 1, 2, 3, 4, 5]
    assert values(source.pieces(SLOTS[1])) == [1, 2, 3]
    bfloat16(tmp_path / "2.safetensors", "b", [3], [0x3F80, 0x4000, 0])
    assert local(index, SLOTS).key != source.key
    with pytest.raises(UsageError, match="has no tensor c, which the graph needs"):
        local(index, [*SLOTS, Slot("c", "float32", (1,))])
    (tmp_path / "2.safetensors").unlink()
    with pytest.raises(UsageError, match=r"2\.safetensors does not exist"):
        local(index, SLOTS)
    index.write_text("[]")
    with pytest.raises(UsageError, match=r"index\.json is no index of safetensors files"):
        local(index, SLOTS)


def test_key_follows_the_content_and_not_the_path(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.safetensors"), write(tmp_path / "b.safetensors")
    three = write(tmp_path / "c.safetensors", TENSORS | {"b": np.zeros(3, np.float32)})
    assert local(one, SLOTS).key == local(two, SLOTS).key != local(three, SLOTS).key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": np.zeros((3, 2), np.float32)}, r"tensor w is float32\[3, 2\], the graph needs float32\[2, 3\]"),
        ({"b": np.zeros(3, np.float64)}, r"tensor b is float64\[3\], the graph needs float32\[3\]"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(
    tmp_path: Path, change: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        local(write(tmp_path / "w.safetensors", TENSORS | change), SLOTS)


def test_missing_tensor_missing_file_and_nonsense(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no tensor b, .* it has 1 others, the first is w"):
        local(write(tmp_path / "w.safetensors", {"w": TENSORS["w"]}), SLOTS)
    with pytest.raises(UsageError, match=r"gone.safetensors does not exist"):
        local(tmp_path / "gone.safetensors", SLOTS)
    (tmp_path / "text").write_text("no tensors here")
    with pytest.raises(UsageError, match="not a readable safetensors file"):
        local(tmp_path / "text", SLOTS)
    (tmp_path / "cut").write_bytes((tmp_path / "w.safetensors").read_bytes()[:-4])
    with pytest.raises(UsageError, match="not a readable safetensors file"):
        local(tmp_path / "cut", SLOTS)


def test_shipped_weights_are_checked(tmp_path: Path) -> None:
    path = write(tmp_path / "weights.safetensors")
    source = WeightSource("shipped", file=path.name, sha256=sha256(path.read_bytes()))
    assert values(shipped(source, tmp_path, SLOTS).pieces(SLOTS[1])) == [1, 1, 1]
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(UsageError, match=r"weights.safetensors is corrupted"):
        shipped(source, tmp_path, SLOTS)
    path.unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        shipped(source, tmp_path, SLOTS)


# --- seeded ------------------------------------------------------------------------------------------------------


def test_seeded_draws_by_name_and_takes_what_is_stored(tmp_path: Path) -> None:
    statistics = write(tmp_path / "statistics.safetensors", {"b": np.array([1, 2, 4], np.float16)})
    tensors: dict[str, dict[str, object]] = {"w": {"kind": "normal", "std": 0.1}, "b": {"kind": "stored"}}
    source = moments_file(tmp_path, tensors, sha256(statistics.read_bytes()))
    found = from_seed(source, tmp_path, SLOTS)
    assert values(found.pieces(SLOTS[0])) == seeded.draw("w", 6, seeded.Moments("normal", std=0.1), 3).tolist()
    (stored,) = found.pieces(SLOTS[1])
    assert stored.dtype == np.float32
    assert stored.tolist() == [1, 2, 4]
    statistics.write_bytes(b"other")
    with pytest.raises(UsageError, match=r"statistics.safetensors is corrupted"):
        from_seed(source, tmp_path, SLOTS)


def test_moments_must_be_whole(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no moments for b"):
        from_seed(moments_file(tmp_path, {"w": {"kind": "constant"}}), tmp_path, SLOTS)
    with pytest.raises(UsageError, match="is not a file of moments"):
        from_seed(moments_file(tmp_path, {"w": {"kind": "guess"}}), tmp_path, SLOTS)


# --- choice ------------------------------------------------------------------------------------------------------


def test_first_source_that_is_there_wins_and_the_users_word_before_all(tmp_path: Path) -> None:
    path = write(tmp_path / "weights.safetensors")
    kept = WeightSource("shipped", file=path.name, sha256=sha256(path.read_bytes()))
    drawn = moments_file(tmp_path, {"w": {"kind": "constant"}, "b": {"kind": "constant"}})
    asked = WeightSource("local")
    assert choose(task(asked, kept, drawn), tmp_path, SLOTS).kind == "shipped"
    assert choose(task(asked, drawn, kept), tmp_path, SLOTS).kind == "seeded"
    assert choose(task(asked, kept, drawn), tmp_path, SLOTS, file=path).kind == "local"
    with pytest.raises(UsageError, match="no weights on the hub"):
        choose(task(kept), tmp_path, SLOTS, download=True)
    with pytest.raises(UsageError, match="no weights of its own"):
        choose(task(asked), tmp_path, SLOTS)


def test_graph_is_unpacked_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "graph.onnx.gz"
    path.write_bytes(gzip.compress(b"graph"))
    assert graph_bytes(task(graph=b"graph"), tmp_path) == b"graph"
    with pytest.raises(UsageError, match="its checksum is not the task's"):
        graph_bytes(task(graph=b"other"), tmp_path)
    path.write_bytes(gzip.compress(b"graph")[:-6])
    with pytest.raises(UsageError, match="is corrupted"):
        graph_bytes(task(graph=b"graph"), tmp_path)


# --- hub ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Server]]:
    with serving(safetensors.numpy.save(TENSORS)) as (handler, address):
        monkeypatch.setenv("HF_ENDPOINT", f"{address}/")
        monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
        yield handler


def on_hub(server: type[Server]) -> WeightSource:
    return WeightSource("hub", file="m.safetensors", sha256=sha256(server.content), repo="org/net", revision="abc")


def test_hub_downloads_once_and_tells_progress(server: type[Server], tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    chosen = choose(
        task(on_hub(server)), tmp_path, SLOTS, download=True, progress=lambda have, whole: seen.append((have, whole))
    )
    assert (chosen.kind, chosen.detail) == ("hub", "org/net@abc/m.safetensors")
    assert values(chosen.pieces(SLOTS[0])) == [0, 1, 2, 3, 4, 5]
    assert seen[-1] == (len(server.content), len(server.content))
    hub.fetch(on_hub(server))
    assert server.requests == [("/org/net/resolve/abc/m.safetensors", None)]


def test_broken_download_is_resumed(server: type[Server]) -> None:
    server.at_most = 40
    with pytest.raises(AccelbenchError, match="try again to resume"):
        hub.fetch(on_hub(server))
    server.at_most = None
    assert hub.fetch(on_hub(server)).read_bytes() == server.content
    assert [wanted for _, wanted in server.requests] == [None, "bytes=40-"]


def test_complete_part_is_checked_without_another_byte(server: type[Server], tmp_path: Path) -> None:
    part = tmp_path / "home" / "hub" / f"{sha256(server.content)}.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(server.content)
    assert hub.fetch(on_hub(server)).read_bytes() == server.content


def test_wrong_content_is_never_used(server: type[Server], tmp_path: Path) -> None:
    source = on_hub(server)
    server.content = server.content[:-1] + b"\x07"
    with pytest.raises(AccelbenchError, match=r"is pinned: not used"):
        hub.fetch(source)
    assert list((tmp_path / "home" / "hub").iterdir()) == []


def test_offline_and_refused_are_one_line(
    tmp_path: Path, server: type[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "do_GET", lambda handler: handler.send_error(404))
    with pytest.raises(AccelbenchError, match="answered 404"):
        hub.fetch(on_hub(server))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(AccelbenchError, match=r"cannot be reached .*: go online, set \$HF_ENDPOINT"):
        hub.fetch(on_hub(server))
    with pytest.raises(UsageError, match="needs repo, revision"):
        hub.fetch(WeightSource("hub", file="x"))
    assert not list((tmp_path / "home" / "hub").glob("*.safetensors"))
