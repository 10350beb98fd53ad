"""Of which kind an expression of Spark's text is, by what stands there and by the catalog.

Spark converts silently, and raises over what cannot be converted: a text beside a number, a text
that is asked for its year. So the reader asks of what kind things are before it lets them meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.foreign_constants import digits
from dpsql.certify.foreign_shapes import bare
from dpsql.certify.spark_text import word_of
from dpsql.certify.spark_words import GIVES, OF_ALL, OF_ITS_FIRST
from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import NUMERIC, Kind

_D = exp.DType
_KINDS = {
    **dict.fromkeys((_D.TINYINT, _D.SMALLINT, _D.INT, _D.BIGINT), Kind.INTEGER),
    _D.DOUBLE: Kind.FLOAT,
    _D.TEXT: Kind.TEXT,
    _D.BOOLEAN: Kind.BOOLEAN,
    _D.DATE: Kind.DATE,
    **dict.fromkeys((_D.TIMESTAMP, _D.TIMESTAMPNTZ, _D.TIMESTAMPTZ), Kind.TIMESTAMP),
}
_TRUTHS = (
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ),
    *(exp.Is, exp.Between, exp.In, exp.Escape, exp.RegexpLike, exp.Boolean),
)
Columns = Mapping[str, Kind | None]


class Kinds:
    """`sources`: alias → folded name → kind, of all that was read so far."""

    def __init__(self) -> None:
        self.sources: dict[str, Columns] = {}
        self.near: list[str] = []
        """Aliases of the SELECT that is read, where names stand without one."""
        self.last: Columns = {}
        """The columns of the query that was read last."""

    def of(self, node: exp.Expr) -> Kind | None:
        node = bare(node)
        if isinstance(node, exp.Literal):
            if node.is_string:
                return Kind.TEXT
            plain = str(node.this).isdigit()
            return Kind.INTEGER if plain else Kind.DECIMAL
        if isinstance(node, exp.Null):
            return Kind.NULL
        if isinstance(node, _TRUTHS):
            return Kind.BOOLEAN
        if isinstance(node, exp.Cast):
            return kind_of_type(node.to)
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, (exp.Neg, exp.Window, exp.Filter)):
            return self.of(node.this)
        if isinstance(node, exp.Case):
            given = [one.args["true"] for one in node.args["ifs"]]
            default = node.args.get("default")
            return self.joined(given if default is None else [*given, default])
        if isinstance(node, (exp.Trim, exp.DPipe)):
            return Kind.TEXT
        if isinstance(node, exp.IntDiv):
            return Kind.INTEGER
        if isinstance(node, (exp.Add, exp.Sub)):
            return Kind.TIMESTAMP  # by an interval: no other is let in
        return self._called(node)

    def _called(self, node: exp.Expr) -> Kind | None:
        word = word_of(node)
        if word in GIVES:
            return GIVES[word]
        parts = node.expressions
        if word in OF_ITS_FIRST and parts:
            return self.of(parts[0])
        return self.joined(parts) if word in OF_ALL and parts else None

    def _column(self, node: exp.Column) -> Kind | None:
        alias = node.table
        places = [alias] if alias else self.near
        for one in places:
            columns = self.sources.get(one, {})
            if node.name.casefold() in columns:
                return columns[node.name.casefold()]
        return None

    def joined(self, nodes: Iterable[exp.Expr]) -> Kind | None:
        """Of what is brought to one type; None where a part is of no known kind."""
        return together([self.of(node) for node in nodes])

    def meet(self, *nodes: exp.Expr) -> None:
        """Are they of one kind, or all numbers?"""
        require(self.joined(nodes) is not None, "what meets is of one kind")

    def numbers(self, *nodes: exp.Expr) -> None:
        for node in nodes:
            number = self.of(node) in NUMERIC or self.of(node) is Kind.NULL
            require(number, "arithmetic is of numbers")


def together(kinds: list[Kind | None]) -> Kind | None:
    known = {kind for kind in kinds if kind is not Kind.NULL}
    if not known:
        return Kind.NULL
    if len(known) == 1:
        return known.pop()
    if None in known or not known <= NUMERIC:
        return None
    return Kind.FLOAT if Kind.FLOAT in known else Kind.DECIMAL


def kind_of_type(to: exp.DataType) -> Kind | None:
    if to.this is _D.DECIMAL:
        return Kind.DECIMAL if digits(to)[1] else Kind.INTEGER
    return _KINDS.get(to.this)


def kind_of_column(column: CatalogColumn) -> Kind:
    kind = column.type.kind
    if kind is Kind.DECIMAL and not column.type.scale:
        return Kind.INTEGER
    return kind
