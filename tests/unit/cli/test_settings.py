"""Options of backends: flags, files, and the dialog, the last on a terminal of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.terminal import typed
from tests.unit.envs.stub import OPTIONS, stub

from accelbench.bench import ANY_DEVICE
from accelbench.cli.settings import Settings, command
from accelbench.envs.spec import BackendSpec
from accelbench.errors import UsageError
from accelbench.model import Target

MORE_OPTIONS = (
    OPTIONS
    + """
[options.steps]
type = "int"
text = "steps of the exact mode"
needs = { mode = ["exact"] }

[options.warm]
type = "bool"
text = "warm"
default = true
"""
)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackendSpec:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ACCELBENCH_BACKENDS", str(tmp_path / "stub"))
    return stub(tmp_path / "stub", more=MORE_OPTIONS)


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "options.toml").write_text(text)
    return tmp_path / "options.toml"


def test_flags_go_before_the_file(tmp_path: Path, spec: BackendSpec) -> None:
    file = written(
        tmp_path, '[stub]\nthreads = 4\nscale = 2\nwarm = false\nmode = "exact"\n[onnxruntime]\nthreads = 1\n'
    )
    found = Settings(("stub.threads=2",), file).given([spec], ["fp32"])
    assert found == {"stub": {"threads": "2", "scale": "2.0", "warm": "false", "mode": "exact"}}
    assert spec.options(found["stub"]) == found["stub"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[stub]\nthreads = '4'\n", r"options\.toml: stub\.threads is '4', a str; it takes int in \[1, 8\]"),
        ("[stub]\nthreads = true\n", r"stub\.threads is True, a bool; it takes int"),
        ("[stub]\nwarm = 1\n", r"stub\.warm is 1, a int; it takes true or false"),
        ("[stub]\nthreads = 9\n", r"options\.toml: stub\.threads: .*takes int in \[1, 8\]"),
        ("[stub]\nthread = 1\n", r"options\.toml: stub\.thread: .*did you mean threads\?"),
        ("[stubb]\nthreads = 1\n", r"options\.toml: no backend is called 'stubb' \(did you mean stub"),
        ("stub = 1\n", r"options\.toml: stub is no table of options, like \[stub\]"),
        ("[stub\n", r"options\.toml is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, spec: BackendSpec, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Settings((), written(tmp_path, text)).given([spec], ["fp32"])
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path, spec: BackendSpec) -> None:
    with pytest.raises(UsageError, match=r"--options .*none\.toml cannot be read"):
        Settings((), tmp_path / "none.toml").given([spec], ["fp32"])


def test_the_command_holds_what_came_from_a_file(
    tmp_path: Path, spec: BackendSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [
        "run",
        "t",
        "--option",
        "stub.threads=2",
        "--options",
        "o.toml",
        "-b",
        "stub",
        "--options=o.toml",
        "--json",
    ]
    monkeypatch.setattr(sys, "argv", ["accelbench", *typed])
    side = spec, Target("stub", ANY_DEVICE, "fp32", spec.options({"threads": "2", "warm": "false"}))
    assert command(Settings(("stub.threads=2",)), [side]) == ("accelbench", *typed)
    told = command(Settings(("stub.threads=2",), tmp_path / "o.toml"), [side])
    assert told[1:6] == ("run", "t", "-b", "stub", "--json")
    assert told[6:] == ("--option", "stub.threads=2", "--option", "stub.warm=false")


@pytest.mark.parametrize("words", [["-o", "there"], ["-othere"], ["--output", "there"], ["--output=there"]])
def test_the_command_does_not_say_where_its_results_lie(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["accelbench", "run", *words, "t"])
    assert command(Settings(), []) == ("accelbench", "run", "t")


DIALOG = """
import sys
from pathlib import Path
from accelbench.cli.settings import Settings
from accelbench.envs.spec import read
print("FOUND", Settings(("stub.scale=0.25",), None, True).given([read(Path(sys.argv[1]))], ["fp32"]))
"""


def asked(spec: BackendSpec, answers: str) -> str:
    """What a person sees who types these answers at a terminal."""
    return typed([sys.executable, "-c", DIALOG, spec.folder], answers)[1]


def test_the_dialog_keeps_defaults_asks_again_and_says_how_to_repeat_it(spec: BackendSpec) -> None:
    seen = asked(spec, "many\n9\n4\n\nexact\n\nfalse\n")
    assert "threads: threads\n    int in [1, 8]: " in seen
    assert "Error: option threads of backend stub is 'many'; it takes int in [1, 8]" in seen
    assert "Error: option threads of backend stub is '9'" in seen
    assert "float [0.25]: " in seen
    assert "one of fast, exact [fast]: " in seen
    assert "steps of the exact mode" in seen
    words = "--option stub.scale=0.25 --option stub.threads=4 --option stub.mode=exact --option stub.warm=false"
    assert sorted(words.split()) == sorted(line_with(seen, "The same without questions: ").split())
    assert "FOUND {'stub': {" in seen


def test_the_dialog_passes_over_what_does_not_apply(spec: BackendSpec) -> None:
    seen = asked(spec, "\n0.5\n\n\n")
    assert "steps: passed over, for it needs mode to be exact; it is fast" in seen
    assert "All as by default." in seen
    assert "FOUND {'stub': {}}" in seen


def line_with(seen: str, beginning: str) -> str:
    return next(line.removeprefix(beginning) for line in seen.splitlines() if line.startswith(beginning))


def test_there_is_no_dialog_in_a_pipe(spec: BackendSpec) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIALOG, str(spec.folder)], input="4\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "--ask needs a terminal, for its input and its output: use --option or --options FILE" in done.stderr
    assert "threads" not in done.stdout
