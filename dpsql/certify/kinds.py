"""SQL types of expressions, as far as the derivation rests on them: is this an exact integer?"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.grammar import INTEGERS
from dpsql.certify.reader import results
from dpsql.certify.scope import Scope
from dpsql.core.domain import NUMERIC, TEMPORAL, Kind

_INTEGER_PARTS = frozenset(
    "year month day quarter week hour minute second dow isodow doy isoyear".split()
)
_FIXED: dict[type[exp.Expr], Kind] = {
    exp.Length: Kind.INTEGER,
    exp.DateDiff: Kind.INTEGER,
    exp.Sign: Kind.INTEGER,
    **dict.fromkeys((exp.StrPosition, exp.Unicode, exp.Ascii), Kind.INTEGER),
    **dict.fromkeys((exp.Boolean, exp.Not, exp.And, exp.Or, exp.Is, exp.Between), Kind.BOOLEAN),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In), Kind.BOOLEAN),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike), Kind.BOOLEAN),
    **dict.fromkeys((exp.Escape, exp.StartsWith, exp.EndsWith, exp.Contains), Kind.BOOLEAN),
    **dict.fromkeys((exp.Lower, exp.Upper, exp.Left, exp.Right, exp.Trim), Kind.TEXT),
    **dict.fromkeys((exp.Substring, exp.Replace, exp.Concat, exp.DPipe), Kind.TEXT),
    **dict.fromkeys((exp.Dayname, exp.Monthname, exp.TimeToStr), Kind.TEXT),
    **dict.fromkeys((exp.Reverse, exp.SplitPart, exp.Pad, exp.Translate, exp.ConcatWs), Kind.TEXT),
    **dict.fromkeys((exp.Sin, exp.Cos, exp.Tan, exp.Cot, exp.Asin, exp.Acos), Kind.FLOAT),
    **dict.fromkeys((exp.Atan, exp.Atan2, exp.Sinh, exp.Cosh, exp.Tanh), Kind.FLOAT),
    **dict.fromkeys((exp.Asinh, exp.Acosh, exp.Atanh), Kind.FLOAT),
    **dict.fromkeys((exp.Sqrt, exp.Cbrt, exp.Exp, exp.Ln, exp.Log, exp.Pow, exp.Div), Kind.FLOAT),
}
_CALLED = {"ISFINITE": Kind.BOOLEAN, "STRLEN": Kind.INTEGER}
_SAME = (exp.Paren, exp.Neg, exp.Abs)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Mod)
_CASTS = {
    **dict.fromkeys(INTEGERS, Kind.INTEGER),
    **dict.fromkeys((exp.DType.DOUBLE, exp.DType.FLOAT), Kind.FLOAT),
    **dict.fromkeys((exp.DType.TEXT, exp.DType.VARCHAR), Kind.TEXT),
    exp.DType.DECIMAL: Kind.DECIMAL,
    exp.DType.BOOLEAN: Kind.BOOLEAN,
    exp.DType.DATE: Kind.DATE,
    **dict.fromkeys((exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ), Kind.TIMESTAMP),
}


def kind_of(node: exp.Expr, scope: Scope) -> Kind | None:
    """The kind of an expression's values; NULL for the literal NULL, None where it is not sure."""
    if isinstance(node, exp.Column):
        column = scope.column(node)
        return None if column is None else column.kind
    if isinstance(node, _SAME):
        return kind_of(node.this, scope)
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return _CASTS.get(node.to.this)
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Null):
        return Kind.NULL
    if isinstance(node, (*_ARITHMETIC, exp.IntDiv)):
        return _arithmetic(node, scope)
    if isinstance(node, (exp.Round, exp.Trunc)):
        inner = kind_of(node.this, scope)
        return inner if inner in NUMERIC else None
    if isinstance(node, (exp.Floor, exp.Ceil)):
        inner = kind_of(node.this, scope)  # of an integer the engine makes a DOUBLE
        return Kind.FLOAT if inner is Kind.INTEGER else inner if inner in NUMERIC else None
    if isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)):
        inner = kind_of(node.this, scope)  # a DATE or a TIMESTAMP, both exact
        return Kind.TIMESTAMP if inner in TEMPORAL else None
    if isinstance(node, exp.Anonymous):
        if (name := str(node.this).upper()) in _CALLED:
            return _CALLED[name]
        part = node.expressions[0] if node.expressions else None
        word = str(part.this) if isinstance(part, exp.Literal) else ""
        if word in _INTEGER_PARTS:
            return Kind.INTEGER
        return Kind.FLOAT if word == "epoch" else None
    return _FIXED.get(type(node)) or _joined(_branches(node), scope)


def kind_of_type(node: exp.DataType) -> Kind | None:
    """The kind of a type's values."""
    return _CASTS.get(node.this)


def _literal(node: exp.Literal) -> Kind | None:
    if node.is_string:
        return Kind.TEXT
    text = str(node.this)
    if text.isdigit():
        return Kind.INTEGER if int(text) < 2**127 else None  # beyond, it is a DOUBLE
    return Kind.FLOAT if "e" in text.lower() else Kind.DECIMAL if len(text) < 38 else None


def _arithmetic(node: exp.Expr, scope: Scope) -> Kind | None:
    if isinstance(node.args["expression"], exp.Interval):
        return Kind.TIMESTAMP if kind_of(node.this, scope) in TEMPORAL else None
    pair = {kind_of(node.this, scope), kind_of(node.args["expression"], scope)}
    if pair == {Kind.INTEGER}:
        return Kind.INTEGER
    if isinstance(node, exp.IntDiv) or None in pair:
        return None
    if pair <= {Kind.INTEGER, Kind.DECIMAL}:
        return Kind.DECIMAL
    return Kind.FLOAT if pair <= {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT} else None


def _branches(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Case):
        return results(node)
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        return [node.this, *node.expressions]
    return [node.this] if isinstance(node, exp.Nullif) else []


def _joined(nodes: list[exp.Expr], scope: Scope) -> Kind | None:
    kinds = {kind_of(node, scope) for node in nodes} - {Kind.NULL}
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds and None not in kinds and kinds <= {Kind.INTEGER, Kind.DECIMAL}:
        return Kind.DECIMAL
    return Kind.FLOAT if kinds and kinds <= {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT} else None
