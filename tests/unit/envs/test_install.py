import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest
from tests.unit.envs.stub import stub

from accelbench.envs import packages
from accelbench.envs.install import environment_facts, install, installed, interpreter, location, register, remove
from accelbench.envs.spec import BackendSpec, backends, read
from accelbench.errors import AccelbenchError, UsageError

UV = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in
venv) for last; do :; done; mkdir -p "$last/bin"; ln -s "{python}" "$last/bin/python" ;;
pip) {pip} ;;
esac
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no settings of pip."""
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ACCELBENCH_BACKENDS", raising=False)
    monkeypatch.setattr(packages, "pip_is_configured", lambda: False)
    return tmp_path / "home"


def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pip: str) -> Path:
    """Put a uv on PATH that makes a folder and then does what ``pip`` says. Returns the file of its calls."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    calls = tmp_path / "calls"
    (folder / "uv").write_text(UV.format(calls=calls, python=sys.executable, pip=pip))
    (folder / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return calls


def steps(spec: BackendSpec, kept: Path) -> packages.Steps:
    return packages.commands(location(spec), spec.lock, (), kept, offline=False)


def with_lock(tmp_path: Path, lock: str = "a==1 --hash=sha256:00\n") -> BackendSpec:
    folder = stub(tmp_path / "stub").folder
    text = (folder / "backend.toml").read_text().replace('kind = "system"', 'kind = "venv"')
    text = "\n".join(line for line in text.splitlines() if not line.startswith("python"))
    (folder / "backend.toml").write_text(text)
    (folder / "requirements.lock").write_text(lock)
    return read(folder)


def test_an_environment_is_made_once_from_the_hashed_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = installer(tmp_path, monkeypatch, "exit 0")
    spec, said = with_lock(tmp_path), list[str]()
    assert not installed(spec)
    install(spec, said.append)
    assert installed(spec)
    assert said == ["stub: making the environment", "stub: installing packages", "stub: installed"]
    venv, pip = calls.read_text().splitlines()
    assert venv.startswith("venv --quiet --python")
    assert "--require-hashes --no-deps -r" in pip
    assert interpreter(spec) == location(spec) / "bin" / "python"
    install(spec, said.append)
    assert len(calls.read_text().splitlines()) == 2


def test_two_locks_live_side_by_side_and_are_removed_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer(tmp_path, monkeypatch, "exit 0")
    first = with_lock(tmp_path)
    one = location(first)
    install(first, quiet)
    second = with_lock(tmp_path, "a==2 --hash=sha256:11\n")
    two = location(second)
    assert one != two
    assert not installed(second)
    install(second, quiet)
    assert one.is_dir()
    assert two.is_dir()
    assert sorted(remove(second)) == sorted([one, two])
    assert not installed(second)
    assert second.folder.is_dir()


@pytest.mark.parametrize(
    ("pip", "text"),
    [
        ("echo 'error: Could not connect, are you offline?' >&2; exit 2", "the package index cannot be reached"),
        ("echo '[Errno -3] Temporary failure in name resolution'; exit 1", "the package index cannot be reached"),
        ("echo 'OSError: [Errno 28] No space left on device'; exit 1", "no space left on the disk"),
        (
            "echo first; echo 'ERROR: hashes do not match'; exit 1",
            "was not installed: ERROR: hashes do not match; log: ",
        ),
        ("exit 9", "was not installed: exit code 9"),
    ],
)
def test_a_failed_installation_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pip: str, text: str
) -> None:
    installer(tmp_path, monkeypatch, pip)
    spec = with_lock(tmp_path)
    with pytest.raises(AccelbenchError, match=text) as caught:
        install(spec, quiet)
    assert "\n" not in str(caught.value)
    assert not installed(spec)
    assert not location(spec).exists()
    assert location(spec).with_suffix(".log").is_file()


def test_what_an_interruption_left_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer(tmp_path, monkeypatch, "exit 0")
    spec = with_lock(tmp_path)
    (location(spec) / "bin").mkdir(parents=True)
    (location(spec) / "half").touch()
    assert not installed(spec)
    with pytest.raises(UsageError, match="is not installed: run 'accelbench backend install stub'"):
        interpreter(spec)
    install(spec, quiet)
    assert installed(spec)
    assert not (location(spec) / "half").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    home.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        install(with_lock(tmp_path), quiet)


