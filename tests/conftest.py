"""Of all tests: what hypothesis draws. Of directories that have a `connect` of their own: a
connection, and a cursor on it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

import dpsql

# The default run draws the same examples each time, and a busy machine fails nothing.
# `--hypothesis-profile=fresh` draws new ones; so does `make test-slow`.
CALM = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("same", derandomize=True, **CALM)
settings.register_profile("fresh", derandomize=False, **CALM)
settings.load_profile("same")


# Receipts, history and keys of the tests are not the user's.
os.environ["DPSQL_STATE_DIR"] = tempfile.mkdtemp(prefix="dpsql-tests-")
atexit.register(shutil.rmtree, os.environ["DPSQL_STATE_DIR"], ignore_errors=True)

# pytest-xdist's workers start with Ctrl-C ignored; tests of it send it to themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """As `--dist loadfile`, but that all tests of Spark are one: one JVM serves them."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneSpark(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            found: str = super()._split_scope(nodeid)
            return "tests/spark" if found.startswith("tests/spark/") else found

    return OneSpark(config, log)


@pytest.fixture
def connection(connect: Callable[..., dpsql.Connection]) -> dpsql.Connection:
    return connect()


@pytest.fixture
def cursor(connection: dpsql.Connection) -> dpsql.Cursor:
    return connection.cursor()
