import click
import pytest

from accelbench.cli.plans import Load, load_options, plans, searches
from accelbench.cli.sharing import Sharing, alone, shared, sharing_options
from accelbench.errors import UsageError
from accelbench.model import Plan
from accelbench.search import Search


def made(*words: str) -> tuple[tuple[Plan, ...], tuple[Search, ...]]:
    """What comes of these words on the command line."""
    found: list[tuple[tuple[Plan, ...], tuple[Search, ...]]] = []

    @click.command()
    @load_options
    @sharing_options
    def command(load: Load, sharing: Sharing) -> int:
        found.append(shared(plans(load), searches(load), sharing))
        return 0

    command.main(list(words), standalone_mode=False)
    return found[0]


def test_without_the_options_plans_stay_as_they_are() -> None:
    asked, sought = made("--scenario", "server,offline", "--rate", "10")
    assert {(plan.instances, plan.max_batch, plan.max_delay_s) for plan in asked} == {(1, None, None)}
    assert sought == ()


def test_instances_are_for_several_queries_in_flight() -> None:
    asked, _ = made("--instances", "3")
    assert {plan.scenario: plan.instances for plan in asked} == {"single_stream": 1, "offline": 3}


@pytest.mark.parametrize(("text", "seconds"), [("2ms", 2e-3), ("0.5 s", 0.5), ("250us", 2.5e-4), ("0s", 0.0)])
def test_batches_are_for_several_clients(text: str, seconds: float) -> None:
    asked, _ = made("--max-batch", "8", "--max-delay", text, "--scenario", "server,offline", "--rate", "9")
    assert {plan.scenario: plan.max_batch for plan in asked} == {"server": 8, "offline": None}
    assert {plan.scenario: plan.compiled_batch for plan in asked} == {"server": 8, "offline": 1}
    assert [plan.max_delay_s for plan in asked if plan.scenario == "server"] == [pytest.approx(seconds)]


def test_a_search_for_the_rate_has_them_too() -> None:
    _, (search,) = made("--slo", "p99<=50ms", "--scenario", "server", "--max-batch", "4", "--instances", "2")
    assert (search.plan.max_batch, search.plan.instances, search.over) == (4, 2, "rate")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--instances 2 --scenario single_stream", "--instances needs several queries in flight"),
        ("--max-batch 8", "--max-batch needs several queries in flight"),
        ("--max-delay 2ms", "--max-batch, which is not given"),
        ("--instances 3 --concurrency 2 --scenario offline", "leaves some of 3 instances"),
        ("--max-batch 8 --batch 3 --scenario closed_loop", "no multiple of --batch 3"),
        ("--max-batch 8 --batch auto --scenario closed_loop", "both choose the batch"),
    ],
)
def test_what_does_not_go_together_is_told(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(*words.split())


@pytest.mark.parametrize("text", ["2", "ms", "-1ms", "2 minutes", "1e999s"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a duration like 2ms"):
        made("--scenario", "closed_loop", "--max-batch", "8", "--max-delay", text)


def test_other_drivers_take_one_session_as_it_is() -> None:
    asked, _ = made("--instances", "2")
    with pytest.raises(UsageError, match="--driver loadgen drives one session"):
        alone(asked, "--driver loadgen")
    alone(made()[0], "--driver loadgen")
