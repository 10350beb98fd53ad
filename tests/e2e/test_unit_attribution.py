"""The unit cannot be faked: whatever a query calls its columns, each base table's own is bounded.

Every statement that hostile and good queries would send is read: where rows of a private table come
in, the unit beside them is that table's declared column itself, and NULL is dropped.
"""

from __future__ import annotations

import e2e_world as world
import pytest
import sqlglot
from hostile_world import HOSTILE, Databases
from sqlglot import exp

from dpsql.errors import Error, InvalidQuery, RefusedQuery

UNIT = {"users": "user_id", "orders": "user_id"}
SPOOFING = [
    n for n, c in HOSTILE.items() if c["class"] in ("unit_spoofing", "joins", "identifiers")
]
GOOD = {case["id"]: case for case in world.cases("good.jsonl")}


@pytest.fixture(scope="module")
def session(hostile_data):
    opened = Databases(hostile_data)
    yield opened.session()
    opened.close()


def statements(session, sql: str) -> list[str]:
    """What would be sent; nothing if the query is refused."""
    try:
        with session.engine.snapshot():
            prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
    except (InvalidQuery, RefusedQuery):
        return []
    return [text for one in prepared.certified for text in one.texts]


def faults(sql: str) -> list[str]:
    """Private tables whose rows come in without their own unit."""
    tree, wrong = sqlglot.parse_one(sql, read="duckdb"), []
    for table in tree.find_all(exp.Table):
        column = UNIT.get(table.name)
        if column is None or not table.db:
            continue
        select, alias = table.find_ancestor(exp.Select), table.alias_or_name
        assert select is not None
        mine = [
            node
            for node in select.find_all(exp.Column)
            if node.table == alias and node.name == column
        ]
        guarded = any(
            isinstance(node.this, exp.Column) and node.this.sql() in {one.sql() for one in mine}
            for node in select.find_all(exp.Is)
        )
        units = [p.unalias() for p in select.expressions if p.alias_or_name == "u"]
        own = any(isinstance(unit, exp.Column) and unit.name in (column, "u") for unit in units)
        tied = any(one.find_ancestor(exp.EQ, exp.In, exp.Exists) for one in mine)
        if not mine or not (own or tied or not units) or not (guarded or tied):
            wrong.append(f"{table.sql()} in {select.sql()[:300]}")
    return wrong


@pytest.mark.parametrize("name", SPOOFING)
def test_the_unit_is_the_base_tables(session, name: str) -> None:
    for sql in statements(session, HOSTILE[name]["sql"]):
        assert faults(sql) == []


def test_in_what_is_answered_too(session) -> None:
    read = 0
    for case in GOOD.values():
        for sql in statements(session, case["sql"]):
            read += 1
            assert faults(sql) == [], case["id"]
    assert read > 100


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT t."order_id" AS u, 1 AS v FROM "main"."orders" AS t WHERE NOT t."order_id" IS NULL',
        'SELECT 1 AS u, 1 AS v FROM "main"."users" AS t WHERE NOT t."user_id" IS NULL',
        'SELECT t."user_id" AS u, 1 AS v FROM "main"."users" AS t',
        'SELECT CAST(t."user_id" AS DOUBLE) AS u FROM "main"."users" AS t WHERE NOT t."user_id" IS'
        " NULL",
        'SELECT a."user_id" AS u FROM "main"."users" AS a CROSS JOIN "main"."orders" AS b WHERE NOT'
        ' a."user_id" IS NULL',
    ],
)
def test_another_column_is_found(sql: str) -> None:
    assert faults(sql) != []


def test_of_those_answered_there_are_some(session) -> None:
    assert sum(bool(statements(session, HOSTILE[name]["sql"])) for name in SPOOFING) > 20


WHOLE_ROWS = [
    "u",
    "u.*",
    "COUNT(DISTINCT u)",
    "CAST(u AS VARCHAR)",
    "MAX(u)",
    "hash(u)",
    "u IS NULL",
    "u = u",
    "row(u)",
    "struct_pack(a := u)",
    "to_json(u)",
    "COALESCE(u)",
    "u::TEXT",
]


@pytest.mark.parametrize("what", WHOLE_ROWS)
@pytest.mark.parametrize(
    "where",
    [
        "SELECT {} FROM users u",
        "SELECT COUNT(*) FROM users u GROUP BY {}",
        "SELECT COUNT(*) FROM users u WHERE {} IS NOT NULL",
        "SELECT COUNT(*) FROM (SELECT {} FROM users u) t",
        "SELECT SUM({}) FROM users u",
    ],
)
def test_a_whole_row_is_no_value(session, what: str, where: str) -> None:
    if what == "u.*" and where == "SELECT COUNT(*) FROM (SELECT {} FROM users u) t":
        return  # a star in a subquery names its columns
    with pytest.raises(Error) as caught:
        session.query(where.format(what))
    assert caught.value.exit_code == 3


CASTS = [
    "CAST({} AS VARCHAR)",
    "{} + 0",
    "-{}",
    "ABS({})",
    "COALESCE({}, 0)",
    "{} // 2",
    "{} % 10",
    "CASE WHEN TRUE THEN {} END",
    "NULLIF({}, 1)",
    "GREATEST({}, 1)",
    "({})",
]
PEOPLE = {"CASE WHEN TRUE THEN {} END", "({})"}
"""DISTINCT of these has a unit's own name, or none."""


@pytest.mark.parametrize("cast", CASTS)
def test_an_expression_of_the_unit_is_no_unit(session, cast: str) -> None:
    """As a key it is refused; in a join on it."""
    unit = cast.format("a.user_id")
    refused = [
        f"SELECT {unit} AS k, COUNT(*) FROM users a GROUP BY k",
        f"SELECT COUNT(*) FROM users a GROUP BY {unit}",
    ]
    if cast != "({})":
        refused += [
            f"SELECT COUNT(*) FROM users a JOIN orders b ON {unit} = {cast.format('b.user_id')}",
        ]
    for sql in refused:
        with pytest.raises(Error) as caught:
            session.query(sql)
        assert caught.value.exit_code == 3, sql


@pytest.mark.parametrize("cast", CASTS)
def test_distinct_values_of_an_expression_are_not_people(session, cast: str) -> None:
    """COUNT(DISTINCT of it) caps and pays for distinct values; of the unit itself, people."""
    with session.engine.snapshot():
        prepared = session.prepare(
            f"SELECT COUNT(DISTINCT {cast.format('a.user_id')}) FROM users a",
            None,
            dialect="duckdb",
            asked=session.asked,
        )
    called = [c.aggregate.fn for plan in prepared.planned.plans for c in plan.columns]
    assert called == ["count_units" if cast in PEOPLE else "count_distinct"]
    counted = [one for plan in prepared.planned.plans for one in plan.distincts]
    assert len(counted) == (cast not in PEOPLE)
