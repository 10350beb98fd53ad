"""A copy of a statement in which one private aggregate's SELECT is worded otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from sqlglot import exp

from dpsql.binding.context import Site
from dpsql.binding.undeclared import BOUNDS_PER_ROW
from dpsql.sql.spell import spell


class Draft:
    """Each method changes the copy; `text` is then a whole statement to parse and plan anew.

    Whether it still means something is for the planner to say: a draft may well be refused.
    """

    def __init__(self, root: exp.Expr, site: Site) -> None:
        self._root = root.copy()
        twins = {id(a): b for a, b in zip(root.walk(), self._root.walk(), strict=True)}
        select = twins[id(site.select)]
        assert isinstance(select, exp.Select)
        self._select = select
        self._nodes = {
            name: [twins[id(node)] for node in nodes if id(node) in twins]
            for name, nodes in site.columns.items()
        }

    @property
    def text(self) -> str:
        return spell(self._root)

    def options(self, values: Mapping[str, str]) -> Draft:
        """Set options of `SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(...)`."""
        hint = self._select.args.get("hint")
        pairs = [*hint.meta["privacy"]] if hint is not None else []
        gone = {*values, "max_error"} if "epsilon" in values else set(values)
        pairs = [pair for pair in pairs if pair.this.name.lower() not in gone]
        pairs += [
            exp.EQ(this=exp.column(name), expression=exp.Literal.number(value))
            for name, value in values.items()
        ]
        hint = exp.Hint(expressions=[])
        hint.meta["privacy"] = pairs
        self._select.set("hint", hint)
        return self

    def per_row(self, aggregates: Sequence[str], low: Fraction, high: Fraction) -> Draft:
        """Give calls of these columns bounds per row."""
        for name in aggregates:
            for node in self._nodes.get(name, ()):
                call = node.this if isinstance(node, exp.Filter) else node
                ends = exp.Tuple(expressions=[_number(low), _number(high)])
                call.meta["named"] = {BOUNDS_PER_ROW: ends}
        return self

    def truncated(self, key: str, unit: str) -> Draft:
        """Group by the date's month, quarter, ... instead of by what `key` is now."""
        for node in self._nodes.get(key, ()):
            inner = node.this if isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)) else node
            new: exp.Expr = exp.TimestampTrunc(this=inner.copy(), unit=exp.var(unit.upper()))
            if node.parent is self._select and isinstance(node, exp.Column):
                new = exp.alias_(new, node.name, quoted=True)
            node.replace(new)
        return self

    def without(self, column: str) -> Draft | None:
        """Leave a column out of GROUP BY, the SELECT list and ORDER BY; None if nothing is left.

        Ordinals are moved to where their columns are then.
        """
        gone = {id(node) for node in self._nodes.get(column, ())}

        def holds(node: exp.Expr) -> bool:
            return any(id(part) in gone for part in node.walk())

        old = self._select.expressions
        kept = [p for p in old if not holds(p)]
        if not kept:
            return None
        moved = {
            str(place): next((str(i) for i, p in enumerate(kept, 1) if p is projection), None)
            for place, projection in enumerate(old, 1)
        }
        names = {p.alias_or_name.casefold() for p in old if holds(p)} - {""}
        self._select.set("expressions", kept)
        for clause in ("group", "order"):
            node = self._select.args.get(clause)
            if node is None:
                continue
            terms = [t for t in node.expressions if not holds(t) and not _names(t, names)]
            terms = [t for t in terms if _move(t, moved)]
            if terms or node.args.get("all"):
                node.set("expressions", terms)
            else:
                self._select.set(clause, None)
        return self


def _term(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Ordered) else node


def _names(node: exp.Expr, names: set[str]) -> bool:
    term = _term(node)
    return isinstance(term, exp.Column) and not term.table and term.name.casefold() in names


def _move(node: exp.Expr, moved: Mapping[str, str | None]) -> bool:
    """Renumber an ordinal; False where its column is gone."""
    term = _term(node)
    if not isinstance(term, exp.Literal) or term.is_string:
        return True
    place = moved.get(str(term.this))
    if place is not None:
        term.set("this", place)
    return place is not None


def decimal(value: Fraction) -> str:
    """As SQL writes it: exact where the decimals end, else to 17 digits."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest > 1:
        return f"{float(value):.17f}"
    digits = 0
    while (value * 10**digits).denominator > 1:
        digits += 1
    whole = str(abs(value.numerator) * 10**digits // value.denominator).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole)


def _number(value: Fraction) -> exp.Expr:
    literal = exp.Literal.number(decimal(abs(value)))
    return exp.Neg(this=literal) if value < 0 else literal
