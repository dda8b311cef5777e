from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from accelbench.page.markup import Markup, join, tag

TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]))


@given(TEXT, TEXT)
def test_text_and_attributes_come_back_as_they_were(words: str, value: str) -> None:
    element = ElementTree.fromstring(tag("p", words, data_name=value))
    assert (element.text or "", element.get("data-name")) == (words, value)


def test_markup_stands_as_it_is() -> None:
    assert tag("p", tag("b", "<"), [Markup("&amp;"), "&"], None) == "<p><b>&lt;</b>&amp;&amp;</p>"
    assert join("<", None, ["a", "b"]) == "&lt;ab"


def test_attributes() -> None:
    assert tag("input", class_="a", checked=True, disabled=False, id=None) == '<input class="a" checked>'
    assert tag("path", stroke_width=2) == '<path stroke-width="2"/>'
