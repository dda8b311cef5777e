from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.unit.page import factory

from accelbench.errors import UsageError
from accelbench.page.document import page, write_page
from accelbench.page.markup import VOID


class Outline(HTMLParser):
    """Elements with their attributes, the text that is seen, and whether every element is closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, words: str) -> None:
        self.words.append(words)

    def values(self, attribute: str) -> list[str]:
        return [found for _, attributes in self.elements if (found := attributes.get(attribute))]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def entries(root: Path) -> factory.Entries:
    return factory.entries(root)


@pytest.fixture(scope="module")
def source(entries: factory.Entries, root: Path) -> str:
    return page(entries, root)


@pytest.fixture(scope="module")
def outline(source: str) -> Outline:
    return Outline(source)


def test_the_page_is_well_formed(outline: Outline) -> None:
    assert outline.open == []
    identifiers = outline.values("id")
    assert len(identifiers) == len(set(identifiers))


def test_nothing_is_loaded_and_nothing_runs(outline: Outline) -> None:
    assert not {name for name, _ in outline.elements} & {"script", "link", "img", "iframe", "object", "base"}
    assert outline.values("src") == outline.values("style") == []
    assert not [a for _, attributes in outline.elements for a in attributes if a.startswith("on")]
    assert all(link.startswith("#") or link.endswith("/report.json") for link in outline.values("href"))
    assert not any(":" in link for link in outline.values("href"))


def test_the_policy_allows_the_style_by_its_hash_and_nothing_else(source: str, outline: Outline) -> None:
    style = re.search("<style>(.*?)</style>", source, re.S)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for _, a in outline.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]


def test_names_are_text(source: str, outline: Outline) -> None:
    assert "<script" not in source
    assert '<script>alert("out")</script>' in outline.words


def test_every_report_is_reached_from_the_table(outline: Outline, entries: factory.Entries) -> None:
    anchors = {link[1:] for link in outline.values("href") if link.startswith("#")}
    assert anchors == {f"report-{number}" for number in range(1, len(entries) + 1)}
    assert anchors <= set(outline.values("id"))


def test_all_facts_are_told(outline: Outline) -> None:
    words = " ".join(outline.words).replace("\u00a0", " ")
    for fact in (
        "worker crashed (signal 11) while compiling",
        "operator Einsum has no kernel",
        "shape [1, 10] in record 0, the reference has [10]",
        "5 / 0",
        "accelbench run resnet50 -b openvino --precision bf16 --quick",
        factory.SHA,
        "INFERENCE_PRECISION_HINT",
        "Example Processor 8000",
        "protobuf",
        "L2 ≤ 0.005",
        " ≥ 0.95",
        "± 0.0155 standard error, 64 samples",
        "✗ Failed",
        "○ 该软件栈不支持",
    ):
        assert fact in words.replace("  ", " "), fact


def test_loadgens_account_is_named_as_its_own(root: Path, entries: factory.Entries, source: str) -> None:
    report, folder = entries[0]
    run = factory.loadgen(report.measurements[0].plan)
    told = page([(replace(report, loadgen=(run,)), folder)], root)
    for words in (
        "The same under LoadGen 6.0.17, by its own clock",
        "LoadGen 判定本次运行有效",
        "1 of 9 queries failed",
    ):
        assert words in told
        assert words not in source
    assert "<dt>50.00 percentile latency (ns)</dt><dd>2,008</dd>" in told


def test_links_to_raw_facts_are_relative_and_quoted(root: Path, entries: factory.Entries) -> None:
    report, folder = entries[5]
    inside = page([(report, folder.parent / "a b#c")], root)
    assert 'href="a%20b%23c/report.json"' in inside


def test_what_was_not_measured_is_a_dash(entries: factory.Entries, root: Path) -> None:
    body = page([entries[5]], root).split('class="rows')[1].split("</table>")[0]
    numbers = re.findall(r'<td class="n">.*?</span></span>(.*?)</td>|<td class="n">.*?</span>(.*?)</td>', body)
    assert len(numbers) == 8
    assert {first or second for first, second in numbers} == {"–"}


def test_gone_columns_are_told(entries: factory.Entries, root: Path, tmp_path: Path) -> None:
    shown = page([(entries[0][0], tmp_path)], root)
    assert "The raw columns are not beside this page" in shown
    assert "too few samples" not in shown


def test_a_report_says_what_was_done_to_its_model(entries: factory.Entries, root: Path) -> None:
    (report, folder) = entries[0]
    made = page([(replace(report, target=replace(report.target, passes=("prune:0.5", "int8"))), folder)], root)
    assert "pass prune:0.5+int8" in made
    assert "处理步骤 prune:0.5+int8" in made
    assert "pass prune" not in page([(report, folder)], root)


def test_only_quick_pages_are_indicative(entries: factory.Entries, root: Path) -> None:
    report, folder = entries[0]
    assert "indicative" in page([(report, folder)], root)
    assert "indicative" not in page([(replace(report, effort="standard"), folder)], root)


def test_a_title_of_many_tasks_counts_the_rest(entries: factory.Entries, root: Path) -> None:
    assert "<h1>" in page(entries, root)
    assert "resnet50, digits-cnn, bert-base + 1" in page(entries, root)
    assert "<h1>A &amp; B</h1>" in page(entries, root, "A & B")


def test_the_page_is_written_whole_and_replaced(entries: factory.Entries, tmp_path: Path) -> None:
    out = write_page(entries[5:], tmp_path)
    first = out.read_text(encoding="utf-8")
    assert write_page(entries[6:], tmp_path) == out == tmp_path / "index.html"
    assert out.read_text(encoding="utf-8") != first
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(
    entries: factory.Entries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write_page(entries[5:], tmp_path)
    before = out.read_bytes()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(UsageError, match=r"index\.html cannot be written"):
        write_page(entries[6:], tmp_path)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
