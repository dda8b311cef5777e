"""`accelbench run --ab X Y`: both reports, then the race."""

import json
from pathlib import Path

import pytest
from tests.e2e.command import accelbench, inside, left_behind

QUICK = ["--quick", "--max-time", "0.3", "--scenario", "single_stream", "--json", "-o", "out"]


@pytest.mark.backend
@pytest.mark.slow
def test_two_precisions_are_reported_and_raced(tmp_path: Path) -> None:
    done = accelbench("run", "digits-cnn", "--ab", "onnxruntime:fp32", "onnxruntime:int8", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(row["precision"], row["scenario"]) for row in found["rows"]] == [
        ("fp32", "single_stream"),
        ("int8", "single_stream"),
    ]
    (duel,) = found["ab"]
    assert (duel["a"], duel["b"], duel["problem"]) == ("onnxruntime:fp32", "onnxruntime:int8", None)
    assert [(tmp_path / "out" / report).is_dir() for report in duel["reports"]] == [True, True]
    (race,) = duel["races"]
    comparison = race["comparison"]
    assert comparison["outcome"] in ("faster", "slower", "same", "ambiguous")
    assert comparison["pairs"] == len(race["a_s"]) == len(race["b_s"])
    assert 1 <= race["looks"] <= 4
    assert min(race["a_s"] + race["b_s"]) > 0
    assert json.loads((tmp_path / "out" / "ab.json").read_text()) == found["ab"]
    assert left_behind(tmp_path) == []


@pytest.mark.backend
@pytest.mark.slow
def test_no_race_without_both(tmp_path: Path) -> None:
    done = accelbench("run", "digits-cnn", "--ab", "onnxruntime", "onnxruntime:bf16", *QUICK, cwd=tmp_path)
    assert done.returncode == 1, "what was asked for, a comparison, did not take place"
    found = json.loads(done.stdout)
    assert [row["status"] for row in found["rows"]] == ["ok", "unsupported"]
    (duel,) = found["ab"]
    assert duel["races"] == []
    assert "bf16 is unsupported" in duel["problem"]


@pytest.mark.backend
@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--ab", "onnxruntime", "onnxruntim"], "onnxruntime"),
        (["--ab", "onnxruntime:fp32", "onnxruntime:pf32"], "fp32"),
        (["--ab", "onnxruntime", "onnxruntime:int8", "-b", "openvino"], "--backend"),
        (["--ab", "onnxruntime", "onnxruntime:int8", "--scenario", "server", "--rate", "5"], "server"),
        (["--ab", "onnxruntime"], "--ab"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path: Path, words: list[str], part: str) -> None:
    done = inside("run", "digits-cnn", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert part in done.stderr
    assert list(tmp_path.iterdir()) == []
