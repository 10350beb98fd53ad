"""The other rooms' harnesses, and one bench with everything that a gate is held against."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# What `make test` puts there anyway, as it collects those rooms first.
sys.path += [str(Path(__file__).parents[1] / room) for room in ("audit", "e2e", "ledger")]

import e2e_neighbours as neighbours
import e2e_world
from audit_fixtures import audit, fixed_entropy, found, uncertified
from gates import Bench
from hostile_world import Databases

__all__ = ["audit", "fixed_entropy", "found", "uncertified"]


@pytest.fixture(scope="session")
def replayed():
    """A world whose rows the replay gate loads."""
    opened = neighbours.World.open(threads=4)
    yield opened
    opened.connection.close()


@pytest.fixture(scope="session")
def hostile_rows():
    """make_data.py's rows with the adversarial units."""
    return e2e_world.make_data().build(300, 7, True)


@pytest.fixture(scope="session")
def databases(hostile_rows):
    """Sessions over these rows and over them less a unit; what is charged goes to memory."""
    opened = Databases(hostile_rows)
    yield opened
    opened.close()


@pytest.fixture
def bench(replayed, databases, hostile_rows, found, tmp_path):
    return Bench(replayed, databases, hostile_rows, found, tmp_path)
