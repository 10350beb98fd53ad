"""Chains and the ledger: one reservation, every part charged once, every part a repeat."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction

import pytest
from charging_worker import CHAIN
from charging_world import charges, outcomes, start

from dpsql.errors import BudgetExceeded, EngineFailed, LedgerError, RefusedQuery
from dpsql.explain import explain
from dpsql.pipeline import chains, execute

INNER = "SELECT AVG(income) FROM users"
TABLE = (
    "WITH top AS (SELECT city, COUNT(*) AS n FROM users WHERE city IN ('Berlin', 'Delhi', 'Lima')"
    " GROUP BY city) SELECT u.city, COUNT(*) AS m, MAX(top.n) AS n FROM (SELECT u.city, COUNT(*)"
    " AS c FROM users u JOIN top ON u.city = top.city WHERE top.n > 0 GROUP BY u.city) u JOIN top"
    " ON u.city = top.city GROUP BY u.city"
)


def value(answer):
    return answer.table.to_pylist()


def test_one_reservation_for_all_of_a_chain(place, opened):
    path = place()
    answer = opened(path).query(CHAIN)
    (charge,) = charges(path)
    assert len(charge["aggregates"]) == 2
    assert [float(one.epsilon) for one in answer.privacy.releases] == [0.5, 0.5]
    assert float(answer.privacy.epsilon) == 1.0
    assert outcomes(path) == ["released"]


def test_the_same_release_twice_is_paid_once(place, opened):
    path = place(reuse="off")
    answer = opened(path).query(
        f"SELECT COUNT(*) AS n, ({INNER}) AS m FROM users WHERE income > ({INNER})"
        f" AND age > ({INNER}) / 1000"
    )
    assert float(answer.privacy.epsilon) == 1.0
    (charge,) = charges(path)
    assert len(charge["aggregates"]) == 2


def test_a_with_query_above_and_below_is_one_release(place, opened):
    path = place(reuse="off")
    answer = opened(path).query(TABLE)
    assert float(answer.privacy.epsilon) == 1.0
    assert len(charges(path)) == 1


def test_a_budget_that_covers_one_part_only_is_not_touched(place, opened):
    path = place(epsilon="0.8")
    session = opened(path)
    with pytest.raises(BudgetExceeded):
        session.query(CHAIN)
    assert charges(path) == []
    session.query(INNER)
    assert not explain(session, CHAIN).fits


# ---- what goes wrong in between ----------------------------------------------------------------


def test_killed_between_the_draws(place, opened):
    """kill -9 after the inner draw: both stay charged, neither is stored."""
    path = place(epsilon="2.1")
    worker = start("die-between", path)
    out, err = worker.communicate(timeout=120)
    assert worker.returncode == -9, err
    assert out == "ready\n"
    (charge,) = charges(path)
    assert len(charge["aggregates"]) == 2
    session = opened(path)
    assert outcomes(path) == ["forfeited"]
    spent = session.budget().share
    assert not session.query(INNER).privacy.free
    assert session.budget().share > spent > 0


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_between_the_draws_leaves_all_charged(late, place, opened, monkeypatch):
    """The outer statement fails, or the step before it: the inner release is not shown either."""
    path = place()
    session = opened(path)
    real = execute.run

    def fails(*_, **__):
        raise EngineFailed("between")

    def second(certified, *rest, **more):
        return fails() if more["given"] else real(certified, *rest, **more)

    monkeypatch.setattr(*((execute, "run", second) if late else (chains, "given", fails)))
    with pytest.raises(EngineFailed):
        session.query(CHAIN)
    monkeypatch.undo()
    assert outcomes(path) == ["failed"]
    assert float(session.query(INNER).privacy.epsilon) == 0.5
    assert float(session.query(CHAIN).privacy.epsilon) == 0.5
    assert [len(c["aggregates"]) for c in charges(path)] == [2, 1, 1]


def test_several_values_are_found_after_the_charge_where_only_then_they_are(place, opened):
    path = place()
    session = opened(path)
    sql = (
        "SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users GROUP BY age > 30"
        " HAVING COUNT(*) > -1000000)"
    )
    with pytest.raises(EngineFailed) as caught:
        session.query(sql, epsilon="1", delta="1e-6")
    assert caught.value.code == "several-values"
    assert len(charges(path)) == 1
    assert outcomes(path) == ["failed"]


# ---- repeats -----------------------------------------------------------------------------------


def test_each_part_is_a_repeat(place, opened):
    path = place()
    session = opened(path)
    first = session.query(CHAIN)
    again = session.query(CHAIN)
    assert again.privacy.free
    assert value(again) == value(first)
    assert session.query(INNER).privacy.free
    other = session.query(CHAIN.replace("COUNT(*) AS n", "SUM(age) AS s"))
    assert float(other.privacy.epsilon) == 0.5  # the inner part was paid before
    assert [one.answering.by for one in other.privacy.releases] == ["repeat", "release"]
    assert len(charges(path)) == 2


def test_a_question_by_another_inner_release_is_another(place, opened):
    path = place()
    session = opened(path)
    session.query(CHAIN)
    for sql in (
        CHAIN.replace("FROM users)", "FROM users WHERE age > 20)"),
        CHAIN.replace("AVG(income)", "AVG(income) + 1"),
        CHAIN.replace("income > (", "income >= ("),
    ):
        assert not session.query(sql).privacy.free, sql


def test_a_name_of_the_statement_does_not_stand_for_a_release(place, opened):
    """The same words but for which of two tables is the release: two questions."""
    session = opened(place())
    constant = "(SELECT release_0.a0 AS n FROM release_0)"
    released = "(SELECT COUNT(*) AS n FROM users WHERE age > 119)"
    sql = (
        "WITH release_0 AS (SELECT CAST(1000 AS BIGINT) AS a0) SELECT COUNT(*) FROM users"
        " WHERE age > (SELECT a.n FROM {} AS a, {} AS b)"
    )
    session.query(sql.format(constant, released))
    other = session.query(sql.format(released, constant))
    assert [one.answering.by for one in other.privacy.releases] == ["repeat", "release"]


def test_a_tighter_ask_of_a_chain_is_a_new_release(place, opened):
    """Not averaged, as it is alone: the step may break ties otherwise the next time."""
    path = place()
    session = opened(path)
    keyed = "SELECT{} age >= 30 AS old, COUNT(*), SUM(age), SUM(income) FROM users{} GROUP BY 1"
    options = " WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon={}, delta=1e-6)"
    chained = " WHERE city IN (SELECT city FROM users GROUP BY city LIMIT 3)"
    by = [
        [
            one.answering.by
            for one in session.query(keyed.format(options.format(e), where)).privacy.releases
        ]
        for where in ("", chained)
        for e in ("0.25", "0.5", "0.25", "0.4")
    ]
    alone, fed = by[:4], by[4:]
    assert alone == [["release"], ["mean"], ["repeat"], ["tighter"]]
    assert fed == [
        ["release", "release"],
        ["repeat", "release"],
        ["repeat", "repeat"],
        ["repeat", "tighter"],
    ]


def delete_inner(path):
    """As if the inner release had been lost, and only it: the store is not append-only."""
    with closing(sqlite3.connect(path.parent / "ledger.db")) as connection, connection:
        rows = connection.execute("SELECT rowid, payload FROM dpsql_releases").fetchall()
        inner = [number for number, payload in rows if b'"given": []' in payload]
        assert len(inner) == 1
        connection.execute("DELETE FROM dpsql_releases WHERE rowid = ?", inner)


def test_an_outer_answer_stands_only_with_the_inner_release_it_was_made_with(place, opened):
    path = place()
    session = opened(path)
    session.query(CHAIN)
    delete_inner(path)
    assert not session.query(INNER).privacy.free  # another draw of the same question
    again = session.query(CHAIN)
    assert [one.answering.by for one in again.privacy.releases] == ["repeat", "release"]
    assert session.query(CHAIN).privacy.free
    assert value(session.query(CHAIN)) == value(again)


def test_drawn_again_with_what_feeds_it_a_chain_is_stored_beside_the_one_before(place, opened):
    path = place()
    session = opened(path)
    session.query(CHAIN)
    delete_inner(path)
    again = session.query(CHAIN)
    assert [one.answering.by for one in again.privacy.releases] == ["release", "release"]
    third = session.query(CHAIN)
    assert third.privacy.free
    assert value(third) == value(again)


def test_a_chain_is_a_repeat_though_a_finer_inner_release_was_bought_since(place, opened):
    """Each part by the very release that fed it when it was paid, at three steps, too."""
    path = place()
    session = opened(path)
    second = f"SELECT COUNT(*) FROM users WHERE income > ({INNER})"
    third = f"SELECT COUNT(*) AS n FROM users WHERE age < ({second})"
    session.query(INNER, epsilon="0.5")
    first = {sql: session.query(sql, epsilon="0.25") for sql in (third, CHAIN)}
    assert float(first[third].privacy.epsilon) == 0.5  # two of the three parts
    session.query(INNER, epsilon="1")
    for sql, answer in first.items():
        again = session.query(sql, epsilon="0.25")
        assert again.privacy.free
        assert value(again) == value(answer)
    finer = session.query(CHAIN.replace("COUNT(*)", "SUM(age)"), epsilon="0.25")
    assert [one.answering.epsilon for one in finer.privacy.releases] == [1, Fraction(1, 4)]


@pytest.mark.parametrize("reuse", ["off", "budget"])
@pytest.mark.parametrize("sql", [CHAIN, TABLE])
def test_a_retry_of_a_request_is_the_same_answer(reuse, sql, place, opened):
    path = place(reuse=reuse)
    first = opened(path).query(sql, request_id="r1")
    again = opened(path).query(sql, request_id="r1")
    assert value(again) == value(first)
    assert again.privacy.free
    assert len(charges(path)) == 1


def test_a_retry_goes_by_the_inner_release_that_was_used(place, opened):
    """The inner part was a repeat; since then a finer one was paid: the retry is as before."""
    path = place()
    session = opened(path)
    session.query(INNER, epsilon="0.25")
    first = session.query(CHAIN, epsilon="0.25", request_id="r1")
    assert float(first.privacy.epsilon) == 0.25
    session.query(INNER, epsilon="1")
    again = session.query(CHAIN, epsilon="0.25", request_id="r1")
    assert value(again) == value(first)
    assert again.privacy.free
    assert len(charges(path)) == 3


def test_so_does_a_retry_of_three_steps_that_was_paid_and_not_told(place, opened, monkeypatch):
    """Paid, but what was free of it could not be written down: the first two parts were."""
    path = place()
    session = opened(path)
    second = f"SELECT COUNT(*) FROM users WHERE income > ({INNER})"
    third = f"SELECT COUNT(*) AS n FROM users WHERE age < ({second})"
    session.query(INNER, epsilon="0.5")
    session.query(second, epsilon="0.25")

    def locked(*_, **__):
        raise LedgerError("locked", code="ledger-locked")

    monkeypatch.setattr(session.ledger, "answer_free", locked)
    with pytest.raises(LedgerError):
        session.query(third, epsilon="0.25", request_id="r1")
    monkeypatch.undo()
    session.query(INNER, epsilon="1")
    assert session.query(third, epsilon="0.25", request_id="r1").privacy.free
    assert len(charges(path)) == 4


# ---- before it is asked ------------------------------------------------------------------------


def test_explain_shows_the_sum_and_the_releases_in_order(place, opened):
    session = opened(place())
    told = explain(session, CHAIN)
    assert float(told.epsilon) == 1.0
    assert [one.reads for one in told.releases] == [(), (1,)]
    assert [one.shown for one in told.releases] == [False, True]
    text = told.to_text(sql=True)
    assert text.startswith("price      ε = 1, δ = 2e-08, the sum of 2 releases")
    assert "reads      what release 1 gives" in text
    assert "$given_0" in told.releases[1].sql
    assert told.to_dict()["releases"][1]["reads"] == [1]
    session.query(CHAIN)
    after = explain(session, CHAIN)
    assert after.epsilon == told.epsilon
    assert after.share_after > told.share_after


def test_the_value_is_nowhere_but_in_the_parameter(place, opened):
    """The text that runs is the text that was certified: what was drawn is beside it."""
    session = opened(place())
    with session.engine.snapshot():
        prepared = session.prepare(CHAIN, None, dialect="duckdb", asked=session.asked)
    texts = []
    real = session.engine.fetch

    def fetch(sql, **more):
        texts.append((sql, more.get("given")))
        return real(sql, **more)

    session.engine.fetch = fetch
    session.query(CHAIN)
    (_, none), (outer, given) = texts
    assert not none
    assert outer == prepared.certified[1].sql
    assert list(given) == ["given_0"]
    assert isinstance(given["given_0"], (float, type(None)))  # a noisy mean may have no value


@pytest.mark.parametrize(
    "inner",
    ["(VALUES (1), ('a')) v(x)", "(SELECT CAST('a' || 'b' AS INTEGER) AS x) v"],
)
def test_a_step_without_releases_fails_before_the_charge(place, opened, inner):
    """Constants and public tables alone: nobody's rows tell whether it can be made."""
    path = place()
    with pytest.raises(RefusedQuery) as caught:
        opened(path).query(f"SELECT COUNT(*) FROM users JOIN {inner} ON age = v.x")
    assert caught.value.code == "chain"
    assert "nothing was charged" in caught.value.hint
    assert charges(path) == []
