"""The recipes that ship, each a TOML file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from accelbench.errors import UsageError
from accelbench.knowledge.recipe import Recipe

RECIPES = Path(__file__).parent / "recipes"

_RECIPE = TypeAdapter(Recipe)


@cache
def recipes() -> Mapping[str, Recipe]:
    """Every recipe by its id, in the order of ids."""
    return load_all(RECIPES)


def load_all(folder: Path) -> dict[str, Recipe]:
    """The recipes of a folder by their ids. Raises UsageError as ``load`` does."""
    return {recipe.id: recipe for recipe in (load(path) for path in sorted(folder.glob("*.toml")))}


def load(path: Path) -> Recipe:
    """The recipe in a TOML file. Raises UsageError that names the file, the field and what is wrong."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        read = _RECIPE.validate_json(json.dumps(fields, default=str))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: no recipe can be read here ({error})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None
    if read.id != path.stem:
        raise UsageError(f"{path}: id: {read.id!r} is not the file's name")
    return read
