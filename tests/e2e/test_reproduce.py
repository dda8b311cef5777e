"""`accelbench reproduce` on what `accelbench run` and `report pack` wrote."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import accelbench, inside, left_behind
from tests.e2e.test_faulty import FAULTY

QUICK = ("--scenario", "single_stream", "--quick", "--max-time", "0.4", "--json")


def made(folder: Path, *words: str, backends: Path | None = None) -> Path:
    """The only report of a run."""
    done = accelbench("run", "digits-cnn", *words, *QUICK, "-o", "first", cwd=folder, **listed(backends))
    assert done.returncode == 0, done.stderr
    (report,) = (folder / "first" / "reports").iterdir()
    return report


def paced(folder: Path) -> Path:
    """A report of a backend whose every run takes 2 ms, with a valid pass: nothing is held against another."""
    for _ in range(20):
        report = made(folder, "-b", "faulty", "--option", "faulty.behaviour=paced", backends=FAULTY)
        (row,) = json.loads(accelbench("report", "show", report, "--json", cwd=folder, **listed(FAULTY)).stdout)
        if not row["validity"]:
            return report
        shutil.rmtree(folder / "first")
    pytest.fail("no valid pass in twenty: this machine changes its pace all the time")


def listed(backends: Path | None, slower: str = "0") -> Any:
    """Environment variables: the list of backends, and by how much a paced one is slower."""
    return {"FAULTY_SLOWER": slower, **({"ACCELBENCH_BACKENDS": str(backends)} if backends else {})}


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    return {figure["name"]: figure["outcome"] for figure in found["figures"]}


@pytest.mark.backend
def test_a_report_comes_out_again_on_its_own_machine(tmp_path: Path) -> None:
    report = made(tmp_path, "-b", "onnxruntime")
    done = accelbench("reproduce", report, "--runs", "2", "-o", "again", "--json", cwd=tmp_path)
    found = answer(done)
    of = json.loads((report / "report.json").read_text(encoding="utf-8"))["id"]
    assert (found["of"], len(found["by"]), found["outputs"]) == (of, 2, "bit_equal")
    assert found["elsewhere"] == found["differences"] == []
    exact = {"accuracy", "agreement", "relative_l2", "size_bytes", "sparsity"}
    assert all(outcome == "reproduced" for name, outcome in outcomes(found).items() if name in exact)
    assert exact | {"latency_p50_s", "throughput"} <= outcomes(found).keys()
    assert sorted(
        json.loads(path.read_text(encoding="utf-8"))["id"] for path in tmp_path.glob("again/reports/*/report.json")
    ) == sorted(found["by"])
    assert left_behind(tmp_path) == []
    assert (tmp_path / found["path"]).is_file()

    file = report / "columns" / "0" / "done.npy"
    file.chmod(0o600)
    file.write_bytes(b"")
    refused = inside("reproduce", report, "-o", "third", cwd=tmp_path)
    assert refused.returncode == 2
    assert "raw facts" in refused.stderr
    assert not (tmp_path / "third").exists()


@pytest.mark.backend
@pytest.mark.slow
@pytest.mark.alone
def test_a_tenth_slower_is_not_reproduced(tmp_path: Path) -> None:
    """Paced by the clock, so that the machine's own noise does not decide."""
    report = paced(tmp_path)
    packed = accelbench("report", "pack", report, "-o", "a.zip", cwd=tmp_path, **listed(FAULTY))
    assert packed.returncode == 0, packed.stderr
    shutil.rmtree(tmp_path / "first")
    same = accelbench("reproduce", "a.zip", "-o", "same", "--json", cwd=tmp_path, **listed(FAULTY))
    assert same.returncode == 0, same.stderr
    assert outcomes(answer(same))["latency_p50_s"] == outcomes(answer(same))["throughput"] == "reproduced"
    slower = accelbench("reproduce", "a.zip", "-o", "slower", "--json", cwd=tmp_path, **listed(FAULTY, "0.1"))
    assert slower.returncode == 1
    found = outcomes(answer(slower))
    assert found["latency_p50_s"] == found["throughput"] == "not_reproduced"
    assert found["accuracy"] == "reproduced"


@pytest.mark.backend
@pytest.mark.slow
def test_another_adapter_is_run_only_when_it_is_trusted(tmp_path: Path) -> None:
    copied = tmp_path / "faulty"
    shutil.copytree(FAULTY, copied)
    report = made(tmp_path, "-b", "faulty", backends=copied)
    (copied / "adapter.py").write_text(
        (copied / "adapter.py").read_text(encoding="utf-8") + "# changed\n", encoding="utf-8"
    )
    refused = accelbench("reproduce", report, "-o", "again", cwd=tmp_path, ACCELBENCH_BACKENDS=str(copied))
    assert refused.returncode == 2
    assert "--trust-adapter" in refused.stderr
    trusted = ("--trust-adapter", "--runs", "1", "--json")
    done = accelbench("reproduce", report, "-o", "again", *trusted, cwd=tmp_path, ACCELBENCH_BACKENDS=str(copied))
    assert answer(done)["outputs"] == "bit_equal"


@pytest.mark.backend
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing.zip",), "does not exist"),
        (("first/reports", "--key", "nobody"), "nobody"),
        (("first/reports",), "no report can be read here"),
    ],
)
def test_bad_usage_is_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "first" / "reports").mkdir(parents=True)
    done = inside("reproduce", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
