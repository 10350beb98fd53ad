"""`= <> < <= > >=`, IS [NOT] DISTINCT FROM, IS NULL / TRUE / FALSE.

Operands are brought to one type by `unify`, so that no comparison can raise. Comparing floats is
total in DuckDB (NaN = NaN, NaN above all) and left raw. Results are BOOLEAN, whose values are a
public domain by themselves.

IR names: `eq` is equality of the values themselves (joins and keys may rest on it); where an exact
number is compared as a float, two different integers can equal one float, and the name is
`eq_rounded`.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.core.ir import Call, Expr
from dpsql.functions.forms import need, only, operand, truth
from dpsql.functions.protocol import Scope
from dpsql.functions.unify import agreed, bring_all, common, gap, settle

_BINARY: dict[type[exp.Expr], str] = {
    exp.EQ: "eq",
    exp.NEQ: "neq",
    exp.GT: "gt",
    exp.GTE: "gte",
    exp.LT: "lt",
    exp.LTE: "lte",
    exp.NullSafeEQ: "same",
    exp.NullSafeNEQ: "distinct",
}
_NODES: dict[str, type[exp.Expr]] = {name: node for node, name in _BINARY.items()}
_NODES["eq_rounded"] = exp.EQ
_IS = ("is_null", "is_true", "is_false")


class Comparison:
    names: tuple[str, ...] = (*_NODES, *_IS)
    nodes: tuple[type[exp.Expr], ...] = (*_BINARY, exp.Is)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "expression")
        if isinstance(node, exp.Is):
            return _bind_is(node, scope)
        left, right = scope.expr(node.this), scope.expr(node.args["expression"])
        return compare(_BINARY[type(node)], node, left, right, scope)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn in _IS:
            word = exp.null() if call.fn == "is_null" else exp.Boolean(this=call.fn == "is_true")
            return exp.Is(this=operand(args[0]), expression=word)
        left, right = args
        if all(arg.domain.type.kind is not Kind.OPAQUE for arg in call.args):
            left, right = bring_all(call.args, args, agreed(call.args))
        # else it is a step of a unit path from UUID to UUID: nobody else compares such columns
        return _NODES[call.fn](this=operand(left), expression=operand(right))


def compare(name: str, node: exp.Expr, left: Expr, right: Expr, scope: Scope) -> Call:
    """A comparison of two bound operands."""
    left, right = settle(node, (left, right), scope)
    agreement = common(node, (left, right), scope)
    if name == "eq" and not agreement.exact:
        name = "eq_rounded"
    nullable = None
    if name in ("same", "distinct"):
        nullable = False
    elif gap((left, right), agreement.type):
        nullable = True
    return Call(name, (left, right), truth((left, right), nullable=nullable))


def _bind_is(node: exp.Is, scope: Scope) -> Expr:
    arg, word = scope.expr(node.this), node.args["expression"]
    if isinstance(word, exp.Null):
        return Call("is_null", (arg,), truth((arg,), nullable=False))
    if isinstance(word, exp.Boolean):
        need(node, arg, (Kind.BOOLEAN,), "IS TRUE needs a condition", scope)
        return Call("is_true" if word.this else "is_false", (arg,), truth((arg,), nullable=False))
    scope.refuse(
        node,
        "unsupported-expression",
        "IS takes NULL, TRUE or FALSE",
        "use IS NOT DISTINCT FROM to compare with NULLs counted equal",
    )


FAMILY = Comparison()
