"""Refusals that teach (issue 6, point 7): what a refusal leads to is answered.

Each golden of tests/cases/refuse that is about SQL ends in a query to `ask:`, written by dpsql, or
has one in its header (`instead`), which follows its hint; or it is listed below, with the reason.
"""

from __future__ import annotations

import pytest
import refuse_world as world

from dpsql.binding.rewritings import ASK

CASES = {name: case for name, case in world.cases().items() if "exit 3)" in case.expected}

NONE = {
    "the policy or the database has to change, or the owner has to look": "path-not-enforced"
    " promise-unverified promise-unverified-subquery",
    "what was given beside the text is wrong": "bad-delta-cap bad-epsilon-argument bad-epsilon-cap"
    " bad-parameter bad-parameter-name bad-parameter-type dialect",
    "the text is too much of it, or means nothing": "too-long too-deep too-complex too-complex-text"
    " does-not-bind recursive syntax-empty-select",
}
WITHOUT = {name for names in NONE.values() for name in names.split()}
LED = {name: case for name, case in CASES.items() if case.instead is not None}


def test_every_refusal_leads_somewhere_or_says_why_not():
    assert set(CASES) - set(LED) == WITHOUT


@pytest.mark.parametrize("name", LED)
def test_what_it_leads_to_is_answered(name):
    case = LED[name]
    answer = case.answer(case.instead)
    assert answer.names
    assert case.instead != case.sql


WRITTEN = (
    "row-output row-output-preview row-output-preview-unit row-output-unit row-output-union"
    " set-operation set-operation-except set-operation-intersect distinct-on"
    " unsupported-aggregate-any unsupported-aggregate-every unsupported-aggregate-list"
    " unsupported-aggregate-mode"
).split()


@pytest.mark.parametrize("name", WRITTEN)
def test_dpsql_writes_the_query_out_itself(name):
    assert f"; {ASK}SELECT " in CASES[name].expected


def test_a_long_query_is_not_repeated():
    """The hint stays readable; the rule is told all the same."""
    case = CASES["row-output"]
    long = f"SELECT city FROM users WHERE age IN ({', '.join(map(str, range(200)))})"
    refusal = world.Case(case.path, long, "", {}).refusal()
    assert ASK not in refusal
    assert "users share" in refusal


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT AVG(age) FROM (SELECT age FROM users ORDER BY age) AS q",
        "WITH q AS (SELECT city, age FROM users ORDER BY 2 DESC, city) SELECT AVG(age) FROM q",
    ],
)
def test_order_by_of_a_subquery_says_nothing(sql):
    """Rows of a subquery are a multiset: the same release as without it."""
    world.Case(CASES["row-output"].path, sql, "", {}).answer(sql)


@pytest.mark.parametrize(
    ("order", "code"),
    [("nosuch", "unknown-column"), ("random()", "unsupported-function"), ("age LIMIT 3", "")],
)
def test_it_still_names_what_there_is(order, code):
    sql = f"SELECT AVG(age) FROM (SELECT age FROM users ORDER BY {order}) AS q"
    refusal = world.Case(CASES["row-output"].path, sql, "", {}).refusal()
    assert f"-- refuse: {code or 'unsupported-clause'} " in refusal
