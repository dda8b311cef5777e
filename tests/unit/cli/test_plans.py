from typing import get_args

import click
import pytest

from accelbench.cli.plans import Load, load_options, plans
from accelbench.errors import UsageError
from accelbench.model import Plan, Scenario, Stop


def load(*words: str) -> Load:
    """What the command gets when these words are typed."""
    found: list[Load] = []

    @click.command()
    @load_options
    def command(load: Load) -> int:
        found.append(load)
        return 0

    command.main(list(words), standalone_mode=False)
    return found[0]


def made(*words: str) -> tuple[Plan, ...]:
    return plans(load(*words))


def test_the_default_is_one_query_at_a_time_and_all_at_once() -> None:
    assert made() == (
        Plan("single_stream", Stop(max_s=120.0, statistic="p50", ci_target=0.02)),
        Plan("offline", Stop(max_s=120.0, statistic="throughput", ci_target=0.02)),
    )


def test_all_scenarios_each_with_what_concerns_it() -> None:
    found = made(
        "--scenario", "server,closed_loop,multi_stream,single_stream,offline",
        "--rate", "200", "--burst", "3", "--concurrency", "4", "--seed", "7", "--batch", "2", "--quick",
    )  # fmt: skip
    assert [plan.scenario for plan in found] == list(get_args(Scenario))
    assert {plan.scenario: plan.concurrency for plan in found} == {
        "single_stream": None, "multi_stream": None, "server": 4, "offline": 4, "closed_loop": 4,
    }  # fmt: skip
    assert [(plan.rate, plan.burst) for plan in found if plan.scenario == "server"] == [(200.0, 3)]
    assert {(plan.rate, plan.burst) for plan in found if plan.scenario != "server"} == {(None, 1)}
    assert {plan.seed for plan in found} == {7}
    assert {plan.batch for plan in found} == {2}


def test_batches_times_scenarios() -> None:
    found = made("--batch", "1,8", "--scenario", "offline,single_stream")
    assert [(plan.batch, plan.scenario) for plan in found] == [
        (1, "single_stream"), (1, "offline"), (8, "single_stream"), (8, "offline"),
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "ratio"), [("2%", 0.02), ("0.02", 0.02), ("0.5%", 0.005)])
def test_the_target_overrides_the_effort(text: str, ratio: float) -> None:
    assert {plan.stop.ci_target for plan in made("--ci-target", text)} == {ratio}


def test_the_limit_overrides_the_effort() -> None:
    (plan,) = made("--submission", "--max-time", "30", "--scenario", "single_stream")
    assert plan.stop == Stop(max_s=30.0, min_s=30.0, statistic="p90", ci_target=0.01)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--scenario", "server"], "--rate"),
        (["--scenario", "server", "--rate", "0"], "above 0"),
        (["--scenario", "server", "--rate", "-5"], "above 0"),
        (["--scenario", "server", "--rate", "nan"], "above 0"),
        (["--scenario", "server", "--rate", "inf"], "above 0"),
        (["--rate", "100"], "--rate"),
        (["--burst", "2"], "--burst"),
        (["--scenario", "single_stream", "--concurrency", "2"], "--concurrency"),
        (["--scenario", "multi_stream"], "--batch"),
        (["--scenario", "sever"], "server"),
        (["--batch", "none"], "none"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], part: str) -> None:
    with pytest.raises(UsageError, match=part) as caught:
        made(*words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        ["--ci-target", "0"], ["--ci-target", "200%"], ["--ci-target", "much"], ["--ci-target", "nan"],
        ["--max-time", "0"], ["--max-time", "inf"], ["--concurrency", "0"], ["--burst", "0"], ["--seed", "-1"],
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        load(*words)
