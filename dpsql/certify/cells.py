"""A cell's bounded partial: counts capped, sums clamped, scaled or weighted. One fact at a time.

Capped      LEAST(n, m)
            CASE WHEN n > m THEN (S * m) // n ELSE S END    S ≥ 0 and of the rows n counts
RowPoly     CASE WHEN v = c THEN a ELSE 0 END               of a row's class v
Clamped     LEAST(GREATEST(S, lo), hi)
Share       LEAST(W, A // SUM(n) OVER (PARTITION BY u), B // n)
Weighted    w * S
SizeShare   the same with sizes GREATEST(SUM(ABS(S)) OVER (PARTITION BY u), 1), GREATEST(ABS(S), 1)
WeightedSum w * S, of the very S that it was weighed by

A sum over no rows is NULL. Arithmetic keeps it NULL, and the sum over cells skips it, so that it
counts as the 0 it is; LEAST and GREATEST would make a bound of it, so COALESCE(S, 0) goes before.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from math import ceil, inf

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import (
    ONE,
    Capped,
    CellSum,
    Clamped,
    Const,
    Fact,
    Number,
    Poly,
    Rank,
    RowPoly,
    Share,
    Size,
    SizeShare,
    Unit,
    UnitTotal,
    Weighted,
    WeightedSum,
    value_range,
)
from dpsql.certify.ranges import between
from dpsql.certify.reader import bare, whole
from dpsql.certify.scope import Scope
from dpsql.certify.steps import Steps, one_step, table
from dpsql.certify.values import polynomial, row_value

_WIDE = (exp.DType.BIGINT, exp.DType.INT128)


def fact_of(node: exp.Expr, scope: Scope) -> Fact:
    """What is known of an expression over one row of a relation; None if nothing is."""
    node = bare(node)
    constant = whole(node)
    if constant is not None:
        return Const(constant)
    if isinstance(node, exp.Column):
        column = scope.column(node)
        return None if column is None else column.fact
    if isinstance(node, exp.Cast):
        inner = fact_of(node.this, scope) if node.to.this in _WIDE else None
        if isinstance(inner, Unit):
            return None
        if inner is not None and node.to.this is not exp.DType.INT128 and _largest(inner) >= 2**63:
            return None  # an expression like others: `check_row` asks for a cast that fits
        return inner
    if isinstance(node, exp.Coalesce):
        return _filled(node, scope)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return _combined(node, scope)
    if isinstance(node, exp.Least):
        return _least(node, scope)
    if isinstance(node, (exp.Abs, exp.Greatest)):
        return _size(node, scope)
    if isinstance(node, exp.Case):
        return _scaled(node, scope) or _step(node, scope) or row_value(node, scope)
    return _window(node, scope) if isinstance(node, exp.Window) else None


def _largest(fact: Fact) -> float:
    """The greatest magnitude of the value, infinite if nothing bounds it."""
    match fact:
        case Const(value):
            return abs(value)
        case Number(_, lo, hi) | Clamped(_, lo, hi):
            return max(abs(lo), abs(hi))
        case Share(_, total, cell):
            return min(total, cell)
        case SizeShare(weight):
            return weight
        case Capped(_, of, poly, most):
            lowest, highest = value_range(of, poly)
            return most * ceil(max(abs(lowest), abs(highest)))
    return inf


def _filled(node: exp.Coalesce, scope: Scope) -> Fact:
    """COALESCE(sum, 0): the sum over no rows."""
    inner = fact_of(node.this, scope)
    if isinstance(inner, CellSum) and [whole(other) for other in node.expressions] == [0]:
        return CellSum(inner.level, inner.of, inner.poly, nullable=False)
    return None


def _combined(node: exp.Expr, scope: Scope) -> Fact:
    left, right = fact_of(node.this, scope), fact_of(node.args["expression"], scope)
    match left, right:
        case (Const(factor), CellSum() as cell) | (CellSum() as cell, Const(factor)):
            if isinstance(node, exp.Mul):
                return replace(cell, poly=cell.poly.times(factor))
            return None
        case (Share() as share, CellSum() as cell) if isinstance(node, exp.Mul):
            require(share.level == cell.level, "weights are of the cells they weigh")
            return Weighted(share, cell.of, cell.poly)
        case (SizeShare() as share, CellSum() as cell) if isinstance(node, exp.Mul):
            require(share.cell == cell, "a sum weighed by its size is that sum")
            return WeightedSum(share)
        case (CellSum(poly=Steps()), CellSum()) | (CellSum(), CellSum(poly=Steps())):
            return None
        case (CellSum(poly=Poly() as one) as a, CellSum(poly=Poly() as other) as b) if not (
            isinstance(node, exp.Mul)
        ):
            require((a.level, a.of) == (b.level, b.of), "sums combined are of the same rows")
            poly = one + other if isinstance(node, exp.Add) else one - other
            return CellSum(a.level, a.of, poly, a.nullable or b.nullable)
    return polynomial(node, left, right)


def _least(node: exp.Least, scope: Scope) -> Fact:
    if len(node.expressions) == 2:
        return _share(node, scope)
    found = between(node)
    if found is not None:
        inner, lo, hi = fact_of(found[0], scope), whole(found[1]), whole(found[2])
        if not isinstance(inner, CellSum) or inner.nullable or lo is None or hi is None:
            return None
        require(lo <= hi, "a clamp's bounds are in order")
        return Clamped(scope.serials(), lo, hi)
    most = whole(node.expressions[0]) if len(node.expressions) == 1 else None
    count = fact_of(node.this, scope)
    if isinstance(count, CellSum) and count.poly == ONE and most is not None and most >= 0:
        require(not count.nullable, "a count over no rows is 0")  # LEAST would make it `most`
        return Capped(count.level, count.of, ONE, most)
    return None


def _scaled(node: exp.Case, scope: Scope) -> Fact:
    """CASE WHEN n > m THEN (S * m) // n ELSE S END."""
    branches, otherwise = node.args["ifs"], node.args.get("default")
    if node.this is not None or len(branches) != 1 or otherwise is None:
        return None
    test, share = bare(branches[0].this), bare(branches[0].args["true"])
    if not isinstance(test, exp.GT) or not isinstance(share, exp.IntDiv):
        return None
    count, most = fact_of(test.this, scope), whole(test.args["expression"])
    product, whole_sum = bare(share.this), fact_of(otherwise, scope)
    if not isinstance(product, exp.Mul) or not isinstance(whole_sum, CellSum) or most is None:
        return None
    require(
        isinstance(count, CellSum)
        and count.poly == ONE
        and (count.level, count.of) == (whole_sum.level, whole_sum.of)
        and fact_of(share.args["expression"], scope) == count,
        "a sum is scaled by the count of its own rows",
    )
    require(
        fact_of(product.this, scope) == whole_sum
        and whole(product.args["expression"]) == most
        and most >= 1,
        "a sum is scaled to the rows allowed",
    )
    require(_never_negative(whole_sum), "a scaled sum is never negative")
    return Capped(whole_sum.level, whole_sum.of, whole_sum.poly, most)


