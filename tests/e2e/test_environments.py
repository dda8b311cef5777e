"""Environments made from their locks, taken away, and made again without a network; two that could not be one."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import accelbench, rows_of

from accelbench.envs.install import location
from accelbench.envs.spec import find

pytestmark = [pytest.mark.backend, pytest.mark.slow]

LOCKS = Path(__file__).with_name("locks")
VERSIONS = {"older": ("2.2.6", "5.29.5"), "newer": ("2.4.6", "7.36.2")}
"""NumPy and protobuf in each lock."""

NOWHERE = "http://127.0.0.1:9"
NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), NOWHERE)


def test_two_that_need_other_versions_coexist_and_come_back_offline(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folders = [stack(tmp_path, name) for name in VERSIONS]
    known = {"ACCELBENCH_HOME": str(home), "ACCELBENCH_BACKENDS": ":".join(map(str, folders))}

    def done(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        ended = accelbench(*words, cwd=tmp_path, **known, **variables)
        assert ended.returncode == 0, ended.stderr
        return ended

    done("backend", "install", *VERSIONS)
    before = {name: json.loads(done("backend", "show", name, "--json").stdout) for name in VERSIONS}
    assert {name: versions(row["packages"]) for name, row in before.items()} == VERSIONS
    assert {name: row["devices"][0]["name"] for name, row in before.items()} == {
        name: " ".join(told) for name, told in VERSIONS.items()
    }

    done("backend", "remove", *VERSIONS)
    assert not list((home / "envs").glob("*/bin"))
    offline = {**NO_NETWORK, "PIP_NO_CACHE_DIR": "1"}
    done("backend", "install", *VERSIONS, **offline)
    assert {name: json.loads(done("backend", "show", name, "--json").stdout) for name in VERSIONS} == before

    assert accelbench("backend", "install", "onnxruntime", cwd=tmp_path).returncode == 0
    reference = location(find("onnxruntime"))
    (home / "envs" / reference.name).symlink_to(reference)
    words = ("run", "digits-cnn", "-b", "older", "-b", "newer", "--quick", "--scenario", "single_stream", "--json")
    ran = accelbench(*words, "-o", "out", cwd=tmp_path, **known, **offline)
    assert {row["backend"]: row["status"] for row in rows_of(ran)} == dict.fromkeys(VERSIONS, "ok"), ran.stderr


def stack(folder: Path, name: str) -> Path:
    """A copy of the null backend with another name and lock, whose device tells which versions it was given."""
    made = folder / name
    shutil.copytree(find("null").folder, made, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(LOCKS / f"{name}.lock", made / "requirements.lock")
    table, adapter = made / "backend.toml", made / "adapter.py"
    table.write_text(table.read_text().replace('name = "null"', f'name = "{name}"'))
    text = adapter.read_text().replace("import numpy as np", "import google.protobuf\nimport numpy as np")
    adapter.write_text(text.replace('name="nothing"', 'name=f"{np.__version__} {google.protobuf.__version__}"'))
    return made


def versions(packages: dict[str, Any]) -> tuple[str, str]:
    return packages["numpy"], packages["protobuf"]
