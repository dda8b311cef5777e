"""Which converter a model needs, and what is said when there is none or when it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from accelbench.envs import convert
from accelbench.envs.convert import Tool
from accelbench.errors import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and a tool whose environment is this one and whose script says what it was told."""
    tools, made = tmp_path / "tools", tmp_path / "environment"
    for name in ("torch", "tflite"):
        (tools / name).mkdir(parents=True)
        (tools / name / "tool.py").write_text(
            "import sys\nfrom pathlib import Path\n"
            "if 'broken' in sys.argv[2]: sys.exit('operator Foo is not known')\n"
            "Path(sys.argv[4]).write_text(' '.join((sys.argv[1], Path(sys.argv[2]).name)))\n"
        )
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "work").mkdir()
    (tmp_path / "home" / "tools").mkdir(parents=True)
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(convert, "TOOLS", tools)
    monkeypatch.setattr(convert, "install", lambda *_: made)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def converted(model: str, here: Path) -> str:
    return convert.to_onnx(model, here / "d.npz", here / "work", lambda _: None).read_text()


def test_onnx_is_taken_as_it_is(here: Path) -> None:
    assert convert.to_onnx("m.onnx", here, here, lambda _: None) == Path("m.onnx")


@pytest.mark.parametrize(("name", "kind"), [("m.tflite", "tflite"), ("m.pt2", "pt2")])
def test_files(here: Path, name: str, kind: str) -> None:
    (here / name).touch()
    assert converted(name, here) == f"{kind} {name}"


def test_a_folder_and_an_id(here: Path) -> None:
    (here / "net").mkdir()
    (here / "net" / "config.json").touch()
    assert converted("net", here) == "transformers net"
    assert converted("organisation/name", here) == "transformers name"


@pytest.mark.parametrize("name", ["m.pt2", "m.tflite", "./net", "/net/x", "resnet50", "a/b/c"])
def test_what_is_not_there(here: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is not there, and not an .onnx, .tflite or .pt2 file"):
        converted(name, here)


def test_what_is_of_no_format(here: Path) -> None:
    (here / "m.h5").touch()
    with pytest.raises(
        UsageError, match=r"m\.h5 is not an \.onnx, \.tflite or \.pt2 file, .*: export it to one of these"
    ):
        converted("m.h5", here)


def test_a_converter_that_fails_is_one_line(here: Path) -> None:
    (here / "broken.tflite").touch()
    with pytest.raises(
        UsageError, match=r"broken\.tflite cannot be converted to ONNX: operator Foo is not known; log: "
    ):
        converted("broken.tflite", here)


def test_an_environment_is_named_by_what_is_in_it(here: Path) -> None:
    for name in ("torch", "tflite"):
        (here / "tools" / name / "requirements.lock").write_text("numpy==1\n")
    places = {convert.location(tool) for tool in (Tool("torch"), Tool("torch", ("a==1",)), Tool("tflite"))}
    assert len(places) == 3
    (here / "tools" / "torch" / "requirements.lock").write_text("numpy==2\n")
    assert convert.location(Tool("torch")) not in places
