"""Environments of backends are made in accelbench's home, once; after each test no process of a worker is left."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.backend.models import Lab, lab

from accelbench.envs.install import install
from accelbench.envs.spec import BackendSpec, find

FAULTY = Path(__file__).parents[1] / "backends" / "faulty"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.backend)


@pytest.fixture(scope="session")
def backend() -> Iterator[Callable[[str], BackendSpec]]:
    """Finds a backend by name, ``faulty`` among them, and makes its environment when it is not there."""

    def ready(name: str) -> BackendSpec:
        spec = find(name)
        install(spec, quiet)
        return spec

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCELBENCH_BACKENDS", str(FAULTY))
        yield ready


@pytest.fixture
def here(tmp_path: Path) -> Lab:
    return lab(tmp_path)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert children() == []


def quiet(_step: str) -> None:
    """Progress that nobody reads."""


def children() -> list[str]:
    """Command lines of the processes that this one has started and not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == os.getpid():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found
