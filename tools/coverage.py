"""Write ``docs/coverage.md``, which compares what stacks can take: ``python tools/coverage.py [FOUND.json ...]``.

Each FOUND.json is what ``accelbench backend check NAME -o FOUND.json`` wrote, with all parts; it is kept, packed, in
``docs/coverage/``, in the place of an older one of that backend. The page is made of all that are kept. Tests compare
it.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from accelbench.acceptance.result import OUTCOMES

DOCS = Path(__file__).parent.parent / "docs"
KEPT = DOCS / "coverage"
PAGE = DOCS / "coverage.md"

HEAD = """# What the stacks can take

Written by `tools/coverage.py` from the results of `accelbench backend check NAME -o FOUND.json`, which lie beside this
page in `coverage/`, with a row for each case. The cases are the ONNX project's own, one small model for each; how they
are run and what the outcomes mean says the [vendor guide](vendor-guide.md).

A stack is judged here as its adapter uses it, in float32, on the processor of an ordinary machine. `torch` is not among
them: it runs a task's own module, and takes no graph. *Wrong* answers are
outside of the case's own tolerance (relative 1e-3, absolute 1e-7 unless the case says otherwise); some are zeros that
are not quite zero, others are other results. *Raised* are errors other than a clear refusal. *Not expressible* are the
cases of types that NumPy does not have, of sequences and optional values, and those that draw random numbers.
"""

MARKS = {"wrong": "w", "unsupported": "u", "raised": "r", "crashed": "c", "hung": "h"}
FEW = 6

Found = Mapping[str, Any]


def kept() -> list[Found]:
    """All results, in the order of the backends' names."""
    return [json.loads(gzip.decompress(path.read_bytes())) for path in sorted(KEPT.glob("*.json.gz"))]


def keep(path: Path) -> None:
    """Pack a result: the same bytes for the same content."""
    found = json.loads(path.read_text(encoding="utf-8"))
    packed = gzip.compress(json.dumps(found, ensure_ascii=False).encode(), mtime=0)
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{found['backend']}.json.gz").write_bytes(packed)


def text(results: Sequence[Found]) -> str:
    """The whole page."""
    parts = [
        HEAD,
        "\n## Sums\n\n",
        table(
            ["stack", "version", "onnx", "cases", "minutes", "operators alone", *OUTCOMES],
            [sums(found) for found in results],
        ),
        "\n*Cases* are those that the contract can express, and that were run. *Minutes* are those of the whole "
        "acceptance test and of its part on operators alone, on a machine of two cores that had, at "
        "times, other work too.\n"
        "\nParts of the acceptance test that did not pass, and why:\n\n",
        *(f"- {line}\n" for found in results for line in failed(found)),
        "\n## Whole models\n\nDrift (relative L2) against ONNX Runtime in float32, batch 1.\n\n",
        table(["task", *(found["backend"] for found in results)], list(tasks(results))),
        "\n## Operators\n\n",
        "A number alone: so many cases, all passed. Else how many of them passed, and how many were "
        + ", ".join(f"{outcome} (`{mark}`)" for outcome, mark in MARKS.items())
        + ". Cases that are not expressible are left out. An operator's cases include those of its function body.\n\n",
        table(["operator", "opsets", *(found["backend"] for found in results)], list(operators(results))),
    ]
    return "".join(parts)


def sums(found: Found) -> list[str]:
    """A stack's row."""
    counted = Counter(case["outcome"] for case in found["cases"])
    name = f"{found['title']} (`{found['backend']}`)" + (" *untested*" if found["untested"] else "")
    seconds = {part["part"]: part["seconds"] for part in found["parts"]}
    run = len(found["cases"]) - counted["not expressible"]
    minutes = [f"{part / 60:.1f}" for part in (sum(seconds.values()), seconds["operators"])]
    return [name, found["version"], found["onnx"], str(run), *minutes, *(str(counted[outcome]) for outcome in OUTCOMES)]


def failed(found: Found) -> Iterator[str]:
    """A line for each part of a stack's test that did not pass."""
    bad = [part for part in found["parts"] if part["outcome"] == "failed"]
    if not bad:
        yield f"`{found['backend']}`: none"
    for part in bad:
        more = f"; and {len(part['reasons']) - FEW} more" if len(part["reasons"]) > FEW else ""
        yield f"`{found['backend']}`, {part['part']}: {'; '.join(part['reasons'][:FEW])}{more}"


def tasks(results: Sequence[Found]) -> Iterator[list[str]]:
    """The cells of each task that a stack was tried with."""
    names = dict.fromkeys(row["task"] for found in results for row in found["tasks"])
    for name in names:
        rows = [next((row for row in found["tasks"] if row["task"] == name), None) for found in results]
        yield [f"`{name}`", *(outcome(row) for row in rows)]


def outcome(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    drift = row["relative_l2"]
    return row["outcome"] if drift is None else f"{row['outcome']}, {drift:.1e}"


def operators(results: Sequence[Found]) -> Iterator[list[str]]:
    """The cells of each operator with a case that can be expressed."""
    counted: dict[str, list[Counter[str]]] = {}
    opsets: dict[str, set[int]] = {}
    for place, found in enumerate(results):
        for case in found["cases"]:
            if case["outcome"] != "not expressible":
                row = counted.setdefault(case["operator"], [Counter() for _ in results])
                row[place][case["outcome"]] += 1
                opsets.setdefault(case["operator"], set()).add(case["opset"])
    for name in sorted(counted, key=str.lower):
        versions = ", ".join(str(version) for version in sorted(opsets[name]))
        yield [f"`{name}`", versions, *(cell(row) for row in counted[name])]


def cell(row: Counter[str]) -> str:
    others = " ".join(f"{row[outcome]}{mark}" for outcome, mark in MARKS.items() if row[outcome])
    return f"{row['passed']} {others}".strip() if row else "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(text.replace('|', '/') for text in line)} |\n" for line in lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        keep(Path(name))
    PAGE.write_text(text(kept()), encoding="utf-8")