def test_pip_is_used_where_the_host_has_settings_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer(tmp_path, monkeypatch, "exit 0")
    spec = with_lock(tmp_path)
    (_, first), (_, second) = steps(spec, tmp_path)
    assert (Path(first[0]).name, first[1], second[1]) == ("uv", "venv", "pip")
    monkeypatch.setattr(packages, "pip_is_configured", lambda: True)
    (_, first), (_, fetch), (_, second) = steps(spec, tmp_path)
    assert first[1:4] == ["-m", "venv", "--without-pip"]
    assert (second[0], second[1:5]) == (sys.executable, ["-m", "pip", "--python", f"{location(spec)}/bin/python"])
    assert (fetch[5], second[5]) == ("download", "install")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    (_, first), _, (_, second) = steps(spec, tmp_path)
    assert (first[1:3], second[0]) == (["-m", "venv"], f"{location(spec)}/bin/python")


def test_what_was_fetched_once_is_installed_again_without_a_network(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = installer(tmp_path, monkeypatch, 'case "$*" in *--offline*) exit ${OFFLINE:-0};; esac')
    spec, said = with_lock(tmp_path), list[str]()
    install(spec, quiet)
    shutil.rmtree(location(spec))
    install(spec, said.append)
    assert said == ["stub: making the environment", "stub: installing packages", "stub: installed"]
    shutil.rmtree(location(spec))
    monkeypatch.setenv("OFFLINE", "1")
    install(spec, quiet)
    asked = ["--offline" in line for line in calls.read_text().splitlines() if line.startswith("pip")]
    assert asked == [False, True, True, False]
    assert [path.name for path in (home / "wheels").glob("*/*")] == ["complete"]


def test_with_pip_nothing_but_what_was_kept_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "pip_is_configured", lambda: True)
    spec = with_lock(tmp_path)
    (_, make), *both = packages.commands(location(spec), spec.lock, ["heavy==1.0"], tmp_path, offline=True)
    assert make[2] == "venv"
    assert len(both) == 2
    for _, command in both:
        assert "download" not in command
        assert command[command.index("--no-index") :][:3] == ["--no-index", "--find-links", str(tmp_path)]


def test_what_is_unlocked_comes_after_the_lock_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer(tmp_path, monkeypatch, 'case "$*" in *heavy*) echo heavy >&2; exit 1;; esac')
    plain = with_lock(tmp_path)
    text = (plain.folder / "backend.toml").read_text()
    (plain.folder / "backend.toml").write_text(
        text.replace("[environment]", '[environment]\nunlocked = ["heavy==1.0"]')
    )
    spec = read(plain.folder)
    assert location(spec) != location(plain)
    steps: list[str] = []
    with pytest.raises(AccelbenchError, match="backend stub was not installed: heavy"):
        install(spec, steps.append)
    assert steps == ["stub: making the environment", "stub: installing packages", "stub: installing heavy==1.0"]
    *_, (_, last) = packages.commands(location(spec), spec.lock, ["heavy==1.0"], tmp_path, offline=False)
    assert last[-1] == "heavy==1.0"
    assert "--no-deps" not in last


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE"])
def test_settings_of_pip_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(name, "somewhere")
    assert packages.pip_is_configured()


def test_a_system_environment_is_used_and_probed(tmp_path: Path) -> None:
    probes = '[environment.probes]\nversion = ["{python}", "-c", "print(1); print(2)"]\nabsent = ["no-such-tool"]\n'
    spec = stub(tmp_path / "stub", more=probes)
    said: list[str] = []
    install(spec, said.append)
    assert installed(spec)
    assert "nothing to install" in said[0]
    facts = environment_facts(spec)
    assert (facts.kind, facts.lock_sha256, facts.adapter_sha256) == ("system", None, spec.adapter_sha256)
    assert "numpy" in facts.packages
    assert facts.probes["version"] == "1"
    assert facts.probes["absent"].startswith("failed: ")
    assert remove(spec) == []


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    spec = stub(tmp_path / "stub")
    toml = spec.folder / "backend.toml"
    toml.write_text(toml.read_text().replace(sys.executable, "python-of-a-vendor"))
    spec = read(spec.folder)
    assert not installed(spec)
    with pytest.raises(
        UsageError,
        match=r"needs the interpreter python-of-a-vendor, which is not there; install what .*README\.md names, or",
    ):
        install(spec, quiet)


