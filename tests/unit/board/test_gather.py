from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.board.factory import assets, loaded
from tests.unit.gate.test_repository import commands
from tests.unit.library import made

from accelbench.board import build
from accelbench.board.gather import gathered
from accelbench.bundle.pack import pack
from accelbench.cli import board
from accelbench.gate.repository import new
from accelbench.report.store import open_report

WORKFLOW = ".github/workflows/board.yml"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of results into which two reports were handed."""
    folder = tmp_path / "repository"
    new(folder)
    for number in (1, 2):
        report = made.put(tmp_path / "run", made.report(backend=f"stack-{number}"))
        target = folder / f"results/example/device-{number}/resnet50/{number}.accelbench.zip"
        target.parent.mkdir(parents=True)
        pack(report, target)
    return folder


def test_stores_are_themselves_or_those_right_in_a_folder(tmp_path: Path) -> None:
    store, _ = made.store(tmp_path / "runs", 1)
    for named in (store, store.parent):
        with gathered([named]) as found:
            assert (found.stores, found.unpacked, found.problems) == ((store,), False, ())
    with gathered([tmp_path / "nothing"]) as found:
        assert found.stores == (tmp_path / "nothing",)


def test_bundles_are_verified_and_unpacked_for_as_long_as_they_are_wanted(repository: Path) -> None:
    whole = repository / "results/example/device-1/resnet50/1.accelbench.zip"
    (repository / "results/bad.zip").write_bytes(whole.read_bytes()[:-50])
    with gathered([repository / "results", whole]) as found:
        results, alone = found.stores
        assert (results.name, found.unpacked) == ("results", True)
        assert {open_report(each)[0].target.backend for each in (results / "reports").iterdir()} == {
            "stack-1",
            "stack-2",
        }
        assert len(list((alone / "reports").iterdir())) == 1
        ((name, problem),) = found.problems
        assert name == "bad.zip"
        assert str(repository) not in problem
    assert not results.exists()


def test_the_workflow_builds_the_board_of_a_repository_of_results(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = build.build.__defaults__
    assert defaults is not None
    monkeypatch.setattr(build.build, "__defaults__", (assets(tmp_path), *defaults[1:]))
    monkeypatch.chdir(repository)
    monkeypatch.setenv("GITHUB_REPOSITORY", "example/results")
    step = commands((repository / WORKFLOW).read_text())["Build the board"]
    tool, room, *words = shlex.split(step.replace("${GITHUB_REPOSITORY:-Results}", os.environ["GITHUB_REPOSITORY"]))
    assert (tool, room) == ("accelbench", "board")
    done = CliRunner().invoke(board.board, words)
    assert done.exit_code == 0, done.output
    found = loaded(repository / "_site/data/index.js")
    assert (found["meta"]["title"], found["meta"]["stores"]) == ("example/results", [{"name": "results", "reports": 2}])


def test_uploads_need_a_store_that_stays(repository: Path) -> None:
    done = CliRunner().invoke(board.board, ["serve", str(repository / "results"), "--uploads"])
    assert "--uploads needs stores" in str(done.exception)
