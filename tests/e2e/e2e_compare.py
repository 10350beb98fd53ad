"""*Equal to the plain query*: what `differences` below lets pass."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
from sqlglot import exp

from dpsql.sql.parser import parse

Row = tuple[Any, ...]

DERIVED = 1e-4
"""Relative tolerance of a number that has no error bar of its own (arithmetic over releases)."""

BARS = 10
"""A 95 % half-width of Laplace noise is 3 scales: 30 of them are passed once in 10^13."""


PSEUDONYMS = ("unit", "item")
"""Columns that each engine makes by a hash of its own, where distinct values are counted."""


def exact(table: Any) -> list[Row]:
    """The rows of exact bounded aggregates, integers as integers, in an order of their own.

    Of a pseudonym it is told in how many rows it stands: that is the same by any hash.
    """
    columns = table.to_pydict()
    for name in {*PSEUDONYMS} & {*columns}:
        rows = Counter(columns[name])
        columns[name] = [rows[one] for one in columns[name]]
    return sorted(
        (tuple(map(_exact, row)) for row in zip(*columns.values(), strict=True)), key=repr
    )


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal) and value == int(value):
        return int(value)
    return float(f"{value:.12g}") if isinstance(value, float) else value


@dataclass
class Plain:
    """What DuckDB itself says. `units[i]` is the number of units in row i, where it can be told."""

    names: list[str]
    rows: list[Row]
    units: list[int] | None
    ordered: bool
    keys: list[int]
    """Positions of columns that hold no aggregate: the group keys that are shown."""
    sets: bool = False
    """GROUPING SETS: an empty public group of NULL keys may look like a total."""


def plain(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    params: Sequence[Any] | None = None,
    *,
    unit: str = "user_id",
    units: str | None = None,
) -> Plain:
    """Run the query as it is, and once more with the units of each group counted beside it."""
    cursor = connection.execute(sql, params or [])
    assert cursor.description is not None
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    tree = parse(sql, "duckdb")  # which reads CUBE (a, b > 1), too
    ordered = tree.args.get("order") is not None
    keys = []
    if isinstance(tree, exp.Select) and (tree.args.get("group") or tree.args.get("distinct")):
        keys = [i for i, p in enumerate(tree.selects) if p.find(exp.AggFunc) is None]
    counted = _units(connection, tree, params, unit, units, rows)
    sets = tree.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None
    return Plain(names, rows, counted, ordered, keys, sets)


def _units(
    connection: duckdb.DuckDBPyConnection,
    tree: exp.Expr,
    params: Sequence[Any] | None,
    unit: str,
    given: str | None,
    rows: list[Row],
) -> list[int] | None:
    if not isinstance(tree, exp.Select):
        return None
    group, distinct = tree.args.get("group"), tree.args.get("distinct")
    if not group and not distinct:
        return None
    tables = [t.alias_or_name for t in tree.find_all(exp.Table)]
    names = [given] if given is not None else [unit, *(f"{t}.{unit}" for t in tables)]
    for name in names:
        more = tree.copy()
        if distinct:
            more.set("distinct", None)
            more.set("group", exp.Group(all=True))
        more.append("expressions", exp.maybe_parse(f"COUNT(DISTINCT {name})", dialect="duckdb"))
        try:
            found = connection.execute(more.sql("duckdb"), params or []).fetchall()
        except duckdb.Error:
            continue
        if len(found) == len(rows):
            by_row: dict[Any, int] = {}
            for row in found:
                by_row.setdefault(_frozen(row[:-1]), row[-1])
            # Of these very rows: a second run may give the groups in another order.
            return [by_row.get(_frozen(row), 2) for row in rows]
    return None


def _frozen(row: Row) -> tuple[Any, ...]:
    """Exact parts of a row; floats may differ in the last bit between two runs."""
    return tuple(float(f"{v:.6g}") if isinstance(v, float) else v for v in row)


Tolerance = Callable[[int, int, Any], float]
"""(row of the answer, column, plain value) → how far the answer may be from it."""


def number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def same(got: Any, want: Any, tolerance: float) -> bool:
    if got is None or want is None:
        return got is want
    if isinstance(want, bool) or isinstance(got, bool):
        return got is want
    if number(want) and number(got):
        if isinstance(want, int) and not isinstance(got, float):
            return int(got) == want == got
        return math.isfinite(got) and abs(float(got) - float(want)) <= tolerance
    if isinstance(want, dt.date) and isinstance(got, dt.date):
        return _moment(got) == _moment(want)
    return type(got) is type(want) and bool(got == want)


def _moment(value: dt.date) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    return dt.datetime(value.year, value.month, value.day)


def tolerance_of(answer: Any, grid: float, noise: float) -> Tolerance:
    """One grid unit, 1e-9 relative, and ten times the error bar that the answer itself states.

    `noise`: what stands for the error bar of a number that has none.
    """
    bars = [column.half_widths for column in answer.privacy.columns]

    def tolerance(row: int, column: int, want: Any) -> float:
        half = bars[column][row] if bars[column] is not None else None
        size = abs(float(want))
        if half is None:
            return grid + DERIVED * size + noise
        return grid + 1e-9 * size + BARS * half

    return tolerance


def plan_numbers(session: Any, sql: str, params: Any = None) -> dict[str, Any]:
    """Of the query's plans: the largest grid unit, the noise, and whether the keys are public."""
    with session.engine.snapshot():
        prepared = session.prepare(sql, params, dialect="duckdb", asked=session.asked)
    plans = prepared.planned.plans
    parts = [part for plan in plans for part in plan.blocks]
    noise = [0.0]
    for part in parts:
        unit = float(part.block.grid.unit) if hasattr(part.block, "grid") else 1.0
        scale = getattr(part.mechanism, "scale", None) or part.mechanism.sigma
        noise.append(3 * BARS * unit * float(scale))
    grids = [float(part.block.grid.unit) for part in parts if hasattr(part.block, "grid")]
    drawn = [part.block for plan in plans for part in plan.histograms]
    grids += [float(block.step * block.grid.unit) for block in drawn]  # cells of quantiles
    # What is worked out from two values: a step in 2^12 of the wider, coarse as their grids may be.
    pairs = [part.block for part in parts if hasattr(part.block, "grids")]
    grids += [2**-12 * max(float(g.span * g.unit) for g in block.grids) for block in pairs]
    return {
        "grid": max(grids, default=0.0),
        "noise": max(noise),
        "public": all(plan.public_keys for plan in plans),
        "extra": any(plan.public_keys and plan.keys for plan in plans),
    }


