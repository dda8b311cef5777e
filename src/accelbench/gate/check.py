"""All rules over a submission. It fails closed: what cannot be judged is an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from accelbench.gate.install import installed
from accelbench.gate.manifest import MANIFEST
from accelbench.gate.rule import RULES_VERSION, SEVERITIES, Finding, Rule, Text
from accelbench.gate.rules import RULES
from accelbench.gate.submission import Submission, opened
from accelbench.gate.world import HERE, World

Say = Callable[[str], None]


def check(
    folder: Path,
    *,
    install: bool = False,
    keyring: Path | None = None,
    world: World = HERE,
    rules: Sequence[Rule] = RULES,
    say: Say = lambda _text: None,
) -> tuple[Finding, ...]:
    """Every finding about the submission in ``folder``, errors first, each kind in the order of the rules. With
    ``install`` the environments are made from their locks, in folders that are gone afterwards. Raises UsageError when
    there is no such folder."""
    with opened(folder, world, keyring) as submission:
        return judge(installed(submission, say) if install else submission, rules)


def judge(submission: Submission, rules: Sequence[Rule] = RULES) -> tuple[Finding, ...]:
    """What the rules of the submission's version find in it. A rule that raises is an error of its own id; where the
    version is not known, all rules are asked."""
    told = submission.manifest.rules if submission.manifest else RULES_VERSION
    version = told if 1 <= told <= RULES_VERSION else RULES_VERSION
    found = [finding for rule in rules if rule.since <= version for finding in _findings(rule, submission)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def _findings(rule: Rule, submission: Submission) -> list[Finding]:
    try:
        return [
            Finding(rule.id, rule.severity, each.path, each.place, each.text, rule.remedy)
            for each in rule.find(submission)
        ]
    except Exception as error:  # whatever it is: what cannot be judged is not right
        why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        text = Text(f"could not be judged ({why})", f"无法判定（{why}）")
        return [Finding(rule.id, "error", MANIFEST, "", text, rule.remedy)]
