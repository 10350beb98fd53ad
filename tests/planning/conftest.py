"""Sessions on one small database: few groups of a unit, and many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from planning_world import World, build


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planning") / "people.duckdb"
    build(path)
    return path


@pytest.fixture(scope="session")
def world(database: Path) -> Iterator[World]:
    made = World(database, {"max_groups": 3, "max_rows_per_group": 4})
    yield made
    made.session.close()


@pytest.fixture(scope="session")
def wide(database: Path) -> Iterator[World]:
    """Twelve groups of a unit, and no cap on its rows that would limit them: Gaussian noise."""
    made = World(database, {"max_groups": 12, "max_rows_per_group": 2})
    yield made
    made.session.close()
