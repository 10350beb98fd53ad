"""Conditions are BOOLEAN and casts fit: one place of a bounded statement broken, or spelt another
way. What is refused says which of the two rules failed."""

from __future__ import annotations

import pytest
from certify_world import World
from statements import ALL

from dpsql.certify import certify
from dpsql.errors import InternalError

NOTE, SEX = ("hops", "t0.\"note\" = 'n'"), ("row", "WHEN t0.\"sex\" = 'f' THEN 0")


def also(condition: str) -> tuple[str, str, str]:
    """The row statement with one more condition."""
    where = 'WHERE NOT t0."id" IS NULL'
    return "row", where, f"{where} AND {condition}"


CONDITIONS = {
    "text in WHERE": (*NOTE, 't0."note"'),
    "number in WHERE": (*NOTE, 't0."grade"'),
    "constant in WHERE": (*NOTE, "'true'"),
    "text beside OR": (*NOTE, '(t0."note" = \'n\' OR t0."note")'),
    "text before OR": (*NOTE, '(t0."note" OR t0."note" = \'n\')'),
    "text beside an inner AND": (*NOTE, 'NOT (t0."note" = \'n\' AND t0."note")'),
    "NOT of text": (*NOTE, 'NOT t0."note"'),
    "CASE of text": (*NOTE, "CASE WHEN t0.\"note\" = 'n' THEN 'x' ELSE 'true' END"),
    "COALESCE of text": (*NOTE, "COALESCE(t0.\"note\", 'true')"),
    "WHEN of text": (*SEX, 'WHEN t0."sex" THEN 0'),
    "WHEN of a number": (*SEX, 'WHEN t0."age" THEN 0'),
    "WHEN within WHEN": (*SEX, 'WHEN CASE WHEN t0."sex" THEN TRUE END THEN 0'),
    "WHEN of a value": ("cap", 'WHEN (t0."qty" > 5) THEN 1', 'WHEN (t0."drug") THEN 1'),
    "WHEN beside a guard": ("cap", '(t0."qty" > 3) AND', '(t0."drug") AND'),
    "FILTER of a number": ("per_unit", 'WHERE t1."value" > 2)', 'WHERE t1."value")'),
    "ON of text": ("joined", 'ON t2."city" = t1."city"', 'ON t2."city" = t1."city" AND t1."city"'),
    "WHERE of a derived number": ("per_unit", 't0."a2" > 3', 't0."a2"'),
}

_DAY = "DATE '2020-01-01'"

CASTS = {
    "text to a number": (*NOTE, 'CAST(t0."note" AS BIGINT) = 3'),
    "text to BOOLEAN": (*NOTE, 'CAST(t0."note" AS BOOLEAN)'),
    "text to a date": (*NOTE, 'CAST(t0."note" AS DATE) IS NULL'),
    "a float to an integer": also('CAST(t0."income" AS BIGINT) > 3'),
    "a float to DECIMAL": also(
        'CAST(t0."income" AS DECIMAL(38, 2)) > 3',
    ),
    "a floor of a fraction": also(
        "CAST(TRY_CAST(FLOOR(CAST(12.5 AS DOUBLE)) AS INT) AS DECIMAL(2, 1)) > 3"
    ),
    "a floor of a constant in words": also(
        "CAST(TRY_CAST(FLOOR(CAST('-9.1' AS DOUBLE)) AS INT) AS DECIMAL(2, 1)) > 3"
    ),
    "a floor that a DOUBLE rounds": also(
        "CAST(TRY_CAST(FLOOR(CAST(9007199254740993 AS DOUBLE)) AS BIGINT) AS DECIMAL(16, 0)) > 3"
    ),
    "an hour of a moment": also(
        f"CAST(DATE_PART('hour', CAST({_DAY} AS TIMESTAMP)) AS DECIMAL(2, 1)) > 3"
    ),
    "a double to a float": also('CAST(t0."income" AS FLOAT) > 3'),
    "an integer to a narrower": also('CAST(t0."age" AS TINYINT) > 3'),
    "an integer without its sign": also(
        'CAST(t0."age" AS UBIGINT) > 3',
    ),
    "a product": also(
        'CAST(CAST(t0."age" AS HUGEINT) * t0."age" * t0."age" AS BIGINT) > 3',
    ),
    "DECIMAL to fewer digits": also(
        'CAST(t0."wage" AS DECIMAL(4, 2)) > 3',
    ),
    "a half-open clamp": also(
        'CAST(LEAST(t0."age", 100) AS TINYINT) > 3',
    ),
    "a clamp too wide": also(
        'CAST(LEAST(GREATEST(t0."age", 0), 128) AS TINYINT) > 3',
    ),
    "a clamped float too wide": also(
        "CAST(LEAST(GREATEST(t0.\"income\", CAST('0' AS DOUBLE)),"
        " CAST('1e20' AS DOUBLE)) AS BIGINT) > 3",
    ),
    "a date to a TIMESTAMP": also(
        'CAST(t0."born" AS TIMESTAMP) IS NULL',
    ),
    "guarded by another": also(
        f'CAST(CASE WHEN {_DAY} BETWEEN {_DAY} AND {_DAY} THEN t0."born" END AS TIMESTAMP) IS NULL',
    ),
    "guarded below alone": also(
        f'CAST(GREATEST(t0."born", {_DAY}) AS TIMESTAMP) IS NULL',
    ),
    "a guard with an ELSE": also(
        f'CAST(CASE WHEN t0."born" BETWEEN {_DAY} AND {_DAY} THEN t0."born"'
        ' ELSE t0."born" END AS TIMESTAMP) IS NULL',
    ),
    "a constant too large": also("CAST('99999' AS DECIMAL(4, 0)) > 3"),
    "a constant that is no number": also("CAST('x' AS BIGINT) > 3"),
    "a constant that is no date": also(
        "CAST('2020-02-30' AS DATE) IS NULL",
    ),
    "a unit's own sum": ("per_unit", 't0."a1" > 0', 'CAST(t0."a1" AS BIGINT) > 0'),
    "a cell's sum": ("cap", "GREATEST(COALESCE(s0, 0)", "GREATEST(COALESCE(CAST(s0 AS BIGINT), 0)"),
    "a key": (*SEX, 'WHEN CAST(t0."sex" AS BIGINT) = 1 THEN 0'),
    "an argument": (
        "per_unit",
        'COUNT(DISTINCT t1."value")',
        'COUNT(DISTINCT CAST(t1."value" AS TINYINT))',
    ),
}