def differences(
    answer: Any,
    want: Plain,
    *,
    grid: float,
    public: bool,
    extra: bool = False,
    noise: float = 0.0,
    ignore: Callable[[int, Row], bool] = lambda column, row: False,
) -> list[str]:
    """Every way in which the answer is not equal to the plain one; empty if it is equal.

    `public`: the keys are public, so that extra (empty) groups may appear; `extra`: those of one
    of several releases are. `ignore(column, plain
    row)` leaves a cell out.
    """
    found: list[str] = []
    if list(answer.names) != want.names:
        found.append(f"names {list(answer.names)} are not {want.names}")
    columns = [column.to_pylist() for column in answer.table.columns]
    got = [tuple(column[i] for column in columns) for i in range(answer.table.num_rows)]
    if got and len(got[0]) != len(want.names):
        return [f"{len(got[0])} columns are not {len(want.names)}"]
    tolerance = tolerance_of(answer, grid, noise)

    def equal(i: int, row: Row) -> bool:
        return all(
            ignore(c, row) or same(got[i][c], value, tolerance(i, c, value) if number(value) else 0)
            for c, value in enumerate(row)
        )

    def empty(i: int, column: int) -> bool:
        """A public group without rows: 0, NULL, or no more than its error bar."""
        value = got[i][column]
        if value is None or answer.privacy.columns[column].half_widths is None:
            return True
        return number(value) and abs(float(value)) <= tolerance(i, column, 0)

    known = {tuple(row[k] for k in want.keys) for row in want.rows}

    free = list(range(len(got)))
    at: list[int] = []
    for index, row in enumerate(want.rows):
        match = next((i for i in free if equal(i, row)), None)
        if match is not None:
            free.remove(match)
            at.append(match)
        elif public or want.units is None or want.units[index] > 1:
            found.append(f"row {row} is missing (units: {want.units and want.units[index]})")
    for i in free:
        key = tuple(got[i][k] for k in want.keys)
        twice = key in known and not (want.sets and None in key)
        if not (public or extra) or twice or not all(empty(i, c) for c in range(len(got[i]))):
            found.append(f"row {got[i]} is not in the plain answer")
    if want.ordered and at != sorted(at):
        found.append(f"order: {at}")
    if not want.ordered and want.keys and not _in_key_order(got, want.keys):
        found.append("rows are not in key order")
    return found


def _in_key_order(rows: list[Row], keys: list[int]) -> bool:
    """Ascending by the shown keys, NULL last."""
    sortable = [
        tuple((row[k] is None, 0 if row[k] is None else row[k]) for k in keys) for row in rows
    ]
    return sortable == sorted(sortable)
