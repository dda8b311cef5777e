"""``submission.toml``: who submits what, and what is claimed of it."""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from accelbench.errors import UsageError
from accelbench.model import STRICT

MANIFEST = "submission.toml"
SCHEMA = 1
"""Version of the stored form. 1: first."""

Division = Literal["closed", "open"]
Trust = Literal["counted", "claimed"]


@dataclass(frozen=True)
class Submitter:
    """Who submits: the name, and where questions are answered (an address, or a page)."""

    __pydantic_config__ = STRICT

    name: str
    contact: str


@dataclass(frozen=True)
class Machine:
    """``id`` is the device's in the hardware catalogue; ``count`` devices were in the machine, and the largest number
    of ``instances`` of the model that ran at the same time."""

    __pydantic_config__ = STRICT

    id: str
    count: int
    instances: int


@dataclass(frozen=True)
class Disclosure:
    """What is said of one report's model as it ran: precision of the bulk of the arithmetic and share of zeros among
    the weights. ``counted`` means that anybody can count it in the files that the report names, ``claimed`` that a
    compiled form nobody can read is taken at its maker's word. ``bundle`` is relative to the submission."""

    __pydantic_config__ = STRICT

    bundle: str
    precision: str
    precision_trust: Trust
    sparsity: float | None
    sparsity_trust: Trust


@dataclass(frozen=True)
class Manifest:
    """``rules`` is the version of the rules, ``roster`` the name of the list of tasks. ``division``: ``closed`` keeps
    to the tasks' own weights and tolerances, ``open`` to neither. With ``embargo`` the submission is not for the public
    before that day."""

    __pydantic_config__ = STRICT

    schema: int
    rules: int
    roster: str
    division: Division
    vendor: Submitter
    device: Machine
    reports: tuple[Disclosure, ...]
    embargo: datetime.date | None = None


_ADAPTER = TypeAdapter(Manifest)


def read(path: Path) -> Manifest:
    """The manifest at ``path``. Raises UsageError that names the field which is wrong, and for unknown versions."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read ({error})") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path.name} is not TOML: {error}") from None
    if fields.get("schema") != SCHEMA:
        raise UsageError(f"{path.name} has schema {fields.get('schema')!r}; this accelbench reads {SCHEMA}")
    for each in fields.get("reports", []) if isinstance(fields.get("reports"), list) else []:
        if isinstance(each, dict):  # TOML has no null: what is not known is left out
            each.setdefault("sparsity", None)
    try:
        return _ADAPTER.validate_json(json.dumps(fields, default=str))
    except (ValidationError, ValueError) as error:
        raise UsageError(f"{path.name}: {_complaint(error)}") from None


def text(manifest: Manifest) -> str:
    """What ``read`` reads as the same manifest."""
    head = [
        f"schema = {manifest.schema}",
        f"rules = {manifest.rules}",
        f"roster = {_quoted(manifest.roster)}",
        f"division = {_quoted(manifest.division)}",
        *([f"embargo = {manifest.embargo.isoformat()}"] if manifest.embargo else []),
    ]
    vendor = ["[vendor]", f"name = {_quoted(manifest.vendor.name)}", f"contact = {_quoted(manifest.vendor.contact)}"]
    machine = manifest.device
    device = [
        "[device]",
        f"id = {_quoted(machine.id)}",
        f"count = {machine.count}",
        f"instances = {machine.instances}",
    ]
    parts = [head, vendor, device, *(_table(each) for each in manifest.reports)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def slug(name: str) -> str:
    """``name`` as that of a folder: lower case, with letters of any script, digits, dots and underscores; everything
    else is a hyphen."""
    return re.sub(r"[^\w.]+", "-", name.lower()).strip("-.") or "_"


def _table(each: Disclosure) -> list[str]:
    sparsity = [] if each.sparsity is None else [f"sparsity = {float(each.sparsity)!r}"]
    return [
        "[[reports]]",
        f"bundle = {_quoted(each.bundle)}",
        f"precision = {_quoted(each.precision)}",
        f"precision_trust = {_quoted(each.precision_trust)}",
        *sparsity,
        f"sparsity_trust = {_quoted(each.sparsity_trust)}",
    ]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _complaint(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
