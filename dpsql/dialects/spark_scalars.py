"""Expressions over one row in Spark: leaves, conditions, choices; families have their files.

A column that is read through a conversion (`spark_types`) has it written around it. What has no
entry in the tables below is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects import spark_casts as casts
from dpsql.dialects import spark_hashes as hashes
from dpsql.dialects import spark_moments as moments
from dpsql.dialects import spark_numbers as numbers
from dpsql.dialects import spark_texts as texts
from dpsql.dialects.spark_columns import read
from dpsql.dialects.spark_terms import Term, call, common, fitted, name, number, pair, refuse, text
from dpsql.dialects.told import BOOL, NOTHING, TEXT, Sources, column_in
from dpsql.dialects.writing import NotThere
from dpsql.sql.caret import title


@dataclass
class Scalars:
    """Writes the expressions of one SELECT. `inner`: how a subquery of it is written."""

    sources: Sources
    inner: Callable[[exp.Expr], str]
    outer: Scalars | None = None
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
    exp.NullSafeEQ: "<=>",
    exp.NullSafeNEQ: "<=>",
    exp.And: "AND",
    exp.Or: "OR",
}


def _binary(self: Scalars, node: exp.Expr) -> Term:
    sides = [self.write(node.this), self.write(node.args["expression"])]
    sign = _SIGNS[type(node)]
    if isinstance(node, (exp.And, exp.Or)):  # a chain is flat: depth is dear
        flat = type(node)
        parts = [
            one.sql[1:-1] if isinstance(side.unnest(), flat) and side is node.this else one.sql
            for side, one in zip((node.this, node.args["expression"]), sides, strict=True)
        ]
        return Term(pair(parts[0], sign, parts[1]), BOOL)
    left, right = _comparable(sides)
    found = pair(left, sign, right)
    return Term(f"(NOT {found})" if isinstance(node, exp.NullSafeNEQ) else found, BOOL)


def _comparable(terms: Sequence[Term]) -> list[str]:
    """Brought to one type by us, where Spark's own way could raise: a date beside a timestamp."""
    if {Kind.DATE, Kind.TIMESTAMP} <= {term.told.kind for term in terms}:
        terms = [moments.as_timestamp(term) for term in terms]
    return [term.sql for term in fitted(terms)]


def _not(self: Scalars, node: exp.Expr) -> Term:
    return Term(f"(NOT {self.write(node.this).sql})", BOOL)


def _is(self: Scalars, node: exp.Expr) -> Term:
    return Term(f"({self.write(node.this).sql} IS {self.write(node.args['expression']).sql})", BOOL)


def _in_between(self: Scalars, node: exp.Expr) -> Term:
    terms = [self.write(node.args[part]) for part in ("this", "low", "high")]
    value, low, high = _comparable(terms)
    return Term(f"({value} BETWEEN {low} AND {high})", BOOL)


def _in(self: Scalars, node: exp.Expr) -> Term:
    value = self.write(node.this)
    query = node.args.get("query")
    if query is not None:
        return Term(f"({value.sql} IN ({self.inner(query.unnest())}))", BOOL)
    first, *items = _comparable([value, *(self.write(item) for item in node.expressions)])
    return Term(f"({first} IN ({', '.join(items)}))", BOOL)


def _finite(self: Scalars, node: exp.Expr) -> Term:
    """Spark's moments know no infinity: what lies outside the years stands for one."""
    value = self.write(node.expressions[0])
    if value.told.kind in (Kind.DATE, Kind.TIMESTAMP):
        return Term(f"({moments.within(value)})", BOOL)
    size = call("abs", numbers.as_float(value).sql)
    return Term(f"({size} < CAST('Infinity' AS DOUBLE))", BOOL)


# ---- choices ---------------------------------------------------------------------------------


def _case(self: Scalars, node: exp.Expr) -> Term:
    subject = None if node.this is None else self.write(node.this)
    tests = [self.write(branch.this) for branch in node.args["ifs"]]
    default = node.args.get("default")
    given = [self.write(branch.args["true"]) for branch in node.args["ifs"]]
    if default is not None:
        given.append(self.write(default))
    head = "" if subject is None else f" {subject.sql}"
    if subject is not None:
        first, *others = _comparable([subject, *tests])
        head, tests = f" {first}", [Term(sql, BOOL) for sql in others]
    given = fitted(given)
    whens = " ".join(
        f"WHEN {test.sql} THEN {value.sql}" for test, value in zip(tests, given, strict=False)
    )
    otherwise = "" if default is None else f" ELSE {given[-1].sql}"
    return Term(f"CASE{head} {whens}{otherwise} END", common(given))


def _cast(self: Scalars, node: exp.Expr) -> Term:
    assert isinstance(node, exp.Cast)
    return casts.converted(node, self.write)


def _coalesce(self: Scalars, node: exp.Expr) -> Term:
    terms = fitted([self.write(part) for part in (node.this, *node.expressions)])
    return Term(call("coalesce", *(one.sql for one in terms)), common(terms))


def _nullif(self: Scalars, node: exp.Expr) -> Term:
    a, b = fitted([self.write(node.this), self.write(node.args["expression"])])
    return Term(call("nullif", a.sql, b.sql), a.told)


def _extreme(self: Scalars, node: exp.Expr) -> Term:
    terms = fitted([self.write(part) for part in (node.this, *node.expressions)])
    word = "least" if isinstance(node, exp.Least) else "greatest"
    return Term(call(word, *(one.sql for one in terms)), common(terms))


# ---- arithmetic, functions -------------------------------------------------------------------


def _arithmetic(self: Scalars, node: exp.Expr) -> Term:
    if isinstance(node.args["expression"], exp.Interval):
        return moments.shifted(node, self.write)
    return numbers.arithmetic(node, self.write)


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
    **dict.fromkeys(numbers.FUNCTIONS, numbers.function),
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
