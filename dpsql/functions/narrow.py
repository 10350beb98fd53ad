"""What a WHERE tells about the columns of the rows that pass it.

From conjuncts `column op expression`, `column IN (constants)`, `column = constant`, IS NOT NULL
(their mirror images, their negations, and BETWEEN; of OR, what all its sides tell of NULL) follow
tighter certain and declared ranges, finite values, and the absence of NULL. They hold *above* the
filter only: the filter's own expressions, a FILTER's argument and the ON of an outer join are
evaluated on all rows and must be bound with the columns' own domains.

A comparison with another column tells no more than is known of that one: the limits of its type
are `certain`, never `declared`.

Comparisons with floats round: an exact column's bound from a FLOAT is widened outward, a FLOAT
column's bound is put on the REAL grid, since the column may be 4 bytes wide. NaN passes `x > 5`
in DuckDB; an upper end, which `x < 5` gives, excludes it (see `intervals`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce

from dpsql.core.domain import (
    ANY,
    BOOLEAN,
    NUMERIC,
    TEMPORAL,
    Domain,
    Interval,
    Kind,
    Scalar,
    point,
)
from dpsql.core.ir import Call, Col, Expr, Lit
from dpsql.functions import intervals
from dpsql.functions.instants import truncate
from dpsql.functions.literals import convert
from dpsql.functions.unify import agree

Change = Callable[[Domain], Domain]
Place = tuple[int, str]
Facts = Iterable[tuple[Col, Change]]

_MIRROR = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}
OPPOSITE = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt", "neq": "eq"}
"""What is true of two values where a comparison of them is FALSE, also in floats' order."""
_EQUAL = ("eq", "eq_rounded", "same")
_COMPARISONS = (*_MIRROR, "eq", "eq_rounded")
_TESTS = (*_COMPARISONS, "between", "between_rounded", "in", "in_rounded", "like", "ilike")
_STRICT = (
    *("add", "sub", "mul", "neg", "abs", "cast", "length", "lower", "upper"),
    *("date_part", "date_trunc"),
)
"""NULL wherever an argument is, in every engine's form."""


def narrow(predicates: Sequence[Expr]) -> dict[Place, Change]:
    """(source, column) -> how its domain tightens on rows where all predicates are TRUE."""
    changes: dict[Place, list[Change]] = {}
    for predicate in predicates:
        for column, change in _facts(predicate):
            changes.setdefault((column.source, column.name), []).append(change)
    return {place: _in_turn(several) for place, several in changes.items()}


def _in_turn(changes: Sequence[Change]) -> Change:
    """All changes, one after the other: a loop, for a thousand of them nest too deep."""
    return lambda domain: reduce(lambda told, change: change(told), changes, domain)


def _facts(predicate: Expr) -> Facts:
    if isinstance(predicate, Col) and predicate.domain.type == BOOLEAN:
        yield predicate, _only_values((True,))
    if not isinstance(predicate, Call):
        return
    args = predicate.args
    if predicate.fn == "and":
        for part in args:
            yield from _facts(part)
    elif predicate.fn == "not":
        yield from _negated(args[0])
    elif predicate.fn == "or":
        yield from _present_in_all([_facts(part) for part in args])
    elif predicate.fn in ("is_true", "is_false"):
        yield from _facts(args[0]) if predicate.fn == "is_true" else _negated(args[0])
    elif predicate.fn == "eq" and isinstance(args[1], Lit) and isinstance(args[1].value, bool):
        yield from _facts(args[0]) if args[1].value else _negated(args[0])
    elif predicate.fn == "distinct" and isinstance(args[1], Lit) and args[1].value is None:
        yield from _present(args[0])
    elif predicate.fn in ("between", "between_rounded"):
        value, low, high = args
        exact = predicate.fn == "between"
        for fn, end in (("gte", low), ("lte", high)):
            yield from _comparison(fn, value, end, exact=exact)
            yield from _comparison(_MIRROR[fn], end, value, exact=exact)
    elif predicate.fn in ("in", "in_rounded"):
        yield from _membership(predicate)
    elif predicate.fn in (*_COMPARISONS, "same", "neq"):
        agreement = agree(args)
        exact = agreement is not None and agreement.exact
        yield from _comparison(predicate.fn, args[0], args[1], exact=exact)
        yield from _comparison(
            _MIRROR.get(predicate.fn, predicate.fn), args[1], args[0], exact=exact
        )
    elif predicate.fn in ("like", "ilike", "starts_with", "ends_with", "contains"):
        yield from _present(args[0])


