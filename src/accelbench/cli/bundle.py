"""``accelbench report pack``, ``unpack``, ``verify`` and ``sign``: one file with all evidence of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accelbench.bundle import keys
from accelbench.bundle import pack as packing
from accelbench.bundle import sign as signing
from accelbench.bundle.keys import Key
from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import Finding, Signer, signers, verify_folder
from accelbench.bundle.verify import verify as verify_bundle
from accelbench.cli.output import json_option, print_json
from accelbench.errors import UsageError
from accelbench.report.store import REPORT, reports

PATH = click.Path(exists=True, path_type=Path)


@click.command(no_args_is_help=True)
@click.argument("sources", nargs=-1, required=True, metavar="REPORT|RUN...", type=PATH)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file, or a folder. Default: this folder.")
@click.option("--outputs", is_flag=True, help="With the outputs that `run --keep-outputs` left.")
@click.option("--task", type=PATH, help="With the folder of your own task.")
@click.option("--private", is_flag=True, help="With the file that names you and your machine.")
@click.option("--key", help="Sign with this key of yours.")
@json_option
def pack(
    sources: tuple[Path, ...],
    output: Path | None,
    outputs: bool,
    task: Path | None,
    private: bool,
    key: str | None,
    json_: bool,
) -> None:
    """Pack each report, or every report of a run, into one file with all its evidence, for others to check and to
    reproduce. Names, home folders and environment values stay here."""
    folders = [folder for source in sources for folder in _folders(source)]
    target = output or Path()
    if len(folders) > 1 and not target.is_dir():
        raise UsageError(f"{len(folders)} reports become as many files: give a folder that is there with -o")
    unlocked = opened(key) if key else None
    made = []
    for folder in folders:
        kept = packing.kept_outputs(folder) if outputs else None
        path = packing.pack(folder, target, outputs=kept, task=task, private=private)
        if unlocked:
            signing.sign(path, unlocked)
        made.append(path)
    if json_:
        print_json([{"path": str(path), "size_bytes": path.stat().st_size} for path in made])
        return
    for path in made:
        click.echo(f"{path} ({path.stat().st_size:,} bytes)")


@click.command(no_args_is_help=True)
@click.argument("source", metavar="BUNDLE", type=PATH)
@click.argument("into", metavar="FOLDER", type=click.Path(path_type=Path))
def unpack(source: Path, into: Path) -> None:
    """Write what a bundle holds into a new folder, to read it: nothing in it is run."""
    click.echo(str(Bundle.open(source).unpack(into)))


@dataclass(frozen=True)
class Checked:
    """What is known of a bundle or a report's folder."""

    path: Path
    faults: tuple[Finding, ...]
    signers: tuple[Signer, ...]


@click.command(no_args_is_help=True)
@click.argument("sources", nargs=-1, required=True, metavar="BUNDLE|REPORT|RUN...", type=PATH)
@click.option("--key", metavar="NAME", help="Must be signed with this key of the keyring.")
@json_option
def verify(sources: tuple[Path, ...], key: str | None, json_: bool) -> int:
    """Check offline that bundles and reports are what they were when they were made, and who signed them.

    Exit code 0: all are. 1: each fault is named, with the part and the file. 2: something is no bundle at all.
    """
    wanted = keys.find(key, keys.keyring()) if key else None
    found = [_checked(path, wanted) for source in sources for path in _verifiable(source)]
    if json_:
        print_json([{**asdict(each), "path": str(each.path)} for each in found])
    else:
        for each in found:
            _print(each)
    return int(any(each.faults for each in found))


@click.command(no_args_is_help=True)
@click.argument("sources", nargs=-1, required=True, metavar="BUNDLE...", type=PATH)
@click.option("--key", required=True, metavar="NAME", help="A key of yours; see `accelbench key new`.")
def sign(sources: tuple[Path, ...], key: str) -> None:
    """Sign bundles: whoever has your public key can tell that they are yours and unchanged."""
    unlocked = opened(key)
    for source in sources:
        made = signing.sign(source, unlocked)
        click.echo(f"{source}: signed with key {made.fingerprint}")


def opened(name: str) -> Ed25519PrivateKey:
    """The user's own key of this name; its passphrase is asked for where it has one."""
    ring = keys.keyring()
    phrase = click.prompt(f"Passphrase of {name}", hide_input=True, err=True) if keys.locked(name, ring) else None
    return keys.private(name, ring, phrase)


def _folders(source: Path) -> Iterator[Path]:
    """The folder of the report at ``source``, or those of all reports of the run there."""
    if (source / REPORT).is_file() or source.name == REPORT:
        yield source if source.is_dir() else source.parent
    elif (source / "reports").is_dir():
        yield from (folder for _, folder in reports(source))
    else:
        raise UsageError(f"{source} is neither a report's folder nor a run's")


def _verifiable(source: Path) -> Sequence[Path]:
    if source.is_file() and source.name != REPORT:
        return (source,)
    if (source / "reports").is_dir():
        rooms = sorted(path for path in (source / "reports").iterdir() if not path.name.startswith("."))
        if rooms:
            return rooms
        raise UsageError(f"{source} holds no reports")
    return (source,)


def _checked(path: Path, wanted: Key | None) -> Checked:
    signed: tuple[Signer, ...] = ()
    if path.is_dir() or path.name == REPORT:
        faults = verify_folder(path)
    else:
        bundle = Bundle.open(path)
        faults, signed = verify_bundle(bundle), signers(bundle)
    if wanted and wanted.name not in [signer.name for signer in signed]:
        faults += (Finding("signature", "signatures/", f"it has no good signature of {wanted.name}"),)
    return Checked(path, faults, signed)


def _print(each: Checked) -> None:
    click.echo(f"{each.path}: {'intact' if not each.faults else f'{len(each.faults)} faults'}")
    for fault in each.faults:
        click.echo(f"  {fault.part}: {fault.path}: {fault.problem}")
    for signer in each.signers:
        name = f" ({signer.name})" if signer.name else ""
        click.echo(f"  signed with key {signer.fingerprint}{name}")
