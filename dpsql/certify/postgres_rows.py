"""PostgreSQL's expressions over one row as the normal form has them.

Guards, which give NULL or 0 where PostgreSQL would raise, are read as what they guard; attempts,
which test before they cast, as TRY_CAST. Each must be exactly of its shape: a guard of another
expression, another constant, a cast to another type is a word that is not known.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import NUMBER, constant, digits, is_text
from dpsql.certify.foreign_rows import ForeignRows, Sources
from dpsql.certify.foreign_shapes import Read, bare, only, same
from dpsql.certify.postgres_attempts import attempt, branch, spelled
from dpsql.certify.postgres_calls import call
from dpsql.certify.postgres_guards import size_guard, zero_guard
from dpsql.certify.postgres_moments import moved, part
from dpsql.certify.postgres_rounding import nearest, shaped
from dpsql.certify.postgres_text import match
from dpsql.certify.postgres_types import is_given, is_whole, type_of

_D = exp.DType
_BINARY = {
    *(exp.And, exp.Or, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
    *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.Add, exp.Sub, exp.Mul, exp.Mod),
}


class Rows(ForeignRows):
    def __init__(self, tables: Sources, outer: Read) -> None:
        super().__init__(tables, outer)
        self._texts: list[tuple[exp.Expr, exp.DType]] = []
        """Texts that a pattern in front says spell a value of a type."""

    def read(self, node: exp.Expr) -> exp.Expr:
        node = bare(node)
        leaf = self._leaf(node)
        if leaf is not None:
            return leaf
        if type(node) in _BINARY:
            return self._binary(node)
        own = _OWN.get(type(node))
        if own is None:
            refuse("a construct is not on the list")
        return own(self, node)

    # ---- leaves --------------------------------------------------------------------------

    def _leaf(self, node: exp.Expr) -> exp.Expr | None:
        """A column under the conversion that its type asks for, and under no other."""
        if isinstance(node, exp.Cast) and (number := match(_NOT_NAN, node.this)) is not None:
            column = self._base(number["_c"])
            if column is not None and column.stored == "numeric":
                own = (column.type.precision, column.type.scale)
                require(digits(node.to) == own, "a column keeps its digits")
                return self._named(number["_c"])
        for stored, shape in _CONVERSIONS.items():
            found = match(shape, node)
            column = None if found is None else self._base(found["_c"])
            if found is None or column is None or column.stored not in stored.split():
                continue
            return self._named(found["_c"])
        return None

    def literal(self, node: exp.Expr) -> exp.Expr:
        if node.is_string:
            return exp.Literal.string(str(node.this))
        require(NUMBER.match(str(node.this)) is not None, "numbers are plain")
        return exp.Literal.number(str(node.this))

    # ---- conditions and arithmetic -------------------------------------------------------

    def _binary(self, node: exp.Expr) -> exp.Expr:
        special = moved(node, self._outer) or self._finite(node) or nearest(node, self._outer)
        if special is not None:
            return special
        only(node, "this", "expression")  # sqlglot's IS NOT and NOT LIKE are a flag beside
        right = node.args["expression"]
        if isinstance(node, exp.Add) and match("CAST('0.0' AS DP )", right) is not None:
            return exp.Add(this=self._put(node.this), expression=exp.Literal.number("0.0"))
        if isinstance(node, exp.Is):
            require(isinstance(right, (exp.Null, exp.Boolean)), "IS takes NULL, TRUE or FALSE")
        return type(node)(this=self._put(node.this), expression=self._put(right))

    def _finite(self, node: exp.Expr) -> exp.Expr | None:
        found = match("pg_catalog.abs(_x) < CAST('Infinity' AS DP )", node)
        if found is None:
            return None
        return exp.Anonymous(this="ISFINITE", expressions=[self._outer(found["_x"])])

    def division(self, node: exp.Expr) -> exp.Expr:
        """Of floats where both sides are cast to one, of integers where both certainly are."""
        sides = [bare(node.this), bare(node.args["expression"])]
        if all(isinstance(one, exp.Cast) and one.to.this is _D.DOUBLE for one in sides):
            return exp.Div(this=self._put(sides[0]), expression=self._put(sides[1]))
        require(all(map(is_whole, sides)), "a division is of floats or of integers")
        return exp.IntDiv(this=self._put(sides[0]), expression=self._put(sides[1]))

    def one(self, node: exp.Expr) -> exp.Expr:
        only(node, "this")
        return type(node)(this=self._put(node.this))

    def between(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "low", "high")
        parts = {part: self._put(node.args[part]) for part in ("this", "low", "high")}
        return exp.Between(**parts)

    def among(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "expressions", "query")
        value, query = self._put(node.this), node.args.get("query")
        if query is not None:
            return exp.In(this=value, query=self._outer(query))
        return exp.In(this=value, expressions=[self._outer(one) for one in node.expressions])

    def like(self, node: exp.Expr) -> exp.Expr:
        """PostgreSQL's backslash is an escape unless another is named: '' names none."""
        test, escape = bare(node.this), node.args["expression"]
        require(type(test) in (exp.Like, exp.ILike) and is_text(escape), "LIKE says its escape")
        only(test, "this", "expression")
        require(is_text(test.args["expression"]), "a pattern is a literal")
        found = type(test)(this=self._put(test.this), expression=test.args["expression"].copy())
        if not escape.this:
            return found
        return exp.Escape(this=found, expression=escape.copy())

    def collated(self, node: exp.Expr) -> exp.Expr:
        """By bytes, as the normal form compares all texts."""
        only(node, "this", "expression")
        order = node.args["expression"]
        require(isinstance(order, exp.Identifier) and order.this == "C", "texts by their bytes")
        return self._outer(node.this)

    def several(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "expressions", "ignore_nulls")
        first, rest = self._outer(node.this), [self._outer(one) for one in node.expressions]
        if isinstance(node, exp.Coalesce):
            return exp.Coalesce(this=first, expressions=rest)
        require(bool(node.args.get("ignore_nulls")), "LEAST and GREATEST skip NULL")
        return type(node)(this=first, expressions=rest, ignore_nulls=True)

    def nullif(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "expression")
        return exp.Nullif(
            this=self._outer(node.this), expression=self._outer(node.args["expression"])
        )

    # ---- choices and guards --------------------------------------------------------------

    def case(self, node: exp.Expr) -> exp.Expr:
        for guard in (size_guard, zero_guard):
            inner = guard(node)
            if inner is not None:
                return self._outer(inner)
        found = attempt(node, self._outer) or self._spelled(node) or shaped(node, self._outer)
        if found is not None:
            return found
        only(node, "this", "ifs", "default")
        ifs = [
            exp.If(this=self._outer(one.this), true=branch(one, self._outer))
            for one in node.args["ifs"]
        ]
        subject, default = node.this, node.args.get("default")
        return exp.Case(
            this=None if subject is None else self._outer(subject),
            ifs=ifs,
            default=None if default is None else self._outer(default),
        )

    def _spelled(self, node: exp.Expr) -> exp.Expr | None:
        found = spelled(node)
        if found is None:
            return None
        text, kind, value = found
        self._texts.append((text, kind))
        read = self._outer(value)
        self._texts.pop()
        return read

    # ---- casts and calls -----------------------------------------------------------------

    def given(self, node: exp.Expr) -> exp.Expr:
        """A public value beside the text: under a cast that says of which type it is."""
        name = node.this.this if isinstance(node.this, exp.Placeholder) else None
        if not isinstance(name, exp.Identifier) or not isinstance(node, exp.Cast):
            refuse("a given value has its name")
        return exp.Cast(this=exp.Placeholder(this=str(name.this)), to=type_of(node.to))

    def cast(self, node: exp.Expr) -> exp.Expr:
        assert isinstance(node, exp.Cast)
        source, to = bare(node.this), node.to
        only(node, "this", "to")
        if isinstance(source, exp.Placeholder):
            return self.given(node)
        if is_text(source):
            return constant(str(source.this), type_of(to))
        found = part(node, self._outer)
        if found is not None:
            return found
        if to.this is _D.DECIMAL and not to.expressions:
            require(is_whole(source) or is_given(source), "a NUMERIC of ours is an integer's")
        if any(kind is to.this and same(source, one) for one, kind in self._texts):
            return exp.TryCast(this=self._outer(source), to=type_of(to), safe=True)
        return exp.Cast(this=self._outer(source), to=type_of(to))


