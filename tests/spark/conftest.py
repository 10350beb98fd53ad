"""One Spark a test process, and databases of other tests in it.

`spark_session`: the root session, to create tables with (catalog `spark_catalog`, schema
`default`). `spark_world`: the tables of `equivalence_world` in it, and a dpsql `Session` over them.
Spark enforces no key, so `items` holds the person's id itself there.

All tests here go to one worker (`pytest_xdist_make_scheduler` in tests/conftest.py): one JVM serves
them.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "cases"))

import spark_world as worlds

URL = worlds.URL

# A JVM that starts sooner: it lives for a minute.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def pytest_collection_modifyitems(items):
    """py4j leaves its sockets to the garbage collector; pandas 3 is newer than pyspark knows."""
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::FutureWarning"))


@pytest.fixture(scope="session")
def spark_session():
    """The Spark that dpsql starts in this process by `worlds.URL`; skips without Java."""
    worlds.require()
    return worlds.root()


@pytest.fixture(scope="session")
def spark_engine(spark_session):
    """An engine over all tables of the root session's catalog, read anew at each `catalog()`."""
    from dpsql.dialects.spark import SparkEngine

    with closing(SparkEngine.open(URL, memory=worlds.MEMORY)) as engine:
        yield engine


@pytest.fixture(scope="session")
def spark_world(spark_session):
    """A Session over the tables of `equivalence_world`."""
    worlds.wide(spark_session)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the ledger is in memory on purpose
        from dpsql.session import Session

        session = Session({**worlds.POLICY, "database": URL}, "ana")
    with closing(session):
        yield session
