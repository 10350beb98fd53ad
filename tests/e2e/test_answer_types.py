"""No noisy answer is too long for its column: that is settled before the charge."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

import dpsql
from dpsql.aggregates.basis import ResultType
from dpsql.core.domain import INTEGER, decimal
from dpsql.pipeline.release_table import _answer_array


@pytest.fixture
def connection():
    owner = duckdb.connect()
    owner.execute("CREATE TABLE p (id BIGINT, d DECIMAL(38,37), h HUGEINT, m DECIMAL(10,2))")
    owner.execute("INSERT INTO p SELECT range, 0.5, range, 1.25 FROM range(50)")
    rules = {"d": {"min": 0, "max": 10}, "h": {"min": 0, "max": 10**37}, "m": {"min": 0, "max": 9}}
    policy = {
        "budgets": {"default": {"epsilon": 100, "delta": 0.5}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 10},
        "tables": {"p": {"unit": "id", "columns": rules}},
    }
    with pytest.warns(UserWarning, match="no ledger"):
        found = dpsql.connect(policy, analyst="a", engine=owner, epsilon=1, delta=1e-6)
    with found:
        yield found


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("SUM(d)", float),
        ("SUM(h)", float),
        ("SUM(h, contribution_bounds_per_row => (0, 1e38))", float),
        ("SUM(h, contribution_bounds_per_row => (0, 1e300))", float),
        ("SUM(h + " + "9" * 38 + ", contribution_bounds_per_row => (0, 1e38))", float),
        ("SUM(h, contribution_bounds_per_row => (0, 100))", int),
        ("SUM(m)", Decimal),
        ("COUNT(*)", int),
    ],
)
def test_an_answer_has_a_type_that_holds_its_noise(connection, asked: str, kind: type) -> None:
    [[value]] = connection.cursor().execute(f"SELECT {asked} FROM p").fetchall()
    assert type(value) is kind


def test_noise_beyond_all_numbers_is_refused_before_the_charge(connection) -> None:
    sql = (
        f"SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = {10**300}) id % 7,"
        " SUM(h) FROM p GROUP BY id % 7"
    )
    with pytest.raises(dpsql.RefusedQuery):
        connection.cursor().execute(sql)
    assert connection.budget().spent == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_beyond_the_type_is_shown_as_its_end(sign: int) -> None:
    most = 10**38 - 1
    whole = _answer_array(ResultType("HUGEINT", INTEGER), [sign * 10**50, None])
    assert whole.to_pylist() == [sign * most, None]
    cents = _answer_array(ResultType("DECIMAL(38,2)", decimal(38, 2)), [Decimal(sign * 10**50)])
    assert cents.to_pylist() == [Decimal(f"{sign * most}E-2")]
    count = _answer_array(ResultType("BIGINT", INTEGER), [sign * 2**70])
    assert count.to_pylist() == [sign * (2**63 - 1)]
