"""Names in sight of an expression below the noise line, and the reading of expressions."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NoReturn

from sqlglot import exp

from dpsql import aggregates, functions
from dpsql.binding.context import Context
from dpsql.core import nearest
from dpsql.core.domain import Domain, Kind, Scalar, of_literal
from dpsql.core.ir import Call, Col, Expr, Lit, Unknown
from dpsql.functions.refused import why_refused
from dpsql.functions.weight import weighed
from dpsql.sql.written import written

_NOTHING = Lit(None, of_literal(None))
"""What has no type but NULL's, such as NULLIF(NULL, x), is NULL."""

FUNCTIONS = functions.names_of(aggregates.NODES, (*functions.KNOWN, *aggregates.CALLS))
"""Every name that can be called on people's rows."""

MAX_DIGITS = 38  # of an exact number: DECIMAL's, and one less than HUGEINT's largest has
_DIGITS = re.compile(r"[0-9]+")
_POINTED = re.compile(r"[0-9]+\.[0-9]*|\.[0-9]+")
MAX_JOINED = 64  # how many texts one text may be made of

Narrowing = Mapping[tuple[int, str], Callable[[Domain], Domain]]


@dataclass(frozen=True)
class Exposed:
    """One FROM item as the SELECT sees it: its alias and, in order, its columns."""

    alias: str
    columns: Mapping[str, Expr]
    hidden: frozenset[str] = frozenset()
    """Columns of a USING, in sight by their table's name alone (case-folded)."""

    def visible(self, name: str) -> Expr | None:
        return None if name.casefold() in self.hidden else self.find(name)

    def find(self, name: str) -> Expr | None:
        if name in self.columns:
            return self.columns[name]
        folded = name.casefold()
        return next((e for n, e in self.columns.items() if n.casefold() == folded), None)


