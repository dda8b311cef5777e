from pathlib import Path
from typing import get_args

import click
import pytest

from accelbench.cli.plans import Load, load_options, plans, searches
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
        ["--max-time", "0"], ["--max-time", "inf"], ["--concurrency", "0"], ["--concurrency", "some"],
        ["--burst", "0"], ["--seed", "-1"],
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        load(*words)


def test_a_bound_makes_server_a_search() -> None:
    words = ["--slo", "p99<=50ms", "--scenario", "server,offline", "--quick", "--batch", "1,4", "--burst", "2"]
    assert [(plan.scenario, plan.batch) for plan in made(*words)] == [("offline", 1), ("offline", 4)]
    found = searches(load(*words))
    assert [(each.over, each.plan.scenario, each.plan.batch) for each in found] == [
        ("rate", "server", 1),
        ("rate", "server", 4),
    ]
    probe = found[0].plan
    assert (probe.latency_bound_s, probe.rate, probe.burst) == (0.05, None, 2)
    assert probe.stop == Stop(max_s=1.0, statistic="p99")


def test_the_best_batch_is_looked_for_where_it_brings_throughput() -> None:
    words = ["--batch", "auto", "--scenario", "single_stream,offline,closed_loop"]
    assert [(plan.scenario, plan.batch) for plan in made(*words)] == [("single_stream", 1)]
    assert [(each.over, each.plan.scenario) for each in searches(load(*words))] == [
        ("batch", "offline"),
        ("batch", "closed_loop"),
    ]


def test_the_best_concurrency_leaves_an_open_loop_with_what_the_stack_asks_for() -> None:
    words = ["--concurrency", "auto", "--scenario", "server,offline", "--rate", "10"]
    assert [(plan.scenario, plan.concurrency) for plan in made(*words)] == [("server", None)]
    assert [(each.over, each.plan.scenario) for each in searches(load(*words))] == [("concurrency", "offline")]


def test_without_a_wish_nothing_is_searched() -> None:
    assert searches(load("--scenario", "server", "--rate", "10", "--batch", "1,8")) == ()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--slo", "p99<=50ms", "--rate", "10"], "leave --rate out"),
        (["--batch", "auto", "--concurrency", "auto"], "alone"),
        (["--batch", "auto,8"], "alone"),
        (["--batch", "auto", "--scenario", "single_stream"], "offline"),
        (["--concurrency", "auto", "--scenario", "server", "--rate", "5"], "offline"),
    ],
)
def test_searches_that_make_no_sense_are_refused(words: list[str], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        searches(load(*words))


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("p99<=50ms", ("p99", 0.05)),
        ("p50 <= 1.5 s", ("p50", 1.5)),
        ("p99.9<=250us", ("p99.9", 250e-6)),
        ("p90≤300µs", ("p90", 300e-6)),
    ],
)
def test_bounds(text: str, bound: tuple[str, float]) -> None:
    found = load("--slo", text).slo
    assert found is not None
    assert found[0] == bound[0]
    assert found[1] == pytest.approx(bound[1])


@pytest.mark.parametrize(
    "text", ["p99", "p98<=5ms", "p99<=5", "p99<=0ms", "p99>=5ms", "mean<=5ms", "p99<=1e9s", "p99<=.s"]
)
def test_what_is_no_bound(text: str) -> None:
    with pytest.raises(click.UsageError):
        load("--slo", text)


def test_a_trace_takes_the_place_of_a_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    file = tmp_path / "trace.txt"
    file.write_text("0\n0.5\n")
    server, offline = sorted(made("--scenario", "server,offline", "--trace", str(file)), key=lambda p: p.trace is None)
    assert (server.scenario, server.rate, len(server.trace or "")) == ("server", None, 64)
    assert offline.trace is None
    for words, message in (("--rate 3", "leave --rate"), ("--burst 3", "leave --rate"), ("--slo p99<=1s", "--slo out")):
        with pytest.raises(UsageError, match=message):
            made("--scenario", "server", "--trace", str(file), *words.split())
    with pytest.raises(UsageError, match="which only --scenario server has"):
        made("--scenario", "offline", "--trace", str(file))
