"""The search of adapters' tuners, on a stack whose times are known and a clock that only it moves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from accelbench.backends.protocol import CompileJob
from accelbench.backends.tuning import tuned, with_options
from accelbench.model import Target, Trial

AXES = [("threads", ["1", "2"]), ("spinning", ["false"])]


class Stack:
    """``cost_s`` says what a sample takes with some settings, ``load_s`` what loading takes; loads and closes are
    counted."""

    def __init__(self, costs: Mapping[tuple[str, ...], float], load_s: float = 0.0) -> None:
        self.now = 0.0
        self.open = 0
        self._costs, self._load_s = costs, load_s

    def clock(self) -> float:
        return self.now

    def load(self, settings: Mapping[str, str]) -> Loaded:
        self.now += self._load_s
        cost = self._costs.get(tuple(settings.values()))
        if cost is None:
            raise RuntimeError("no such setting")
        self.open += 1
        return Loaded(self, cost)


class Loaded:
    def __init__(self, stack: Stack, cost_s: float) -> None:
        self._stack, self._cost_s = stack, cost_s

    def turn(self) -> int:
        self._stack.now += 2 * self._cost_s
        return 2

    def close(self) -> None:
        self._stack.open -= 1


def test_the_fastest_is_found_step_by_step_and_all_is_told() -> None:
    stack = Stack({(): 4e-3, ("1",): 6e-3, ("2",): 3e-3, ("2", "false"): 2e-3, ("1", "false"): 9e-3})
    found = tuned("a search", stack.load, AXES, 1e6, stack.clock)
    assert found.chosen == {"threads": "2", "spinning": "false"}
    assert found.compared[0].settings == {}
    assert found.compared[0].seconds == pytest.approx(4e-3)
    assert [dict(trial.settings) for trial in found.compared[1:4]] == [
        {"threads": "1"},
        {"threads": "2"},
        {"threads": "2", "spinning": "false"},
    ]
    assert found.compared[-1].settings == found.chosen
    assert found.compared[-1].seconds == pytest.approx(2e-3)
    assert found.trials == len(found.compared) == 6  # the second round tries one thread without spinning too
    assert (found.means, found.finished, stack.open) == ("a search", True, 0)


def test_what_is_hardly_faster_is_not_chosen() -> None:
    stack = Stack({(): 4e-3, ("1",): 3.9e-3, ("2",): 4e-3, ("false",): 4.1e-3})
    assert tuned("", stack.load, AXES, 1e6, stack.clock).chosen == {}


def test_settings_that_do_not_work_are_told_as_such() -> None:
    stack = Stack({(): 4e-3, ("2",): 2e-3})
    found = tuned("", stack.load, AXES, 1e6, stack.clock)
    assert found.chosen == {"threads": "2"}
    assert Trial({"threads": "1"}, None) in found.compared
    assert stack.open == 0


def test_what_is_no_better_than_the_untuned_stack_in_the_end_is_not_chosen() -> None:
    """A host that was slow while the untuned stack was looked at makes everything after it seem fast."""
    stack = Stack({(): 4e-3, ("2",): 2e-3})
    load = stack.load

    def recovering(settings: Mapping[str, str]) -> Loaded:
        ready = load(settings)
        return Loaded(stack, 2e-3) if not settings and stack.now else ready

    found = tuned("", recovering, AXES, 1e6, stack.clock)
    assert found.chosen == {}
    assert found.compared[0].seconds == found.compared[-1].seconds == pytest.approx(2e-3)


def test_the_untuned_stack_must_work() -> None:
    with pytest.raises(RuntimeError):
        tuned("", Stack({}).load, AXES, 1e6, lambda: 0.0)


@pytest.mark.parametrize("limit_s", [0.0, 0.5, 5.0, 12.0])
def test_the_search_ends_with_its_time(limit_s: float) -> None:
    """It may be late by what was going on then: one load, and a run of either stack."""
    stack = Stack({(): 0.1, ("1",): 0.09, ("2",): 0.01, ("2", "false"): 0.005}, load_s=1.0)
    found = tuned("", stack.load, AXES, limit_s, stack.clock)
    assert stack.now <= limit_s + 1.0 + 4 * 2 * 0.1
    assert not found.finished
    assert stack.open == 0


def test_a_candidate_that_the_end_interrupts_does_not_count() -> None:
    stack = Stack({(): 1.0, ("1",): 0.5})
    assert tuned("", stack.load, AXES, 5.0, stack.clock).chosen == {}


def test_a_candidate_that_is_late_is_not_told_as_one_that_does_not_work() -> None:
    stack = Stack({(): 1e-3})

    def slow(settings: Mapping[str, str]) -> Loaded:
        stack.now += 100.0 * len(settings)
        return stack.load(settings)

    found = tuned("", slow, AXES, 50.0, stack.clock)
    assert [dict(trial.settings) for trial in found.compared] == [{}]
    assert (found.chosen, found.finished) == ({}, False)


def test_options_that_were_given_are_kept() -> None:
    job = CompileJob(Path("m.onnx"), (), (), Target("b", "cpu", "fp32", {"streams": "2"}), 1, None, Path("w"), ())
    assert with_options(job, {"threads": "1"}).target.options == {"streams": "2", "threads": "1"}
