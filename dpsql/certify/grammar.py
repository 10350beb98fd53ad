"""The SQL that may occur at all: node types with their clauses, functions, types. Default deny.

Everything here is deterministic, reads nothing but its arguments and cannot grow its output
without bound. A node type, a clause, a function or a type that is not listed is refused, so the
other modules may look at the parts they know and trust that there are no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from dpsql.certify.claim import refuse, require

_UNARY = ("this",)
_BINARY = ("this", "expression")

SCALAR: dict[type[exp.Expr], tuple[str, ...]] = {
    # leaves
    exp.Column: ("this", "table"),
    exp.Identifier: ("this", "quoted"),
    exp.Literal: ("this", "is_string"),
    exp.Null: (),
    exp.Boolean: ("this",),
    exp.Var: ("this",),
    exp.DataType: ("this", "expressions", "nested"),
    exp.DataTypeParam: ("this",),
    exp.Interval: ("this", "unit"),
    # logic and comparison
    **dict.fromkeys((exp.Paren, exp.Not, exp.Neg), _UNARY),
    **dict.fromkeys((exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), _BINARY),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is), _BINARY),
    **dict.fromkeys((exp.Like, exp.ILike, exp.Escape), _BINARY),
    exp.Between: ("this", "low", "high"),
    exp.In: ("this", "expressions", "query"),
    exp.Case: ("this", "ifs", "default"),
    exp.If: ("this", "true"),
    # numbers
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.IntDiv, exp.Mod), _BINARY),
    exp.Div: ("this", "expression", "typed", "safe"),
    **dict.fromkeys((exp.Abs, exp.Sign, exp.Floor, exp.Ceil, exp.Trunc), _UNARY),
    **dict.fromkeys((exp.Sqrt, exp.Cbrt, exp.Exp, exp.Ln), _UNARY),
    **dict.fromkeys((exp.Log, exp.Pow), _BINARY),
    **dict.fromkeys((exp.Sin, exp.Cos, exp.Tan, exp.Cot, exp.Asin, exp.Acos, exp.Atan), _UNARY),
    **dict.fromkeys((exp.Sinh, exp.Cosh, exp.Tanh, exp.Asinh, exp.Acosh, exp.Atanh), _UNARY),
    exp.Atan2: _BINARY,
    exp.Round: ("this", "decimals"),
    exp.Coalesce: ("this", "expressions"),
    exp.Nullif: _BINARY,
    exp.Greatest: ("this", "expressions", "ignore_nulls"),
    exp.Least: ("this", "expressions", "ignore_nulls"),
    exp.Cast: ("this", "to"),
    exp.TryCast: ("this", "to", "safe"),
    exp.Placeholder: _UNARY,
    # text
    **dict.fromkeys((exp.Lower, exp.Upper, exp.Length), _UNARY),
    **dict.fromkeys((exp.Left, exp.Right, exp.StartsWith, exp.EndsWith, exp.Contains), _BINARY),
    **dict.fromkeys((exp.Reverse, exp.Unicode, exp.Ascii), _UNARY),
    exp.StrPosition: ("this", "substr"),
    exp.SplitPart: ("this", "delimiter", "part_index"),
    exp.Pad: ("this", "expression", "fill_pattern", "is_left"),
    exp.Translate: ("this", "from_", "to"),
    exp.ConcatWs: ("expressions", "safe", "coalesce"),
    exp.Trim: ("this", "expression", "position"),
    exp.Substring: ("this", "start", "length"),
    exp.Replace: ("this", "expression", "replacement"),
    exp.Concat: ("expressions", "safe", "coalesce"),
    exp.DPipe: ("this", "expression", "safe"),
    # dates
    **dict.fromkeys((exp.Dayname, exp.Monthname), _UNARY),
    exp.TimeToStr: ("this", "format"),
    exp.DateTrunc: ("this", "unit"),
    exp.TimestampTrunc: ("this", "unit"),
    exp.DateDiff: ("this", "expression", "unit", "date_part_boundary"),
    exp.Anonymous: ("this", "expressions"),
}
"""What an expression over one row may consist of."""

_RELATIONAL: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: ("expressions", "from_", "joins", "where", "group", "having"),
    exp.Subquery: ("this", "alias"),
    exp.Union: ("this", "expression"),  # UNION ALL: without its `distinct`
    exp.From: _UNARY,
    exp.Join: ("this", "side", "kind", "on"),
    exp.Where: _UNARY,
    exp.Having: _UNARY,
    exp.Group: ("expressions",),
    exp.Table: ("this", "db", "catalog", "alias"),
    exp.TableAlias: ("this", "columns"),  # columns: of VALUES alone
    exp.Values: ("expressions", "alias"),
    exp.Tuple: ("expressions",),
    exp.Alias: ("this", "alias"),
    exp.Star: (),
    exp.Count: ("this", "big_int"),
    exp.Distinct: ("expressions",),
    **dict.fromkeys((exp.Sum, exp.Min, exp.Max), _UNARY),
    exp.Filter: _BINARY,
    exp.Explode: _UNARY,
    exp.Window: ("this", "partition_by", "order", "over", "spec"),
    exp.WindowSpec: ("kind", "start", "start_side", "end", "end_side"),
    **dict.fromkeys((exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist), ()),
    **dict.fromkeys((exp.Lag, exp.Lead), ("this", "offset", "default")),
    **dict.fromkeys((exp.FirstValue, exp.LastValue, exp.Ntile), _UNARY),
    exp.NthValue: ("this", "offset"),
    exp.Order: ("expressions",),
    exp.Ordered: ("this", "desc", "nulls_first"),
}

_ALL = {**SCALAR, **_RELATIONAL}

FUNCTIONS = frozenset({"ISFINITE", "DATE_PART", "STRLEN"})
"""Functions known by name alone; HASH is let in where groups are ranked, nowhere else."""

_RANKING = frozenset({"HASH"})

INTEGERS = frozenset(
    {
        *(exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT),
        *(exp.DType.INT128, exp.DType.UTINYINT, exp.DType.USMALLINT),
        *(exp.DType.UINT, exp.DType.UBIGINT),
    }
)
TYPES = INTEGERS | {
    *(exp.DType.DOUBLE, exp.DType.FLOAT, exp.DType.DECIMAL, exp.DType.BOOLEAN),
    *(exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.DATE, exp.DType.TIMESTAMP),
    exp.DType.TIMESTAMPNTZ,  # what the parser calls a plain TIMESTAMP
}

_GIVEN = re.compile(r"given_[0-9]{1,4}(_c[0-9]{1,5})?\Z")
_NUMBER = re.compile(r"[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?\Z")


def check_grammar(root: exp.Expr) -> None:
    """Refuse any node, clause, function or type that is not listed above.

    Not recursive: depth is the analyst's to choose.
    """
    stack = [root]
    while stack:
        node = stack.pop()
        allowed = _ALL.get(type(node))
        if allowed is None:
            refuse("a construct is not on the list")
        for name, value in node.args.items():
            if value is None or value is False or (type(value) is list and not value):
                continue
            if name not in allowed:
                refuse("a clause is not on the list")
            if isinstance(value, exp.Expr):
                stack.append(value)
            elif isinstance(value, list):
                for child in value:
                    if not isinstance(child, exp.Expr):
                        refuse("a construct is not on the list")
                    stack.append(child)
        check = _CHECKS.get(type(node))
        if check is not None:
            check(node)


def _check_function(node: exp.Expr) -> None:
    name = node.this if isinstance(node.this, str) else ""
    require(name.upper() in FUNCTIONS | _RANKING, "a function is not on the list")


def _check_literal(node: exp.Expr) -> None:
    plain = node.args.get("is_string") or _NUMBER.match(str(node.this)) is not None
    require(bool(plain), "numbers are plain")


def _check_given(node: exp.Expr) -> None:
    """A public value that comes beside the text: under a cast that says of which type it is."""
    name, above = node.this, node.parent
    require(isinstance(name, str) and _GIVEN.match(name) is not None, "a given value has its name")
    require(type(above) is exp.Cast and above.this is node, "a given value has its type")


def _check_list(node: exp.Expr) -> None:
    cast = node.this
    given = type(cast) is exp.Cast and isinstance(cast.this, exp.Placeholder)
    require(given and cast.to.this is exp.DType.ARRAY, "only a given list is made rows of")


def _check_type(node: exp.Expr) -> None:
    if node.this is exp.DType.ARRAY:
        above, of = node.parent, node.expressions
        given = isinstance(above, exp.Cast) and isinstance(above.this, exp.Placeholder)
        rows = above.parent if given and above is not None else None
        plain = len(of) == 1 and isinstance(of[0], exp.DataType) and of[0].this in TYPES
        require(plain and isinstance(rows, exp.Explode), "only a given list has a list's type")
        return
    plain = node.this is exp.DType.DECIMAL or not node.expressions
    require(node.this in TYPES and plain, "a type is not on the list")


def _check_like(node: exp.Expr) -> None:
    """A pattern is a literal of bounded cost: it cannot be another row's text."""
    pattern = node.args["expression"]
    require(_is_text(pattern), "a pattern is a literal")
    text = str(pattern.this)
    require(len(text) <= 256 and text.count("%") <= 4, "a pattern has a bounded cost")


