"""Number literals at the ends of the engine's types: none may raise where a row reaches it.

The rows hold the ends of the columns' own types, so that every cast a literal brings is tried.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

import dpsql

NINES = "9" * 38
ROWS = [
    ["7", "7", "7", "7", "7", "0.5"],
    ["-3", str(-(2**127)), "-1e308", "-99999999.99", "-" + NINES, "-0." + NINES],
    ["42", str(2**127 - 1), "1e308", "99999999.99", NINES, "0." + NINES],
]
POLICY = {
    "budgets": {"default": {"epsilon": 1e9, "delta": 0.5}},
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "tables": {"p": {"unit": "id"}},
}
READ = [
    *("0", str(2**63), str(2**64), NINES, "000" + NINES, "0" * 41 + "1", "1.", NINES + "."),
    *("9" * 36 + ".", "9" * 37 + ".9", "." + "9" * 37, "0." + "9" * 37, "0." + "9" * 36),
    *("9" * 19 + "." + "9" * 19, "1e38", "1.5e308", "1e-400", "0e0"),
]
REFUSED = [
    *("1" + "0" * 38, str(2**127 - 1), str(2**127), str(2**128), "9" * 40, "9" * 400),
    *(NINES + ".0", NINES + "9.", "0." + NINES, "." + NINES, "1e309"),
]
FORMS = [
    "COUNT(*) FROM p WHERE CASE WHEN i = 42 THEN {n} ELSE 0 END > 1",
    "COUNT(*) FROM p WHERE (i < {n} OR h < {n} OR x < {n} OR d < {n} OR w < {n} OR s < {n})",
    "COUNT(*) FROM p WHERE (i IN (1, {n}) OR h IN (1, {n}) OR w IN (1, {n}) OR s IN (1, {n}))",
    "COUNT(*) FROM p WHERE d BETWEEN 0 AND {n} OR w NOT BETWEEN {n} AND 7",
    "COUNT(*) FROM p WHERE CAST({n} AS DECIMAL(38, 2)) > d OR CAST({n} AS HUGEINT) > i",
    "COUNT(*) FROM p WHERE CAST('{n}' AS DECIMAL(38, 2)) > d OR COALESCE(w, {n}) > NULLIF(h, {n})",
    "COUNT(*) FROM p WHERE i + {n} > d * {n} OR w % {n} > s / {n}",
    "SUM(CASE WHEN i = 42 THEN {n} ELSE 0 END, contribution_bounds_per_row => (0, 1)) FROM p",
    "SUM(LEAST(w, {n}), contribution_bounds_per_row => (0, 1)) FROM p",
    "CASE WHEN i = 42 THEN {n} ELSE 0 END AS k, COUNT(*) FROM p GROUP BY k",
    "w AS k, COUNT(*) FROM p WHERE w IN (1, {n}) GROUP BY k",
    "i AS k, COUNT(*) FROM p WHERE i IN (1, {n}) GROUP BY k",
]


@pytest.fixture(scope="module")
def connection():
    owner = duckdb.connect()
    owner.execute(
        "CREATE TABLE p (id BIGINT, i INTEGER, h HUGEINT, x DOUBLE, d DECIMAL(10,2),"
        " w DECIMAL(38,0), s DECIMAL(38,38))"
    )
    owner.executemany(
        "INSERT INTO p SELECT row_number() OVER (), ?, ?, ?, ?, ?, ?", [*ROWS, [None] * 6]
    )
    with pytest.warns(UserWarning, match="no ledger"):
        found = dpsql.connect(POLICY, analyst="a", engine=owner, epsilon=1, delta=1e-6)
    with found:
        yield found


def outcome(connection, sql: str, parameters: object = None) -> str:
    try:
        connection.cursor().execute(sql, parameters).fetchall()
    except (dpsql.InvalidQuery, dpsql.RefusedQuery) as error:
        return error.code
    return "answered"


@pytest.mark.parametrize("form", FORMS)
def test_a_literal_that_is_read_never_raises(connection, form: str) -> None:
    """Anything but an answer or a refusal from the text is an error of another class: it fails."""
    for text in READ:
        for signed in (text, "-" + text):
            sql = "SELECT " + form.format(n=signed)
            assert outcome(connection, sql) in ("answered", "too-complex", "type-mismatch"), sql


@pytest.mark.parametrize("text", REFUSED)
def test_what_no_exact_type_holds_is_refused(connection, text: str) -> None:
    for form in FORMS[:-1]:
        for signed in (text, "-" + text):
            sql = "SELECT " + form.format(n=signed)
            assert outcome(connection, sql) == "bad-literal", sql


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10**38 - 1, "answered"),
        (1 - 10**38, "answered"),
        (10**38, "bad-parameter"),
        (Decimal("9" * 19 + "." + "9" * 18), "answered"),
        (Decimal("-" + "9" * 19 + "." + "9" * 18), "answered"),
        (Decimal(NINES), "answered"),
        (Decimal(NINES + "9"), "bad-parameter"),
        (Decimal("1e38"), "bad-parameter"),
        (1e308, "answered"),
    ],
)
def test_parameters(connection, value: object, expected: str) -> None:
    for column in ("i", "h", "x", "d", "w", "s"):
        sql = f"SELECT COUNT(*) FROM p WHERE {column} < ? OR {column} IN (1, ?)"
        assert outcome(connection, sql, [value, value]) == expected, column


def test_signs_and_decimals_keep_all_their_digits(connection) -> None:
    """Python's own minus and abs round a Decimal to 28 digits."""
    for text in ("9" * 38 + ".", "9" * 19 + "." + "9" * 19):
        key = Decimal(text)
        for sign, value in (("", key), ("-", key.copy_negate())):
            sql = f"SELECT CASE WHEN i = 42 THEN {sign}{text} END AS k, COUNT(*) FROM p GROUP BY k"
            assert value in [row[0] for row in connection.cursor().execute(sql).fetchall()]
