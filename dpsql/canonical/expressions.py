"""Bound expressions as canonical text: equal texts have equal values on every row.

`Writer.text` is a function of the expression alone, given names for its columns. Rewritten is
only what cannot change a value: conditions (`formulas`), comparisons turned one way round,
operands of + and * of exact types and of LEAST and GREATEST of exact types in order, literals by
value (`constants`). A call keeps its name, type and options; a column its type and what is certain
of it, for the engine's total forms are chosen by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dpsql.canonical.constants import (
    EXACT,
    folded,
    number_text,
    single,
    type_text,
    value_text,
)
from dpsql.canonical.formulas import Atom, Formula, Member, constant, junction, negation
from dpsql.core.domain import Interval, Kind, SqlType
from dpsql.core.ir import Call, Col, Expr, Lit, Unknown
from dpsql.functions.unify import agree

Named = Callable[[Col], str]
"""A column's name: different columns have different ones."""

_SETTLED = frozenset({*EXACT, Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN})
"""Types in which equal values are the same value, so that order does not show in a choice."""
_NUMBER = re.compile(r"n-?[0-9]+(/[0-9]+)?\Z", re.ASCII)
_CONDITIONS = {
    *("and", "or", "not", "eq", "eq_rounded", "neq", "lt", "lte", "gt", "gte", "same", "distinct"),
    *("between", "between_rounded", "in", "in_rounded"),
}


class Writer:
    """Writes expressions over columns that `column` names."""

    def __init__(self, column: Named) -> None:
        self._column = column

    def text(self, expr: Expr) -> str:
        """The canonical text of a value or a condition."""
        expr = folded(expr)
        match expr:
            case Col():
                return self._col(expr)
            case Lit(value=bool(value)):
                return str(constant(value))
            case Lit(value=value, domain=domain):
                return f"({type_text(domain.type)} {value_text(value)})"
            case Unknown(name=name, kind=kind):
                return f"(released {name} {kind})"
            case Call(fn=fn) if fn in _CONDITIONS:
                return str(self.formula(expr))
            case Call(fn="add" | "mul" as fn) if _exact(expr):
                terms = sorted(map(self.text, _chain(expr, fn)))
                return f"({fn} {type_text(expr.domain.type)} {' '.join(terms)})"
            case Call(fn="least" | "greatest" as fn) if expr.domain.type.kind in _SETTLED:
                parts = sorted({self.text(arg) for arg in expr.args})
                return f"({fn} {type_text(expr.domain.type)} {' '.join(parts)})"
            case Call():
                return self._call(expr)

    def _col(self, column: Col) -> str:
        domain = column.domain
        null = "null" if domain.nullable else "not null"
        what = f"{type_text(domain.type)} {_span(domain.certain)} {null}"
        return f"({self._column(column)} {what})"

    def _call(self, call: Call) -> str:
        options = " ".join([*map(value_text, call.options), *_compared_as(call)])
        args = " ".join(map(self.text, call.args))
        return f"({call.fn} {type_text(call.domain.type)} [{options}] {args})"

    # ---- conditions --------------------------------------------------------------------

    def formula(self, expr: Expr) -> Formula:
        """A condition in normal form."""
        match expr:
            case Lit(value=bool(value)):
                return constant(value)
            case Call(fn="and" | "or" as word, args=args):
                return junction(word, map(self.formula, args))
            case Call(fn="not", args=(inner,)):
                return negation(self.formula(inner))
            case Call(fn="eq" | "eq_rounded", args=(left, right)):
                return self._equal(left, right)
            case Call(fn="neq", args=(left, right)):
                return negation(self._equal(left, right))
            case Call(fn="same" | "distinct" as fn, args=(left, right)):
                pair = self._pair(left, right)
                texts = sorted(pair[1:])
                same = Atom(f"(same {pair[0]} {' '.join(texts)})")
                return same if fn == "same" else negation(same)
            case Call(fn="lt", args=(left, right)) | Call(fn="gt", args=(right, left)):
                return self._less(left, right)
            case Call(fn="lte", args=(left, right)) | Call(fn="gte", args=(right, left)):
                return negation(self._less(right, left))  # the order of the engine is total
            case Call(fn="between" | "between_rounded", args=args):
                return self._between(expr, *map(folded, args))
            case Call(fn="in" | "in_rounded", args=args):
                return self._in(expr, *map(folded, args))
            case Call():
                return Atom(self._call(expr))
        return Atom(self.text(expr))

    def _equal(self, left: Expr, right: Expr) -> Formula:
        left, right = folded(left), folded(right)
        if isinstance(left, Lit) and not isinstance(right, Lit):
            left, right = right, left
        if isinstance(right, Lit) and isinstance(right.value, bool):
            truth = self.formula(left)
            return truth if right.value else negation(truth)
        mode, one, other = self._pair(left, right)
        if isinstance(left, Lit) and isinstance(right, Lit) and mode == "exact":
            numbers = _NUMBER.match(one) and _NUMBER.match(other)
            if left.value is not None and right.value is not None and (one == other or numbers):
                return constant(one == other)
        elif isinstance(right, Lit) and mode == "exact":
            return Member(one, frozenset({other}))
        return Atom(f"(eq {mode} {' '.join(sorted((one, other)))})")

    def _less(self, left: Expr, right: Expr) -> Formula:
        mode, one, other = self._pair(folded(left), folded(right))
        return Atom(f"(lt {mode} {one} {other})")

    def _between(self, expr: Call, value: Expr, low: Expr, high: Expr) -> Formula:
        if not _apart(value, low, high):
            return Atom(self._call(expr))
        ends = (self._less(value, low), self._less(high, value))
        return junction("and", map(negation, ends))

    def _in(self, expr: Call, value: Expr, *items: Expr) -> Formula:
        if not _apart(value, *items) or isinstance(value, Lit):
            listed = " ".join(sorted({self.text(item) for item in items}))
            return Atom(f"(among [{' '.join(_compared_as(expr))}] {self.text(value)} {listed})")
        return junction("or", (self._equal(value, item) for item in items))

    def _pair(self, left: Expr, right: Expr) -> tuple[str, str, str]:
        """How two operands compare, and their texts: a literal by its value where that is all."""
        left, right = folded(left), folded(right)
        agreement = agree((left, right))
        assert agreement is not None, "operands were bound without a common type"
        numeric = agreement.exact and _kinds(left, right) <= EXACT
        if numeric or _short(left, right) or _short(right, left):
            return "exact", _number(self, left), _number(self, right)
        mode = "exact" if agreement.exact else f"as {type_text(agreement.type)}"
        return mode, self.text(left), self.text(right)


