"""BETWEEN, IN (list of constants), LIKE and ILIKE.

BETWEEN brings all three operands to one type. IN takes constants only (a subquery is the
binder's business); a NULL in the list makes the answer NULL instead of FALSE, as in SQL. LIKE
takes a constant pattern (literals joined by `||` are one) of bounded cost: at most 256 characters
and 4 `%`. DuckDB looks at ESCAPE only when a row reaches the LIKE, and raises unless it is one
*byte* that does not end the pattern: so it is one ASCII character here.
"""

from __future__ import annotations

from typing import NoReturn

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions.forms import constant_text, need, only, operand, truth
from dpsql.functions.protocol import Scope
from dpsql.functions.unify import agreed, bring_all, common, gap, settle

MAX_PATTERN = 256
MAX_WILDCARDS = 4
MAX_LIST = 10_000
ONE_BYTE = "ESCAPE takes one ASCII character"
ENDS_IN_ESCAPE = "the pattern ends in its escape character"


class Membership:
    names: tuple[str, ...] = ("between", "between_rounded", "in", "in_rounded", "like", "ilike")
    nodes: tuple[type[exp.Expr], ...] = (exp.Between, exp.In, exp.Like, exp.ILike, exp.Escape)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, exp.Between):
            return _bind_between(node, scope)
        if isinstance(node, exp.In):
            return _bind_in(node, scope)
        return _bind_like(node, scope)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn in ("in", "in_rounded"):
            first, *rest = bring_all(call.args, args, agreed(call.args))
            return exp.In(this=operand(first), expressions=rest)
        if call.fn in ("between", "between_rounded"):
            value, low, high = map(operand, bring_all(call.args, args, agreed(call.args)))
            return exp.Between(this=value, low=low, high=high)
        text, pattern = args
        node = exp.Like if call.fn == "like" else exp.ILike
        test: exp.Expr = node(this=operand(text), expression=pattern)
        if call.options:
            test = exp.Escape(this=test, expression=exp.Literal.string(call.options[0]))
        return test


def _bind_between(node: exp.Between, scope: Scope) -> Expr:
    only(node, scope, "this", "low", "high")
    parts = (node.this, node.args["low"], node.args["high"])
    args = settle(node, [scope.expr(part) for part in parts], scope)
    agreement = common(node, args, scope)
    name = "between" if agreement.exact else "between_rounded"
    nullable = True if gap(args, agreement.type) else None
    return Call(name, args, truth(args, nullable=nullable))


def _bind_in(node: exp.In, scope: Scope) -> Expr:
    only(node, scope, "this", "expressions")
    items = node.expressions
    if not items or len(items) > MAX_LIST:
        scope.refuse(
            node,
            "unsupported-expression",
            f"IN takes a list of 1 to {MAX_LIST:,} constants",
            "join a public table instead",
        )
    exprs = [scope.expr(node.this), *(scope.expr(item) for item in items)]
    for item, expr in zip(items, exprs[1:], strict=True):
        if not isinstance(expr, Lit):
            scope.refuse(
                item,
                "unsupported-expression",
                "IN takes a list of constants",
                "compare with = and OR instead",
            )
    args = settle(node, exprs, scope)
    name = "in" if common(node, args, scope).exact else "in_rounded"
    return Call(name, args, truth(args))


def _bind_like(node: exp.Expr, scope: Scope) -> Expr:
    escape: str | None = None
    if isinstance(node, exp.Escape):
        escape = constant_text(node.args.get("expression"))
        if escape is None or not one_byte(escape):
            _bad_pattern(node, scope, ONE_BYTE)
        node = node.this
        if not isinstance(node, (exp.Like, exp.ILike)):
            _bad_pattern(node, scope, "ESCAPE belongs to LIKE")
    only(node, scope, "this", "expression", "negate")
    text = scope.expr(node.this)
    need(node, text, (Kind.TEXT,), "LIKE needs text", scope)
    pattern = constant_pattern(node.args["expression"])
    if pattern is None:
        _bad_pattern(node, scope, "the pattern of LIKE must be a constant text")
    _check_pattern(node, pattern, escape, scope)
    args = (text, scope.expr(exp.Literal.string(pattern)))
    name = "like" if isinstance(node, exp.Like) else "ilike"
    options = () if escape is None else (escape,)
    test = Call(name, args, truth(args), options)
    return Call("not", (test,), truth((test,))) if node.args.get("negate") else test


def constant_pattern(node: exp.Expr) -> str | None:
    """The text of a literal, or of literals joined by `||`, as drivers write `contains`."""
    node = node.unnest()
    if not isinstance(node, exp.DPipe):
        return constant_text(node)
    left, right = constant_pattern(node.this), constant_pattern(node.expression)
    return None if left is None or right is None else left + right


def _check_pattern(node: exp.Expr, pattern: str, escape: str | None, scope: Scope) -> None:
    if len(pattern) > MAX_PATTERN or pattern.count("%") > MAX_WILDCARDS:
        _bad_pattern(
            node, scope, f"a pattern may have {MAX_PATTERN} characters and {MAX_WILDCARDS} % signs"
        )
    if escape is not None and ends_in_escape(pattern, escape):
        _bad_pattern(node, scope, ENDS_IN_ESCAPE)


def one_byte(escape: str) -> bool:
    """One ASCII character: no other ESCAPE is safe on every row (NUL means "none")."""
    return len(escape) == 1 and escape.isascii() and escape != "\0"


def ends_in_escape(pattern: str, escape: str) -> bool:
    """Does an escape end the pattern, with nothing left to escape? DuckDB raises at a row."""
    escaped = False
    for char in pattern:
        escaped = char == escape and not escaped
    return escaped


def _bad_pattern(node: exp.Expr, scope: Scope, message: str) -> NoReturn:
    hint = (
        "for example LIKE '100!%' ESCAPE '!'"
        if "ESCAPE" in message
        else "for example city LIKE 'B%'"
    )
    scope.refuse(node, "unsupported-pattern", message, hint)


FAMILY = Membership()
