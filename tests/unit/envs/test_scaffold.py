from pathlib import Path

import pytest

from accelbench.envs.scaffold import MARK, scaffold
from accelbench.envs.spec import find, read
from accelbench.errors import UsageError


def test_a_new_folder_is_a_backend_of_that_name(tmp_path: Path) -> None:
    spec = scaffold("my-npu_2", tmp_path)
    assert spec == read(tmp_path / "my-npu_2")
    assert (spec.name, spec.table.title) == ("my-npu_2", "my-npu_2")
    assert sorted(path.name for path in spec.folder.iterdir()) == [
        "README.md",
        "adapter.py",
        "backend.toml",
        "deviations.toml",
        "requirements.in",
        "requirements.lock",
    ]
    assert all(MARK not in path.read_text() for path in spec.folder.iterdir())
    assert spec.lock_sha256 == find("onnxruntime").lock_sha256


@pytest.mark.parametrize("name", ["My", "", "-x", "a/b", "a b", ".."])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a backend"):
        scaffold(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        scaffold("mine", tmp_path)
    with pytest.raises(UsageError, match="a backend is called 'null' already"):
        scaffold("null", tmp_path)


def test_the_name_of_a_broken_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELBENCH_BACKENDS", str(tmp_path / "half"))
    with pytest.raises(UsageError, match=r"a backend is called 'half' already \(.*half\)"):
        scaffold("half", tmp_path)
