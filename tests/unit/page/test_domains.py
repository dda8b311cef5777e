"""The switch between domains: there when there is something to choose, and its style knows every domain."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import get_args

from tests.unit.page import factory

from accelbench.model import Domain
from accelbench.page.document import page
from accelbench.page.rows import as_json, rows


def test_none_for_a_single_domain(tmp_path: Path) -> None:
    text = page(factory.entries(tmp_path), tmp_path)
    assert 'name="domain"' not in text
    assert 'class="domains"' not in text


def test_one_button_per_domain_that_is_there(tmp_path: Path) -> None:
    entries = factory.entries(tmp_path)
    report, folder = entries[0]
    spoken = replace(report, task=replace(report.task, id="spoken", domain="speech"))
    text = page([*entries, (spoken, folder)], tmp_path)
    _, _, text = text.partition("</style>")
    buttons = [part.split('"')[0] for part in text.split('id="domain-')[1:]]
    assert buttons == ["all", "vision", "speech"]
    assert all(f'for="domain-{button}"' in text for button in buttons)
    assert text.count('data-domain="speech"') == 2, "the group of rows, and the report"
    assert text.index('id="domain-speech"') < text.index('class="sheet"')


def test_the_style_hides_the_others_for_every_domain() -> None:
    style = resources.files("accelbench.page").joinpath("page.css").read_text()
    for domain in get_args(Domain):
        assert f'#domain-{domain}:checked ~ .sheet [data-domain]:not([data-domain="{domain}"])' in style


def test_rows_say_where_a_task_belongs(tmp_path: Path) -> None:
    report, folder = factory.entries(tmp_path)[0]
    (row, *_) = rows(replace(report, task=replace(report.task, roster="2030.1")), folder)
    told = as_json(row)
    assert (told["tier"], told["domain"], told["roster"]) == ("regular", "vision", "2030.1")


def test_a_report_names_its_roster(tmp_path: Path) -> None:
    report, folder = factory.entries(tmp_path)[0]
    listed = replace(report, task=replace(report.task, roster="2030.1"))
    assert "roster 2030.1" in page([(listed, folder)], tmp_path)
    assert "roster" not in page([(report, folder)], tmp_path)
