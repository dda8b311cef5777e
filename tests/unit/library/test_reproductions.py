from __future__ import annotations

from pathlib import Path

import pytest

from accelbench.errors import AccelbenchError, UsageError
from accelbench.library.reproductions import REPRODUCTIONS, put, read, reproductions
from accelbench.model import REPRODUCTION_SCHEMA, Judged, Reproduction


def answer() -> Reproduction:
    figure = Judged("latency_p50_s", 0, 0.02, (0.02, 0.021), 1.02, 0.99, 1.05, 0.03, "reproduced")
    made = "2026-03-04T05:06:07+00:00"
    return REPRODUCTIONS.identify(
        Reproduction(
            REPRODUCTION_SCHEMA, "", made, "0.1.0", "a" * 64, ("b" * 64,), 0.05, (figure,), "bit_equal", 0.0, (), ()
        )
    )


def test_an_answer_is_read_as_it_was_put(tmp_path: Path) -> None:
    file = put(tmp_path, answer(), None)
    assert list(reproductions(tmp_path)) == [file]
    assert read(file) == answer()


def test_an_answer_is_put_once(tmp_path: Path) -> None:
    put(tmp_path, answer(), None)
    with pytest.raises(UsageError, match="exists already"):
        put(tmp_path, answer(), None)


def test_any_edit_is_found(tmp_path: Path) -> None:
    file = put(tmp_path, answer(), None)
    file.write_bytes(file.read_bytes().replace(b"0.021", b"0.019"))
    with pytest.raises(AccelbenchError, match="does not match the reproduction's id"):
        read(file)
