"""Facts of graphs are counted once per machine, and again when anything is wrong with what was kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from accelbench.errors import UsageError
from accelbench.zoo import catalogue, facts, graph_facts
from accelbench.zoo.graph_facts import GraphFacts

TASK = catalogue.find("digits-cnn")


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[onnx.ModelProto]:
    """An empty home, and the graphs that were counted since."""
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    seen: list[onnx.ModelProto] = []
    real = graph_facts.graph_facts

    def counting(model: onnx.ModelProto) -> GraphFacts:
        seen.append(model)
        return real(model)

    monkeypatch.setattr(graph_facts, "graph_facts", counting)
    return seen


def test_a_graph_is_counted_once(counted: list[onnx.ModelProto]) -> None:
    assert facts.facts_of(TASK) == facts.facts_of(TASK)
    assert facts.facts_of(TASK).parameters == 25_866
    assert len(counted) == 1


def test_another_way_of_counting_counts_again(counted: list[onnx.ModelProto], monkeypatch: pytest.MonkeyPatch) -> None:
    facts.facts_of(TASK)
    monkeypatch.setattr(facts, "_counter", lambda: "another")
    facts.facts_of(TASK)
    assert len(counted) == 2


@pytest.mark.parametrize("text", ["", "{}", '{"parameters": 1, "by_node": {}}', "\0"])
def test_what_cannot_be_read_is_counted_again(tmp_path: Path, counted: list[onnx.ModelProto], text: str) -> None:
    first = facts.facts_of(TASK)
    (kept,) = (tmp_path / "home" / "facts").iterdir()
    kept.write_text(text)
    assert facts.facts_of(TASK) == first
    assert facts.facts_of(TASK) == first
    assert len(counted) == 2


def test_a_home_that_cannot_be_written_does_no_harm(tmp_path: Path, counted: list[onnx.ModelProto]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "facts").write_text("a file")
    assert facts.facts_of(TASK) == facts.facts_of(TASK)
    assert len(counted) == 2


def test_a_graph_that_is_not_the_tasks_is_an_error(counted: list[onnx.ModelProto]) -> None:
    with pytest.raises(UsageError, match="corrupted"):
        facts.facts_of(replace(TASK, graph_sha256="0" * 64))
    assert counted == []