def _number(writer: Writer, expr: Expr) -> str:
    if isinstance(expr, Lit) and expr.value is not None and not isinstance(expr.value, bool):
        return number_text(expr.value)
    return writer.text(expr)


def _short(expr: Expr, other: Expr) -> bool:
    """A literal that floats of any width hold, beside a float."""
    return isinstance(expr, Lit) and single(expr.value) and other.domain.type.kind is Kind.FLOAT


def _apart(value: Expr, *others: Expr) -> bool:
    """Is comparing all at once, in one type, the same as comparing `value` with each alone?

    So where all are of one kind, all are exact numbers, or a float meets short literals.
    """
    if all(_short(other, value) for other in others):
        return True
    kinds = _kinds(value, *others)
    if len(kinds) == 1:
        return True
    together = agree((value, *others))
    return kinds <= EXACT and together is not None and together.exact


def _compared_as(call: Call) -> list[str]:
    """The type in which a call compares its operands, where its own type does not tell."""
    if call.fn == "switch":
        compared: tuple[Expr, ...] = (call.args[0], *call.args[1:-1:2])
    elif call.fn in ("nullif", "between", "between_rounded", "in", "in_rounded"):
        compared = call.args
    else:
        return []
    agreement = agree(compared)
    return [] if agreement is None else [type_text(agreement.type)]


def _kinds(*exprs: Expr) -> set[Kind]:
    return {expr.domain.type.kind for expr in exprs} - {Kind.NULL}


def _exact(call: Call) -> bool:
    return all(e.domain.type.kind in EXACT for e in (call, *call.args))


def _chain(call: Call, fn: str) -> Iterator[Expr]:
    """The terms of a + b + c, as long as everything is exact."""
    stack: list[Expr] = [call]
    while stack:
        expr = stack.pop()
        if isinstance(expr, Call) and expr.fn == fn and _exact(expr):
            stack += expr.args
        else:
            yield expr


def _span(span: Interval) -> str:
    return f"{span.lo}..{span.hi}"


def same_value_type(kind: SqlType) -> bool:
    """Does equality of two columns of this type say that they hold the same value?

    Not so of floats, where 0.0 = -0.0.
    """
    return kind.kind is not Kind.FLOAT
