"""What the listing verbs say, as tables and as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import accelbench, inside


def test_zoo_list_has_every_task(tmp_path: Path) -> None:
    found = {row["task"]: row for row in json.loads(inside("zoo", "list", "--json", cwd=tmp_path).stdout)}
    assert {"digits-cnn", "digits-resnet", "resnet50", "bert-base", "widedeep"} <= set(found)
    assert found["resnet50"]["tier"] == "regular"
    assert found["resnet50"]["inputs"] == [{"name": "image", "dtype": "float32", "shape": ["batch", 3, 224, 224]}]
    assert found["digits-cnn"]["weights"] == ["local", "shipped"]
    table = inside("zoo", "list", cwd=tmp_path).stdout
    assert all(task in table for task in found)
    assert table.index("regular") < table.index("popular") < table.index("frontier")
    few = json.loads(
        inside(
            "zoo", "list", "--tier", "smoke", "--domain", "vision", "--roster", "2026.1", "--json", cwd=tmp_path
        ).stdout
    )
    assert [(row["task"], row["roster"]) for row in few] == [("digits-cnn", "2026.1"), ("digits-resnet", "2026.1")]


def test_zoo_diff_tells_what_changed_and_why(tmp_path: Path) -> None:
    told = json.loads(inside("zoo", "diff", "2026.1", "2026.2", "--json", cwd=tmp_path).stdout)
    assert (told["a"], told["b"]) == ("2026.1", "2026.2")
    change = next(change for change in told["changes"] if change["task"] == "roberta")
    assert (change["kind"], change["before"], change["after"]["tier"]) == ("added", None, "popular")
    table = inside("zoo", "diff", "2026.1", cwd=tmp_path).stdout
    assert all(word in table for word in ("2026.1", "roberta", "added", "popular, version 1"))
    back = inside("zoo", "diff", "2026.2", "2026.1", cwd=tmp_path)
    assert (back.returncode, "name the earlier one first" in back.stderr) == (2, True)


def test_zoo_show(tmp_path: Path) -> None:
    row = json.loads(inside("zoo", "show", "bert-base", "--json", cwd=tmp_path).stdout)
    assert row["metric"]["name"] == "span"
    assert row["dataset"]["options"]["length"] == 384
    assert "bert-base" in inside("zoo", "show", "bert-base", cwd=tmp_path).stdout


def test_zoo_fetch_makes_model_and_samples(tmp_path: Path) -> None:
    done = accelbench("zoo", "fetch", "digits-cnn", "--json", cwd=tmp_path, ACCELBENCH_HOME=str(tmp_path / "home"))
    (row,) = json.loads(done.stdout)
    assert (row["weights"], row["samples"]) == ("shipped", 540)
    assert Path(row["model"]).is_file()
    assert Path(row["feeds"], "index.json").is_file()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["zoo", "show", "bert-bas"], ["bert-bas", "bert-base"]),
        (["zoo", "fetch", "resnet50", "--weights", "hub"], ["resnet50", "hub"]),
        (["backend", "show", "openvin"], ["openvin", "openvino"]),
        (["backend", "install", "./absent"], ["absent", "backend.toml"]),
        (["report", "show", "absent"], ["absent"]),
    ],
)
def test_wrong_names_are_one_line(tmp_path: Path, words: list[str], parts: list[str]) -> None:
    done = inside(*words, cwd=tmp_path, ACCELBENCH_HOME=str(tmp_path / "home"))
    assert done.returncode == 2
    complaint = [line for line in done.stderr.splitlines() if line.startswith("accelbench: ")]
    assert len(complaint) == 1
    assert all(part in complaint[0] for part in parts)


@pytest.mark.backend
def test_backend_list_and_show(tmp_path: Path) -> None:
    found = {row["backend"]: row for row in json.loads(inside("backend", "list", "--json", cwd=tmp_path).stdout)}
    assert found["onnxruntime"]["installed"]
    assert found["openvino"]["precisions"] == ["fp32", "bf16", "fp16"]
    row = json.loads(accelbench("backend", "show", "openvino", "--json", cwd=tmp_path).stdout)
    assert row["devices"][0]["id"] == "cpu"
    assert "openvino" in row["packages"]


def test_a_broken_backend_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    half = tmp_path / "home" / "backends" / "half"
    half.mkdir(parents=True)
    (half / "adapter.py").write_text("")
    ours: dict[str, Any] = {"cwd": tmp_path, "ACCELBENCH_HOME": str(tmp_path / "home")}
    found = {row["backend"]: row for row in json.loads(inside("backend", "list", "--json", **ours).stdout)}
    assert "backend.toml cannot be read (No such file or directory)" in found["half"]["problem"]
    assert found["null"]["problem"] is None
    (line,) = [line for line in inside("backend", "list", **ours).stdout.splitlines() if "half" in line]
    assert line == f"broken: half: {found['half']['problem']}"


@pytest.mark.backend
def test_report_show_repeats_the_rows(tmp_path: Path) -> None:
    words = ["run", "digits-cnn", "-b", "onnxruntime", "--quick", "--scenario", "single_stream", "--json", "-o", "out"]
    first = json.loads(accelbench(*words, cwd=tmp_path).stdout)
    again = json.loads(inside("report", "show", "out", "--json", cwd=tmp_path).stdout)
    assert first == again
    (facts,) = json.loads(inside("report", "show", first[0]["report"], "--raw", cwd=tmp_path).stdout)
    assert facts["task"]["id"] == "digits-cnn"
    assert str(Path.home()) not in json.dumps(facts)
