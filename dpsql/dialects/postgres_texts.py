"""Functions of texts in PostgreSQL. Upper and lower case of letters are the database's own rule."""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.postgres_terms import Term, Write, call, pair, refuse, text
from dpsql.dialects.told import BIG, BOOL, TEXT, constant

_PLAIN: dict[type[exp.Expr], str] = {
    exp.Lower: "LOWER",
    exp.Upper: "UPPER",
    exp.Reverse: "REVERSE",
    exp.Left: "LEFT",
    exp.Right: "RIGHT",
    exp.Replace: "REPLACE",
    exp.SplitPart: "SPLIT_PART",
    exp.Translate: "TRANSLATE",
    exp.Concat: "CONCAT",
    exp.ConcatWs: "CONCAT_WS",
    exp.StartsWith: "STARTS_WITH",
}
_TRIMS = {None: "BTRIM", "": "BTRIM", "LEADING": "LTRIM", "TRAILING": "RTRIM"}
NODES = (*_PLAIN, exp.Trim, exp.Substring, exp.EndsWith, exp.Contains, exp.Pad)


def function(node: exp.Expr, write: Write) -> Term:
    """A function whose arguments PostgreSQL takes in the same order, or nearly."""
    if isinstance(node, exp.Trim):
        sought = node.args.get("expression")
        parts = [node.this] if sought is None else [node.this, sought]
        return _called(_TRIMS[node.args.get("position")], parts, write)
    if isinstance(node, exp.Substring):
        return _substring(node, write)
    if isinstance(node, exp.EndsWith):
        ending = str(node.args["expression"].name)
        last = call("RIGHT", write(node.this).sql, str(len(ending)))
        return Term(pair(last, "=", text(ending)), BOOL)
    if isinstance(node, exp.Contains):
        place = call("STRPOS", write(node.this).sql, text(str(node.args["expression"].name)))
        return Term(pair(place, ">", "0"), BOOL)
    if isinstance(node, exp.Pad):
        word = "LPAD" if node.args.get("is_left") else "RPAD"
        return _called(word, [node.this, node.expression, node.args["fill_pattern"]], write)
    word = _PLAIN[type(node)]
    if isinstance(node, (exp.Concat, exp.ConcatWs)):
        return _called(word, list(node.expressions), write)
    parts = [value for value in node.args.values() if isinstance(value, exp.Expr)]
    found = _called(word, parts, write)
    return Term(found.sql, BOOL) if isinstance(node, exp.StartsWith) else found


def _called(word: str, parts: list[exp.Expr], write: Write) -> Term:
    return Term(call(word, *(write(part).sql for part in parts)), TEXT)


def _substring(node: exp.Substring, write: Write) -> Term:
    start = constant(node.args["start"])
    if start is None or start < 1:
        refuse("SUBSTRING from a place before the first", "RIGHT(x, n) takes the last characters")
    parts = [node.this, node.args["start"]]
    if node.args.get("length") is not None:
        parts.append(node.args["length"])
    return _called("SUBSTR", parts, write)


def length(node: exp.Expr, write: Write) -> Term:
    return Term(call("LENGTH", write(node.this).sql), BIG)


def octets(node: exp.Anonymous, write: Write) -> Term:
    return Term(call("OCTET_LENGTH", write(node.expressions[0]).sql), BIG)


def position(node: exp.StrPosition, write: Write) -> Term:
    return Term(call("STRPOS", write(node.this).sql, write(node.args["substr"]).sql), BIG)


def joined(node: exp.DPipe, write: Write) -> Term:
    sides = [write(node.this), write(node.args["expression"])]
    if any(side.told.kind not in (Kind.TEXT, Kind.NULL) for side in sides):
        refuse("|| of other things than texts")
    return Term(pair(sides[0].sql, "||", sides[1].sql), TEXT)


def like(node: exp.Expr, write: Write) -> Term:
    """DuckDB's LIKE has no escape character unless it names one; PostgreSQL's has the backslash."""
    escape = ""
    if isinstance(node, exp.Escape):
        escape, node = str(node.args["expression"].name), node.this
    word = "LIKE" if isinstance(node, exp.Like) else "ILIKE"
    pattern = text(str(node.args["expression"].name))
    return Term(f"({write(node.this).sql} {word} {pattern} ESCAPE {text(escape)})", BOOL)
