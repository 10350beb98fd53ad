"""explain charges nothing, reads nobody's row, and does not depend on data or stored answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import dpsql

QUERIES = [
    "SELECT COUNT(*) FROM users",
    "SELECT city, COUNT(*), AVG(age), COUNT(DISTINCT id) FROM users GROUP BY city",
    "SELECT item, SUM(amount), COUNT(DISTINCT user_id) FROM orders GROUP BY item",
    "SELECT region, VAR_POP(amount) FROM orders JOIN regions USING (region) GROUP BY region",
    "SELECT (SELECT COUNT(*) FROM users) + (SELECT SUM(amount) FROM orders) AS x",
    "SELECT age > 30 AS old, STDDEV(age) FROM users GROUP BY 1 HAVING COUNT(*) > 3 ORDER BY 1",
    "SELECT COUNT(*) FROM regions",
]


def _entries(connection: dpsql.Connection) -> int:
    return sum(1 for _ in connection._session.ledger.entries())


@pytest.mark.parametrize("sql", QUERIES)
def test_nothing_is_charged(connection: dpsql.Connection, sql: str) -> None:
    cursor = connection.cursor().execute("SELECT COUNT(*) FROM regions")
    before = _entries(connection)
    cursor.explain(sql)
    assert _entries(connection) == before
    assert connection.budget().share == 0
    assert cursor.fetchall() == [(2,)]  # the result set stays


@pytest.mark.parametrize("sql", QUERIES)
def test_nobodys_row_is_read(
    connection: dpsql.Connection, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    engine = connection._session.engine
    real, seen = engine.fetch, []

    def watched(text: str, **options: Any) -> Any:
        seen.append(text)
        return real(text, **options)

    monkeypatch.setattr(engine, "fetch", watched)
    connection.cursor().explain(sql)
    assert all('"regions"' in text and "users" not in text for text in seen)
    assert not any("orders" in text for text in seen)


@pytest.mark.parametrize("sql", QUERIES)
def test_it_does_not_depend_on_data(connect: Callable[..., dpsql.Connection], sql: str) -> None:
    large = connect("large").cursor().explain(sql)
    small = connect("small").cursor().explain(sql)
    assert large == small
    assert str(large) == str(small)


@pytest.mark.parametrize("sql", QUERIES)
def test_it_is_the_same_each_time(cursor: dpsql.Cursor, sql: str) -> None:
    assert cursor.explain(sql) == cursor.explain(sql)  # the salt, fresh each time, is not shown


def test_a_stored_release_changes_nothing_but_what_was_spent(cursor: dpsql.Cursor) -> None:
    sql = "SELECT COUNT(*) FROM users"
    before = cursor.explain(sql)
    cursor.execute(sql)
    after = cursor.explain(sql)
    assert (after.epsilon, after.delta) == (before.epsilon, before.delta) != (0, 0)
    assert after.releases == before.releases
    assert after.share_before == before.share_after
    assert after.share_after > after.share_before
    cursor.execute(sql)
    assert cursor.privacy is not None
    assert cursor.privacy.free


@pytest.mark.parametrize("sql", QUERIES)
def test_json_and_text(cursor: dpsql.Cursor, sql: str) -> None:
    explanation = cursor.explain(sql)
    again = json.loads(json.dumps(explanation.to_dict(), allow_nan=False))
    assert again["epsilon"] == float(explanation.epsilon)
    assert len(again["releases"]) == len(explanation.releases)
    text = explanation.to_text()
    assert text.startswith("price")
    assert str(explanation) == text
    if explanation.releases:
        assert "SELECT" not in text
        assert "SELECT" in explanation.to_text(sql=True)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert explanation._repr_html_().startswith("<pre>")
    assert "age > 30" not in explanation._repr_html_()  # escaped


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT id FROM users", dpsql.RefusedQuery),
        ("SELECT MODE(age) FROM users", dpsql.RefusedQuery),
        ("SELECT COUNT(* FROM users", dpsql.InvalidQuery),
        ("SELECT COUNT(*) FROM secrets", dpsql.Error),
        ("DROP TABLE users", dpsql.NotSupportedError),
        ("", dpsql.InvalidQuery),
        (None, dpsql.InvalidQuery),
    ],
)
def test_refusals_are_those_of_execute(
    cursor: dpsql.Cursor, sql: Any, error: type[dpsql.Error]
) -> None:
    with pytest.raises(error) as explained:
        cursor.explain(sql)
    with pytest.raises(error) as executed:
        cursor.execute(sql)
    assert str(explained.value) == str(executed.value)
    assert explained.value.code == executed.value.code


def test_faults_of_ours_stay_ours(cursor: dpsql.Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret 42")

    monkeypatch.setattr("dpsql.pipeline.plan.run", fail)
    with pytest.raises(dpsql.InternalError) as caught:
        cursor.explain("SELECT COUNT(*) FROM users")
    assert "secret" not in str(caught.value)
