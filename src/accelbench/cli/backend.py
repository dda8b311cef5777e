"""``accelbench backend``: the stacks and their environments."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from accelbench.cli.lazy import LazyGroup
from accelbench.cli.output import json_option, listing, print_facts, print_json, print_table, progress
from accelbench.deploy.manifest import BACKEND, MANIFEST
from accelbench.envs.install import environment_facts, install, installed, register
from accelbench.envs.install import remove as remove_environment
from accelbench.envs.spec import BackendSpec, Broken, find, is_shipped, read, survey
from accelbench.envs.worker import Worker
from accelbench.model import DeviceInfo


@click.group(cls=LazyGroup, verbs={"check": "backend_check:check", "new": "backend_new:new"})
def backend() -> None:
    """The stacks: each is a folder with an environment of its own."""


@backend.command("list")
@json_option
def list_(json_: bool) -> None:
    """List every known backend and whether it is installed, then the folders of broken ones with what is wrong."""
    known, broken = survey()
    found = [(spec, installed(spec)) for spec in known.values()]
    if json_:
        print_json([*(_row(spec, there) for spec, there in found), *map(_broken_row, broken)])
        return
    table = listing("backend", "version", "installed", "environment", "precisions", "title")
    for spec, there in found:
        mark = " (untested on hardware)" if spec.table.untested else ""
        table.add_row(
            spec.name,
            spec.table.version,
            "yes" if there else "no",
            spec.table.environment.kind,
            ", ".join(spec.table.precisions),
            spec.table.title + mark,
        )
    print_table(table)
    for each in broken:
        click.echo(f"broken: {each.name}: {each.problem}")


@backend.command("install")
@click.argument("names", nargs=-1, required=True, metavar="NAME|DIR...")
def install_(names: tuple[str, ...]) -> None:
    """Build the environments of backends from their hashed locks. A DIR from
    outside (a path with a slash in it) is copied in first; of a deployable,
    the environment that it was evaluated in is made."""
    specs = [_from_outside(Path(name)) if _is_folder(name) else find(name) for name in names]
    with progress() as say:
        for spec in specs:
            install(spec, say)


@backend.command()
@click.argument("name")
@json_option
def show(name: str, json_: bool) -> None:
    """Show a backend: options, abilities, and, where it is installed, its devices and packages."""
    spec = find(name)
    facts = environment_facts(spec) if installed(spec) else None
    devices = _devices(spec) if facts else ()
    row = {
        **_row(spec, facts is not None),
        "vendor": spec.table.vendor,
        "url": spec.table.url,
        "abilities": spec.table.abilities.model_dump(),
        "options": {name: option.model_dump() for name, option in spec.table.options.items()},
        "devices": [asdict(device) for device in devices],
        "packages": dict(facts.packages) if facts else None,
        "probes": dict(facts.probes) if facts else None,
    }
    if json_:
        print_json(row)
        return
    print_facts(row)


@backend.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def remove(names: tuple[str, ...]) -> None:
    """Delete the environments of backends, and the folders of those that came from outside."""
    for spec in [find(name) for name in names]:
        for path in remove_environment(spec):
            click.echo(f"removed {path}")


def _from_outside(folder: Path) -> BackendSpec:
    return read(folder / BACKEND) if (folder / MANIFEST).is_file() else register(folder)


def _is_folder(name: str) -> bool:
    return "/" in name or name in (".", "..")


def _devices(spec: BackendSpec) -> tuple[DeviceInfo, ...]:
    with TemporaryDirectory() as logs, Worker(spec, Path(logs)) as worker:
        return worker.devices()


def _row(spec: BackendSpec, there: bool) -> dict[str, Any]:
    return {
        "backend": spec.name,
        "version": spec.table.version,
        "title": spec.table.title,
        "installed": there,
        "shipped": is_shipped(spec),
        "untested": spec.table.untested,
        "environment": spec.table.environment.kind,
        "precisions": spec.table.precisions,
        "problem": None,
    }


def _broken_row(broken: Broken) -> dict[str, Any]:
    unknown = dict.fromkeys(("version", "title", "shipped", "untested", "environment"))
    return {"backend": broken.name, **unknown, "installed": False, "precisions": (), "problem": broken.problem}
