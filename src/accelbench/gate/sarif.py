"""Findings as SARIF 2.1.0, which forges show beside the files of a pull request
(https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from accelbench import __version__
from accelbench.gate.rule import RULES_VERSION, Finding, Language, Rule
from accelbench.gate.rules import RULES

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Mapping[str, Sequence[Finding]], language: Language, rules: Sequence[Rule] = RULES) -> dict[str, Any]:
    """The SARIF document of one run over several submissions: ``found`` by the path of each, as the results' locations
    are to begin."""
    order = {rule.id: position for position, rule in enumerate(rules)}
    driver = {
        "name": "accelbench check",
        "version": __version__,
        "properties": {"rules_version": RULES_VERSION},
        "rules": [_rule(rule, language) for rule in rules],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(folder, finding, order[finding.rule], language)
                    for folder, findings in found.items()
                    for finding in findings
                ],
            }
        ],
    }


def _rule(rule: Rule, language: Language) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.demand.of(language)},
        "help": {"text": rule.remedy.of(language)},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(folder: str, finding: Finding, index: int, language: Language) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": quote(f"{folder}/{finding.path}")}}}
    if finding.place:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.place}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": f"{finding.text.of(language)}. {finding.remedy.of(language)}"},
        "locations": [location],
    }
