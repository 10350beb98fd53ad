"""Data shared by the end-to-end tests; built once a run."""

from __future__ import annotations

import e2e_world as world
import pytest


@pytest.fixture(scope="session")
def cases_data():
    """make_data.py's clean rows: the ones the counts in good.jsonl speak of."""
    return world.make_data().build(5000, 7, False)


@pytest.fixture(scope="session")
def hostile_data():
    """make_data.py's rows with the adversarial units."""
    return world.make_data().build(300, 7, True)
