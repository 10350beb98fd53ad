"""How large a row's value can be, from the constants that clamp it: does it fit an INT?

The sum of INTs is a BIGINT, that of BIGINTs a NUMERIC, which takes several times as long.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.dialects.told import constant

EDGE = 2**30


def small(node: exp.Case) -> bool:
    """Does a CASE of clamped values give nothing but NULL beyond 2^30?"""
    most = _of_case(node, None)
    return most is not None and most <= EDGE


Tested = tuple[exp.Expr, float] | None
"""What a test in front says: an expression, and its largest size."""


def _most(node: exp.Expr, tested: Tested) -> float | None:
    node = node.unnest()
    if tested is not None and node == tested[0]:
        return tested[1]
    if (value := constant(node)) is not None:
        return abs(value)
    if isinstance(node, exp.Case):
        return _of_case(node, tested)
    if isinstance(node, exp.Least) and len(node.expressions) == 1:
        return _of_clamp(node)
    if isinstance(node, exp.Cast):
        inner = _most(node.this, tested)
        return None if inner is None else inner + 1  # what rounding adds
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        sides = [_most(part, tested) for part in (node.this, node.args["expression"])]
        if sides[0] is None or sides[1] is None:
            return None
        return sides[0] * sides[1] if isinstance(node, exp.Mul) else sides[0] + sides[1]
    return None


def _of_clamp(node: exp.Least) -> float | None:
    inner = node.this.unnest()
    if not isinstance(inner, exp.Greatest) or len(inner.expressions) != 1:
        return None
    ends = [_end(inner.expressions[0]), _end(node.expressions[0])]
    return None if None in ends else max(abs(end) for end in ends if end is not None)


def _end(node: exp.Expr) -> float | None:
    """A constant, be it cast to DECIMAL."""
    node = node.unnest()
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        try:
            return float(node.this.name)
        except ValueError:
            return None
    return constant(node)


def _of_case(node: exp.Case, tested: Tested) -> float | None:
    if node.this is not None:
        return None
    found: list[float] = []
    branches = node.args["ifs"]
    clamp = [type(branch.this.unnest()) for branch in branches] == [exp.LT, exp.GT]
    if clamp and node.args.get("default") is not None:
        ends = [_end(branch.args["true"]) for branch in branches]
        same = all(
            _end(branch.this.unnest().args["expression"]) == end
            and branch.this.unnest().this.unnest() == node.args["default"].unnest()
            for branch, end in zip(branches, ends, strict=True)
        )
        if same and None not in ends:
            return max(abs(end) for end in ends if end is not None)
    given = [branch.args["true"] for branch in branches]
    for branch in branches:
        most = _most(branch.args["true"], _told(branch.this.unnest()) or tested)
        if most is None:
            return None
        found.append(most)
    default = node.args.get("default")
    if default is not None and default not in given:
        most = _most(default, tested)
        if most is None:
            return None
        found.append(most)
    return max(found)


def _told(test: exp.Expr) -> Tested:
    if type(test) is not exp.Between:
        return None
    ends = [_end(test.args[part]) for part in ("low", "high")]
    if None in ends:
        return None
    return test.this.unnest(), max(abs(end) for end in ends if end is not None)
