"""Nothing that one row holds may raise, multiply or grow until the analyst notices.

Each query asks about one person through an error or a delay. It must be refused from its text, or
end alike on a database with and without that person.
"""

from __future__ import annotations

import duckdb
import pytest

import dpsql

BIG = 2**62


def database(with_target: bool) -> duckdb.DuckDBPyConnection:
    owner = duckdb.connect()
    owner.execute(
        "CREATE TABLE users (id BIGINT, name VARCHAR, age INT, city VARCHAR, t BIGINT, big BIGINT)"
    )
    owner.execute(
        "INSERT INTO users SELECT range, 'n' || range, 20 + range % 50, 'c' || (range % 3), 1,"
        f" {BIG} FROM range(60)"
    )
    owner.execute("UPDATE users SET t = NULL WHERE name = 'n7'")
    owner.execute("CREATE TABLE regions (city VARCHAR, pop BIGINT)")
    owner.execute("INSERT INTO regions VALUES ('c0', 10), ('c1', 20)")
    owner.execute("CREATE TABLE cal AS SELECT range AS d FROM range(3000)")
    if not with_target:
        owner.execute("DELETE FROM users WHERE name = 'n7'")
    return owner


def answer(owner: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, str]:
    policy = {
        "budgets": {"default": {"epsilon": 1e12, "delta": 0.5}},
        "bounds": {"max_groups": 5, "max_rows_per_group": 10},
        "limits": {"timeout": "20s"},
        "unit": "person",
        "tables": {
            "users": {"unit": "id", "columns": {"t": {"nullable": False}}},
            "regions": {"public": True},
            "cal": {"public": True},
        },
    }
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(policy, analyst="a", engine=owner, epsilon=1, delta=1e-6)
    with connection:
        try:
            cursor = connection.cursor().execute(sql)
            return "answered", str([column[0] for column in cursor.description])
        except (dpsql.RefusedQuery, dpsql.InvalidQuery) as error:
            return error.code, str(error)


SAME = {
    "a sum that its cast cannot hold": "SELECT COUNT(*) FROM (SELECT id, SUM(CASE WHEN name = 'n7'"
    " THEN 9223372036854775808 ELSE 0 END) s FROM users GROUP BY id) q WHERE s >= 0",
    "a sum of what is beyond any": "SELECT COUNT(s) FROM (SELECT id, SUM(NULLIF("
    "18446744073709551615, age)) s FROM users WHERE name = 'n7' GROUP BY id) q",
    "FILTER of text": "SELECT COUNT(*) FROM (SELECT id, COUNT(*) FILTER (WHERE CASE WHEN"
    " name = 'n7' THEN 'x' ELSE 'true' END) s FROM users GROUP BY id) q WHERE s > 0",
    "HAVING of text": "SELECT COUNT(*) FROM (SELECT id, name, COUNT(*) s FROM users GROUP BY"
    " id, name HAVING CASE WHEN name = 'n7' THEN 'x' ELSE 'true' END) q",
    "NULL behind a join": f"SELECT COUNT(*) FROM (SELECT u.id, u.age, COALESCE(u.m, {BIG}) * 4 AS z"
    " FROM (SELECT id, age, MAX(CASE WHEN name = 'n7' THEN NULL ELSE 1 END) AS m FROM users"
    " GROUP BY id, age) u JOIN regions r ON u.m <> r.pop) q WHERE z > age",
    "a NULL the policy denies": "SELECT COUNT(*) FROM users WHERE COALESCE(t, big) * 4 > age",
    "and through LEAST": "SELECT COUNT(*) FROM users WHERE GREATEST(LEAST(t, big), 0) * 4 > age",
    "rows that multiply": "SELECT COUNT(*) FROM users u JOIN cal a ON u.name = 'n7'"
    " JOIN cal b ON b.d >= 0 JOIN cal c ON c.d >= 0",
    "tables of one unit that multiply": "SELECT COUNT(*) FROM users a JOIN users b USING (id)"
    " JOIN users c USING (id)",
    "an escape of two bytes": "SELECT COUNT(*) FROM users WHERE CASE WHEN name = 'n7'"
    " THEN city LIKE 'a' ESCAPE 'ä' ELSE FALSE END",
    "and in FILTER": "SELECT AVG(s) FROM (SELECT id, COUNT(*) FILTER (WHERE CASE WHEN"
    " name = 'n7' THEN city NOT ILIKE 'a' ESCAPE 'é' END) s FROM users GROUP BY id) q",
    "an escape that ends its pattern": "SELECT COUNT(*) FROM users WHERE CASE WHEN name = 'n7'"
    " THEN city LIKE 'a' || '!' ESCAPE '!' ELSE FALSE END",
    "an escape of one byte": "SELECT COUNT(*) FROM users WHERE CASE WHEN name = 'n7'"
    " THEN city LIKE '!%a!!' ESCAPE '!' ELSE FALSE END",
    "text that grows": "SELECT COUNT(*) FROM (SELECT id, s || s || s || s AS s FROM (SELECT id,"
    " CASE WHEN name = 'n7' THEN 'abc' ELSE '' END AS s FROM users GROUP BY 1, 2) a"
    " GROUP BY 1, 2) b WHERE s = 'x'",
}

_ABOVE = "SELECT COUNT(*) FROM (SELECT COUNT(*) n FROM users) q WHERE CAST(n AS VARCHAR)"


