"""Expressions over one row in PostgreSQL: leaves, conditions, choices; families have their files.

A column that is read through a conversion (`postgres_types`) has it written around it. What has no
entry in the tables below is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects import postgres_casts as casts
from dpsql.dialects import postgres_hashes as hashes
from dpsql.dialects import postgres_moments as moments
from dpsql.dialects import postgres_numbers as numbers
from dpsql.dialects import postgres_texts as texts
from dpsql.dialects.postgres_columns import read
from dpsql.dialects.postgres_narrow import small
from dpsql.dialects.postgres_terms import (
    Term,
    byte_order,
    call,
    form,
    name,
    number,
    pair,
    refuse,
    text,
)
from dpsql.dialects.told import BOOL, INT, NOTHING, TEXT, Sources, column_in, constant, joined
from dpsql.dialects.writing import NotThere
from dpsql.sql.caret import title


@dataclass
class Scalars:
    """Writes the expressions of one SELECT. `inner`: how a subquery of it is written."""

    sources: Sources
    inner: Callable[[exp.Expr], str]
    outer: Scalars | None = None
    narrow: bool = False
    bounded: dict[exp.Expr, float] = field(default_factory=dict)
    """What a test in front says lies within constants, and its largest size."""
    aggregate: Callable[[exp.Expr, Scalars], Term | None] | None = None

    def write(self, node: exp.Expr) -> Term:
        if isinstance(node, exp.Paren):
            return self.write(node.this)
        try:
            found = None if self.aggregate is None else self.aggregate(node, self)
            if found is not None:
                return found
            own = _OWN.get(type(node))
            if own is not None:
                return own(self, node)
            family = _FAMILIES.get(type(node))
            if family is not None:
                return family(node, self.write)
            refuse(title(node))
        except NotThere as problem:
            problem.node = problem.node or node  # the innermost is what there is no form of
            raise

    @contextmanager
    def within(self, test: exp.Expr) -> Iterator[None]:
        """In what a CASE gives where `test`, x BETWEEN two constants, holds."""
        before, test = self.bounded, test.unnest()
        ends = [constant(test.args[end]) for end in ("low", "high")] if _between(test) else []
        if ends and None not in ends:
            most = max(abs(end) for end in ends if end is not None)
            self.bounded = {**before, test.this.unnest(): most}
        yield
        self.bounded = before

    def column(self, node: exp.Expr) -> Term:
        found = column_in(node, self.levels, name)
        if found is None:
            refuse(f"the column {node.name}")
        sql, seen = found
        return Term(sql if seen.base is None else read(sql, seen.base), seen.told)

    @property
    def levels(self) -> list[Sources]:
        """The sources of this SELECT, and those of the ones around it."""
        return [self.sources, *(self.outer.levels if self.outer is not None else ())]


# ---- leaves ----------------------------------------------------------------------------------


def _literal(self: Scalars, node: exp.Expr) -> Term:
    return Term(text(node.name), TEXT) if node.is_string else number(node.name)


def _truth(self: Scalars, node: exp.Expr) -> Term:
    return Term("TRUE" if node.this else "FALSE", BOOL)


def _nothing(self: Scalars, node: exp.Expr) -> Term:
    return Term("NULL", NOTHING)


# ---- conditions ------------------------------------------------------------------------------

_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
    exp.And: "AND",
    exp.Or: "OR",
}
_ORDERED = (exp.LT, exp.LTE, exp.GT, exp.GTE)


def _binary(self: Scalars, node: exp.Expr) -> Term:
    sides = [self.write(node.this), self.write(node.args["expression"])]
    if isinstance(node, (exp.And, exp.Or)):  # a chain is flat: depth is dear
        flat = type(node)
        parts = [
            one.sql[1:-1] if isinstance(side.unnest(), flat) and side is node.this else one.sql
            for side, one in zip((node.this, node.args["expression"]), sides, strict=True)
        ]
        return Term(pair(parts[0], _SIGNS[flat], parts[1]), BOOL)
    _comparable(sides)
    left = byte_order(sides[0]) if isinstance(node, _ORDERED) else sides[0].sql
    return Term(pair(left, _SIGNS[type(node)], sides[1].sql), BOOL)


def _comparable(sides: list[Term]) -> None:
    kinds = {side.told.kind for side in sides}
    if kinds == {Kind.DATE, Kind.TIMESTAMP}:
        refuse("a date compared with a timestamp")


def _not(self: Scalars, node: exp.Expr) -> Term:
    return Term(f"(NOT {self.write(node.this).sql})", BOOL)


def _is(self: Scalars, node: exp.Expr) -> Term:
    return Term(f"({self.write(node.this).sql} IS {self.write(node.args['expression']).sql})", BOOL)


def _between(node: exp.Expr) -> bool:
    return type(node) is exp.Between


def _in_between(self: Scalars, node: exp.Expr) -> Term:
    terms = [self.write(node.args[part]) for part in ("this", "low", "high")]
    _comparable(terms)
    value = byte_order(terms[0])
    return Term(f"({value} BETWEEN {terms[1].sql} AND {terms[2].sql})", BOOL)


def _in(self: Scalars, node: exp.Expr) -> Term:
    value = self.write(node.this)
    query = node.args.get("query")
    if query is not None:
        return Term(f"({value.sql} IN ({self.inner(query.unnest())}))", BOOL)
    items = [self.write(item) for item in node.expressions]
    _comparable([value, *items])
    return Term(f"({value.sql} IN ({', '.join(item.sql for item in items)}))", BOOL)


def _finite(self: Scalars, node: exp.Expr) -> Term:
    value = self.write(node.expressions[0])
    if value.told.kind in (Kind.DATE, Kind.TIMESTAMP):
        return Term(call("ISFINITE", value.sql), BOOL)
    sql = numbers.as_float(value).sql
    return Term(f"({call('ABS', sql)} < CAST('Infinity' AS DOUBLE PRECISION))", BOOL)


# ---- choices ---------------------------------------------------------------------------------


def _case(self: Scalars, node: exp.Expr) -> Term:
    if (guarded := _guarded(node)) is not None:
        value = self.write(guarded)
        if value.finite:  # here no infinity comes of arithmetic
            return value
    subject = None if node.this is None else self.write(node.this)
    tests, given = [], []
    narrow = self.narrow and isinstance(node, exp.Case) and small(node)
    self.narrow = False  # of what stands inside nothing is said
    result = _narrow if narrow else Scalars.write
    for branch in node.args["ifs"]:
        tests.append(self.write(branch.this))
        with self.within(branch.this):
            given.append(result(self, branch.args["true"]))
    default = node.args.get("default")
    if default is not None:
        given.append(result(self, default))
    whens = " ".join(
        f"WHEN {test.sql} THEN {value.sql}" for test, value in zip(tests, given, strict=False)
    )
    otherwise = "" if default is None else f" ELSE {given[-1].sql}"
    head = "" if subject is None else f" {subject.sql}"
    return Term(f"CASE{head} {whens}{otherwise} END", joined([one.told for one in given]))


def _guarded(node: exp.Expr) -> exp.Expr | None:
    """x of CASE WHEN ISFINITE(x) THEN x END."""
    branches = node.args["ifs"]
    if node.this is not None or len(branches) != 1 or node.args.get("default") is not None:
        return None
    test, value = branches[0].this.unnest(), branches[0].args["true"].unnest()
    same = isinstance(test, exp.Anonymous) and str(test.this).upper() == "ISFINITE"
    return value if same and test.expressions[0].unnest() == value else None


_FITS = {exp.DType.BIGINT: 2.0**62, exp.DType.INT: 2.0**30}


def _narrow(self: Scalars, node: exp.Expr) -> Term:
    """A row's value that fits an INT (`small`): its outermost cast is one to INT."""
    node = node.unnest()
    if isinstance(node, (exp.Add, exp.Sub)) and isinstance(node.this.unnest(), exp.Cast):
        value, other = _narrow(self, node.this), self.write(node.args["expression"])
        if value.told == INT and other.told == INT:
            return Term(pair(value.sql, "+" if isinstance(node, exp.Add) else "-", other.sql), INT)
    if isinstance(node, exp.Cast) and node.to.this is exp.DType.BIGINT:
        narrow = exp.DataType(this=exp.DType.INT, nested=False)
        node = type(node)(this=node.this, to=narrow, safe=node.args.get("safe"))
    return self.write(node)


