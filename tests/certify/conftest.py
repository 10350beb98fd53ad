"""One world for all tests of this room: they only read it."""

from __future__ import annotations

import pytest
from certify_world import World, build


@pytest.fixture(scope="session")
def world() -> World:
    return build()
