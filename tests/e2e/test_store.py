"""The verbs of the store on what ``accelbench run`` wrote."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.e2e.command import accelbench, inside


@pytest.mark.backend
def test_a_run_is_added_asked_compared_and_verified(tmp_path: Path) -> None:
    done = accelbench("run", "digits-cnn", "-b", "null", "--quick", "--max-time", "0.2", "-o", "night", cwd=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    done = accelbench("store", "add", "all", "night", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [each["new"] for each in json.loads(done.stdout)["added"]] == [True]
    done = inside("query", "all", "--figure", "throughput", "--columns", "task,value", "--csv", cwd=tmp_path)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["task", "value"]
    assert len(rows) == 1 + 2
    assert all(float(value) > 0 for _, value in rows[1:])
    done = inside("diff", "night", "all", "--json", "--fail-on", "failing", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["compared"], found["failures"], found["counts"]["same"]) == (1, 0, 1)
    done = inside("store", "verify", "all", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 folders, 0 findings")


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    done = inside("query", ".", "SELECT 1", cwd=tmp_path)
    assert done.returncode == 2
    assert "is no store" in done.stderr
    assert len(done.stderr.splitlines()) == 1
