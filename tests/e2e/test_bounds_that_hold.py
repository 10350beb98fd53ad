"""A found bound that may be far too low is not shown with an error bar.

At ε = 0.02, of 2,000 people, it is in 0.7 runs of 100: the count of those beyond it is then 4.25
scales of its noise too low (docs/proofs/automatic_bounds.md promises 5). So words are fixed here.
"""

from __future__ import annotations

import zlib
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pytest

import dpsql
from dpsql.core.numbers import two_digits
from dpsql.mechanisms import entropy
from dpsql.mechanisms.bound_size import enough
from dpsql.policy import load
from dpsql.render.answers import footer
from dpsql.session import Session

POLICY: dict[str, Any] = {
    "unit": "person",
    "budgets": {"default": {"epsilon": "1e12", "delta": 0.5}},
    "bounds": {"max_groups": 3},
    "releases": {"reuse": "off"},
    "tables": {
        "people": {"unit": "id", "columns": {"k": {"values": [0, 1, 2], "nullable": False}}},
        "visits": {"unit": "id"},
    },
}
SUM, MEAN = "SELECT SUM(price) AS s FROM people", "SELECT AVG(price) AS a FROM people"
ROWS = "SELECT COUNT(*) AS n FROM visits"
RATIO = "SELECT k, SUM(price) / COUNT(*) AS r, 2 * SUM(price) AS d FROM people GROUP BY k"


@pytest.fixture(scope="module")
def owner() -> Any:
    """2,000 people with prices around 100, and from 1 to 60 visits."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE people AS SELECT p AS id, 40.0 + p % 120 AS price, p % 3 AS k"
            " FROM range(2000) t(p); ALTER TABLE people ADD PRIMARY KEY (id);"
            " CREATE TABLE visits AS SELECT p AS id FROM range(2000) t(p), range(60) v(n)"
            " WHERE n <= p % 60"
        )
        yield connection


@pytest.fixture(autouse=True)
def fixed_words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.PCG64(zlib.crc32(request.node.name.encode()))
    monkeypatch.setattr(entropy, "words", lambda count: bits.random_raw(count).astype(np.uint64))


def asked(owner: Any, sql: str, epsilon: float) -> Any:
    with pytest.warns(UserWarning, match="no ledger"):
        session = Session(POLICY, "ann", epsilon=epsilon, delta=1e-6, engine=owner)
    try:
        return session.query(sql)
    finally:
        session.close()


@pytest.mark.parametrize("sql", [SUM, MEAN, ROWS, RATIO])
def test_no_bar_where_too_few_people_are_there(owner: Any, sql: str) -> None:
    """At ε = 0.02 nothing can be found of 2,000 people."""
    answer = asked(owner, sql, 0.02)
    shown = [one for one in answer.privacy.columns if one.name != "k"]
    assert all(set(one.bars or [None]) == {None} for one in shown)
    told = footer(answer, load(POLICY))
    assert "no error bar for " in told
    assert "may be far too low" in told
    assert "people" not in told  # the policy's own word
    release = answer.privacy.releases[0]
    assert release.barless
    assert release.to_json()["bounds_hold"] is False


@pytest.mark.parametrize("sql", [SUM, MEAN, ROWS, RATIO])
def test_a_bar_where_there_are_enough(owner: Any, sql: str) -> None:
    answer = asked(owner, sql, 20)
    shown = [one for one in answer.privacy.columns if one.name != "k"]
    assert all(bar is not None for one in shown for bar in (one.bars or [None]))
    told = footer(answer, load(POLICY))
    assert "no error bar for" not in told
    assert "bounds found: " in told
    assert not answer.privacy.releases[0].barless


def test_a_count_beside_keeps_its_bar(owner: Any) -> None:
    """What reads no bound that was found has its own; DP_LOW is NULL where there is none."""
    sql = "SELECT AVG(price) AS a, COUNT(*) AS n, COUNT(price) AS c, DP_LOW(a) AS low FROM people"
    answer = asked(owner, sql, 0.02)
    mean, rows, values, low = answer.privacy.columns
    assert list(mean.bars) == [None]
    assert all(bar is not None for one in (rows, values) for bar in one.bars)
    assert answer.table.column("low").to_pylist() == [None]
    assert low.low is None


def test_few_people_with_large_values_do_not_pass_for_none(owner: Any) -> None:
    """Nine in ten have 0: the bound at 0 cuts a tenth of all, and all that have anything."""
    with duckdb.connect() as other:
        other.execute(
            "CREATE TABLE people AS SELECT p AS id, CASE WHEN p % 10 = 0 THEN 5000.0 ELSE 0.0 END"
            " AS price, 0 AS k FROM range(5000) t(p); ALTER TABLE people ADD PRIMARY KEY (id)"
        )
        policy = {**POLICY, "tables": {"people": POLICY["tables"]["people"]}}
        with pytest.warns(UserWarning, match="no ledger"):
            connection = dpsql.connect(policy, analyst="a", engine=other, epsilon=1, delta=1e-6)
        with connection:
            cursor = connection.cursor()
            cursor.execute(SUM)
            assert set(cursor.privacy.columns[0].bars) == {None}
            cursor.execute(SUM, epsilon=50)
            assert cursor.privacy.columns[0].bars[0] is not None


def test_a_stored_answer_stays_without(owner: Any) -> None:
    policy = {**POLICY, "releases": {"reuse": "budget"}}
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(policy, analyst="a", engine=owner, epsilon=0.02, delta=1e-6)
    with connection:
        cursor = connection.cursor()
        for _ in range(2):
            cursor.execute(SUM)
            assert set(cursor.privacy.columns[0].bars) == {None}
        assert cursor.privacy.free
        cursor.execute("SELECT SUM(price) / 7 AS s FROM people")
        assert set(cursor.privacy.columns[0].bars) == {None}


def test_explain_says_how_many_people_it_takes(owner: Any) -> None:
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(POLICY, analyst="a", engine=owner, epsilon=0.1, delta=1e-6)
    with connection:
        cursor = connection.cursor()
        told = " ".join(cursor.explain(SUM).to_text().split())
    people = enough([Fraction(1, 100)])  # a tenth of ε
    assert f"with fewer than about {two_digits(people):,} the answer has no error bar" in told
    assert 7_000 < people < 9_000


def test_a_bound_at_the_policys_own_cap_claims_nothing_of_what_lies_beyond(owner: Any) -> None:
    """Rows are counted after that cap: that nobody is beyond it would be no news, and not true."""
    policy = {**POLICY, "bounds": {"max_groups": 3, "max_rows_per_group": 5}}
    sql = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'auto') COUNT(*) AS n FROM visits"
    with pytest.warns(UserWarning, match="no ledger"):
        session = Session(policy, "ann", epsilon=1000, delta=1e-6, engine=owner)
    try:
        (found,) = session.query(sql).privacy.releases[0].bounds_found
    finally:
        session.close()
    assert (found.value, found.last) == (5, True)
    assert found.text.endswith("5 (the most that is allowed: more is cut, unseen)")
    (other,) = asked(owner, ROWS, 1000).privacy.releases[0].bounds_found
    assert not other.last
    assert "beyond it about" in other.text
