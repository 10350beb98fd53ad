"""COUNT(DISTINCT x): pairs of pseudonyms on PostgreSQL are DuckDB's up to their names.

Where no cap binds the graph of units and values is the same; where one does a unit without which
the database is asked moves its own pairs alone, of the same salt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing

import postgres_world
import pytest
from e2e_world import memory_session
from equivalence_world import POLICY
from test_postgres_neighbours import DDL, ROWS, without
from test_postgres_neighbours import POLICY as CAPPED

from dpsql.dialects.postgres import PostgresEngine

QUERIES = [
    "SELECT COUNT(DISTINCT city) FROM persons",
    "SELECT COUNT(DISTINCT income) FROM persons",
    "SELECT kind, COUNT(DISTINCT cost) FROM visits GROUP BY kind",
    "SELECT COUNT(DISTINCT n) FROM events",
    "SELECT kind, COUNT(DISTINCT x) FROM events GROUP BY kind",
    "SELECT COUNT(DISTINCT born) FROM persons",
]
CAPS = [
    "SELECT COUNT(DISTINCT amount) FROM orders",
    "SELECT item, COUNT(DISTINCT amount) FROM orders GROUP BY item",
    "SELECT COUNT(DISTINCT ts) FROM orders",
    "SELECT COUNT(DISTINCT wage), COUNT(DISTINCT signup) FROM users",
]


def pairs(session, sql):
    """The text of pairs of each statement."""
    with session.engine.snapshot():
        asked = session.prepare(sql, None, dialect="duckdb", asked=session.asked).certified
    texts = [text for certified in asked for text in certified.texts]
    return [text for text in texts if 'AS "item"' in text or " AS item " in text]


def graph(table):
    """Of each value how many units have it, and with how many other values; by key."""
    seen, per_unit = defaultdict(set), Counter()
    for row in table.to_pylist():
        key = tuple(value for name, value in row.items() if name not in ("unit", "item"))
        assert row["unit"] not in seen[key, row["item"]], "a pair is there once"
        seen[key, row["item"]].add(row["unit"])
        per_unit[row["unit"]] += 1
    return Counter((key, tuple(sorted(per_unit[u] for u in who))) for (key, _), who in seen.items())


@pytest.fixture(scope="module")
def here(wide_databases):
    with closing(memory_session(wide_databases[0], POLICY)) as session:
        yield session


@pytest.mark.parametrize("sql", QUERIES)
def test_pairs_are_duckdbs(sql, wide_session, here):
    mine, theirs = pairs(wide_session, sql), pairs(here, sql)
    assert len(mine) == len(theirs) > 0
    for one, other in zip(mine, theirs, strict=True):
        found = graph(wide_session.engine.fetch(one))
        assert found
        assert found == graph(here.engine.fetch(other))


def test_a_unit_is_no_value(wide_session):
    """The unit itself counted: its pseudonym as a value is another."""
    (text,) = pairs(wide_session, "SELECT COUNT(DISTINCT n) FROM events")
    rows = wide_session.engine.fetch(text.replace('"t0"."n"', '"t0"."pid"')).to_pylist()
    assert len(rows) > 30
    assert not {row["unit"] for row in rows} & {row["item"] for row in rows}


@pytest.fixture(scope="module")
def neighbours(server):
    whole, less = server.database(), server.database()
    for url in (whole, less):
        postgres_world.fill(url, DDL, ROWS)
    with (
        closing(postgres_world.session(CAPPED, whole)) as session,
        closing(PostgresEngine.open(less)) as other,
    ):
        yield session, other, less


@pytest.mark.parametrize("unit", [100, 104, 105])
def test_a_unit_moves_its_own_pairs_alone(unit, neighbours):
    session, other, less = neighbours
    texts = [text for sql in CAPS for text in pairs(session, sql)]
    assert len(texts) == len(CAPS) + 1
    moved = 0
    with without(unit, less):
        for text in texts:
            one, two = (
                Counter(tuple(row.values()) for row in engine.fetch(text).to_pylist())
                for engine in (session.engine, other)
            )
            gone = [row[:-1] for row in one - two]
            assert not two - one
            moved += bool(gone)
            assert len(gone) <= 6
            assert len({row[-1] for row in gone}) <= 1
            assert max(Counter(gone).values(), default=0) <= 2
    assert moved > 1
