"""Constants above the noise line that have no value are refused before the charge."""

from __future__ import annotations

import pytest
import trial_world

from dpsql.dialects import trial
from dpsql.errors import EngineFailed, InvalidQuery
from dpsql.pipeline import constants

GROUPED = "SELECT ok, COUNT(*) AS n FROM t GROUP BY ok ORDER BY ok"
FAILING = [
    "SELECT COUNT(*), CAST('x' AS INT) FROM t",
    "SELECT COUNT(*) + CAST('x' AS INT) FROM t",
    "SELECT COUNT(*), 9223372036854775807 + 1 FROM t",
    "SELECT ok, COUNT(*) FROM t GROUP BY ok HAVING MAX(day) > CAST('2024-02' || '-31' AS DATE)",
    "SELECT n FROM (SELECT COUNT(*) AS n FROM t) WHERE n > CAST('many' AS INT)",
    "SELECT COUNT(*), 1 // 0 FROM t",
    "SELECT COUNT(*), 1 IN ('x') FROM t",
    "SELECT COUNT(*), 1 BETWEEN 'x' AND 2 FROM t",
    "SELECT COUNT(*), INTERVAL '99999999999999' YEAR FROM t",
    "SELECT COUNT(*), (SELECT 1 UNION ALL SELECT 2) FROM t",
    "SELECT COUNT(*) FROM t WHERE age > (SELECT AVG(age) + CAST('x' AS INT) FROM t)",
    f"{GROUPED} LIMIT (SELECT 1 UNION ALL SELECT 2)",
    f"{GROUPED} LIMIT (SELECT 2) + CAST('x' AS INT)",
    f"{GROUPED} LIMIT CAST((SELECT 'x') AS INT)",
    f"{GROUPED} OFFSET (SELECT 9223372036854775807) * 10",
]
ANSWERED = [
    "SELECT COUNT(*), CAST('7' AS INT) + 1, -3, (2), NULL + 1, TRY_CAST('x' AS INT) FROM t",
    "SELECT COUNT(*), 1 / 0, DATE '2024-02-29' + INTERVAL '1 day' FROM t",
    "SELECT n FROM (SELECT COUNT(*) AS n FROM t) WHERE n NOT IN (SELECT 1 UNION ALL SELECT 2)",
    "SELECT COUNT(*) FROM t HAVING EXISTS (SELECT 1 UNION ALL SELECT 2)",
    "SELECT COUNT(*), LN(0), SQRT(-1) FROM t",
    "SELECT n, m FROM (SELECT COUNT(*) AS n FROM t), (SELECT 1 + 1 AS m UNION ALL SELECT 2)",
    "WITH two AS (SELECT 1 AS i UNION ALL SELECT 2)"
    " SELECT COUNT(*), (SELECT MAX(i) FROM two) FROM t",
    f"{GROUPED} LIMIT (SELECT 1) + 1",
    # not computed in every run
    "SELECT CASE ok WHEN 'x' = 'x' THEN 'b' ELSE 'c' END AS z, COUNT(*) FROM t GROUP BY ok",
    "SELECT CASE town WHEN 'Aix' THEN 'b' ELSE 'c' END AS z, COUNT(*) FROM t GROUP BY town",
    "SELECT town, COUNT(*) FROM t GROUP BY town ORDER BY CASE town WHEN 'Aix' THEN 0 ELSE 1 END",
    "SELECT COUNT(*) AS n FROM t HAVING '' = '' OR COUNT(*) > CAST('' AS INTEGER)",
    "SELECT CASE WHEN COUNT(*) > 0 THEN COUNT(*) ELSE CAST('x' AS INTEGER) END FROM t",
    "SELECT CASE WHEN '' <> '' THEN CAST('' AS INTEGER) ELSE COUNT(*) END FROM t",
    "SELECT COALESCE(COUNT(*), CAST('x' AS INTEGER)) FROM t",
    "SELECT * FROM (SELECT ok, COUNT(*) AS n FROM t GROUP BY ok) q"
    " WHERE '' = '' OR n > CAST('' AS INTEGER)",
    "SELECT COUNT(*) AS n FROM t UNION ALL SELECT CAST('x' AS INT) WHERE FALSE",
    "SELECT q.n FROM (SELECT COUNT(*) AS n, CAST('x' AS INT) AS unused FROM t) q",
    "WITH u AS (SELECT CAST('x' AS INT) AS z) SELECT COUNT(*) FROM t",
]


@pytest.fixture(scope="module")
def session():
    with trial_world.opened() as found:
        yield found


@pytest.mark.parametrize("sql", FAILING)
def test_it_is_refused_and_costs_nothing(session, sql):
    before = session.budget().spent
    with pytest.raises(InvalidQuery) as found:
        session.query(sql)
    assert found.value.code == "bad-literal"
    assert session.budget().spent == before


@pytest.mark.parametrize("sql", ANSWERED)
def test_what_has_a_value_is_left_alone(session, sql):
    assert session.query(sql).table.num_rows


def test_a_constant_that_takes_long_is_left_to_the_query(session, monkeypatch):
    """Nothing is claimed of it, and no more are looked at."""
    monkeypatch.setattr(trial, "CONSTANT_SECONDS", 0.0)
    monkeypatch.setattr(constants, "CONSTANT_SECONDS", -1.0)
    with pytest.raises(EngineFailed):
        session.query(FAILING[0])


def test_one_that_is_interrupted_has_not_failed(session, monkeypatch):
    monkeypatch.setattr(trial, "CONSTANT_SECONDS", 0.2)
    long = "SELECT SUM(a.range * b.range) FROM range(10000000) a, range(1000000) b"
    assert session._sealed.computes(long)
    assert session._sealed.computes("SELECT 1 + 1")
    assert not session._sealed.computes("SELECT CAST('x' AS INT)")


def test_without_the_look_it_is_charged_and_fails(session, monkeypatch):
    monkeypatch.setattr(constants, "_constants", lambda query: iter(()))
    before = session.budget().spent
    with pytest.raises(Exception, match="failed"):
        session.query(FAILING[2])
    assert session.budget().spent > before
