"""One server a session and version; the world of the equivalence tests in each."""

from __future__ import annotations

import sys
import warnings
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "cases"))

import equivalence_world
import postgres_server
import postgres_world

warnings.filterwarnings("ignore", category=Warning, module="platformdirs")


@pytest.fixture(scope="session", params=[pytest.param("16", marks=pytest.mark.slow), "18"])
def server(request):
    """Each supported version that is at hand; of a server of the user's own there is one."""
    with postgres_server.running(request.param) as running:
        yield running


@pytest.fixture(scope="session")
def sixteen():
    """PostgreSQL 16 in the default run, too, for a few tests."""
    with postgres_server.running("16") as running:
        yield running


@pytest.fixture(scope="session")
def wide_url(server):
    return postgres_world.wide(server)


@pytest.fixture(scope="session")
def wide_databases():
    with equivalence_world.open_databases() as opened:
        yield opened


@pytest.fixture(scope="session")
def wide_session(wide_url):
    with closing(postgres_world.session(equivalence_world.POLICY, wide_url)) as opened:
        yield opened
