"""The page of a run in a real browser, from the disk and without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.unit.page import factory

from accelbench.page.document import write_page

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PROBE = """<!doctype html><meta charset="utf-8"><iframe id="page" src="index.html" width="360" height="900"></iframe>
<script>onload = () => {
  const inside = document.getElementById("page").contentDocument, seen = inside.documentElement;
  const visible = () => getComputedStyle(inside.querySelector("h1 .en")).display !== "none";
  const before = visible(); inside.getElementById("zh").checked = true;
  document.title = `width=${seen.scrollWidth} english=${before} switched=${!visible()}`;
};</script>"""


@dataclass(frozen=True)
class Visit:
    dom: str
    log: str


def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no chromium: install it, CI must not skip the page")
    if found is None:
        pytest.skip("no chromium on this machine")
    return found


def visit(page: Path, profile: Path) -> Visit:
    command = [
        browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--no-first-run", "--allow-file-access-from-files", f"--user-data-dir={profile}",
        "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND", f"--log-net-log={profile}/net.json",
        "--virtual-time-budget=2000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return Visit(done.stdout, done.stderr)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    write_page(factory.entries(root), root)
    return root


def console(log: str) -> list[str]:
    return [line for line in log.splitlines() if "CONSOLE" in line]


def test_the_page_opens_silently(folder: Path, tmp_path: Path) -> None:
    seen = visit(folder / "index.html", tmp_path)
    assert console(seen.log) == []
    assert "worker crashed (signal 11) while compiling" in seen.dom
    assert seen.dom.count("<svg") > 20


def test_the_page_asks_nobody(folder: Path, tmp_path: Path) -> None:
    visit(folder / "index.html", tmp_path)
    assert asked(tmp_path) == set()


def test_a_page_that_asks_somebody_would_be_heard(tmp_path: Path) -> None:
    asking = tmp_path / "asking.html"
    asking.write_text('<img src="http://elsewhere.invalid/picture.png">', encoding="utf-8")
    visit(asking, tmp_path / "profile")
    assert asked(tmp_path / "profile") == {"http://elsewhere.invalid/picture.png"}


def asked(profile: Path) -> set[str]:
    """Addresses that were asked for, without those of the browser's own upkeep."""
    net = (profile / "net.json").read_text(encoding="utf-8", errors="replace")
    found = set(re.findall(r'"url":"(https?://[^"]+)"', net))
    return {url for url in found if not re.match(r"https?://[^/]*\b(google|googleapis|gvt1|gstatic)\.com", url)}


def test_a_broken_policy_would_be_heard(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    text = (folder / "index.html").read_text(encoding="utf-8")
    broken.write_text(text.replace("<style>", "<style> "), encoding="utf-8")
    assert console(visit(broken, tmp_path / "profile").log)


def test_narrow_screens_need_no_sideways_scrolling_and_the_language_switches(folder: Path, tmp_path: Path) -> None:
    probe = folder / "probe.html"
    probe.write_text(PROBE, encoding="utf-8")
    title = re.search("<title>(.*?)</title>", visit(probe, tmp_path).dom)
    assert title is not None
    assert title[1] in ("width=360 english=true switched=true", "width=345 english=true switched=true")
