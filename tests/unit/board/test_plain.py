from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.board.downloads import rows
from accelbench.board.plain import columns, dumps, number, packed, texts


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        (math.nan, None),
        (-math.inf, None),
        (0.0, 0),
        (0.1234567, 0.123457),
        (3, 3),
        (2.0, 2),
        (1e300, 1e300),
    ],
)
def test_a_number_has_six_digits_and_absence_stays_absence(value: float | None, told: float | None) -> None:
    assert number(value) == told


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_but_zero_becomes_zero(value: float) -> None:
    told = number(value)
    assert told is not None
    assert (told == 0) == (value == 0)
    assert math.isclose(told, value, rel_tol=1e-5)


@given(st.lists(st.one_of(st.none(), st.text(max_size=3))))
def test_texts_come_back_and_empty_ones_are_absent(values: list[str | None]) -> None:
    told = texts(values)
    assert len(set(told["of"])) == len(told["of"])
    assert [each["x"] for each in rows({"x": told})] == [value or None for value in values]


def test_columns_are_as_long_as_the_rows() -> None:
    found = columns([{"a": 1, "b": "x"}, {"a": None, "b": None}], {"a": "numbers", "b": "texts"})
    assert found == {"a": [1, None], "b": {"of": ["x"], "at": [0, None]}}


def test_a_nan_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"a": math.nan})


def test_packing_is_the_same_each_time() -> None:
    assert packed(b"x" * 99) == packed(b"x" * 99)
    assert json.loads(dumps("é")) == "é"