def _cast(self: Scalars, node: exp.Expr) -> Term:
    assert isinstance(node, exp.Cast)
    attempt = isinstance(node, exp.TryCast)
    product = node.this.unnest()
    if attempt and type(product) is exp.Mul and node.to.this in _FITS:
        factor, most = constant(product.args["expression"]), self.bounded.get(product.this.unnest())
        if factor is not None and most is not None and most * abs(factor) < _FITS[node.to.this]:
            node = exp.Cast(this=node.this, to=node.to)  # the test in front says that it fits
    return casts.converted(node, self.write)


def _coalesce(self: Scalars, node: exp.Expr) -> Term:
    terms = [self.write(part) for part in (node.this, *node.expressions)]
    return Term(form("COALESCE", *(one.sql for one in terms)), joined([t.told for t in terms]))


def _nullif(self: Scalars, node: exp.Expr) -> Term:
    a, b = self.write(node.this), self.write(node.args["expression"])
    return Term(form("NULLIF", a.sql, b.sql), a.told)


def _extreme(self: Scalars, node: exp.Expr) -> Term:
    terms = [self.write(part) for part in (node.this, *node.expressions)]
    word = "LEAST" if isinstance(node, exp.Least) else "GREATEST"
    first, *rest = terms
    shown = [byte_order(first), *(one.sql for one in rest)]
    return Term(form(word, *shown), joined([t.told for t in terms]))