def _negated(inner: Expr) -> Facts:
    """What holds where something is FALSE: of most tests, that what they are about is there."""
    if isinstance(inner, Col) and inner.domain.type == BOOLEAN:
        yield inner, _only_values((False,))
    elif isinstance(inner, Call) and inner.fn == "or":
        for part in inner.args:
            yield from _negated(part)
    elif isinstance(inner, Call) and inner.fn == "and":
        yield from _present_in_all([_negated(part) for part in inner.args])
    elif isinstance(inner, Call) and inner.fn in OPPOSITE:
        yield from _facts(replace(inner, fn=OPPOSITE[inner.fn]))
    elif isinstance(inner, Call) and inner.fn in ("is_null", *_TESTS):
        yield from _present(inner.args[0])


def _present(side: Expr) -> Facts:
    """A value that is there: so are the arguments of what gives NULL wherever one of them is."""
    if isinstance(side, Col):
        yield side, lambda domain: domain.with_(nullable=False)
    elif isinstance(side, Call) and side.fn in _STRICT:
        for part in side.args:
            yield from _present(part)


def _present_in_all(branches: Sequence[Facts]) -> Facts:
    """Columns that are not NULL whichever of these facts hold."""
    found: list[dict[Place, Col]] = []
    for facts in branches:
        there = {
            (column.source, column.name): column
            for column, change in facts
            if not change(column.domain.with_(nullable=True)).nullable
        }
        found.append(there)
    for place, column in found[0].items():
        if all(place in other for other in found[1:]):
            yield from _present(column)


def _only_values(kept: tuple[Scalar, ...]) -> Change:
    def change(domain: Domain) -> Domain:
        values = tuple(v for v in domain.values or kept if v in kept) or kept
        return domain.with_(values=values, nullable=False)

    return change


# ---- comparisons -------------------------------------------------------------------------


def _comparison(fn: str, column: Expr, other: Expr, *, exact: bool) -> Facts:
    if fn == "same" and other.domain.nullable:
        return  # NULL IS NOT DISTINCT FROM NULL passes
    yield from _present(column)
    if not isinstance(column, Col):
        return
    kinds = column.domain.type.kind, other.domain.type.kind
    span = _reach(fn, kinds, other.domain.certain, exact=exact)
    told = _reach(fn, kinds, other.domain.bounds, exact=exact)
    if span != ANY or told != ANY:
        yield column, lambda domain: _tightened(domain, span, told)
    if fn in _EQUAL and isinstance(other, Lit) and other.value is not None:
        yield from _listed(column, (other.value,), exact=exact)


def _reach(fn: str, kinds: tuple[Kind, Kind], have: Interval, *, exact: bool) -> Interval:
    """The range of a column for which `column fn other` can be TRUE; `have` is the other's."""
    kind, other = kinds
    if fn == "neq" or not _comparable(kind, other):
        return ANY
    if fn in ("gt", "gte"):
        have = Interval(have.lo, None)
    elif fn in ("lt", "lte"):
        have = Interval(None, have.hi)
    strict = fn in ("gt", "lt") and exact
    if kind in TEMPORAL:
        return _moments(have, kind, strict=strict)
    if kind is Kind.FLOAT:
        return intervals.single(have)
    if not exact:
        # The column's values were rounded too before they were compared.
        have = intervals.single(_nudged(have))
    return _whole(have, strict=strict) if kind is Kind.INTEGER else have


def _comparable(a: Kind, b: Kind) -> bool:
    return (a in NUMERIC and b in NUMERIC) or (a in TEMPORAL and b in TEMPORAL)


