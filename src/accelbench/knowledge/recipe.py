"""What a recipe is: a file of TOML, read strictly."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from accelbench.knowledge.facts import known_fact
from accelbench.model import Scenario

Id12 = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]


ANY = "any"
"""Instead of stacks: whichever it is."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Words(_Table):
    """The same in English and in Chinese."""

    en: Text
    zh: Text


class Condition(_Table):
    """What must hold of a fact of a report (``facts.facts``). A text may have ``*`` and ``?`` for what varies.

    ``any``: the fact is one of these texts, or one of its texts is. ``none``: it is none of them, nor absent. ``above``
    and ``below``: the number is. ``known``: whether the fact is there at all.
    """

    fact: str
    any: Texts | None = None
    none: Texts | None = None
    above: float | None = None
    below: float | None = None
    known: bool | None = None

    @model_validator(mode="after")
    def _one(self) -> Condition:
        told = [name for name in ("any", "none", "above", "below", "known") if getattr(self, name) is not None]
        if len(told) != 1:
            raise ValueError("a condition has one of any, none, above, below, known")
        if not known_fact(self.fact):
            raise ValueError(f"no fact of a report is called {self.fact!r}")
        return self


class Load(_Table):
    """What becomes of the load: samples of a query, queries in flight, instances, dynamic batching."""

    batch: int | None = None
    concurrency: int | None = None
    instances: int | None = None
    max_batch: int | None = None
    max_delay_s: float | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """What that adds to ``accelbench run``."""
        argv: list[str] = []
        for name in ("batch", "concurrency", "instances", "max_batch"):
            value = getattr(self, name)
            argv += [f"--{name.replace('_', '-')}", str(value)] if value is not None else []
        return (*argv, *(["--max-delay", f"{self.max_delay_s * 1e3:g}ms"] if self.max_delay_s is not None else []))


class Change(_Table):
    """What to do, in words and as what becomes of a target and of its load. What is not told stays. An option that
    is empty is left out."""

    en: Text
    zh: Text
    backend: str | None = None
    precision: str | None = None
    passes: tuple[str, ...] | None = None
    tune_s: float | None = None
    options: dict[str, str] = {}
    load: Load | None = None


class Shown(_Table):
    """A figure that the change makes better; ``scenario`` for one of a timed pass."""

    figure: str
    scenario: Scenario | None = None


class Effect(_Table):
    """A figure before and after, by its name in ``accelbench.figures`` or ``status`` or ``non_finite``; ``ratio`` is
    after ÷ before, absent where there is none."""

    figure: str
    scenario: Scenario | None = None
    before: float | str
    after: float | str
    ratio: float | None = None


class Measured(_Table):
    """What two reports show, written by ``tools/knowledge.py``: ids, the task, the stack's version on either side, the
    processor, what got better of what the recipe is about, and what got worse besides."""

    before: Id12
    after: Id12
    task: str
    stack: tuple[str, str]
    cpu: str
    effects: tuple[Effect, ...]
    costs: tuple[Effect, ...] = ()


class Recipe(_Table):
    """One thing that was learned. ``stacks`` are backends by their names, or ``any``; ``models`` the class of models in
    words; ``evidence`` pairs of reports, before and after. It applies to a report of one of the stacks of which all
    of ``when`` holds."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    stacks: Texts
    title: Words
    models: Words
    symptom: Words
    why: Words
    change: Change
    when: Annotated[tuple[Condition, ...], Field(min_length=1)]
    shows: Annotated[tuple[Shown, ...], Field(min_length=1)]
    evidence: Annotated[tuple[tuple[Id12, Id12], ...], Field(min_length=1)]
    measured: tuple[Measured, ...] = ()

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold: of the stack, unless it is any, and ``when``."""
        stack = () if self.stacks == (ANY,) else (Condition(fact="backend", any=self.stacks),)
        return (*stack, *self.when)


Language = Literal["en", "zh"]
