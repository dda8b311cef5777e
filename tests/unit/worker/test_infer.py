import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tests.unit.worker.fakes import FakeSession, doubled, samples, written

from accelbench.tensors import Record, TensorSet
from accelbench.worker.infer import batches, infer, same_bits


@pytest.mark.parametrize(("count", "batch", "runs"), [(8, 4, 2), (5, 4, 2), (3, 1, 3), (2, 5, 1)])
def test_every_sample_comes_out_once_in_order(tmp_path: Path, count: int, batch: int, runs: int) -> None:
    session = FakeSession(doubled)
    facts = infer(session, written(tmp_path / "in", samples(count)), tmp_path / "out", batch, batched=True)
    out = TensorSet(tmp_path / "out")
    assert (facts.records, facts.runs, facts.unready, len(out)) == (count, runs, 0, count)
    assert all(feed["x"].shape == (batch, 3) for feed in session.feeds)
    for i, record in enumerate(out):
        assert record["y"].tolist() == [2 * i, 2 * i + 2, 2 * i + 4]
        assert record["sum"].tolist() == 3 * i + 3


def test_the_last_feed_is_filled_up_with_its_last_sample(tmp_path: Path) -> None:
    session = FakeSession(doubled)
    infer(session, written(tmp_path / "in", samples(5)), tmp_path / "out", 4, batched=True)
    assert session.feeds[1]["x"][:, 0].tolist() == [4, 4, 4, 4]


def test_an_unbatched_task_is_run_record_by_record(tmp_path: Path) -> None:
    session = FakeSession(lambda feed: {"y": feed["x"] + 1})
    facts = infer(session, written(tmp_path / "in", samples(3)), tmp_path / "out", 1, batched=False)
    assert facts.runs == 3
    assert [record["y"].tolist() for record in TensorSet(tmp_path / "out")] == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]


def test_an_output_without_the_batch_in_front_is_written_whole(tmp_path: Path) -> None:
    session = FakeSession(lambda _: {"y": np.zeros((7, 3), np.float32)})
    infer(session, written(tmp_path / "in", samples(4)), tmp_path / "out", 2, batched=True)
    assert [record["y"].shape for record in TensorSet(tmp_path / "out")] == [(7, 3)] * 4


def test_outputs_that_change_after_they_were_handed_back_are_counted_and_kept_as_handed(tmp_path: Path) -> None:
    def late(feed: Record) -> Record:
        handed = np.zeros_like(feed["x"])

        def fill() -> None:
            time.sleep(0.005)
            handed[...] = feed["x"] + 1

        threading.Thread(target=fill).start()
        return {"y": handed}

    facts = infer(FakeSession(late), written(tmp_path / "in", samples(4)), tmp_path / "out", 1, batched=True)
    # On a busy machine a filling thread may come before the first look or after the second.
    assert 1 <= facts.unready <= 4
    assert [0, 0, 0] in [record["y"].tolist() for record in TensorSet(tmp_path / "out")]


def test_a_buffer_that_is_used_again_is_not_unready(tmp_path: Path) -> None:
    buffer = np.zeros((1, 3), np.float32)

    def reuse(feed: Record) -> Record:
        buffer[...] = feed["x"]
        return {"y": buffer}

    facts = infer(FakeSession(reuse), written(tmp_path / "in", samples(6)), tmp_path / "out", 1, batched=True)
    assert facts.unready == 0
    assert TensorSet(tmp_path / "out")[5]["y"].tolist() == [5, 6, 7]


def test_nan_is_equal_to_itself_bit_by_bit() -> None:
    nan = {"y": np.array([np.nan, 0.0], np.float32)}
    assert same_bits(nan, {"y": np.array([np.nan, 0.0], np.float32)})
    assert not same_bits(nan, {"y": np.array([np.nan, -0.0], np.float32)})
    assert not same_bits(nan, {"y": np.array([np.nan, 0.0])})
    assert not same_bits(nan, {"z": nan["y"]})


def test_batches_cover_all_samples() -> None:
    assert [feed["x"][:, 0].tolist() for feed in batches(samples(3), 2, batched=True)] == [[0, 1], [2, 2]]
    assert [feed["x"][0] for feed in batches(samples(3), 2, batched=False)] == [0, 1, 2]