@pytest.mark.parametrize("what", SAME)
def test_one_row_decides_nothing(what: str) -> None:
    assert answer(database(True), SAME[what]) == answer(database(False), SAME[what])


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        (SAME["FILTER of text"], "type-mismatch"),
        (SAME["HAVING of text"], "type-mismatch"),
        (SAME["rows that multiply"], "join-too-wide"),
        (SAME["tables of one unit that multiply"], "join-too-wide"),
        (SAME["text that grows"], "too-complex"),
        (SAME["an escape of two bytes"], "unsupported-pattern"),
        (SAME["and in FILTER"], "unsupported-pattern"),
        (SAME["an escape that ends its pattern"], "unsupported-pattern"),
        (SAME["an escape of one byte"], "answered"),
        (f"{_ABOVE} LIKE 'a' ESCAPE 'ä'", "unsupported-pattern"),
        (f"{_ABOVE} NOT ILIKE 'a' ESCAPE ''", "unsupported-pattern"),
        (f"{_ABOVE} LIKE 'a' ESCAPE 'ab'", "unsupported-pattern"),
        (f"{_ABOVE} LIKE CAST(n AS VARCHAR) ESCAPE '!'", "unsupported-pattern"),
        (f"{_ABOVE} LIKE 'a!' ESCAPE '!'", "unsupported-pattern"),
        (f"{_ABOVE} NOT LIKE 'a!' || '%' ESCAPE '!'", "answered"),
        (f"{_ABOVE} LIKE CAST(n AS VARCHAR)", "answered"),
        ("SELECT COUNT(*) FROM (SELECT DISTINCT COUNT(*) n FROM users GROUP BY id) q", "distinct"),
        ("SELECT COUNT(*) FROM ((SELECT * FROM users) LIMIT 5) q", "unsupported-clause"),
        ("(SELECT COUNT(*) AS n FROM users) ORDER BY n LIMIT 1", "unsupported-clause"),
        (
            "SELECT COUNT(*) FROM (SELECT b.id, COUNT(*) FROM users a LEFT JOIN users b"
            " ON a.id = b.id GROUP BY b.id) q",
            "outer-join",
        ),
        (
            "SELECT AVG(n) FROM (SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.1) id,"
            " COUNT(*) AS n FROM users GROUP BY id) q",
            "unsupported-option",
        ),
    ],
)
def test_refused_by_name(sql: str, code: str) -> None:
    assert answer(database(True), sql)[0] == code


def test_repeated_inlining_is_bounded() -> None:
    """n chained CTEs that use a column twice stand for 2^n copies of it."""
    chain = ", ".join(f"c{i} AS (SELECT id, s + s AS s FROM c{i - 1})" for i in range(1, 15))
    sql = f"WITH c0 AS (SELECT id, age AS s FROM users), {chain} SELECT COUNT(*) FROM c14 WHERE s>1"
    assert answer(database(True), sql)[0] == "too-complex"


def test_public_tables_are_not_confused() -> None:
    owner = duckdb.connect()
    owner.execute("CREATE SCHEMA geo")
    owner.execute("CREATE TABLE geo.regions AS SELECT 1 AS x")
    owner.execute("CREATE TABLE geo_regions AS SELECT 2 AS x")
    policy = {
        "budgets": {"default": {"epsilon": 1, "delta": 0.5}},
        "tables": {"geo.regions": {"public": True}, "geo_regions": {"public": True}},
    }
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(policy, analyst="a", engine=owner)
    with connection:
        sql = "SELECT a.x, b.x FROM geo.regions a CROSS JOIN geo_regions b"
        assert connection.cursor().execute(sql).fetchall() == [(1, 2)]


def test_one_table_is_declared_once() -> None:
    """`main.users` beside `users`: one private, one public, would hand out the rows."""
    owner = database(True)
    policy = {
        "budgets": {"default": {"epsilon": 1, "delta": 0.5}},
        "tables": {"users": {"unit": "id"}, "main.users": {"public": True}},
    }
    with pytest.raises(dpsql.PolicyError, match="declared as `users` too"):
        dpsql.connect(policy, analyst="a", engine=owner)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        (
            "SELECT SUM(s) FROM (SELECT id, SUM(age, contribution_bounds_per_row => (0, 1)) s"
            " FROM users GROUP BY id) q",
            "unsupported-option",
        ),
        ("SELECT SUM(ABS(age, foo => 3)) FROM users", "syntax"),
        (
            "SELECT SUM(n, contribution_bounds_per_row => (0, 1)) FROM (SELECT city, COUNT(*) AS n"
            " FROM users GROUP BY city) q",
            "unsupported-option",
        ),
        (
            "SELECT REPLACE(REPLACE(REPLACE('a', 'a', 'aaaa'), 'a', 'aaaa'), 'a', 'aaaa'),"
            " COUNT(*) FROM users",
            "too-complex",
        ),
    ],
)
def test_nothing_is_dropped_unseen(sql: str, code: str) -> None:
    assert answer(database(True), sql)[0] == code


def test_chained_joins_are_bounded() -> None:
    chain = ", ".join(
        f"c{i} AS (SELECT a.id, a.age FROM c{i - 1} a JOIN c{i - 1} b ON a.id = b.id)"
        for i in range(1, 12)
    )
    sql = f"WITH c0 AS (SELECT id, age FROM users), {chain} SELECT COUNT(*) FROM c11"
    assert answer(database(True), sql)[0] == "too-complex"
