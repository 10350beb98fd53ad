"""Functions of texts in Spark. Upper and lower case of letters are Spark's own rule."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.spark_terms import Term, Write, call, cast, pair, refuse, text
from dpsql.dialects.told import BIG, BOOL, TEXT, constant

_MOST = 2**31 - 1
_PLAIN: dict[type[exp.Expr], str] = {
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.Reverse: "reverse",
    exp.Translate: "translate",
}
_TESTS: dict[type[exp.Expr], str] = {
    exp.StartsWith: "startswith",
    exp.EndsWith: "endswith",
    exp.Contains: "contains",
}
_TRIMS = {None: "BOTH", "": "BOTH", "BOTH": "BOTH", "LEADING": "LEADING", "TRAILING": "TRAILING"}
NODES = (
    *_PLAIN,
    *_TESTS,
    exp.Left,
    exp.Right,
    exp.Replace,
    exp.SplitPart,
    exp.Concat,
    exp.ConcatWs,
    exp.Trim,
    exp.Substring,
    exp.Pad,
)


def function(node: exp.Expr, write: Write) -> Term:
    if type(node) in _PLAIN:
        parts = [value for value in node.args.values() if isinstance(value, exp.Expr)]
        return Term(call(_PLAIN[type(node)], *(write(part).sql for part in parts)), TEXT)
    if type(node) in _TESTS:
        sides = [write(node.this).sql, write(node.args["expression"]).sql]
        return Term(call(_TESTS[type(node)], *sides), BOOL)
    return Term(_FORMS[type(node)](node, write), TEXT)


def _end(node: exp.Expr, write: Write) -> str:
    word = "left" if isinstance(node, exp.Left) else "right"
    count = _count(node.args["expression"])
    if count < 0:
        refuse(f"{word.upper()} of a negative number of characters")
    return call(word, write(node.this).sql, str(count))


def _count(node: exp.Expr) -> int:
    """A number of characters, which is a constant; Spark's are INTs."""
    value = constant(node)
    if value is None or not value.is_integer():
        refuse("a number of characters that is no constant")
    return max(min(int(value), _MOST), -_MOST)


def _substring(node: exp.Expr, write: Write) -> str:
    start = _count(node.args["start"])
    if start < 1:
        refuse("SUBSTRING from a place before the first", "RIGHT(x, n) takes the last characters")
    parts = [write(node.this).sql, str(start)]
    if node.args.get("length") is not None:
        length = _count(node.args["length"])
        if length < 0:
            refuse("SUBSTRING of a negative length")
        parts.append(str(length))
    return call("substring", *parts)


def _replace(node: exp.Expr, write: Write) -> str:
    parts = (node.this, node.args["expression"], node.args["replacement"])
    return call("replace", *(write(part).sql for part in parts))


def _split(node: exp.Expr, write: Write) -> str:
    sought, place = node.args["delimiter"], _count(node.args["part_index"])
    if not place or not sought.name:
        refuse("SPLIT_PART by an empty text, or of place 0")
    shown = str(place) if place > 0 else f"(- {-place})"
    return call("split_part", write(node.this).sql, write(sought).sql, shown)


def _text_of(term: Term) -> str:
    if term.told.kind is Kind.FLOAT:
        refuse("a float as text", "round it and cast it to a whole number or DECIMAL first")
    return term.sql if term.told.kind is Kind.TEXT else cast(term.sql, "STRING")


def _concat(node: exp.Expr, write: Write) -> str:
    """Spark's own CONCAT is NULL where a part is."""
    parts = [f"coalesce({_text_of(write(part))}, '')" for part in node.expressions]
    return call("concat", *parts)


def _concat_ws(node: exp.Expr, write: Write) -> str:
    return call("concat_ws", *(_text_of(write(part)) for part in node.expressions))


def _trim(node: exp.Expr, write: Write) -> str:
    sought = node.args.get("expression")
    letters = text(" ") if sought is None else write(sought).sql
    where = _TRIMS[node.args.get("position")]
    return f"trim({where} {letters} FROM {write(node.this).sql})"


def _pad(node: exp.Expr, write: Write) -> str:
    word = "lpad" if node.args.get("is_left") else "rpad"
    parts = [write(node.this).sql, str(_count(node.expression))]
    return call(word, *parts, write(node.args["fill_pattern"]).sql)


_FORMS: dict[type[exp.Expr], Callable[[exp.Expr, Write], str]] = {
    exp.Left: _end,
    exp.Right: _end,
    exp.Replace: _replace,
    exp.SplitPart: _split,
    exp.Concat: _concat,
    exp.ConcatWs: _concat_ws,
    exp.Trim: _trim,
    exp.Substring: _substring,
    exp.Pad: _pad,
}


def length(node: exp.Expr, write: Write) -> Term:
    return Term(cast(call("length", write(node.this).sql), "BIGINT"), BIG)


def octets(node: exp.Anonymous, write: Write) -> Term:
    return Term(cast(call("octet_length", write(node.expressions[0]).sql), "BIGINT"), BIG)


def position(node: exp.StrPosition, write: Write) -> Term:
    found = call("instr", write(node.this).sql, write(node.args["substr"]).sql)
    return Term(cast(found, "BIGINT"), BIG)


def joined(node: exp.DPipe, write: Write) -> Term:
    sides = [write(node.this), write(node.args["expression"])]
    if any(side.told.kind not in (Kind.TEXT, Kind.NULL) for side in sides):
        refuse("|| of other things than texts")
    return Term(pair(sides[0].sql, "||", sides[1].sql), TEXT)


_ESCAPES = "!~^#|=@&;:+"


def like(node: exp.Expr, write: Write) -> Term:
    """DuckDB's LIKE has no escape character unless it names one; Spark's always has one.

    Spark's escapes nothing but signs and itself, so one is taken that stands nowhere in the
    pattern, or the signs of the query's own escape are written anew with it.
    """
    escape = ""
    if isinstance(node, exp.Escape):
        escape, node = str(node.args["expression"].name), node.this
    word = "LIKE" if isinstance(node, exp.Like) else "ILIKE"
    pattern = str(node.args["expression"].name)
    if not isinstance(node.args["expression"], exp.Literal):
        refuse("LIKE with a pattern that is no constant")
    sign = next((one for one in _ESCAPES if one not in pattern), "")
    if not sign or (escape and len(escape) != 1):
        refuse("LIKE with this pattern")
    if escape:
        pattern = _escaped(pattern, escape, sign)
    sql = f"({write(node.this).sql} {word} {text(pattern)} ESCAPE {text(sign)})"
    return Term(sql, BOOL)


def _escaped(pattern: str, escape: str, sign: str) -> str:
    """The pattern with `sign` before each sign that is meant as a letter."""

    def shown(part: re.Match[str]) -> str:
        letter = part.group(0)[1:]
        return sign + letter if letter in ("%", "_") else letter

    return re.sub(re.escape(escape) + ".", shown, pattern, flags=re.DOTALL)
