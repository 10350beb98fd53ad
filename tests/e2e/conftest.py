"""Data shared by the end-to-end tests; built once a run."""

from __future__ import annotations

from contextlib import ExitStack, closing

import duckdb
import e2e_world as world
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