_NOT_NAN = "NULLIF(_c, CAST('NaN' AS NUMERIC))"
_CONVERSIONS = {
    "number": (
        f"CASE WHEN _c BETWEEN (- CAST('1{'0' * 300}' AS NUMERIC)) AND"
        f" CAST('1{'0' * 300}' AS NUMERIC) THEN CAST(pg_catalog.round(_c, 40) AS DP ) END"
    ),
    "real": "CAST(_c AS DP )",
    "zoned": "pg_catalog.timezone('UTC', _c)",
    "padded label": "CAST(_c AS TEXT)",
    "collated": '_c COLLATE "default"',
}
"""What must stand around a column that is stored otherwise than it is read."""

_OWN: dict[type[exp.Expr], Callable[[Rows, exp.Expr], exp.Expr]] = {
    exp.Column: Rows.column,
    exp.Literal: Rows.literal,
    **dict.fromkeys((exp.Null, exp.Boolean), Rows.plain),
    **dict.fromkeys((exp.Not, exp.Neg), Rows.one),
    exp.Div: Rows.division,
    exp.Between: Rows.between,
    exp.In: Rows.among,
    exp.Escape: Rows.like,
    exp.Collate: Rows.collated,
    exp.DPipe: lambda self, node: exp.DPipe(
        this=self._put(node.this), expression=self._put(node.args["expression"]), safe=True
    ),
    **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least), Rows.several),
    exp.Nullif: Rows.nullif,
    exp.Case: Rows.case,
    exp.Cast: Rows.cast,
    exp.Dot: lambda self, node: call(node, self._outer),
}
