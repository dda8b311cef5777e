"""Stacks against tasks, from reports of two tasks on several targets."""

import re
from dataclasses import replace
from pathlib import Path

from tests.unit.page import factory

from accelbench.page.document import page


def matrix_of(html: str) -> list[list[str]]:
    """The words of each line of the matrix in English, cell by cell."""
    found = re.search(r'<div class="matrix scroll">.*?</table>', html, re.DOTALL)
    if found is None:
        return []
    plain = re.sub(r'<span lang="zh[^>]*>.*?</span>', "", found[0])
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)
        ]
        for line in re.findall(r"<tr>(.*?)</tr>", plain, re.DOTALL)
    ]


def test_one_task_or_one_target_makes_no_matrix(tmp_path: Path) -> None:
    entries = factory.entries(tmp_path)
    task = entries[0][0].task.id
    same = [entry for entry in entries if entry[0].task.id == task]
    assert matrix_of(page(same, tmp_path)) == []
    assert matrix_of(page(entries[:1], tmp_path)) == []


def test_each_target_has_a_line_and_each_task_a_column(tmp_path: Path) -> None:
    (good, folder), *_ = factory.entries(tmp_path)
    other = replace(good, task=replace(good.task, id="bert-base"))
    pruned = replace(good, target=replace(good.target, passes=("prune:0.5",)))
    refused = replace(
        other,
        target=pruned.target,
        status="unsupported",
        reasons=("operator Erf",),
        builds=(),
        quality=None,
        measurements=(),
    )
    html = page([(each, folder) for each in (good, other, pruned, refused)], tmp_path)
    head, plain, after = matrix_of(html)
    assert head[1:] == [good.task.id, "bert-base"]
    assert plain[0] == f"{good.target.backend} {good.target.precision}"
    assert after[0] == f"{good.target.backend} prune:0.5 + {good.target.precision}"
    assert re.match(r"[\d.]+ ?[mµ]?s ", plain[1].replace("\u202f", " ").replace("\xa0", " "))
    assert plain[1] == plain[2]
    assert "nsupported" in after[2]
    assert 'title="operator Erf"' in html
