from pathlib import Path

import numpy as np
import pytest
from tests.unit.worker.fakes import FakeSession, doubled, samples, written

from accelbench.measure import columns
from accelbench.model import Measurement, Plan, Stop
from accelbench.tensors import Array, Record
from accelbench.worker.infer import infer
from accelbench.worker.timed import fresh, timed

PLAN = Plan("single_stream", Stop(max_s=0.2, max_queries=300), batch=2)


def a_pass(tmp_path: Path, accuracy: FakeSession, session: FakeSession) -> Measurement:
    feeds = written(tmp_path / "in", samples(5))
    infer(accuracy, feeds, tmp_path / "out", 2, batched=True)
    outputs = feeds.__class__(tmp_path / "out")
    return timed(
        session, feeds, outputs, PLAN, tmp_path / "columns", batched=True, threads=True, submit=False, concurrency=1
    )


def test_a_pass_is_recorded_and_its_samples_agree(tmp_path: Path) -> None:
    session = FakeSession(doubled)
    measured = a_pass(tmp_path, FakeSession(doubled), session)
    assert measured.integrity is not None
    assert measured.integrity.checked > 0
    assert (measured.integrity.mismatched, measured.integrity.worst_relative_l2) == (0, 0.0)
    assert len(measured.integrity.seen_ns) == len(measured.integrity.unseen_ns) >= 3
    recorded = columns.read(tmp_path / "columns")
    assert len(recorded) == measured.queries == 300
    assert set(recorded.feed.tolist()) == {0, 1, 2}
    assert set(recorded.units.tolist()) == {2}


def test_other_outputs_than_in_the_accuracy_pass_show(tmp_path: Path) -> None:
    def off(feed: Record) -> Record:
        return {name: value * 1.5 for name, value in doubled(feed).items()}

    integrity = a_pass(tmp_path, FakeSession(doubled), FakeSession(off)).integrity
    assert integrity is not None
    assert integrity.worst_relative_l2 == pytest.approx(0.5)


def test_nan_outputs_are_mismatches(tmp_path: Path) -> None:
    session = FakeSession(lambda feed: {"y": feed["x"] * np.nan, "sum": feed["x"].sum(axis=1)})
    integrity = a_pass(tmp_path, FakeSession(doubled), session).integrity
    assert integrity is not None
    assert integrity.mismatched == integrity.checked > 0
    assert integrity.worst_relative_l2 is None


def test_nan_outputs_that_the_accuracy_pass_had_too_are_none(tmp_path: Path) -> None:
    def roots(feed: Record) -> Record:
        return {"y": np.where(feed["x"] > 0, feed["x"], np.nan), "sum": feed["x"].sum(axis=1)}

    integrity = a_pass(tmp_path, FakeSession(roots), FakeSession(roots)).integrity
    assert integrity is not None
    assert (integrity.mismatched, integrity.worst_relative_l2) == (0, 0.0)


def test_an_error_after_the_pass_leaves_the_pass(tmp_path: Path) -> None:
    known: set[bytes] = set()

    def choosy(feed: Record) -> Record:
        known.add(feed["x"].tobytes())
        if len(known) > 3:
            raise RuntimeError("never seen")
        return doubled(feed)

    measured = a_pass(tmp_path, FakeSession(doubled), FakeSession(choosy))
    assert measured.queries == 300
    assert measured.errors == ("RuntimeError: never seen",)
    assert measured.integrity is not None
    assert measured.integrity.seen_ns == ()


def test_a_fresh_feed_keeps_each_place_to_its_range() -> None:
    """Columns of ids that index tables of 3 and of 1000 rows."""
    generator = np.random.default_rng(1)
    feeds = [{"ids": np.stack([generator.integers(3, size=9), generator.integers(990, 1000, size=9)], 1)} for _ in "ab"]
    made = fresh(feeds[0], generator, feeds[1])["ids"]
    assert not np.array_equal(made, feeds[0]["ids"])
    assert made[:, 0].max() < 3
    assert made[:, 1].min() >= 990


def test_a_fresh_feed_differs_within_the_range() -> None:
    feed: dict[str, Array] = {
        "image": np.linspace(-1, 1, 300, dtype=np.float32).reshape(3, 100),
        "ids": np.arange(100, 200, dtype=np.int64).reshape(2, 50),
        "mask": np.array([True, False, True]),
        "constant": np.full(5, 7, np.int32),
        "none": np.zeros(0, np.int64),
    }
    made = fresh(feed, np.random.default_rng(1), feed)
    assert {name: (value.dtype, value.shape) for name, value in made.items()} == {
        name: (value.dtype, value.shape) for name, value in feed.items()
    }
    for name in ("image", "ids", "mask"):
        assert not np.array_equal(made[name], feed[name])
    assert np.max(np.abs(made["image"] - feed["image"])) <= 1.001e-3
    assert set(made["ids"].reshape(-1)) <= set(feed["ids"].reshape(-1))
    assert np.array_equal(made["constant"], feed["constant"])
