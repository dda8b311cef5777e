import platform
import sys
from pathlib import Path

import pytest
from tests.unit.envs.stub import stub
from tests.unit.envs.test_install import installer, quiet

from accelbench.envs import overlay
from accelbench.envs.overlay import LOADGEN, LOCKS, install
from accelbench.errors import AccelbenchError, UsageError

FILL = 'for word; do case "$last" in --target) echo made > "$word/module.py" ;; esac; last="$word"; done'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ACCELBENCH_BACKENDS", raising=False)
    monkeypatch.setattr(overlay, "pip_is_configured", lambda: False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return tmp_path / "home"


def test_it_is_installed_once_for_the_backends_interpreter(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = installer(tmp_path, monkeypatch, FILL)
    spec = stub(tmp_path / "stub")
    folder = install(LOADGEN, spec, quiet)
    assert folder.parent == home / "overlays"
    assert (folder / "module.py").read_text() == "made\n"
    assert install(LOADGEN, spec, quiet) == folder
    (call,) = calls.read_text().splitlines()
    assert f"--python {sys.executable} --require-hashes --no-deps --target" in call
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]


def test_another_python_has_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer(tmp_path, monkeypatch, FILL)
    spec = stub(tmp_path / "stub")
    folder = install(LOADGEN, spec, quiet)
    monkeypatch.setattr(overlay, "_version", lambda _python: "CPython 3.9.0")
    assert install(LOADGEN, spec, quiet) != folder


def test_a_failed_installation_leaves_nothing_but_its_log(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer(tmp_path, monkeypatch, "echo 'no matching distribution'; exit 1")
    with pytest.raises(AccelbenchError, match="overlay loadgen was not installed: no matching distribution; log: "):
        install(LOADGEN, stub(tmp_path / "stub"), quiet)
    assert [path.suffix for path in (home / "overlays").iterdir()] == [".log"]


def test_pip_is_used_where_it_has_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "pip_is_configured", lambda: True)
    seen: list[list[str]] = []
    monkeypatch.setattr(overlay, "logged", lambda command, _log, _what: seen.append(command))
    install(LOADGEN, stub(tmp_path / "stub"), quiet)
    assert seen[0][:5] == [sys.executable, "-m", "pip", "--python", sys.executable]
    assert "--only-binary" in seen[0]


def test_linux_on_aarch64_has_no_wheels(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(UsageError, match="LoadGen has no wheels for Linux on aarch64") as caught:
        install(LOADGEN, stub(tmp_path / "stub"), quiet)
    assert "\n" not in str(caught.value)
    assert not home.exists()


def test_the_lock_is_hashed_and_names_loadgen_alone() -> None:
    lines = (LOCKS / LOADGEN / "requirements.lock").read_text().splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["mlcommons-loadgen==6.0.17"]
    assert all("--hash=sha256:" in line for line in lines[1:])
