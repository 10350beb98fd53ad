"""CASE (searched and simple), IF, COALESCE, NULLIF, LEAST, GREATEST.

All results are brought to one type by `unify`. Ranges join over the branches, each read with what
its condition tells (`branches.py`). Finite values
survive where every branch has them (`CASE WHEN age < 30 THEN 'young' ELSE 'old' END` is a public
key domain), written as the engine returns them in the common type. NULL: a CASE without ELSE, a
branch that may be NULL, NULLIF; COALESCE is NULL only if every argument may be.
LEAST and GREATEST skip NULLs as in DuckDB and PostgreSQL; dialects where a NULL wins are refused.
IR arguments: case (w1, t1, w2, t2, ..., default), switch (subject, v1, t1, ..., default).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from sqlglot import exp

from dpsql.core.domain import ANY, Domain, Interval, Kind, Scalar, SqlType
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions import intervals
from dpsql.functions.branches import reached
from dpsql.functions.forms import need, only, operand, result, when
from dpsql.functions.literals import convert, lit
from dpsql.functions.protocol import Scope
from dpsql.functions.unify import agreed, bring_all, common, gap, settle


class Conditional:
    names: tuple[str, ...] = ("case", "switch", "coalesce", "nullif", "least", "greatest")
    nodes: tuple[type[exp.Expr], ...] = (
        exp.Case,
        exp.If,
        exp.Coalesce,
        exp.Nullif,
        exp.Least,
        exp.Greatest,
    )
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, exp.Case):
            return _bind_case(node, scope)
        if isinstance(node, exp.If):
            return _bind_if(node, scope)
        if isinstance(node, exp.Nullif):
            return _bind_nullif(node, scope)
        return _bind_many(node, scope)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn in ("case", "switch"):
            return _emit_case(call, args)
        if call.fn == "nullif":
            return _emit_nullif(call, args)
        first, *rest = bring_all(call.args, args, call.domain.type)
        if call.fn == "coalesce":
            return exp.Coalesce(this=first, expressions=rest)
        node = exp.Least if call.fn == "least" else exp.Greatest
        return node(this=first, expressions=rest, ignore_nulls=True)


# ---- CASE and IF -------------------------------------------------------------------------


def _bind_case(node: exp.Case, scope: Scope) -> Expr:
    only(node, scope, "this", "ifs", "default")
    default = node.args.get("default")
    tests = [scope.expr(branch.this) for branch in node.args["ifs"]]
    branches = [branch.args["true"] for branch in node.args["ifs"]]
    if node.this is not None:
        results = [scope.expr(branch) for branch in branches]
        results.append(lit(None) if default is None else scope.expr(default))
        subject, *values = settle(node, [scope.expr(node.this), *tests], scope)
        common(node, (subject, *values), scope)
        return _case(node, values, results, scope, subject=subject)
    for branch, test in zip(node.args["ifs"], tests, strict=True):
        need(branch.this, test, (Kind.BOOLEAN,), "WHEN needs a condition", scope)
    return _case(node, tests, _outcomes(tests, [*branches, default], scope), scope)


def _outcomes(
    tests: Sequence[Expr], branches: Sequence[exp.Expr | None], scope: Scope
) -> list[Expr]:
    """Each branch, the ELSE last, with what is known where it is reached."""
    found: list[Expr] = []
    for index, branch in enumerate(branches):
        if branch is None:
            found.append(lit(None))
            continue
        if branch.find(exp.Column) is None:
            found.append(scope.expr(branch))
            continue
        test = tests[index] if index < len(tests) else None
        found.append(scope.narrowed(reached(test, tests[:index])).expr(branch))
    return found


def _bind_if(node: exp.If, scope: Scope) -> Expr:
    only(node, scope, "this", "true", "false")
    otherwise = node.args.get("false")
    test = scope.expr(node.this)
    need(node, test, (Kind.BOOLEAN,), "IF needs a condition", scope)
    return _case(node, [test], _outcomes([test], [node.args["true"], otherwise], scope), scope)


def _case(
    node: exp.Expr,
    conditions: Sequence[Expr],
    results: Sequence[Expr],
    scope: Scope,
    *,
    subject: Expr | None = None,
) -> Call:
    outcomes = settle(node, results, scope)
    type_ = common(node, outcomes, scope).type
    args: list[Expr] = [] if subject is None else [subject]
    for test, outcome in zip(conditions, outcomes[:-1], strict=True):
        args += [test, outcome]
    args.append(outcomes[-1])
    domains = [outcome.domain for outcome in outcomes]
    domain = result(
        type_,
        args,
        certain=_joined([d.certain for d in domains], domains, type_),
        declared=_joined([d.declared for d in domains], domains, type_),
        nullable=any(d.nullable for d in domains) or gap(outcomes, type_),
        values=union(domains, type_),
    )
    return Call("case" if subject is None else "switch", tuple(args), domain)


def _emit_case(call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
    subject, tests = None, list(args[:-1:2])
    exprs = call.args
    if call.fn == "switch":
        compared = (exprs[0], *exprs[1:-1:2])
        nodes = bring_all(compared, [args[0], *args[1:-1:2]], agreed(compared))
        subject, *tests = nodes
        exprs, args = exprs[1:], args[1:]
    outcomes = [*exprs[1::2], exprs[-1]]
    *then, default = bring_all(outcomes, [*args[1::2], args[-1]], call.domain.type)
    ifs = [exp.If(this=test, true=value) for test, value in zip(tests, then, strict=True)]
    missing = isinstance(exprs[-1], Lit) and exprs[-1].value is None
    return exp.Case(this=subject, ifs=ifs, default=None if missing else default)


# ---- COALESCE, NULLIF, LEAST, GREATEST ---------------------------------------------------


def _bind_many(node: exp.Expr, scope: Scope) -> Expr:
    only(node, scope, "this", "expressions", "ignore_nulls", "is_nvl", "is_null")
    args = settle(node, [scope.expr(part) for part in (node.this, *node.expressions)], scope)
    type_ = common(node, args, scope).type
    if isinstance(node, exp.Coalesce):
        return _coalesce(args, type_)
    if not node.args.get("ignore_nulls"):
        scope.refuse(
            node,
            "unsupported-function",
            "LEAST and GREATEST that answer NULL for any NULL are not available",
            "write the query in the duckdb or postgres dialect",
        )
    name = "least" if isinstance(node, exp.Least) else "greatest"
    domains = [arg.domain for arg in args]
    domain = result(
        type_,
        args,
        certain=_extreme(name, [d.certain for d in domains], domains, type_),
        declared=_extreme(name, [d.declared for d in domains], domains, type_),
        nullable=all(d.nullable for d in domains) or gap(args, type_),
        values=union(domains, type_),
    )
    return Call(name, args, domain)


def _coalesce(args: Sequence[Expr], type_: SqlType) -> Call:
    reached = []
    for arg in args:
        reached.append(arg.domain)
        if not arg.domain.nullable and not gap((arg,), type_):
            break
    domain = result(
        type_,
        args,
        certain=_joined([d.certain for d in reached], reached, type_),
        declared=_joined([d.declared for d in reached], reached, type_),
        nullable=all(d.nullable for d in reached) or gap(args, type_),
        values=union(reached, type_),
    )
    return Call("coalesce", tuple(args), domain)


def _bind_nullif(node: exp.Nullif, scope: Scope) -> Expr:
    only(node, scope, "this", "expression")
    args = settle(node, (scope.expr(node.this), scope.expr(node.args["expression"])), scope)
    common(node, args, scope)
    return Call("nullif", args, replace(args[0].domain, nullable=True))


def _emit_nullif(call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
    """In the first operand's own type, also where the comparison needs another."""
    left, right = bring_all(call.args, args, agreed(call.args))
    if left is args[0]:
        return exp.Nullif(this=left, expression=right)
    equal = exp.EQ(this=operand(left), expression=operand(right))
    return when(equal, exp.null(), args[0].copy())


