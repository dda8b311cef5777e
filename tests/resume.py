"""``pytest --resume``: tests that passed before on the very same files are not run again.

What has passed is written down test by test, so that a run may be ended at any moment, also by a power cut. Of several
workers (pytest-xdist) each knows what had passed before, and writes to the same file. Such a run is long, so that a
failure is told when it happens, and why at the end.
"""

import hashlib
from collections.abc import Generator
from pathlib import Path

import pytest

WATCHED = (
    "*.*",
    "Makefile",
    "src/**/*",
    "tests/**/*",
    "tools/**/*",
    "docs/**/*",
    "benchmarks/**/*",
    "web/**/*",
    "examples/**/*",
)
UNWATCHED = ("__pycache__", ".pyc", "/node_modules/", "/.")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--resume", action="store_true", help="leave out what passed before on the very same files")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--resume"):
        config.pluginmanager.register(Resume(config.rootpath, config.cache.mkdir("resume")), "resume-of-runs")
        config.pluginmanager.register(Failures(config), "failures-at-once")


class Resume:
    """Which tests have passed on these files, in a file of the cache that is named by the files' hash."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._passed = folder / f"{_state(root)}.txt"
        there = self._passed.is_file()
        self._before = frozenset(self._passed.read_text("utf-8").splitlines() if there else ())
        self._called: str | None = None

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        done = [item for item in items if item.nodeid in self._before]
        items[:] = [item for item in items if item.nodeid not in self._before]
        config.hook.pytest_deselected(items=done)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "call" and report.passed:
            self._called = item.nodeid
        if report.when == "teardown" and report.passed and self._called == item.nodeid:
            with self._passed.open("a", encoding="utf-8") as file:
                file.write(item.nodeid + "\n")
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._before:
            told = f"{len(self._before)} tests passed before on the very same files: not run again"
            terminalreporter.write_line(told)


class Failures:
    """Each failing test by name, when it fails."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.getplugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.write(f"\nFAILED {report.nodeid} ({report.when})\n")


def _state(root: Path) -> str:
    """A hash of all files that tests may depend on."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in WATCHED for path in root.glob(pattern)):
        name = f"/{path.relative_to(root)}"
        if path.is_file() and not any(part in name for part in UNWATCHED):
            digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:24]
