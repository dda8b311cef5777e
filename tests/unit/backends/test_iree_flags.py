"""Which flags IREE's compiler gets by the options of the target."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from accelbench import backends
from accelbench.envs.options import checked
from accelbench.envs.spec import find


@pytest.fixture
def flags() -> ModuleType:
    path = Path(backends.__path__[0]) / "iree" / "compiler_flags.py"
    spec = importlib.util.spec_from_file_location("compiler_flags", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_options_the_best_comes_first(flags: ModuleType) -> None:
    found = flags.attempts({})
    assert [attempt[: len(flags.FLAGS)] for attempt in found] == [flags.FLAGS] * 4
    assert [attempt[len(flags.FLAGS) :] for attempt in found] == [
        ("--iree-opt-level=O3", *attempt) for attempt in flags.ATTEMPTS
    ]


def test_what_is_asked_for_is_in_every_attempt(flags: ModuleType) -> None:
    found = flags.attempts({"data_tiling": "true", "im2col": "true", "vector_width": "64", "opt_level": "O2"})
    wanted = {flags.TILED, flags.IM2COL, "--iree-llvmcpu-target-vector-width-in-bytes=64", "--iree-opt-level=O2"}
    assert all(wanted <= set(attempt) for attempt in found)
    assert len(found) == 2


def test_what_is_switched_off_is_in_none_and_no_attempt_comes_twice(flags: ModuleType) -> None:
    found = flags.attempts({"im2col": "false"})
    assert not any(flags.IM2COL in attempt for attempt in found)
    assert len(found) == len(set(found)) == 3
    assert len(flags.attempts({"im2col": "false", "data_tiling": "false"})) == 2


def test_what_the_tuner_tries_are_values_of_the_options(flags: ModuleType) -> None:
    table = find("iree").table
    for name, values in flags.TRIED.items():
        assert [checked(table, name, value) for value in values] == list(values)
        for value in values:
            assert flags.attempts({name: value}) != flags.attempts({})
