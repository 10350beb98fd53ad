"""Ranges too wide for their natural grid: sums beside variances, decimals, narrow and far."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

import dpsql

ROWS = 2_000


@pytest.fixture(scope="module")
def cursor():
    owner = duckdb.connect()
    owner.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, x BIGINT, d DECIMAL(18,2), f DOUBLE)")
    owner.execute(
        f"INSERT INTO t SELECT range, 5000000000 + range, 1234567.89 + range, 1e12 + range"
        f" FROM range({ROWS})"
    )
    policy = {
        "budgets": {"default": {"epsilon": 1e12, "delta": 0.5}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {
            "t": {
                "unit": "id",
                "columns": {
                    "x": {"min": 0, "max": 10**10},
                    "d": {"min": 0, "max": 10**8},
                    "f": {"min": 10**12, "max": 10**12 + 5_000},
                },
            }
        },
    }
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(policy, analyst="a", engine=owner, epsilon=1e9, delta=1e-6)
    yield connection.cursor(), owner
    connection.close()


@pytest.mark.parametrize("column", ["x", "d", "f"])
@pytest.mark.parametrize("beside", ["", ", AVG({c})", ", VAR_POP({c})", ", COUNT({c})"])
def test_sums_are_right_on_coarse_grids(cursor, column: str, beside: str) -> None:
    dp, owner = cursor
    sql = f"SELECT SUM({column}){beside.format(c=column)} FROM t"
    got, want = dp.execute(sql).fetchone(), owner.execute(sql).fetchone()
    assert type(got[0]) is type(want[0])
    shown = 1 if "VAR" in sql else 2  # the variance of so wide a range is noise even at 1e9
    for mine, plain in zip(got[:shown], want[:shown], strict=True):
        assert float(mine) == pytest.approx(float(plain), rel=1e-6)


def test_decimals_keep_their_places(cursor) -> None:
    dp, _ = cursor
    [total] = dp.execute("SELECT SUM(d) FROM t").fetchone()
    assert isinstance(total, Decimal)
    assert total.as_tuple().exponent == -2
