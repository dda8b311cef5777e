"""A real run is handed in: too quick, it is refused and told why; of standard effort, nothing but the missing tasks is
found; and the workflow of a repository of results finds the same."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.e2e.command import ACCELBENCH, accelbench
from tests.unit.gate.test_repository import WORKFLOW, commands

pytestmark = [pytest.mark.backend, pytest.mark.slow]

TOO_FEW = {"AB203", "AB204"}
NOISE = {"AB501", "AB502", "AB805"}
"""What a machine that does other things too may cause."""

SUBMIT = ("--vendor", "Example", "--contact", "a@example.com", "--device", "amd-epyc-virtual", "--key", "vendor")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of results, and beside it the keyring of a vendor."""
    room = tmp_path_factory.mktemp("handed-in")
    assert accelbench("repository", "new", "repository", cwd=room).returncode == 0
    done = accelbench("key", "new", "vendor", cwd=room, XDG_CONFIG_HOME=str(room / "config"))
    assert done.returncode == 0, done.stderr
    return room / "repository"


def handed_in(repository: Path, vendor: str, *effort: str) -> tuple[int, dict[str, list[str]]]:
    """Run, submit, and give the exit code and the texts of the findings by rule."""
    room = repository.parent
    run = accelbench(
        *("run", "digits-cnn", "-b", "onnxruntime", "--scenario", "single_stream,server", "--rate", "100"),
        *("--compliance", "-o", vendor, *effort),
        cwd=room,
        timeout=1500,
    )
    assert run.returncode == 0, run.stderr
    words = [vendor if word == "Example" else word for word in SUBMIT]
    done = accelbench(
        "submit", vendor, "-o", repository, *words, "--json", cwd=room, XDG_CONFIG_HOME=str(room / "config")
    )
    told = json.loads(done.stdout)
    texts: dict[str, list[str]] = {}
    for finding in told["findings"]:
        texts.setdefault(finding["rule"], []).append(finding["text"])
    return done.returncode, texts


def test_a_quick_run_is_refused_by_name(repository: Path) -> None:
    code, found = handed_in(repository, "hasty", "--quick")
    assert code == 1
    assert found["AB501"] == ["digits-cnn was measured with quick effort only"]
    assert found["AB203"] == [f"regular task {name} is missing" for name in ("resnet50", "bert-base", "widedeep")]
    assert set(found) <= {*TOO_FEW, *NOISE, "AB306"}


def test_of_a_standard_run_only_the_tasks_are_too_few(repository: Path) -> None:
    code, found = handed_in(repository, "thorough")
    assert code == 1
    assert set(found) - NOISE - {"AB306"} == TOO_FEW


def test_the_workflow_finds_the_same(repository: Path) -> None:
    step = commands((repository / WORKFLOW).read_text())["Check every submission"]
    path = f"{ACCELBENCH.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step],
        cwd=repository,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "results/thorough/amd-epyc-virtual: not accepted" in done.stdout
    (run,) = json.loads((repository / "findings.sarif").read_text())["runs"]
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
    assert "results/hasty/amd-epyc-virtual/submission.toml" in uris
