"""Data shared by the end-to-end tests; built once a run."""

from __future__ import annotations

from contextlib import ExitStack, closing

import duckdb
import e2e_neighbours as neighbours
import e2e_world as world
import equivalence_world
import pytest
from charging_world import POLICY

from dpsql.session import Session


@pytest.fixture(scope="session")
def cases_data():
    """make_data.py's clean rows: the ones the counts in good.jsonl speak of."""
    return world.make_data().build(5000, 7, False)


@pytest.fixture(scope="session")
def hostile_data():
    """make_data.py's rows with the adversarial units."""
    return world.make_data().build(300, 7, True)


@pytest.fixture(scope="session")
def small():
    return world.make_data().build(200, 7, False)


@pytest.fixture(scope="session")
def neighbour_world():
    """Tests load their own rows into it; nothing else of it changes."""
    opened = neighbours.World.open(threads=4)
    yield opened
    opened.connection.close()


@pytest.fixture(scope="session")
def wide_databases():
    with equivalence_world.open_databases() as opened:
        yield opened


@pytest.fixture(scope="session")
def wide_session(wide_databases):
    """At bounds that clip nothing and an ε that leaves no noise; nothing is stored for reuse."""
    with closing(world.memory_session(wide_databases[0], equivalence_world.POLICY)) as opened:
        yield opened


@pytest.fixture(scope="session")
def plain_duckdb(wide_databases):
    return wide_databases[1]


@pytest.fixture
def place(tmp_path, small):
    """A folder with a database; `place(reuse=..., epsilon=...)` writes the policy, returns it."""
    with duckdb.connect(str(tmp_path / "cases.duckdb")) as connection:
        world.fill(connection, *small)

    def write(reuse="budget", epsilon="50.0", total="1000.0"):
        path = tmp_path / "dpsql.yaml"
        path.write_text(POLICY % {"reuse": reuse, "epsilon": epsilon, "total": total})
        return path

    return write


@pytest.fixture
def opened():
    """`opened(policy, analyst)`: a session that is closed at the end."""
    with ExitStack() as sessions:

        def open_(path, analyst="alice", **price):
            return sessions.enter_context(closing(Session(path, analyst, **price)))

        yield open_
