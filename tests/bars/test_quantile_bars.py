"""A quantile's bar is told by the outer ends of its bins, where all lie that fell into them."""

from __future__ import annotations

from fractions import Fraction

import duckdb
import pytest

from dpsql.aggregates.basis import HistogramBlock, Rows
from dpsql.core.domain import FLOAT, INTEGER, Domain, Interval, SqlType, decimal
from dpsql.core.ir import Col
from dpsql.planning.histograms import histogram_grid
from dpsql.session import Session


def block(kind: SqlType, lo: int, hi: int, most: int) -> HistogramBlock:
    span = Interval(Fraction(lo), Fraction(hi))
    value = Col(0, "x", Domain(kind, span))
    return HistogramBlock(Rows(None, None), value, *histogram_grid(kind, span, most))


@pytest.mark.parametrize(
    ("kind", "hi", "most", "step"),
    [
        (INTEGER, 100, 200, Fraction(1)),
        (INTEGER, 1003, 100, Fraction(1)),
        (INTEGER, 997, 300, Fraction(1)),
        (decimal(9, 2), 30, 400, Fraction(1, 100)),
        (FLOAT, 10, 64, Fraction(1, 1000)),
    ],
    ids=str,
)
def test_the_ends_of_a_bin_are_the_least_and_the_largest_that_fall_into_it(kind, hi, most, step):
    """Every value of the range, rounded as the statement rounds it; two-sided."""
    found = block(kind, 0, hi, most)
    unit, inside = found.grid.unit, dict[int, list[Fraction]]()
    x = Fraction(0)
    while x <= hi:
        place = round(x / unit) - found.grid.lo
        inside.setdefault((place + found.step // 2) // found.step, []).append(x)
        x += step
    for bin_, values in inside.items():
        least, most_ = found.ends(bin_)
        assert least <= values[0] < least + 2 * step
        assert most_ - 2 * step < values[-1] <= most_
    assert set(inside) == set(range(found.bins))


def test_the_bar_of_a_float_holds_what_lies_between_two_places_of_the_grid():
    """All rows have one value, a third of the range: at ε = 10⁶ the bar is its bin, no point."""
    engine = duckdb.connect(":memory:")
    engine.execute("CREATE TABLE t AS SELECT i AS id, 1.0 / 3 * 1000 AS x FROM range(2000) r(i)")
    engine.execute("ALTER TABLE t ALTER x TYPE DOUBLE")
    policy = {
        "version": 1, "unit": "person", "ledger": "sqlite://",
        "budgets": {"default": {"epsilon": "1e12", "delta": "0.5"}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"t": {"unit": "id", "columns": {"x": {"min": 0, "max": 1000}}}},
    }  # fmt: skip
    session = Session(policy, "ann", engine=engine)
    try:
        answer = session.query("SELECT MEDIAN(x) AS m FROM t", epsilon=10**6, delta="1e-7")
    finally:
        session.close()
    ((low, high),) = answer.privacy.columns[0].intervals
    assert low < 1000 / 3 < high
    assert answer.table.column(0)[0].as_py() != 1000 / 3
    assert high - low == pytest.approx(1000 / 2**16, rel=0.6)
