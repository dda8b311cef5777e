"""Real data and the host's stages in the row, the terminal's tables and the page."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from tests.unit.page import factory

from accelbench import model
from accelbench.page.document import page
from accelbench.page.rows import Row, as_json, rows
from accelbench.page.stages import stages_table
from accelbench.page.table import table

MS = 1_000_000
DATA = model.DatasetFacts(
    name="SQuAD 1.1, dev-v1.1.json", sha256="ab" * 32, items=10570, records=10833, loader="squad", options={},
    tokenizer_sha256="cd" * 32, scored=True,
)  # fmt: skip
SCORES = (model.Score("f1", 0.885, 0.0025, 10570), model.Score("exact_match", 0.81, 0.0038, 10570))
STAGES = (
    model.Stage("load", tuple(range(MS, 12 * MS, MS))),
    model.Stage("preprocess", (3 * MS,) * 5),
    model.Stage("postprocess", (20_000, 40_000)),
)


@pytest.fixture
def judged(tmp_path: Path) -> tuple[model.Report, Path]:
    report, folder = factory.entries(tmp_path)[0]
    assert report.quality is not None
    quality = replace(report.quality, accuracy=SCORES[0], scores=SCORES, reference_scores=SCORES)
    return replace(report, quality=quality, data=DATA, stages=STAGES), folder


def printed(shown: Table | None, width: int = 160) -> str:
    assert shown is not None
    out = io.StringIO()
    Console(file=out, width=width).print(shown)
    return out.getvalue().replace("\u00a0", " ")


def first(judged: tuple[model.Report, Path]) -> Row:
    return rows(*judged)[0]


def test_figures_are_seconds_per_item(judged: tuple[model.Report, Path]) -> None:
    found = first(judged).stages
    assert list(found) == ["load", "preprocess", "postprocess"]
    assert found["load"] == pytest.approx(
        {"median_s": 0.006, "p10_s": 0.002, "p90_s": 0.01, "mean_s": 0.006, "items": 11}
    )
    assert found["postprocess"]["median_s"] == pytest.approx(30e-6)


def test_json_has_all_of_it(judged: tuple[model.Report, Path]) -> None:
    row = json.loads(json.dumps(as_json(first(judged)), allow_nan=False))
    assert row["accuracy_error"] == 0.0025
    assert row["scores"]["exact_match"] == {"value": 0.81, "standard_error": 0.0038, "samples": 10570}
    assert row["data"] == {"name": DATA.name, "sha256": DATA.sha256, "items": 10570, "scored": True}
    assert row["stages"]["preprocess"]["items"] == 5


def test_the_terminal_shows_stages_apart_and_the_error_with_the_accuracy(judged: tuple[model.Report, Path]) -> None:
    found = rows(*judged)
    text = printed(stages_table(found))
    assert len([line for line in text.splitlines() if " load " in line]) == 1, "once per report, whatever the plans"
    assert "6.00 ms" in text
    assert "2.00 ms – 10.0 ms" in text
    assert "not in it" in text
    main = printed(table(found, 160))
    assert "0.8850±0.0025" in main
    assert "on SQuAD 1.1, dev-v1.1.json (10570 items)" in main
    assert "±0.0025" in printed(table(found, 80), 80)


def test_without_stages_there_is_no_table(judged: tuple[model.Report, Path]) -> None:
    assert stages_table([replace(first(judged), stages={})]) is None


def test_labels_of_seeded_weights_are_said_not_to_be_scored(judged: tuple[model.Report, Path], tmp_path: Path) -> None:
    report, folder = judged
    unscored = replace(report, data=replace(DATA, scored=False))
    shown = " ".join(printed(table(rows(unscored, folder), 160)).split())
    assert "labels not scored: they mean nothing for seeded weights" in shown
    assert "The labels were not scored" in page([(unscored, folder)], tmp_path)
    assert "The labels were not scored" not in page([judged], tmp_path)


def test_the_page_shows_data_every_score_and_the_stages_in_both_languages(
    judged: tuple[model.Report, Path], tmp_path: Path
) -> None:
    html = page([judged], tmp_path)
    for words in (
        "SQuAD 1.1, dev-v1.1.json", "10,570 items, 10,833 records", "10,570 项", "abababababab", "Accuracy (f1)",
        "Accuracy (exact_match)", "Accuracy of float32 (exact_match)", "0.8100", "Stages of the host", "主机端各阶段",
        "postprocess", "后处理", "not in it",
    ):  # fmt: skip
        assert words in html, words