@dataclass
class Scope:
    """Resolves columns by scope, never by spelling; implements `functions.Scope`."""

    context: Context
    exposed: list[Exposed] = field(default_factory=list)
    narrowing: Narrowing = field(default_factory=dict)
    aliases: Mapping[str, exp.Expr] = field(default_factory=dict)
    trusting: bool = False
    value: Callable[[exp.Expr, Scope], Unknown] | None = None
    """Reads a subquery that stands for one value; None where none may."""
    _open_aliases: set[str] = field(default_factory=set)

    def narrowed(self, narrowing: Narrowing) -> Scope:
        """The same names, with what a filter tells about the rows that pass it."""
        merged = dict(self.narrowing)
        for column, change in narrowing.items():
            before = merged.get(column)
            merged[column] = change if before is None else _then(before, change)
        return replace(self, narrowing=merged)

    # ---- functions.Scope ---------------------------------------------------------------

    def expr(self, node: exp.Expr) -> Expr:
        if isinstance(node, exp.Paren):
            return self.expr(node.this)
        if isinstance(node, exp.Column):
            return self.column(node)
        if isinstance(node, (exp.Literal, exp.Boolean, exp.Null)):
            return self.literal(node)
        if isinstance(node, exp.Subquery) and self.value is not None:
            return self.value(node, self)
        if aggregates.for_node(node) is not None or isinstance(node, (exp.AggFunc, exp.Filter)):
            self.refuse(
                node,
                "aggregate-here",
                "an aggregate cannot stand here, inside another aggregate or a row's condition",
                "conditions on aggregates stand in HAVING; or aggregate in a subquery first,"
                " GROUP BY the unit there",
            )
        function = functions.for_node(node)
        if function is None:
            self._unknown_node(node)
        expr = weighed(node, functions.bind(function, node, self), self)
        return _NOTHING if expr.domain.type.kind is Kind.NULL else expr

    def informed(self, node: exp.Expr) -> Expr:
        """For keys and aggregated values: the expression, with all that filters and policy tell.

        What they tell (no NULL, a finite list) describes the result, but must not lighten the
        guards inside it: an engine may evaluate it on rows that do not pass the filter, and a
        policy may be wrong. So it is bound twice, and only the outcome's domain is exchanged.
        """
        safe = self.expr(node)
        told = replace(self, trusting=True).expr(node).domain
        return replace(safe, domain=told.with_(certain=safe.domain.certain))

    def key(self, node: exp.Expr) -> Expr:
        """`informed` of a group key, whose NULL is a group only where rows of the domain have it.

        A part of a moment is NULL for the infinities, too. They lie outside of a declared range,
        and rows outside of the domain are in no group.
        """
        expr = self.informed(node)
        told = replace(self, trusting=True).expr(node)
        if isinstance(told, Call) and told.fn in ("date_part", "date_trunc"):
            (moment,) = (arg.domain for arg in told.args)
            if moment.bounds.bounded and not moment.nullable:
                return replace(expr, domain=expr.domain.with_(nullable=False))
        return expr

    def condition(self, node: exp.Expr) -> Expr:
        """A boolean expression; the engine would cast anything else, and casts can raise."""
        expr = self.expr(node)
        if expr.domain.type.kind not in (Kind.BOOLEAN, Kind.NULL):
            self.invalid(
                node, "type-mismatch", f"a condition must be boolean, this is {expr.domain.type}"
            )
        return expr

    def refuse(self, node: exp.Expr, code: str, message: str, hint: str = "") -> NoReturn:
        self.context.refuse(node, code, message, hint)

    def invalid(self, node: exp.Expr, code: str, message: str, hint: str = "") -> NoReturn:
        self.context.invalid(node, code, message, hint)

    # ---- leaves ------------------------------------------------------------------------

    def literal(self, node: exp.Literal | exp.Boolean | exp.Null) -> Lit:
        value: Scalar | None
        if isinstance(node, exp.Null):
            value = None
        elif isinstance(node, exp.Boolean):
            value = bool(node.this)
        elif node.is_string:
            value = str(node.this)
        else:
            value = self._number(node)
        return Lit(value, of_literal(value))

    def _number(self, node: exp.Literal) -> Scalar:
        """The number as DuckDB reads it; what it has no exact type for, 39 digits on, is refused.

        DuckDB's own reading of so many digits is one of HUGEINT, UHUGEINT, BIGNUM and DOUBLE, by
        length and version, and a cast of them to DECIMAL(38, s) raises where a row reaches it.
        """
        text = str(node.this)
        if _DIGITS.fullmatch(text):
            significant = text.lstrip("0") or "0"
            if len(significant) <= MAX_DIGITS:
                return int(significant)
            self._too_many_digits(node, text)
        if _POINTED.fullmatch(text):
            if len(text) <= MAX_DIGITS + 1:
                return Decimal(text)
            self._too_many_digits(node, text)
        if "e" in text.lower():
            with contextlib.suppress(ValueError):
                value = float(text)
                if math.isfinite(value):
                    return value
        self.invalid(node, "bad-literal", f"{text[:40]} is not a number that can be used here")

    def _too_many_digits(self, node: exp.Literal, text: str) -> NoReturn:
        self.invalid(
            node,
            "bad-literal",
            f"{text[:20]}... has more than {MAX_DIGITS} digits, more than an exact number can have",
            "write it with an exponent, as a DOUBLE: 1e38, 0.1e0",
        )

    def column(self, node: exp.Column) -> Expr:
        """Resolve a column. Rows have columns only; aliases are tried last, as DuckDB does."""
        if isinstance(node.this, exp.Star):
            self.refuse(node, "star-here", "* can only stand alone in a SELECT list or in COUNT(*)")
        if node.args.get("catalog"):
            self.unknown_column(node)
        name, table = node.name, node.table.casefold()
        found = [
            expr
            for item in self.exposed
            if not table or item.alias.casefold() == table
            if (expr := item.find(name) if table else item.visible(name)) is not None
        ]
        if len(found) > 1:
            self.invalid(
                node,
                "ambiguous-column",
                f"column {name} is in more than one table here",
                f"write it with its table: {self.exposed[0].alias}.{name}",
            )
        if found:
            return self._narrow(found[0])
        return self._alias(node)

    def _narrow(self, expr: Expr) -> Expr:
        """What filters and policy tell decides clamps and public keys, not overflow guards.

        So `certain` stays what it is for all rows, and so does nullability, on which the range of
        COALESCE, LEAST and GREATEST rests, unless the caller wants the outcome only (`informed`).
        """
        if isinstance(expr, Col) and (change := self.narrowing.get((expr.source, expr.name))):
            told = change(expr.domain).with_(certain=expr.domain.certain)
            if not self.trusting:
                told = told.with_(nullable=expr.domain.nullable)
            return replace(expr, domain=told)
        return expr

    def _alias(self, node: exp.Column) -> Expr:
        name = node.name.casefold()
        target = None if node.table else self.aliases.get(name)
        if target is None or name in self._open_aliases:
            self.unknown_column(node)
        self._open_aliases.add(name)
        try:
            return self.expr(target)
        finally:
            self._open_aliases.discard(name)

    def unknown_column(self, node: exp.Column) -> NoReturn:
        table = node.table.casefold()
        tables = [item for item in self.exposed if not table or item.alias.casefold() == table]
        if table and not tables:
            self.invalid(
                node,
                "unknown-column",
                f"there is no table or alias {node.table} here",
                nearest.hint(node.table, [item.alias for item in self.exposed]),
            )
        names = list(dict.fromkeys(name for item in tables for name in item.columns))
        self.invalid(
            node,
            "unknown-column",
            f"there is no column {node.name}" + (f" in {node.table}" if table else ""),
            nearest.hint(
                node.name,
                names if table else [*names, *self.aliases],
                f"columns: {', '.join(names[:20])}",
            )
            + _text_quotes(node),
        )

    def _unknown_node(self, node: exp.Expr) -> NoReturn:
        if isinstance(node, (exp.Subquery, exp.Select, exp.Exists, exp.In)):
            self.refuse(
                node,
                "subquery",
                "a subquery cannot stand here",
                "`unit IN (SELECT unit FROM ...)` as a condition of its own is supported",
            )
        if isinstance(node, exp.Window):
            self.refuse(
                node,
                "window-over-rows",
                "a window over people's rows would mix units",
                "windows over the released groups are free: use them on the outer SELECT",
            )
        if isinstance(node, (exp.Placeholder, exp.Parameter)):
            self.invalid(node, "bad-parameter", "this parameter was given no value")
        if isinstance(node, (exp.Func, exp.Anonymous)):
            name = written(node, self.context.text)
        else:
            name = node.key
        if (known := why_refused(node)) is not None:
            reason, way = known
            self.refuse(
                node,
                "unsupported-function",
                f"{name} is not available on people's rows: {reason}",
                way,
            )
        if isinstance(node, (exp.Func, exp.Anonymous)):
            self.refuse(
                node,
                "unsupported-function",
                f"function {name} is not available on people's rows",
                nearest.hint(name, FUNCTIONS, _way_for(name)),
            )
        self.refuse(
            node,
            "unsupported-expression",
            f"{type(node).__name__} expressions are not available on people's rows",
            _WAYS.get(type(node), ""),
        )


_COMPARE = "compare with one value that is released: x > (SELECT MAX(y) FROM ...)"
_WAYS: dict[type[exp.Expr], str] = {
    exp.Values: "list the values themselves: x IN ('a', 'b')",
    exp.All: _COMPARE,
    exp.Any: _COMPARE,
}
_OTHERWISE = {
    "product": "the geometric mean is answered: EXP(AVG(LN(x))) over rows WHERE x >= 1",
    "histogram": "group by the value and COUNT(*); numbers by range: GROUP BY FLOOR(x / 10) * 10",
}
"""Aggregates that only some engines know, and what is answered in their place."""


def _way_for(name: str) -> str:
    return _OTHERWISE.get(name, "docs/reference/sql.md lists the functions that are")


def _text_quotes(node: exp.Column) -> str:
    """Double quotes make names: who came from another SQL may have meant a text."""
    if not node.this.args.get("quoted") or node.table or len(node.name) > 40:
        return ""
    return f"; a text takes single quotes: {exp.Literal.string(node.name).sql()}"


def _then(
    first: Callable[[Domain], Domain], second: Callable[[Domain], Domain]
) -> Callable[[Domain], Domain]:
    return lambda domain: second(first(domain))
