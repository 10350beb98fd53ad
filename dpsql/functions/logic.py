"""AND, OR, NOT on conditions. Nothing here can fail; NULL follows SQL's three values.

AND and OR are no guards: engines evaluate both sides in any order.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions.forms import need, only, operand, truth
from dpsql.functions.literals import lit
from dpsql.functions.protocol import Scope

_WORDS: dict[type[exp.Expr], str] = {exp.And: "and", exp.Or: "or", exp.Not: "not"}


class Logic:
    names: tuple[str, ...] = ("and", "or", "not")
    nodes: tuple[type[exp.Expr], ...] = (exp.And, exp.Or, exp.Not)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "expression")
        word = _WORDS[type(node)]
        parts = [node.this] if word == "not" else _chain(node)
        args = tuple(scope.expr(part) for part in parts)
        for part, arg in zip(parts, args, strict=True):
            need(part, arg, (Kind.BOOLEAN,), f"{word.upper()} needs conditions", scope)
        if word == "not" and isinstance(args[0], Lit) and isinstance(args[0].value, bool):
            return lit(not args[0].value)
        return Call(word, args, truth(args))

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn == "not":
            return exp.Not(this=operand(args[0]))
        node = exp.And if call.fn == "and" else exp.Or
        chain, *rest = args
        chain = operand(chain)
        for arg in rest:
            chain = node(this=chain, expression=operand(arg))
        return chain


def _chain(node: exp.Expr) -> list[exp.Expr]:
    """`a AND b AND c` as one list: sqlglot nests to the left, deeper than Python recurses."""
    parts = [node.args["expression"]]
    left = node.this
    while type(left) is type(node):
        parts.append(left.args["expression"])
        left = left.this
    return [left, *reversed(parts)]


FAMILY = Logic()
