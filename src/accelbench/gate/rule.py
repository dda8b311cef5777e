"""A rule of submission, and what it finds: the rule says what is demanded and what to do, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from accelbench.gate.submission import Submission

Severity = Literal["error", "warning", "note"]
Language = Literal["en", "zh"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

RULES_VERSION = 1
"""Version of the rules. 1: first. A submission names the one that it was made for, and is checked by that."""


class Text(NamedTuple):
    """The same in English and in Chinese."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """The text in one of the two."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Found:
    """What a rule saw: ``path`` is the file, relative to the submission, ``place`` what in it (``measurements[0]``),
    ``text`` what is wrong there."""

    path: str
    text: Text
    place: str = ""


Find = Callable[[Submission], Iterator[Found]]


@dataclass(frozen=True)
class Rule:
    """``demand`` is what a submission must be, ``remedy`` what to do where it is not; ``since`` the version of the
    rules from which on it holds. ``find`` gives everything that is not as demanded, and looks at nothing but what is in
    the submission."""

    id: str
    severity: Severity
    since: int
    demand: Text
    remedy: Text
    find: Find


@dataclass(frozen=True)
class Finding:
    """What is wrong, by which rule, where, and what to do."""

    rule: str
    severity: Severity
    path: str
    place: str
    text: Text
    remedy: Text


def rule(id_: str, severity: Severity, demand: Text, remedy: Text, since: int = 1) -> Callable[[Find], Rule]:
    """A decorator that makes a rule of the function which finds."""

    def made(find: Find) -> Rule:
        return Rule(id_, severity, since, demand, remedy, find)

    return made
