"""Ledgers with alice's budget and the total in them, in a file, in memory or in a server."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "postgres"))

import ledger_stores
import postgres_server
from ledger_cases import budgets, url

from dpsql.ledger import Ledger

warnings.filterwarnings("ignore", category=Warning, module="platformdirs")


@pytest.fixture(scope="session")
def servers():
    """By version, the URL of a database in a server that is started when it is first asked for."""
    with postgres_server.several() as found:
        yield found


@pytest.fixture(autouse=True)
def store(request):
    """Where `url(path)` lies in this test; see `ledger_stores.both`."""
    version = getattr(request, "param", "sqlite")
    if version == "sqlite":
        yield version
        return
    ledger_stores.DATABASE.append(request.getfixturevalue("servers").database(version))
    yield version
    ledger_stores.DATABASE.clear()


@pytest.fixture
def ledger():
    with Ledger.open("sqlite://") as opened:
        budgets(opened)
        yield opened


@pytest.fixture(params=["memory", "file", "18"])
def either(request, tmp_path):
    if request.param not in ("memory", "file"):
        ledger_stores.DATABASE.append(request.getfixturevalue("servers").database(request.param))
    where = "sqlite://" if request.param == "memory" else url(tmp_path / "ledger.db")
    with Ledger.open(where) as opened:
        budgets(opened)
        yield opened
    ledger_stores.DATABASE.clear()