# ---- ranges and values -------------------------------------------------------------------


def union(domains: Sequence[Domain], type_: SqlType) -> tuple[Scalar, ...] | None:
    """All finite values of the branches in the common type; None if a branch has others."""
    found: dict[Scalar, None] = {}
    for domain in domains:
        if domain.type.kind is Kind.NULL:
            continue
        if domain.values is None:
            return None
        for value in domain.values:
            converted = convert(value, type_)
            if converted is None:
                return None
            found[converted] = None
    return tuple(found) if 0 < len(found) <= 100_000 else None


def _joined(ranges: Sequence[Interval], domains: Sequence[Domain], type_: SqlType) -> Interval:
    """The hull; branches that are constantly NULL add nothing."""
    real = [span for span, _ in _real(ranges, domains, type_)]
    return reduce(Interval.join, real) if real else ANY


def _extreme(
    name: str, ranges: Sequence[Interval], domains: Sequence[Domain], type_: SqlType
) -> Interval:
    real = _real(ranges, domains, type_)
    if not real or not type_.numeric:
        return _joined(ranges, domains, type_)
    # A float's upper end says "not NaN"; LEAST(x, 5) has it from 5 alone, for NaN is greatest.
    op = intervals.least if name == "least" else intervals.greatest
    (so_far, missing), *rest = real
    for span, null in rest:
        so_far = op(so_far, span, a_null=missing, b_null=null)
        missing = missing and null
    return so_far


def _real(
    ranges: Sequence[Interval], domains: Sequence[Domain], type_: SqlType
) -> list[tuple[Interval, bool]]:
    """(range, may be NULL) of the operands that are not constantly NULL, in the common type.

    An exact operand that becomes a float is rounded: outward onto the REAL grid.
    """
    return [
        (
            intervals.single(span)
            if type_.kind is Kind.FLOAT and domain.type.kind is not Kind.FLOAT
            else span,
            domain.nullable,
        )
        for span, domain in zip(ranges, domains, strict=True)
        if domain.type.kind is not Kind.NULL
    ]


FAMILY = Conditional()