def _check_escape(node: exp.Expr) -> None:
    """DuckDB judges ESCAPE at a row: other than one byte, or last in the pattern, it raises."""
    test, escape = node.this, node.args["expression"]
    require(isinstance(test, (exp.Like, exp.ILike)), "ESCAPE belongs to LIKE")
    require(_is_text(escape) and _is_text(test.args["expression"]), "a pattern is a literal")
    sign, pattern = str(escape.this).encode(), str(test.args["expression"].this).encode()
    require(len(sign) == 1 and sign != b"\0", "an escape is one byte")
    require(re.sub(re.escape(sign) + b".", b"", pattern, flags=re.S)[-1:] != sign, "escapes escape")


def _check_alias(node: exp.Expr) -> None:
    """New names for a table's columns would hide what they are."""
    plain = not node.args.get("columns") or type(node.parent) is exp.Values
    require(plain, "a clause is not on the list")


def _check_tuple(node: exp.Expr) -> None:
    require(type(node.parent) is exp.Values, "a construct is not on the list")


def _is_text(node: object) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.Anonymous: _check_function,
    exp.Literal: _check_literal,
    exp.Like: _check_like,
    exp.ILike: _check_like,
    exp.Escape: _check_escape,
    exp.DataType: _check_type,
    exp.TableAlias: _check_alias,
    exp.Tuple: _check_tuple,
    exp.Placeholder: _check_given,
    exp.Explode: _check_list,
}


def is_integer_type(node: exp.Expr | None) -> bool:
    """Is it one of the engine's integer types?"""
    return isinstance(node, exp.DataType) and node.this in INTEGERS
