"""Write ``docs/tasks.md``, a card of every task in the newest roster: ``python tools/cards.py``. Tests compare it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from accelbench.model import Task
from accelbench.page.units import SPACE, count
from accelbench.zoo import catalogue, roster
from accelbench.zoo.facts import facts_of

CARDS = Path(__file__).parent.parent / "docs" / "tasks.md"
HEAD = """# The tasks of roster {name}

Written by `tools/cards.py`; `accelbench zoo show TASK` tells more. Parameters and FLOPs are counted from the frozen
graph for one sample; a multiply-add counts as two FLOPs. How tasks are made, judged and added: [zoo.md](zoo.md).
"""
INPUTS = 3


def text() -> str:
    """The whole page."""
    lists = roster.newest()
    tasks = catalogue.select(lists)
    parts = [HEAD.format(name=lists.name)]
    for tier in dict.fromkeys(task.tier for task in tasks):
        rows = [card(task, lists.tasks[task.id].reason) for task in tasks if task.tier == tier]
        parts.append(f"\n## {tier}\n\n{table(rows)}\n")
    return "".join(parts)


def card(task: Task, reason: str) -> list[str]:
    """A task's cells."""
    facts = facts_of(task, catalogue.folder(task))
    shapes = [f"{spec.name} {'×'.join(map(str, spec.shape))}" for spec in task.inputs[:INPUTS]]
    more = [f"and {len(task.inputs) - INPUTS} more"] if len(task.inputs) > INPUTS else []
    return [
        f"`{task.id}`",
        task.title,
        task.domain,
        f"{count(facts.parameters)}, {count(facts.flops)}".replace(SPACE, " "),
        ", ".join((*shapes, *more)),
        f"{task.dataset.kind} ({task.dataset.count})" + (f", {task.real.loader}" if task.real else ""),
        task.metric.name,
        reason,
        task.source,
    ]


def table(rows: Sequence[Sequence[str]]) -> str:
    head = ["task", "what", "domain", "parameters, FLOPs", "inputs", "data", "metric", "why it is here", "from"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    CARDS.write_text(text(), encoding="utf-8")
