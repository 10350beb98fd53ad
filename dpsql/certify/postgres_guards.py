"""Guards, which give NULL or 0 where PostgreSQL would raise: read as what they guard.

Each must be exactly of its shape: a guard of another expression or another size is none.
"""

from __future__ import annotations

from fractions import Fraction

from sqlglot import exp

from dpsql.certify.foreign_constants import number_of
from dpsql.certify.foreign_shapes import bare, same
from dpsql.certify.postgres_text import match

_D = exp.DType
_HUGE, _TINY = Fraction(10) ** 30, Fraction(1, 10**30)


def size_guard(node: exp.Expr) -> exp.Expr | None:
    """y of CASE WHEN <its parts are of an ordinary size> THEN y END."""
    branches = node.args["ifs"]
    if node.this is not None or node.args.get("default") is not None or len(branches) != 1:
        return None
    value: exp.Expr = branches[0].args["true"]
    tests, stack = [], [bare(branches[0].this)]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.And):
            stack += [bare(part.this), bare(part.args["expression"])]
        else:
            tests.append(part)
    return value if all(_ordinary(test, value) for test in tests) else None


def _ordinary(test: exp.Expr, value: exp.Expr) -> bool:
    found = match("pg_catalog.abs(_x) <= _m", test)
    if found is not None:
        most = number_of(found["_m"])
        return most is not None and most >= _HUGE and _inside(found["_x"], value)
    found = match("pg_catalog.abs(_x) BETWEEN _l AND _m", test)
    if found is None:
        return False
    least, most = number_of(found["_l"]), number_of(found["_m"])
    sizes = least is not None and most is not None and least <= _TINY and most >= _HUGE
    return sizes and _inside(found["_x"], value)


def zero_guard(node: exp.Expr) -> exp.Expr | None:
    """y of CASE WHEN <a factor of it is tiny> THEN 0.0 ELSE y END."""
    branches, default = node.args["ifs"], node.args.get("default")
    if node.this is not None or not isinstance(default, exp.Expr) or len(branches) != 1:
        return None
    value: exp.Expr = default
    zero = bare(branches[0].args["true"])
    if number_of(zero) != 0 or not isinstance(zero, exp.Cast):
        return None
    product = bare(value)
    if isinstance(product, exp.Mul):
        factors = [number_of(part) for part in (product.this, product.args["expression"])]
        if any(factor is not None and abs(factor) >= 1 for factor in factors):
            return None  # the product of a tiny number and it need not be near 0
    stack = [bare(branches[0].this)]
    while stack:
        test = stack.pop()
        if isinstance(test, exp.Or):
            stack += [bare(test.this), bare(test.args["expression"])]
            continue
        found = match("pg_catalog.abs(_x) < _m", test)
        most = None if found is None else number_of(found["_m"])
        if found is None or most is None or most > _TINY or not _inside(found["_x"], value):
            return None
    return bare(value)


def _inside(part: exp.Expr, value: exp.Expr) -> bool:
    """Is it an operand of the product, quotient, sum or power that is guarded?"""
    value = bare(value)
    if isinstance(value, exp.Case):  # guarded once more
        inner = value.args.get("default")
        return inner is not None and _inside(part, inner)
    operands: list[exp.Expr] = []
    if isinstance(value, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        operands = [value.this, value.args["expression"]]
    elif isinstance(value, exp.Dot) and isinstance(value.args["expression"], exp.Anonymous):
        operands = list(value.args["expression"].expressions)
    for one in operands:
        if same(one, part):
            return True
        one = bare(one)
        if isinstance(one, exp.Cast) and one.to.this is _D.DOUBLE and same(one.this, part):
            return True
    return False
