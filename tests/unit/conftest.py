"""Unit tests know the shipped backends only, whatever other tests or the host have listed."""

import pytest


@pytest.fixture(autouse=True)
def no_listed_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACCELBENCH_BACKENDS", raising=False)
