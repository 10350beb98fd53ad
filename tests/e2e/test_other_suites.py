"""Queries of the shapes of other engines' suites (issue 6), over our tables, source named in each.

What is answered equals plain DuckDB's answer to the same question at a huge ε; the rest is refused
with its code and a hint. A new answer is a change of suites.jsonl, as a lost one is.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import duckdb
import e2e_world as world
import pytest
from e2e_compare import differences, plain, plan_numbers

from dpsql.errors import Error, InternalError

SUITES = {case["id"]: case for case in world.cases("suites.jsonl")}
ANSWERED = {name: case for name, case in SUITES.items() if case["fate"] == "answered"}


@pytest.fixture(scope="module")
def clean(cases_data):
    connection = duckdb.connect(":memory:")
    world.fill(connection, *cases_data)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def session(clean):
    with closing(world.memory_session(clean, epsilon=10**9)) as opened:
        yield opened


@pytest.mark.parametrize("name", ANSWERED)
def test_it_is_answered_and_right(name, session, clean):
    case = ANSWERED[name]
    answer = session.query(case["sql"], dialect=case.get("dialect", "duckdb"))
    if "lists" in case:  # of quantiles: tests/e2e/test_quantiles.py holds their values
        for found in answer.table.columns[-1].to_pylist():
            assert len(found) == case["lists"]
            assert found == sorted(found)
        return
    sql = case.get("plain", case["sql"])
    numbers = plan_numbers(session, sql) | case.get(
        "tolerance", {}
    )  # closer, where bounds are found
    assert differences(answer, plain(clean, sql), **numbers) == []


@pytest.mark.parametrize("name", sorted(set(SUITES) - set(ANSWERED)))
def test_the_rest_is_refused_by_code(name, session):
    case = SUITES[name]
    with pytest.raises(Error) as problem:
        session.query(case["sql"], dialect=case.get("dialect", "duckdb"))
    assert not isinstance(problem.value, InternalError)
    assert problem.value.code == case["fate"]
    assert problem.value.hint or problem.value.code == "syntax"


def test_all_of_tpc_h_and_what_part_of_the_others():
    asked = Counter(name.rpartition("-")[0] for name in SUITES)
    answered = Counter(name.rpartition("-")[0] for name in ANSWERED)
    assert asked["tpc-h"] == answered["tpc-h"] == 22
    assert all(answered[suite] >= 0.7 * asked[suite] for suite in asked), answered
