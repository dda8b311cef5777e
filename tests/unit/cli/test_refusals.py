"""What the command line refuses before it does anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from accelbench.cli.choice import Named
from accelbench.cli.main import accelbench
from accelbench.cli.subjects import Given, make
from accelbench.errors import UsageError
from accelbench.measure.arrivals import trace
from accelbench.zoo import catalogue

DIGITS = Named(catalogue.find("digits-cnn"), catalogue.folder(catalogue.find("digits-cnn")), None)
NOTHING: dict[str, Any] = {"weights": None, "seed_weights": False, "inputs": None, "shapes": ()}


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "digits-cnn", "-b", "onnxruntime"],
        ["backend", "check", "onnxruntime"],
        ["zoo", "add", "model.onnx", "--data", "samples.npz"],
    ],
)
@pytest.mark.parametrize("kind", ["file", "folder", "dangling"])
def test_an_output_that_is_there(tmp_path: Path, words: list[str], kind: str) -> None:
    there = tmp_path / "there"
    if kind == "dangling":
        there.symlink_to(tmp_path / "nowhere")
    else:
        there.mkdir() if kind == "folder" else there.write_text("mine")
    with pytest.raises(click.UsageError, match="there exists already; it is never overwritten: choose another path"):
        accelbench.main([*words, "-o", str(there)], standalone_mode=False)


@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
@pytest.mark.parametrize(
    "words",
    [
        ["run", "digits-cnn", "--max-drift"],
        ["run", "digits-cnn", "--timeout"],
        ["run", "digits-cnn", "--max-time"],
        ["convert", "digits-cnn", "-b", "null", "-o", "o", "--min-accuracy"],
        ["convert", "digits-cnn", "-b", "null", "-o", "o", "--timeout"],
        ["profile", "digits-cnn", "-b", "null", "--timeout"],
        ["backend", "check", "null", "--case-timeout"],
    ],
)
def test_a_number_that_is_none(words: list[str], value: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        accelbench.main([*words, value], standalone_mode=False)
    assert f"Invalid value for '{words[-1]}'" in caught.value.format_message()


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"inputs": Path("feeds.npz")}, "--inputs"),
        ({"shapes": (("x", (1, 3)),)}, "--shape"),
        ({"seed_weights": True}, "--seed-weights"),
    ],
)
def test_what_is_about_a_model_file_does_not_go_with_a_task(given: dict[str, Any], option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} is about a MODEL.onnx, and digits-cnn is a task"):
        make(DIGITS, given=Given(**{**NOTHING, **given}), data=None, say=lambda _: None)


def test_what_is_about_a_task_does_not_go_with_a_model_file() -> None:
    with pytest.raises(UsageError, match=r"--weights is about a task: m\.onnx has its own"):
        make(Path("m.onnx"), given=Given(**{**NOTHING, "weights": "seeded"}), data=None, say=lambda _: None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"absent is no trace of arrivals: one time in seconds per line \(.*absent not found"),
        ("soon\n", "is no trace of arrivals"),
        ("2\n1\n", "in ascending order"),
        ("nan\n", "must be finite"),
    ],
)
def test_a_trace_that_is_none(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "absent"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=said):
        trace(file)


def test_an_empty_trace_is_read_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    assert trace(tmp_path / "empty").size == 0
