"""``accelbench check``: the rules of submission."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from accelbench.cli.output import json_option, print_json, progress
from accelbench.gate.check import check as checked
from accelbench.gate.rule import RULES_VERSION, SEVERITIES, Finding, Language, Text
from accelbench.gate.sarif import sarif
from accelbench.paths import disk_errors

Found = Mapping[str, Sequence[Finding]]

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_ACCEPTED = {True: Text("accepted", "通过"), False: Text("not accepted", "未通过")}

lang_option = click.option(
    "--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the findings."
)


@click.command()
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--install", is_flag=True, help="Make each environment from its lock, to see that it can be.")
@click.option("--sarif", "sarif_file", type=click.Path(path_type=Path), help="Also write the findings as SARIF 2.1.0.")
@lang_option
@json_option
def check(folders: tuple[Path, ...], install: bool, sarif_file: Path | None, lang: Language, json_: bool) -> int:
    """Check submissions (folders like results/VENDOR/DEVICE) by the rules in docs/submission-rules.md.

    Everything that can be computed from the raw facts is computed again. Exit code 1: an error was found, or something
    could not be judged.
    """
    with progress() as say:
        found = {str(folder): checked(folder, install=install, say=say) for folder in folders}
    if sarif_file is not None:
        with disk_errors(sarif_file):
            text = json.dumps(sarif(found, lang), indent=1, ensure_ascii=False)
            sarif_file.write_text(text + "\n", encoding="utf-8")
    if json_:
        print_json({"rules_version": RULES_VERSION, "submissions": [as_json(*each, lang) for each in found.items()]})
    else:
        tell(found, lang)
    return int(not all(map(accepted, found.values())))


def accepted(findings: Sequence[Finding]) -> bool:
    """Whether there is no error."""
    return all(finding.severity != "error" for finding in findings)


def tell(found: Found, language: Language) -> None:
    """Each finding on two lines: what is wrong and where, and what to do; a line for each submission."""
    for folder, findings in found.items():
        for finding in findings:
            where = ": ".join(filter(None, (f"{folder}/{finding.path}", finding.place)))
            severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
            click.echo(f"{severity} {finding.rule} {where}: {finding.text.of(language)}")
            click.echo(f"    {finding.remedy.of(language)}")
        counted = Counter(finding.severity for finding in findings)
        counts = ", ".join(f"{counted[severity]} {severity}" for severity in SEVERITIES)
        verdict = _ACCEPTED[accepted(findings)].of(language)
        click.echo(f"{folder}: {verdict} ({counts}; rules {RULES_VERSION})")


def as_json(folder: str, findings: Sequence[Finding], language: Language) -> dict[str, Any]:
    """A submission's findings as JSON has them."""
    return {
        "folder": folder,
        "accepted": accepted(findings),
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "path": finding.path,
                "place": finding.place,
                "text": finding.text.of(language),
                "remedy": finding.remedy.of(language),
            }
            for finding in findings
        ],
    }
