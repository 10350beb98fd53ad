from __future__ import annotations

import warnings

import canonical_world as world
import pytest


@pytest.fixture(scope="session")
def connection():
    with world.database() as opened:
        yield opened


@pytest.fixture(scope="session")
def session(connection):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = world.session(connection)
    yield opened
    opened.close()