def _nudged(a: Interval) -> Interval:
    """Wide enough for an exact value that rounds, in REAL, onto the range's end."""
    lo, hi = intervals.low(a), intervals.high(a)
    return Interval(
        None if lo is None else lo - abs(lo) / 2**22,
        None if hi is None else hi + abs(hi) / 2**22,
    )


def _whole(a: Interval, *, strict: bool) -> Interval:
    """Ends of a range of integers, `> 5` meaning from 6."""
    lo, hi = intervals.low(a), intervals.high(a)
    if lo is not None:
        lo = Fraction(lo + 1 if strict and lo.denominator == 1 else -(-lo // 1))
    if hi is not None:
        hi = Fraction(hi - 1 if strict and hi.denominator == 1 else hi // 1)
    return Interval(lo, hi)


def _moments(a: Interval, kind: Kind, *, strict: bool) -> Interval:
    """`< midnight` ends a microsecond earlier, for a DATE a day earlier."""
    lo, hi = a.lo, a.hi
    tick = dt.timedelta(microseconds=1)
    try:
        if isinstance(hi, dt.datetime):
            hi = hi - tick if strict else hi
            hi = truncate(hi, "day") if kind is Kind.DATE else hi
        if isinstance(lo, dt.datetime):
            lo = lo + tick if strict else lo
            if kind is Kind.DATE and lo != truncate(lo, "day"):
                lo = truncate(lo, "day") + dt.timedelta(days=1)
    except OverflowError:
        return ANY
    return Interval(lo, hi)


def _tightened(domain: Domain, span: Interval, told: Interval) -> Domain:
    values = domain.values
    if values is not None:
        values = tuple(v for v in values if _within(v, span)) or values[:1]
    return domain.with_(
        certain=domain.certain.meet(span), declared=domain.declared.meet(told), values=values
    )


def _within(value: Scalar, span: Interval) -> bool:
    end = point(value)
    if end is None:
        return True
    lo, hi = span.lo, span.hi
    return (lo is None or lo <= end) and (hi is None or end <= hi)  # type: ignore[operator]


# ---- membership --------------------------------------------------------------------------


def _membership(predicate: Call) -> Facts:
    column, *items = predicate.args
    yield from _present(column)
    if not isinstance(column, Col):
        return
    constants = [item for item in items if isinstance(item, Lit) and item.value is not None]
    if not constants:
        return
    exact = predicate.fn == "in"
    kind = column.domain.type.kind
    spans = [
        _reach("eq", (kind, item.domain.type.kind), item.domain.certain, exact=exact)
        for item in constants
    ]
    hull = reduce(Interval.join, spans)
    if hull != ANY:
        yield column, lambda domain: _tightened(domain, hull, hull)
    yield from _listed(column, [item.value for item in constants], exact=exact)


def _listed(column: Col, constants: Sequence[Scalar | None], *, exact: bool) -> Facts:
    """The column takes one of these values, as the engine returns them in its type."""
    type_ = column.domain.type
    if not exact and type_.kind is not Kind.FLOAT:
        return  # several exact numbers may equal one float
    found = []
    for constant in constants:
        value = None if constant is None else convert(constant, type_)
        if value is None:
            if not _never_equal(constant, type_.kind):
                return
            continue
        if type_.kind is Kind.FLOAT and not _single_exact(value):
            return  # a REAL column equals the REAL next to it, not this double
        found.append(value)
    if found:
        values = tuple(dict.fromkeys(found))
        yield column, lambda domain: _kept(domain, values)


def _never_equal(constant: Scalar | None, kind: Kind) -> bool:
    """An exact column never equals a constant outside its type's grid (5 = 5.5)."""
    return kind in (Kind.INTEGER, Kind.DECIMAL) and not isinstance(constant, (float, str, dt.date))


def _single_exact(value: Scalar) -> bool:
    exact = Fraction(value)  # type: ignore[arg-type]
    here = Interval(exact, exact)
    return intervals.single(here) == here


def _kept(domain: Domain, values: tuple[Scalar, ...]) -> Domain:
    both = values if domain.values is None else tuple(v for v in values if v in domain.values)
    return domain.with_(values=both or values[:1])
