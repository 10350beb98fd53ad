"""STRPOS and POSITION, SPLIT_PART, LPAD and RPAD, REVERSE, CONCAT_WS, TRANSLATE, ASCII, UNICODE.

None of these raises within its limits (a padding of at least one character), and none makes text
longer than its parts together, a padding of constant length apart. What is looked for, lengths and
places are constants. Facts of DuckDB 2.0: STRPOS counts characters from 1 and is 0 where nothing
is found; SPLIT_PART beyond the last part is ''; LPAD and RPAD cut longer text; UNICODE('') is -1.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import INTEGER, TEXT, Kind
from dpsql.core.ir import Call, Expr
from dpsql.functions import forms, intervals
from dpsql.functions.forms import (
    cast,
    constant_int,
    constant_text,
    mismatch,
    not_constant,
    only,
    result,
)
from dpsql.functions.literals import lit
from dpsql.functions.protocol import Scope
from dpsql.sql.caret import title

MAX_PADDED = 256
MAX_PARTS = 8
MAX_CONSTANT = 32
MAX_LENGTH = 2**33
"""Characters of a text, more than any has."""
_LARGEST_CODE = 0x10FFFF


class Places:
    names: tuple[str, ...] = (
        *("strpos", "split_part", "lpad", "rpad", "reverse", "concat_ws", "translate"),
        *("unicode", "ascii"),
    )
    nodes: tuple[type[exp.Expr], ...] = (
        *(exp.StrPosition, exp.SplitPart, exp.Pad, exp.Reverse, exp.ConcatWs, exp.Translate),
        *(exp.Unicode, exp.Ascii),
    )
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, exp.StrPosition):
            return _bind_position(node, scope)
        if isinstance(node, exp.SplitPart):
            return _bind_split(node, scope)
        if isinstance(node, exp.Pad):
            return _bind_pad(node, scope)
        if isinstance(node, exp.ConcatWs):
            return _bind_concat_ws(node, scope)
        if isinstance(node, exp.Translate):
            return _bind_translate(node, scope)
        if isinstance(node, exp.Reverse):
            only(node, scope, "this")
            arg = _text(node, node.this, scope)
            return Call("reverse", (arg,), result(TEXT, (arg,)))
        return _bind_code(node, scope)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn == "concat_ws":
            args = tuple(
                node if arg.domain.type.kind is Kind.TEXT else cast(node, "VARCHAR")
                for arg, node in zip(call.args, args, strict=True)
            )
        return forms.call(call.fn, *args)


def _text(node: exp.Expr, part: exp.Expr, scope: Scope) -> Expr:
    arg = scope.expr(part)
    forms.need(node, arg, (Kind.TEXT,), f"{title(node)} needs text", scope)
    return arg


def _constant(node: exp.Expr, part: exp.Expr | None, scope: Scope, what: str) -> str:
    """A constant text of 1 to 32 characters."""
    text = constant_text(part)
    if text is None or not 1 <= len(text) <= MAX_CONSTANT:
        not_constant(node, scope, f"{what} is a constant text of 1 to {MAX_CONSTANT} characters")
    return text


def _bind_position(node: exp.StrPosition, scope: Scope) -> Expr:
    only(node, scope, "this", "substr", "clamp_position")
    arg = _text(node, node.this, scope)
    looked_for = _constant(node, node.args.get("substr"), scope, "what STRPOS looks for")
    domain = result(
        INTEGER,
        (arg,),
        certain=intervals.span(0, MAX_LENGTH),
        declared=intervals.span(0, None),
    )
    return Call("strpos", (arg, lit(looked_for)), domain)


def _bind_split(node: exp.SplitPart, scope: Scope) -> Expr:
    only(node, scope, "this", "delimiter", "part_index")
    arg = _text(node, node.this, scope)
    at = _constant(node, node.args.get("delimiter"), scope, "where SPLIT_PART cuts")
    place = constant_int(scope.expr(node.args["part_index"]))
    if place is None or not 1 <= place <= 1_000:
        not_constant(node, scope, "SPLIT_PART takes a constant place, 1 or more")
    return Call("split_part", (arg, lit(at), lit(place)), result(TEXT, (arg,)))


def _bind_pad(node: exp.Pad, scope: Scope) -> Expr:
    only(node, scope, "this", "expression", "fill_pattern", "is_left")
    name = "lpad" if node.args.get("is_left") else "rpad"
    arg = _text(node, node.this, scope)
    length = constant_int(scope.expr(node.args["expression"]))
    if length is None or not 0 <= length <= MAX_PADDED:
        not_constant(node, scope, f"{name.upper()} takes a constant length up to {MAX_PADDED}")
    fill = " "
    if node.args.get("fill_pattern") is not None:
        fill = _constant(node, node.args["fill_pattern"], scope, f"what {name.upper()} fills with")
    return Call(name, (arg, lit(length), lit(fill)), result(TEXT, (arg,)))


def _bind_concat_ws(node: exp.ConcatWs, scope: Scope) -> Expr:
    """NULLs are skipped, as in DuckDB and PostgreSQL."""
    only(node, scope, "expressions", "safe", "coalesce", "flatten")
    if not 2 <= len(node.expressions) <= MAX_PARTS + 1:
        not_constant(node, scope, f"CONCAT_WS takes a separator and at most {MAX_PARTS} texts")
    between = constant_text(node.expressions[0])
    if between is None or len(between) > MAX_CONSTANT:
        not_constant(node, scope, "the separator of CONCAT_WS is a constant text")
    args = [scope.expr(part) for part in node.expressions[1:]]
    for arg in args:
        if arg.domain.type.kind is Kind.OPAQUE:
            mismatch(node, scope, "a column of this type cannot be joined to text")
    return Call("concat_ws", (lit(between), *args), result(TEXT, args, nullable=False))


def _bind_translate(node: exp.Translate, scope: Scope) -> Expr:
    only(node, scope, "this", "from_", "to")
    arg = _text(node, node.this, scope)
    old = _constant(node, node.args.get("from_"), scope, "what TRANSLATE replaces")
    new = constant_text(node.args.get("to"))
    if new is None or len(new.encode()) > len(old) or not new.isascii():
        not_constant(node, scope, "TRANSLATE takes constant texts, the second ASCII and not longer")
    return Call("translate", (arg, lit(old), lit(new)), result(TEXT, (arg,)))


def _bind_code(node: exp.Expr, scope: Scope) -> Expr:
    only(node, scope, "this", "empty_is_zero")
    name = "ascii" if isinstance(node, exp.Ascii) else "unicode"
    arg = _text(node, node.this, scope)
    codes = intervals.span(-1, _LARGEST_CODE)
    return Call(name, (arg,), result(INTEGER, (arg,), certain=codes, declared=codes))


FAMILY = Places()