# ---- arithmetic, functions -------------------------------------------------------------------


def _arithmetic(self: Scalars, node: exp.Expr) -> Term:
    if isinstance(node.args["expression"], exp.Interval):
        return moments.shifted(node, self.write)
    return numbers.arithmetic(node, self.write, self.bounded)


def _anonymous(self: Scalars, node: exp.Expr) -> Term:
    assert isinstance(node, exp.Anonymous)
    word = str(node.this).upper()
    if word == "ISFINITE":
        return _finite(self, node)
    if word == "DATE_PART":
        return moments.part(node, self.write)
    if word == "STRLEN":
        return texts.octets(node, self.write)
    if word == "HASH":
        return hashes.hashed(node, self.write)
    refuse(title(node))


_OWN: dict[type[exp.Expr], Callable[[Scalars, exp.Expr], Term]] = {
    exp.Column: Scalars.column,
    exp.Literal: _literal,
    exp.Boolean: _truth,
    exp.Null: _nothing,
    **dict.fromkeys(_SIGNS, _binary),
    exp.Not: _not,
    exp.Is: _is,
    exp.Between: _in_between,
    exp.In: _in,
    exp.Case: _case,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    **dict.fromkeys((exp.Least, exp.Greatest), _extreme),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul), _arithmetic),
    exp.Anonymous: _anonymous,
}
_FAMILIES: dict[type[exp.Expr], Callable[..., Term]] = {
    exp.Div: numbers.division,
    exp.IntDiv: numbers.whole_division,
    exp.Mod: numbers.remainder,
    exp.Neg: numbers.negative,
    exp.Abs: numbers.absolute,
    exp.Sign: numbers.sign,
    exp.Round: numbers.rounded,
    **dict.fromkeys((exp.Floor, exp.Ceil, exp.Trunc), numbers.stepped),
    exp.Sqrt: numbers.root,
    exp.Cbrt: numbers.cube_root,
    exp.Exp: numbers.exponential,
    **dict.fromkeys((exp.Ln, exp.Log), numbers.logarithm),
    exp.Pow: numbers.power,
    **dict.fromkeys(
        (exp.Sin, exp.Cos, exp.Tan, exp.Asin, exp.Acos, exp.Atan, exp.Atan2), numbers.trigonometry
    ),
    **dict.fromkeys(texts.NODES, texts.function),
    exp.Length: texts.length,
    exp.StrPosition: texts.position,
    exp.DPipe: texts.joined,
    **dict.fromkeys((exp.Like, exp.ILike, exp.Escape), texts.like),
    **dict.fromkeys((exp.DateTrunc, exp.TimestampTrunc), moments.truncated),
    exp.DateDiff: moments.difference,
    exp.TimeToStr: moments.stamped,
    **dict.fromkeys((exp.Dayname, exp.Monthname), moments.named),
}

__all__ = ["Scalars", "title"]