def test_an_interpreter_counts_when_it_has_the_declared_packages(tmp_path: Path) -> None:
    assert installed(stub(tmp_path / "one", more='packages = ["NumPy", "pydantic_core"]\n'))
    spec = stub(tmp_path / "two", more='packages = ["numpy", "driver-sdk", "numpy-of-a-vendor"]\n')
    assert not installed(spec)
    with pytest.raises(
        UsageError, match=rf"backend stub needs driver-sdk, numpy-of-a-vendor in {sys.executable}; .* first on PATH"
    ):
        interpreter(spec)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ('echo \'["3.8.19", {"numpy": "1.24.4"}]\'', r"needs Python 3\.9 or newer; .*vendor-python is 3\.8\.19"),
        ('echo \'["3.11.9", {"scipy": "1.0"}]\'', "needs numpy in .*vendor-python; install what"),
        ("exit 3", "vendor-python does not work .*exit status 3.*; install what"),
        ("echo Welcome", "vendor-python does not work "),
    ],
)
def test_an_interpreter_that_does_not_do(tmp_path: Path, script: str, text: str) -> None:
    python = tmp_path / "vendor-python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    spec = stub(tmp_path / "stub")
    toml = spec.folder / "backend.toml"
    toml.write_text(toml.read_text().replace(sys.executable, str(python)))
    assert not installed(read(spec.folder))
    with pytest.raises(UsageError, match=text) as caught:
        interpreter(read(spec.folder))
    assert "\n" not in str(caught.value)


def test_a_folder_from_outside_is_copied_and_found_by_name(tmp_path: Path, home: Path) -> None:
    outside = stub(tmp_path / "mine").folder
    (outside / "helper.py").write_text("x = 1\n")
    (outside / "__pycache__").mkdir()
    spec = register(outside)
    assert spec.folder == home / "backends" / "stub"
    assert sorted(path.name for path in spec.folder.iterdir()) == ["adapter.py", "backend.toml", "helper.py"]
    shutil.rmtree(outside)
    assert backends()["stub"].folder == spec.folder
    assert remove(spec) == [spec.folder]
    assert "stub" not in backends()


def test_a_folder_with_a_name_that_is_taken(tmp_path: Path) -> None:
    mine = stub(tmp_path / "mine").folder
    toml = mine / "backend.toml"
    toml.write_text(toml.read_text().replace('"stub"', '"null"'))
    with pytest.raises(UsageError, match="a backend called 'null' is there already"):
        register(tmp_path / "mine")


def test_a_copy_that_is_broken_is_renewed_and_stands_in_nobodys_way(tmp_path: Path, home: Path) -> None:
    mine = stub(tmp_path / "mine").folder
    copy = register(mine).folder
    (copy / "adapter.py").unlink()
    assert "stub" not in backends()
    assert register(mine).adapter.is_file()
    (home / "backends" / "other").mkdir()
    other = stub(tmp_path / "fresh").folder
    toml = other / "backend.toml"
    toml.write_text(toml.read_text().replace('"stub"', '"other"'))
    assert register(other) == backends()["other"]


def test_a_folder_that_is_registered_again_is_renewed(tmp_path: Path) -> None:
    mine = stub(tmp_path / "mine").folder
    register(mine)
    (mine / "helper.py").write_text("")
    assert (register(mine).folder / "helper.py").is_file()


def test_a_folder_that_is_listed_stays_where_it_lies(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = stub(tmp_path / "mine").folder
    monkeypatch.setenv("ACCELBENCH_BACKENDS", str(mine))
    assert register(mine).folder == mine
    assert not (home / "backends").exists()


def quiet(_step: str) -> None:
    """Progress that nobody reads."""
