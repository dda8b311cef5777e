"""The page that compares stacks is what its tool makes of the kept results, and says what they say."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.e2e.pages import dead_links, text_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage.md"
KEPT = sorted((ROOT / "docs" / "coverage").glob("*.json.gz"))


def test_the_page_is_written_by_its_tool(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "coverage.py", tmp_path / "tools")
    shutil.copytree(ROOT / "docs" / "coverage", tmp_path / "docs" / "coverage")
    subprocess.run([sys.executable, tmp_path / "tools" / "coverage.py"], check=True)
    assert text_of(tmp_path / "docs" / "coverage.md") == text_of(PAGE), "run python tools/coverage.py"
    assert dead_links(PAGE) == []


def test_its_sums_are_those_of_the_cases() -> None:
    page = text_of(PAGE)
    for path in KEPT:
        found = json.loads(gzip.decompress(path.read_bytes()))
        counted = Counter(case["outcome"] for case in found["cases"])
        assert path.name == f"{found['backend']}.json.gz"
        assert counted.total() - counted["not expressible"] >= 1000
        (row,) = re.findall(rf"^\| .*\(`{found['backend']}`\).*$", page, re.MULTILINE)
        assert f"| {counted['passed']} | {counted['wrong']} | {counted['unsupported']} |" in row


def test_a_result_is_kept_in_the_place_of_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "coverage.py", tmp_path / "tools")
    (tmp_path / "docs").mkdir()
    found = json.loads(gzip.decompress(KEPT[0].read_bytes()))
    for outcome in ("crashed", "hung"):
        found["cases"] = [{**case, "outcome": outcome} for case in found["cases"] if case["operator"] == "Abs"]
        (tmp_path / "found.json").write_text(json.dumps(found))
        subprocess.run([sys.executable, tmp_path / "tools" / "coverage.py", tmp_path / "found.json"], check=True)
    page = text_of(tmp_path / "docs" / "coverage.md")
    assert len(list((tmp_path / "docs" / "coverage").iterdir())) == 1
    assert re.search(r"^\| `Abs` \| [\d, ]+ \| 0 \d+h \|$", page, re.MULTILINE)