def _step(node: exp.Case, scope: Scope) -> RowPoly | None:
    """CASE WHEN v = c THEN a ELSE 0 END of a column v that is never NULL: no row is missed."""
    found = one_step(node)
    if found is None or not isinstance(bare(found[0]), exp.Column):
        return None
    of = fact_of(found[0], scope)
    if not isinstance(of, Number) or not of.present:
        return None
    steps = table(of.lo, of.hi, *found[1:])
    return None if steps is None else RowPoly(of, steps)


def _never_negative(cell: CellSum) -> bool:
    return value_range(cell.of, cell.poly)[0] >= 0


# ---- windows ---------------------------------------------------------------------------------


def _size(node: exp.Abs | exp.Greatest, scope: Scope) -> Fact:
    """ABS(S), or GREATEST(size, 1)."""
    inner = fact_of(node.this, scope)
    if isinstance(node, exp.Abs):
        return Size(inner) if isinstance(inner, CellSum) and not inner.nullable else None
    if isinstance(inner, Size) and [whole(other) for other in node.expressions] == [1]:
        return Size(inner.cell, inner.unit, positive=True)
    return None


def _share(node: exp.Least, scope: Scope) -> Fact:
    """LEAST(W, A // N, B // n), in any order: never above any of them."""
    total = cell = level = None
    quotients: list[tuple[int, Fact]] = []
    most: list[int] = []
    for part in (node.this, *node.expressions):
        part = bare(part)
        if not isinstance(part, exp.IntDiv):
            most.append(whole(part) or 0)
            if most[-1] < 1:
                return None
            continue
        numerator, below = whole(part.this), fact_of(part.args["expression"], scope)
        if numerator is None or numerator < 1:
            return None
        quotients.append((numerator, below))
    if any(isinstance(below, Size) for _, below in quotients):
        return _size_share(most, quotients)
    for numerator, below in quotients:
        match below:
            case UnitTotal(at) if total is None and level in (None, at):
                total, level = numerator, at
            case CellSum(at, None, poly, False) if (
                cell is None and poly == ONE and level in (None, at)
            ):
                cell, level = numerator, at
            case _:
                refuse("a weight divides by the rows of the unit and of the cell")
    if level is None or total is None or cell is None:
        refuse("a weight has both its caps")
    return Share(level, total, cell)


