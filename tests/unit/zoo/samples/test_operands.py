"""Operands look like what operators take inside trained networks, not like white noise."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from tests.unit.zoo.realism import is_realistic

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Array, Record
from accelbench.zoo.samples import operands

OPTIONS = {
    "hidden": "tokens 64x96",
    "image": "maps 24x20x28",
    "positions": "positions 64",
    "ids": "ids 16x32 50000",
    "shares": "shares 16x32",
}


def records(count: int = 4, seed: int = 0, options: dict[str, str] | None = None) -> list[Record]:
    dataset = Dataset("operands", count, seed, options=options or OPTIONS)
    found, labels = operands.source(dataset, Path())
    assert labels is None
    return list(found)


def test_every_form_has_its_type_and_shape_and_varies() -> None:
    found = records()
    assert {name: (str(x.dtype), x.shape) for name, x in found[0].items()} == {
        "hidden": ("float32", (64, 96)),
        "image": ("float32", (24, 20, 28)),
        "positions": ("int64", (64,)),
        "ids": ("int64", (16, 32)),
        "shares": ("float32", (16, 32)),
    }
    assert is_realistic(found)
    assert all(np.isfinite(x).all() for record in found for x in record.values())


def test_the_same_bits_on_every_machine() -> None:
    digest = hashlib.sha256()
    for record in records(2):
        for name in sorted(record):
            digest.update(record[name].tobytes())
    assert digest.hexdigest() == "2ac7923305fdf163d31d944ecb3a85205429440360cb3538d2dba067856576ba"


def test_another_seed_gives_other_values_of_the_same_channels() -> None:
    first, second = (np.concatenate([r["hidden"] for r in records(8, seed)]) for seed in (0, 1))
    assert not np.array_equal(first, second)
    sizes = [np.sqrt((x.astype(np.float64) ** 2).mean(0)) for x in (first, second)]
    assert np.corrcoef(*sizes)[0, 1] > 0.9


def hidden_states() -> Array:
    return np.stack([record["hidden"] for record in records(16, 0, {"hidden": "tokens 256x512"})])


def test_hidden_states_have_heavy_tails() -> None:
    """The root of the mean square is near 1; the kurtosis is far above white noise's 3."""
    values = hidden_states()
    assert 0.7 < np.sqrt((values**2).mean()) < 1.4
    assert (values**4).mean() / (values**2).mean() ** 2 > 8


def test_channels_differ_in_size_and_are_correlated() -> None:
    values = hidden_states().reshape(-1, 512)
    sizes = np.sqrt((values**2).mean(0))
    assert sizes.max() > 5 * np.median(sizes)
    spectrum = np.linalg.eigvalsh(np.corrcoef(values.T))
    assert spectrum[-operands.FACTORS :].sum() / spectrum.sum() > 0.25  # of white noise: 8 of 512


def test_neighbours_resemble_each_other() -> None:
    values = hidden_states().astype(np.float64)
    centred = values - values.mean((0, 1))
    apart = [(centred[:, lag:] * centred[:, : 256 - lag]).sum() / (centred[:, lag:] ** 2).sum() for lag in (1, 4, 64)]
    assert apart[0] > apart[1] > abs(apart[2])
    assert apart[0] > 0.2


def test_maps_are_rectified_and_smooth() -> None:
    image = np.stack([record["image"] for record in records(4)]).astype(np.float64)
    assert image.min() == 0
    assert 0.3 < (image == 0).mean() < 0.7
    centred = image - image.mean((0, 2, 3), keepdims=True)
    for axis in (2, 3):
        near, far = (
            (centred * np.roll(centred, lag, axis)).mean() / (centred**2).mean() for lag in (1, image.shape[axis] // 2)
        )
        assert near > 0.2 > far


def test_ids_span_their_table_with_few_frequent_ones() -> None:
    options = {"ids": "ids 64x32 500000"}
    ids = np.concatenate([record["ids"].reshape(-1) for record in records(32, 0, options)])
    assert ids.min() >= 0
    assert ids.max() < 500_000
    assert set(np.histogram(ids, 10, (0, 500_000))[0] > 1000) == {True}, "every tenth of the table is read"
    counts = np.sort(np.unique(ids, return_counts=True)[1])[::-1]
    assert counts[0] > 0.03 * len(ids)
    assert len(counts) > len(ids) // 4


def test_the_last_rank_of_a_table_can_be_drawn() -> None:
    ids = np.concatenate([record["ids"].reshape(-1) for record in records(20, 0, {"ids": "ids 4x16 5"})])
    assert set(ids.tolist()) == set(range(5))


def test_shares_are_zero_behind_the_end_of_a_bag() -> None:
    shares = np.concatenate([record["shares"] for record in records()])
    lengths = (shares > 0).sum(1)
    assert (shares[:, 0] >= 0.25).all()
    assert len(set(lengths.tolist())) > 8
    assert all(
        (row[length:] == 0).all() and (row[:length] > 0).all() for row, length in zip(shares, lengths, strict=True)
    )


def test_positions_are_consecutive_from_anywhere() -> None:
    positions = np.stack([record["positions"] for record in records(8)])
    assert (np.diff(positions) == 1).all()
    assert len(set(positions[:, 0].tolist())) == 8
    assert positions.max() < operands.LONGEST_CONTEXT


@pytest.mark.parametrize(
    "text", ["", "tokens", "tokens 5", "noise 5x5", "tokens 5x0", "tokens 5x-1", "ids 4x4", "maps axbxc"]
)
def test_an_option_that_is_no_form_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"dataset\.options\.x is"):
        records(1, 0, {"x": text})