FINE = {
    "a floor of a constant in words": also(
        "CAST(TRY_CAST(FLOOR(CAST('-8.9' AS DOUBLE)) AS INT) AS DECIMAL(2, 1)) > 3"
    ),
    "a floor of an integer": also(
        "CAST(TRY_CAST(FLOOR(CAST(7 AS DOUBLE)) AS INT) AS DECIMAL(2, 1)) > 3"
    ),
    "an hour of a date": also(f"CAST(DATE_PART('hour', {_DAY}) AS DECIMAL(2, 1)) > 3"),
    "a strange text": (*NOTE, "t0.\"note\" = '#--$/*'"),
    "a boolean": also('t0."ok"'),
    "NULL": (*NOTE, "NULL"),
    "CASE of booleans": (*NOTE, "CASE WHEN t0.\"note\" = 'n' THEN NULL ELSE TRUE END"),
    "an attempt": (*NOTE, 'TRY_CAST(t0."note" AS BIGINT) = 3'),
    "to text": also("CAST(t0.\"income\" AS TEXT) = '3'"),
    "a wider integer": also('CAST(t0."age" AS BIGINT) * t0."age" > 3'),
    "a product that fits": also(
        'CAST(CAST(t0."age" AS BIGINT) * t0."age" AS DECIMAL(20, 1)) > 3',
    ),
    "a clamp": also(
        'CAST(LEAST(GREATEST(t0."age", 0), 127) AS TINYINT) > 3',
    ),
    "a clamped float": also(
        "CAST(LEAST(GREATEST(t0.\"income\", CAST('0' AS DOUBLE)),"
        " CAST('1e9' AS DOUBLE)) AS BIGINT) > 3",
    ),
    "a guarded date": also(
        f'CAST(CASE WHEN t0."born" BETWEEN {_DAY} AND {_DAY} THEN t0."born" END'
        " AS TIMESTAMP) IS NULL",
    ),
    "a clamped date": also(
        f'CAST(LEAST(GREATEST(t0."born", {_DAY}), {_DAY}) AS TIMESTAMP) IS NULL',
    ),
    "a unit's own count": ("per_unit", 't0."a1" > 0', 'CAST(t0."a0" AS BIGINT) > 0'),
    "a unit's own extreme": ("per_unit", 't0."a1" > 0', 'CAST(t0."a2" AS HUGEINT) > 0'),
}


def attempt(world: World, mutation: tuple[str, str, str]) -> None:
    which, old, new = mutation
    statement = ALL[which]
    assert old in statement.sql
    broken = statement.sql.replace(old, new)
    world.without[None].sql(broken)  # the engine itself would take it
    certify(broken, statement.claim, policy=world.policy, catalog=world.catalog)


def refusal(world: World, mutation: tuple[str, str, str]) -> str:
    with pytest.raises(InternalError) as caught:
        attempt(world, mutation)
    assert caught.value.code == "certify"
    return caught.value.message


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_that_is_no_boolean_is_refused(world: World, name: str) -> None:
    assert refusal(world, CONDITIONS[name]).endswith("a condition is BOOLEAN")


@pytest.mark.parametrize("name", CASTS)
def test_a_cast_that_may_fail_is_refused(world: World, name: str) -> None:
    assert refusal(world, CASTS[name]).endswith("a cast fits whatever it is given")


@pytest.mark.parametrize("name", FINE)
def test_what_cannot_fail_is_followed(world: World, name: str) -> None:
    attempt(world, FINE[name])
