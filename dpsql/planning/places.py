"""The private aggregate whose release is the choice of a bound: units by candidate.

Within each unit's rows t_u is worked out: the largest count or total of a group, or an end of a
value's range. The key is the place of the first candidate that is not below t_u, so a unit is
counted in one place, once. Groups beyond a cap count for t_u, too: it is a function of all of the
unit's rows, and needs no salt (docs/proofs/automatic_bounds.md).

Precondition: a unit-separable relation, candidates that ascend. Postcondition: each unit is counted
once, in one place among those of the candidates, which are all public groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from fractions import Fraction

from dpsql.core.domain import INTEGER, Domain, Interval, Kind, Scalar
from dpsql.core.ir import (
    Aggregate,
    Block,
    Call,
    Col,
    Expr,
    FixedPoint,
    InnerAggregate,
    Key,
    Lit,
    Options,
    PerUnit,
    PrivateAggregate,
    Source,
)
from dpsql.core.walk import within
from dpsql.errors import InternalError
from dpsql.functions.forms import truth
from dpsql.functions.literals import lit
from dpsql.planning.types import ChoicePlan

MAX_ROWS = 2**48  # the most rows a unit is taken to have, for overflow alone
_EXACT = Context(prec=60)


def units_by_place(
    aggregate: PrivateAggregate, choice: ChoicePlan, where: Expr | None, row: FixedPoint | None
) -> PrivateAggregate:
    """Units counted by the place of their own bound. Every place is a public group.

    `where`: which rows it is about. `row`: the grid on which a total's rows are clamped and summed.
    """
    block = aggregate.block
    first = max(part.id for part in within(block) if isinstance(part, Source)) + 1
    by_group = choice.kind in ("rows", "total")
    keys = aggregate.keys if by_group else ()
    calls = _calls(choice, where, row)
    inner = PerUnit(first, block, tuple((key.name, key.expr) for key in keys), calls)
    place = _place(choice, [Col(first, call.name, call.domain) for call in calls])
    source, unit = inner, _unit(block, first)
    if keys:  # the largest of the unit's groups
        largest = InnerAggregate("a0", "max", place, None, place.domain.with_(values=None))
        around = _around(inner, unit, frozenset())
        source, unit = PerUnit(first + 1, around, (), (largest,)), _unit(block, first + 1)
        place = Col(first + 1, "a0", place.domain)
    return PrivateAggregate(
        _around(source, unit, frozenset({source.id})),
        (Key("k0", place),),
        (Aggregate("a0", "count_star", None, None),),
        Options(),
    )


def _unit(block: Block, source: int) -> Col:
    return Col(source, "u", block.unit.domain.with_(nullable=False))


def _around(source: PerUnit, unit: Col, one: frozenset[int]) -> Block:
    """`one`: the source, where it has one row a unit."""
    return Block(source, (), (), (), unit, one, one, frozenset({source.id}) - one)


def _calls(
    choice: ChoicePlan, where: Expr | None, row: FixedPoint | None
) -> tuple[InnerAggregate, ...]:
    most = Fraction(MAX_ROWS)
    if choice.kind == "rows":
        counted = Domain(INTEGER, Interval(Fraction(0), most), nullable=False)
        return (InnerAggregate("a0", "count_star", None, where, counted),)
    value = choice.value
    if value is None or (choice.kind == "total" and row is None):
        raise InternalError("a range is looked for of no value", code="internal")
    if choice.kind == "total" and row is not None:
        return tuple(
            InnerAggregate(
                f"a{index}",
                "sum_fixed",
                value,
                where,
                Domain(INTEGER, Interval(most * lo, most * hi), nullable=True),
                FixedPoint(row.unit, lo, hi),
            )
            for index, (lo, hi) in enumerate(_signs(row))
        )
    fn = "max" if choice.kind == "high" else "min"  # NaN and infinities count as NULL there
    domain = value.domain.with_(nullable=True, values=None)
    return (InnerAggregate("a0", fn, value, where, domain),)


def _signs(row: FixedPoint) -> Iterator[tuple[int, int]]:
    """Values above 0 and below it are summed apart: neither hides the other's size."""
    if row.hi > 0 or row.lo >= 0:
        yield max(row.lo, 0), max(row.hi, 1)
    if row.lo < 0:
        yield row.lo, min(row.hi, 0)


def _place(choice: ChoicePlan, columns: Sequence[Col]) -> Expr:
    """The place of the first candidate that t_u does not exceed; the last has no end.

    NULL, where no row has a value, exceeds nothing.
    """
    parts: list[Expr] = []
    last = len(choice.candidates) - 1
    for place in range(last, 0, -1):
        tests = [_exceeds(choice, column, choice.candidates[place - 1]) for column in columns]
        parts += [_any(tests), _whole(place)]
    if not parts:
        return _whole(0)
    domain = Domain(
        INTEGER,
        Interval(Fraction(0), Fraction(last)),
        Interval(Fraction(0), Fraction(last)),
        nullable=False,
        values=tuple(range(last + 1)),
    )
    return Call("case", (*parts, _whole(0)), domain)


def _any(tests: list[Expr]) -> Expr:
    return tests[0] if len(tests) == 1 else Call("or", tuple(tests), truth(tests))


def _exceeds(choice: ChoicePlan, column: Col, candidate: int) -> Expr:
    """Sums and counts are whole numbers of units already; extremes are values."""
    if choice.kind in ("rows", "total"):
        low = column.domain.certain.numbers()[1] <= 0
        end: Lit = _whole(-candidate if low else candidate)
    else:
        low = choice.kind == "low"
        end = lit(_value(column.domain.type.kind, candidate * choice.unit * (-1 if low else 1)))
    return Call("lt" if low else "gt", (column, end), truth((column, end)))


def _whole(value: int) -> Lit:
    return lit(value)


def _value(kind: Kind, value: Fraction) -> Scalar:
    if kind is Kind.INTEGER:
        return int(value)
    if kind is Kind.DECIMAL:
        return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    return float(value)
