"""Conversions that the sealed engine binds and does not have are refused before the charge."""

from __future__ import annotations

import contextlib

import pytest
import trial_world

import dpsql
from dpsql.dialects import trial


@pytest.fixture(scope="module")
def session():
    with trial_world.opened() as found:
        yield found


BY_OK = "(SELECT ok, COUNT(*) AS n, MAX(day) AS last FROM t GROUP BY ok) q"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(COUNT(*) AS DATE) FROM t",
        "SELECT CAST(COUNT(*) AS TIMESTAMP) FROM t",
        "SELECT MAX(day) = COUNT(*) FROM t",
        "SELECT COUNT(*) IN (MAX(day)) FROM t",
        f"SELECT ok FROM {BY_OK} WHERE last = n",
        f"SELECT ok FROM {BY_OK} ORDER BY last = n",
        f"SELECT last FROM {BY_OK} UNION SELECT n FROM {BY_OK}",
        f"SELECT last FROM {BY_OK} EXCEPT SELECT n FROM {BY_OK}",
        f"SELECT q.n FROM {BY_OK} JOIN cal ON cal.d = q.n",
        "SELECT ok, CAST(ok AS DATE) FROM t GROUP BY ok",
        "SELECT CAST(AVG(age) AS DATE) FROM t HAVING COUNT(*) > 100",
        # a step of a chain
        "SELECT COUNT(*) FROM t WHERE day < (SELECT CAST(COUNT(*) AS DATE) FROM t)",
    ],
)
def test_it_is_refused_and_costs_nothing(session, sql: str) -> None:
    before = session.budget().share
    with pytest.raises(dpsql.Error) as caught:
        session.query(sql)
    assert caught.value.code == "does-not-bind"
    assert session.budget().share == before


@pytest.mark.parametrize(
    "sql",
    [
        # what real values may pass is no refusal, though the made-up row fails
        "SELECT 1 / (COUNT(*) - 1000), MAX(day) FROM t",
        "SELECT CAST(COUNT(*) AS TINYINT), MAX(day) FROM t",
        f"SELECT (SELECT n FROM {BY_OK} WHERE ok), MAX(day) FROM t",
        "SELECT TRY_CAST(COUNT(*) AS DATE) FROM t",
        "SELECT MAX(day) + 1, DATE_TRUNC('month', MAX(day)) FROM t",
        f"SELECT q.n FROM {BY_OK} JOIN cal ON cal.d = q.last",
    ],
)
def test_other_outcomes_of_the_made_up_row_are_none(session, sql: str) -> None:
    before = session.budget().share
    with contextlib.suppress(dpsql.EngineFailed):  # after the charge, by the real values
        session.query(sql)
    assert session.budget().share > before


def test_the_rule_is_what_finds_them(session, monkeypatch) -> None:
    """Without it the first of the queries above is charged, and fails."""
    monkeypatch.setattr(trial, "worth_trying", lambda query, tables: False)
    before = session.budget().share
    with pytest.raises(dpsql.EngineFailed):
        session.query("SELECT CAST(COUNT(*) AS DATE) FROM t")
    assert session.budget().share > before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT MAX(day), x FROM t, (SELECT UNNEST([1, 2]) AS x) r GROUP BY x",
        "SELECT age, COUNT(*) FROM t GROUP BY age ORDER BY 2",
    ],
)
def test_what_makes_rows_and_plain_numbers_are_not_tried(session, monkeypatch, sql: str) -> None:
    def never(connection, text):
        raise AssertionError("tried")

    monkeypatch.setattr(trial, "impossible", never)
    session.query(sql)
