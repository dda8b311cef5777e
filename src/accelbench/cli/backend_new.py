"""``accelbench backend new``: where a vendor begins."""

from __future__ import annotations

from pathlib import Path

import click

from accelbench.envs.scaffold import scaffold


@click.command()
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to make it in. Default: here.",
)
def new(name: str, into: Path) -> None:
    """Make a folder NAME with a backend that works, for you to put your own stack into."""
    spec = scaffold(name, into)
    place = str(into / name)
    click.echo(f"{place}: {', '.join(sorted(path.name for path in spec.folder.iterdir()))}")
    click.echo(f"It works as it stands: accelbench backend check {place if '/' in place else f'./{place}'}")
