"""Which of the wanted tasks a run takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from accelbench.cli.choice import Named
from accelbench.cli.subjects import made
from accelbench.errors import NotHere, NoWeights, TooLarge
from accelbench.zoo import catalogue

SMALL, LARGE = (Named(catalogue.find(name), Path(name), "2026.2") for name in ("digits-cnn", "digits-resnet"))


def make(source: Named | Path) -> Any:
    if source is LARGE:
        raise TooLarge("digits-resnet has 0.1 GB of weights")
    return SimpleNamespace(source=source)


def test_a_tiers_task_that_is_too_large_is_left_out() -> None:
    said: list[str] = []
    subjects: list[Any] = list(made([LARGE, SMALL, Path("m.onnx")], ["digits-cnn"], make, said.append))
    assert [subject.source for subject in subjects] == [SMALL, Path("m.onnx")]
    assert any("digits-resnet: left out (digits-resnet has 0.1 GB of weights)" in line for line in said)


def test_so_is_one_whose_weights_are_not_there() -> None:
    def without(source: Named | Path) -> Any:
        raise NoWeights(f"{source} has its weights in a package")

    said: list[str] = []
    with pytest.raises(NoWeights):
        made([SMALL], [], without, said.append)
    assert any("digits-cnn: left out" in line for line in said)
    assert issubclass(TooLarge, NotHere)


def test_one_that_was_named_is_refused_and_so_is_a_run_of_nothing() -> None:
    with pytest.raises(TooLarge):
        made([SMALL, LARGE], ["digits-resnet"], make, lambda _: None)
    with pytest.raises(TooLarge):
        made([LARGE], [], make, lambda _: None)
