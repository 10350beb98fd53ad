"""What an enforced CHECK says of single columns: ends of a range, or a list of values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from dpsql.policy.literals import iso
from dpsql.setup.draft import End
from dpsql.setup.typed import in_order

Value = str | int

_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """Ends that no value passes (None: open), and all values there can be (None: not listed)."""

    low: End | None = None
    high: End | None = None
    values: tuple[Value, ...] | None = None

    def meet(self, other: Checked) -> Checked:
        """Both hold."""
        values = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None:
            values = tuple(value for value in self.values if value in other.values)
        return Checked(
            _pick(self.low, other.low, highest=True),
            _pick(self.high, other.high, highest=False),
            values,
        )

    @property
    def range(self) -> tuple[End, End] | None:
        """Both ends, if both are known, of one kind and in order."""
        if self.low is None or self.high is None or not in_order(self.low, self.high):
            return None
        return self.low, self.high


def read_check(expression: str) -> dict[str, Checked]:
    """By column name. What is not a comparison of a bare column with literals says nothing.

    A strict `x > 0` gives the end 0: a range may be wider than the truth, never narrower.
    """
    try:
        tree = parse_one(expression, read="duckdb")
    except SqlglotError:
        return {}
    found: dict[str, Checked] = {}
    for column, fact in _facts(tree):
        found[column] = found[column].meet(fact) if column in found else fact
    return found


def _facts(node: exp.Expr) -> Iterator[tuple[str, Checked]]:
    match node:
        case exp.Paren():
            yield from _facts(node.this)
        case exp.And():
            yield from _facts(node.this)
            yield from _facts(node.expression)
        case exp.Between():
            yield from _compared(node.this, exp.GTE, node.args["low"])
            yield from _compared(node.this, exp.LTE, node.args["high"])
        case exp.In() if isinstance(node.this, exp.Column) and node.expressions:
            values = [_value(item) for item in node.expressions]
            listed = tuple(value for value in values if value is not None)
            if len(listed) == len(values) and len({type(value) for value in listed}) == 1:
                yield node.this.name, Checked(values=tuple(dict.fromkeys(listed)))
        case exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.EQ():
            yield from _compared(node.this, type(node), node.expression)


def _compared(
    left: exp.Expr, kind: type[exp.Expr], right: exp.Expr
) -> Iterator[tuple[str, Checked]]:
    left, right = left.unnest(), right.unnest()
    if isinstance(right, exp.Column):
        left, right, kind = right, left, _FLIPPED[kind]
    end = _end(right)
    if not isinstance(left, exp.Column) or end is None:
        return
    low = end if kind in (exp.GT, exp.GTE, exp.EQ) else None
    high = end if kind in (exp.LT, exp.LTE, exp.EQ) else None
    yield left.name, Checked(low, high)


def _end(node: exp.Expr) -> End | None:
    """A number or a date; DuckDB prints a DATE literal as CAST('2020-01-01' AS "DATE")."""
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return iso(node.this.name) if isinstance(node.this, exp.Literal) else None
    if isinstance(node, exp.Neg):
        inner = _end(node.this)
        return -inner if isinstance(inner, Fraction) else None
    if isinstance(node, exp.Literal) and node.is_string:
        return iso(node.name)
    if isinstance(node, exp.Literal):
        try:
            return Fraction(node.name)
        except ValueError:
            return None
    return None


def _value(node: exp.Expr) -> Value | None:
    node = node.unnest()
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.name)
    end = _end(node)
    return int(end) if isinstance(end, Fraction) and end.denominator == 1 else None


def _pick(one: End | None, other: End | None, *, highest: bool) -> End | None:
    """The tighter of two ends; two that cannot be compared leave the first."""
    if one is None or other is None:
        return other if one is None else one
    return other if in_order(one, other) == highest else one
