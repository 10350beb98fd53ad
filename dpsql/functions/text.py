"""LOWER UPPER TRIM LEFT RIGHT SUBSTRING REPLACE CONCAT || LENGTH, and tests of a constant part.

No function here makes text longer than its inputs together (LOWER and UPPER apart, by a few
bytes for odd letters), so one row cannot take long. Positions, lengths, and the texts REPLACE and
TRIM look for are constants; a replacement may not be longer than what it replaces. None of these
raises within those limits. `||` is NULL if a side is; CONCAT skips NULLs, as in DuckDB.
Finite ASCII values are carried through, where Python and DuckDB certainly agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from sqlglot import exp

from dpsql.core.domain import TEXT, Kind, Scalar
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions import forms
from dpsql.functions.forms import (
    arity,
    cast,
    constant_int,
    constant_text,
    mismatch,
    need,
    not_constant,
    only,
    operand,
    result,
    truth,
)
from dpsql.functions.literals import lit
from dpsql.functions.protocol import Scope
from dpsql.sql.caret import title

MAX_PARTS = 8
MAX_SOUGHT = 256  # characters of a text that is looked for: each place of the row's is tried
MAX_VALUES = 1_000
MAX_POSITION = 2**31 - 1

_SIMPLE: dict[type[exp.Expr], str] = {exp.Lower: "lower", exp.Upper: "upper"}
_TESTS: dict[type[exp.Expr], str] = {
    exp.StartsWith: "starts_with",
    exp.EndsWith: "ends_with",
    exp.Contains: "contains",
}
_TEST_NODES: dict[str, type[exp.Expr]] = {name: node for node, name in _TESTS.items()}
_TEST_CALLS = {"prefix": "starts_with", "suffix": "ends_with"}
_TRIMS = {"": "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


class Text:
    names: tuple[str, ...] = (
        *("lower", "upper", "trim", "ltrim", "rtrim", "left", "right", "substring"),
        *("replace", "concat", *_TEST_NODES, "text_join"),
    )
    nodes: tuple[type[exp.Expr], ...] = (
        *_SIMPLE,
        *_TESTS,
        *(exp.Trim, exp.Left, exp.Right, exp.Substring, exp.Replace),
        *(exp.Concat, exp.DPipe),
    )
    calls: tuple[str, ...] = tuple(_TEST_CALLS)

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, (exp.Concat, exp.DPipe)):
            return _bind_join(node, scope)
        if type(node) in _TESTS or isinstance(node, exp.Anonymous):
            return _bind_test(node, scope)
        for kind, reader in _READERS.items():
            if isinstance(node, kind):
                return reader(node, scope)
        only(node, scope, "this")
        arg = _text_argument(node, node.this, scope)
        name = _SIMPLE[type(node)]
        method = str.lower if name == "lower" else str.upper
        return _text_call(name, (arg,), method)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        return _emit(call, args)


def _text_argument(node: exp.Expr, part: exp.Expr, scope: Scope) -> Expr:
    arg = scope.expr(part)
    need(node, arg, (Kind.TEXT,), f"{title(node)} needs text", scope)
    return arg


def _text_call(name: str, args: tuple[Expr, ...], mirror: Callable[[str], str] | None) -> Call:
    values = args[0].domain.values
    images: tuple[Scalar, ...] | None = None
    if mirror is not None and values is not None and _plain(values):
        images = tuple(dict.fromkeys(mirror(str(value)) for value in values))
    nullable = any(arg.domain.nullable for arg in args)
    return Call(name, args, result(TEXT, args, nullable=nullable, values=images))


def _plain(values: Sequence[Scalar]) -> bool:
    return len(values) <= MAX_VALUES and all(
        isinstance(value, str) and value.isascii() and value.isprintable() for value in values
    )


# ---- parts of a text ---------------------------------------------------------------------


def _bind_trim(node: exp.Expr, scope: Scope) -> Expr:
    only(node, scope, "this", "expression", "position")
    name = _TRIMS[str(node.args.get("position") or "").upper()]
    arg = _text_argument(node, node.this, scope)
    chars = " "
    args: tuple[Expr, ...] = (arg,)
    if (looked_for := node.args.get("expression")) is not None:
        given = constant_text(looked_for)
        if given is None or not given or len(given) > 32:
            not_constant(node, scope, "TRIM takes a constant text of 1 to 32 characters")
        chars = given
        args = (arg, lit(given))
    strip = {"trim": str.strip, "ltrim": str.lstrip, "rtrim": str.rstrip}[name]
    return _text_call(name, args, lambda text: strip(text, chars))


def _bind_side(node: exp.Expr, scope: Scope) -> Expr:
    only(node, scope, "this", "expression")
    arg = _text_argument(node, node.this, scope)
    count = _position(node, node.args.get("expression"), scope)
    if count < 0:
        not_constant(node, scope, f"{title(node)} takes a constant length of 0 or more")
    name = "left" if isinstance(node, exp.Left) else "right"

    def side(text: str) -> str:
        return text[:count] if name == "left" else text[max(len(text) - count, 0) :]

    return _text_call(name, (arg, lit(count)), side)


def _bind_substring(node: exp.Expr, scope: Scope) -> Expr:
    only(node, scope, "this", "start", "length")
    arg = _text_argument(node, node.this, scope)
    first = node.args.get("start")
    start = 1 if first is None else _position(node, first, scope)
    if node.args.get("length") is None:
        mirror = (lambda text: text[start - 1 :]) if start > 0 else None
        return _text_call("substring", (arg, lit(start)), mirror)
    length = _position(node, node.args["length"], scope)
    if length < 0:
        not_constant(node, scope, "SUBSTRING takes a constant length of 0 or more")
    cut = (lambda text: text[start - 1 : start - 1 + length]) if start > 0 else None
    return _text_call("substring", (arg, lit(start), lit(length)), cut)


def _position(node: exp.Expr, part: exp.Expr | None, scope: Scope) -> int:
    value = None if part is None else constant_int(scope.expr(part))
    if value is None or abs(value) > MAX_POSITION:
        not_constant(node, scope, f"positions and lengths in {title(node)} must be constants")
    return value


def _bind_replace(node: exp.Expr, scope: Scope) -> Expr:
    only(node, scope, "this", "expression", "replacement")
    arg = _text_argument(node, node.this, scope)
    old, new = (constant_text(node.args.get(name)) for name in ("expression", "replacement"))
    if old is None or new is None or not old or len(new.encode()) > len(old.encode()):
        not_constant(
            node,
            scope,
            "REPLACE takes two constant texts, the second not longer than the first",
        )
    if len(old) > MAX_SOUGHT:
        not_constant(node, scope, f"REPLACE looks for {MAX_SOUGHT} characters at most")
    return _text_call("replace", (arg, lit(old), lit(new)), lambda text: text.replace(old, new))


_READERS: dict[type[exp.Expr], Callable[[exp.Expr, Scope], Expr]] = {
    exp.Trim: _bind_trim,
    exp.Left: _bind_side,
    exp.Right: _bind_side,
    exp.Substring: _bind_substring,
    exp.Replace: _bind_replace,
}


# ---- joining and testing -----------------------------------------------------------------


def _bind_join(node: exp.Expr, scope: Scope) -> Expr:
    """CONCAT and `||`; anything but text is cast to it, which never fails."""
    only(node, scope, "this", "expression", "expressions", "safe", "coalesce")
    parts = list(node.expressions) if isinstance(node, exp.Concat) else _chain(node)
    if not 1 <= len(parts) <= MAX_PARTS:
        not_constant(node, scope, f"at most {MAX_PARTS} texts can be joined")
    args = tuple(scope.expr(part) for part in parts)
    for arg in args:
        if arg.domain.type.kind is Kind.OPAQUE:
            mismatch(node, scope, "a column of this type cannot be joined to text")
    skips = isinstance(node, exp.Concat) and bool(node.args.get("coalesce"))
    nullable = not skips and any(arg.domain.nullable for arg in args)
    values = _joined(args, skips=skips)
    name = "concat" if skips else "text_join"
    return Call(name, args, result(TEXT, args, nullable=nullable, values=values))


def _chain(node: exp.Expr) -> list[exp.Expr]:
    parts = [node.args["expression"]]
    left = node.this
    while isinstance(left, exp.DPipe):
        parts.append(left.args["expression"])
        left = left.this
    return [left, *reversed(parts)]


def _joined(args: Sequence[Expr], *, skips: bool) -> tuple[Scalar, ...] | None:
    """All texts that can come out; `skips`: NULL is joined as no text."""
    size = 1
    for arg in args:
        values = arg.domain.values
        if arg.domain.type.kind is not Kind.TEXT or values is None or not _plain(values):
            return None
        size *= len(values) + (skips and arg.domain.nullable)
    if size > MAX_VALUES:
        return None
    gaps = [("",) if skips and arg.domain.nullable else () for arg in args]
    choices = [(*(arg.domain.values or ()), *gap) for arg, gap in zip(args, gaps, strict=True)]
    texts = product(*choices)
    return tuple(dict.fromkeys("".join(str(part) for part in parts) for parts in texts))


def _bind_test(node: exp.Expr, scope: Scope) -> Expr:
    if isinstance(node, exp.Anonymous):
        name = _TEST_CALLS[node.name.lower()]
        subject, part = arity(node, scope, 2)
    else:
        only(node, scope, "this", "expression")
        name, subject, part = _TESTS[type(node)], node.this, node.args["expression"]
    arg, looked_for = _text_argument(node, subject, scope), scope.expr(part)
    if not isinstance(looked_for, Lit) or not isinstance(looked_for.value, str):
        not_constant(node, scope, f"{name.upper()} takes a constant text")
    if len(looked_for.value) > MAX_SOUGHT:
        not_constant(node, scope, f"{name.upper()} looks for {MAX_SOUGHT} characters at most")
    return Call(name, (arg, looked_for), truth((arg,)))


# ---- emission ----------------------------------------------------------------------------


def _emit(call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
    if call.fn in ("concat", "text_join"):
        return _emit_join(call, args)
    if call.fn in _TEST_NODES:
        return _TEST_NODES[call.fn](this=args[0], expression=args[1])
    return forms.call(call.fn, *args)


def _emit_join(call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
    texts = [
        node if arg.domain.type.kind is Kind.TEXT else cast(node, "VARCHAR")
        for arg, node in zip(call.args, args, strict=True)
    ]
    if call.fn == "concat":
        return exp.Concat(expressions=texts, safe=True, coalesce=True)
    chain, *rest = texts
    chain = operand(chain)
    for text in rest:
        chain = exp.DPipe(this=chain, expression=operand(text), safe=True)
    return chain


FAMILY = Text()
