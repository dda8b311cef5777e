"""``accelbench key``: the keys that reports are signed with, and those of others that are trusted here."""

from __future__ import annotations

from pathlib import Path

import click

from accelbench.bundle import keys
from accelbench.bundle.keys import Key
from accelbench.cli.output import json_option, listing, print_json, print_table


@click.group()
def key() -> None:
    """Keys (Ed25519): your own, to sign reports with, and those of others, which you name."""


@key.command()
@click.argument("name")
@click.option("--passphrase", is_flag=True, help="Ask for a passphrase that the private key is sealed with.")
@json_option
def new(name: str, passphrase: bool, json_: bool) -> None:
    """Make a key pair called NAME in your keyring."""
    phrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True) if passphrase else None
    _print((keys.new(name, keys.keyring(), phrase),), json_)


@key.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def trust(name: str, file: Path, json_: bool) -> None:
    """Keep the public key in FILE under NAME, the name that you know its owner by."""
    _print((keys.trust(name, file, keys.keyring()),), json_)


@key.command("list")
@json_option
def list_(json_: bool) -> None:
    """List the keys of your keyring."""
    _print(keys.keys(keys.keyring()), json_)


@key.command()
@click.argument("name")
def show(name: str) -> None:
    """Print the public key NAME, for others to keep with `accelbench key trust`."""
    click.echo(keys.public_pem(keys.find(name, keys.keyring()).public), nl=False)


def _print(found: tuple[Key, ...], json_: bool) -> None:
    if json_:
        print_json(
            [{"name": each.name, "fingerprint": keys.fingerprint(each.public), "own": each.own} for each in found]
        )
        return
    table = listing("name", "fingerprint", "own")
    for each in found:
        table.add_row(each.name, keys.fingerprint(each.public), "yes" if each.own else "no")
    print_table(table)