def _size_share(most: list[int], quotients: list[tuple[int, Fact]]) -> Fact:
    """W, ⌊A / Σ|S|⌋ and ⌊B / |S|⌋, both of one sum, and never divided by 0."""
    require(bool(most), "a weight is limited whatever the sizes")
    found: dict[bool, tuple[int, CellSum]] = {}
    for numerator, below in quotients:
        if not isinstance(below, Size) or not below.positive or below.unit in found:
            refuse("a weight divides by the sizes of the unit and of the cell")
        found[below.unit] = numerator, below.cell
    if len(found) != 2 or found[True][1] != found[False][1]:
        refuse("a weight has both its caps, of one sum")
    return SizeShare(min(most), found[True][1], found[True][0], found[False][0])


def _window(node: exp.Window, scope: Scope) -> Fact:
    relation = scope.single
    partition = node.args.get("partition_by") or []
    owner = scope.column(partition[0]) if len(partition) == 1 else None
    if relation is None or owner is None or not isinstance(owner.fact, Unit):
        refuse("windows are partitioned by the unit alone")
    require(relation.keys is not None, "windows run over cells")
    require(node.args.get("over") == "OVER", "windows are written OVER (...)")
    require(node.args.get("spec") is None, "windows over cells look at all of a unit's")
    function, order = node.this, node.args.get("order")
    if isinstance(function, exp.Sum):
        inner = fact_of(function.this, scope)
        if order is None and isinstance(inner, Size) and not (inner.unit or inner.positive):
            return Size(inner.cell, unit=True)
        if (
            order is not None
            or not isinstance(inner, CellSum)
            or inner.of is not None
            or inner.poly != ONE
        ):
            refuse("a window sums the rows of cells")
        return UnitTotal(inner.level)
    if not isinstance(function, exp.RowNumber) or order is None:
        refuse("a window ranks or counts")
    check_ranking(order, scope, relation.keys or frozenset(), "a ranking leaves no ties")
    return Rank()


def check_ranking(order: exp.Order, scope: Scope, keys: Set[int], rule: str) -> None:
    """Terms are made of the unit and `keys` alone, each of these among them: `rule` says what for.

    A tie between others, or a term that looks at anything else, would let other units' rows decide.
    """
    told: set[int] = set()
    for term in order.expressions:
        if type(term) is not exp.Ordered:
            refuse("a ranking is a list of terms")
        column = scope.column(term.this)
        if column is not None:
            told.add(column.serial)
        for node in hashed(term.this):
            found = scope.column(node)
            require(
                found is not None
                and not found.barred
                and (isinstance(found.fact, Unit) or found.serial in keys),
                "a ranking looks at the unit, the keys and constants alone",
            )
    require(keys <= told, rule)


def hashed(node: exp.Expr) -> list[exp.Expr]:
    """What a term of hashes and constants is made of."""
    node = bare(node)
    if isinstance(node, exp.Anonymous):
        require(str(node.this).upper() == "HASH", "a ranking hashes, nothing else")
        return [part for child in node.expressions for part in hashed(child)]
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        return []
    return [] if isinstance(node, exp.Literal) else [node]
