"""Submissions are made of draft folders and keys that all tests of the gate share."""

from __future__ import annotations

import pytest
from tests.unit.gate import factory


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> factory.Stock:
    return factory.stock(tmp_path_factory.mktemp("gate"))
