"""A row's bounded value: an integer within public bounds, or NULL, whatever the data holds.

    CASE WHEN <conditions AND> <guard of x> THEN clamped ± c END
    CASE WHEN <conditions> THEN 1 END
    CASE WHEN <condition> THEN constant ... ELSE constant END
    CASE WHEN x BETWEEN lo AND hi THEN scaled x ± c WHEN <condition> THEN constant ...
         [ELSE TRY_CAST(x * positive constant AS BIGINT) ± c] END
    CASE WHEN x BETWEEN lo AND hi THEN scaled x ± c ELSE <one of these> END

`clamped` is built from clamps by constants, positive constant factors and monotone roundings, and
is an integer at last. The guard (x IS NOT NULL, ISFINITE(x)) keeps NULL, NaN and infinities from
becoming a bound: the engine's LEAST and GREATEST skip NULL, and NaN ranks highest.
"""

from __future__ import annotations

import sys
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Const, Fact, Number, Pair, Poly, RowPoly, Value
from dpsql.certify.grammar import is_integer_type
from dpsql.certify.kinds import kind_of
from dpsql.certify.ranges import positive, ranged, tested
from dpsql.certify.reader import bare, conjuncts, not_null, whole
from dpsql.certify.rows import check_condition, check_row
from dpsql.certify.scope import Scope
from dpsql.core.domain import Kind

_PRESENT = frozenset({Kind.INTEGER, Kind.DECIMAL})
"""Kinds without NaN and infinities."""
_LARGEST = Fraction(sys.float_info.max)


def row_value(node: exp.Case, scope: Scope) -> Number | None:
    """The value a guarded clamp makes, None for a CASE that is none."""
    branches, otherwise = node.args["ifs"], node.args.get("default")
    if node.this is not None:
        return None
    if otherwise is not None and (told := whole(otherwise)) is not None:
        return _class(branches, told, scope)
    if isinstance(rest := None if otherwise is None else bare(otherwise), exp.Case):
        return _either(branches, rest, scope)
    if len(branches) > 1:
        if otherwise is not None and not _never(otherwise, branches, scope):
            return None
        return _steps(branches, scope)
    if otherwise is not None:
        return None
    condition, value = branches[0].this, bare(branches[0].args["true"])
    constant = whole(value)
    if constant is not None:
        check_condition(condition, scope)
        return Number(scope.serials(), constant, constant)
    found = ranged(value, scope)
    if found is None:
        return None
    check_row(node, scope)
    if found.kind is not Kind.INTEGER:
        refuse("a bounded value is an integer")
    require(
        any(_guards(part, found.layers, scope) for part in conjuncts(condition)),
        "a clamped value is guarded against NULL and NaN",
    )
    return Number(scope.serials(), int(found.lo), int(found.hi))


def _either(branches: list[exp.If], rest: exp.Case, scope: Scope) -> Number | None:
    """What a branch's own test bounds, else another guarded clamp."""
    if any(whole(bare(branch.args["true"])) is not None for branch in branches):
        return None
    first = _steps(branches, scope)
    other = None if first is None else row_value(rest, scope)
    if first is None or other is None:
        return None
    return Number(scope.serials(), min(first.lo, other.lo), max(first.hi, other.hi))


def _class(branches: list[exp.If], rest: int, scope: Scope) -> Number | None:
    """Constants alone, the ELSE too: never NULL."""
    ends = [rest]
    for branch in branches:
        constant = whole(bare(branch.args["true"]))
        if constant is None:
            return None
        ends.append(constant)
    for branch in branches:
        check_condition(bare(branch.this), scope)
    return Number(scope.serials(), min(ends), max(ends), present=True)


def _steps(branches: list[exp.If], scope: Scope) -> Number | None:
    """One of several values: constants, and what the branch's own test bounds."""
    ends: list[Fraction] = []
    for branch in branches:
        condition, value = bare(branch.this), bare(branch.args["true"])
        constant = whole(value)
        if constant is not None:
            ends.append(Fraction(constant))
        else:
            given = tested(condition, scope)
            found = None if given is None else ranged(value, scope, given)
            if found is None or found.kind is not Kind.INTEGER:
                return None
            ends += [found.lo, found.hi]
            check_row(value, scope)
        check_condition(condition, scope)
    return Number(scope.serials(), int(min(ends)), int(max(ends)))


def _never(otherwise: exp.Expr, branches: list[exp.If], scope: Scope) -> bool:
    """Is the ELSE, an attempted cast of a float x, NULL whenever it is reached?

    The tests in front of it together hold all finite x, so that NULL, NaN and infinities alone
    come here: a positive constant leaves them what they are, and no attempt makes integers of
    them. It repeats a branch, so that no number stands in it that nothing else is held against.
    """
    node = bare(otherwise)
    if not any(bare(branch.args["true"]) == node for branch in branches):
        return False
    if isinstance(node, (exp.Add, exp.Sub)) and whole(node.args["expression"]) is not None:
        node = bare(node.this)
    if type(node) is not exp.TryCast or not is_integer_type(node.to):
        return False
    product = bare(node.this)
    if type(product) is not exp.Mul or not positive(bare(product.args["expression"])):
        return False
    x = bare(product.this)
    found = [tested(bare(branch.this), scope) for branch in branches]
    ranges = sorted(
        (part.lo, part.hi)
        for part in found
        if part is not None and part.layers == (x,) and part.kind is Kind.FLOAT
    )
    reached = -_LARGEST
    for lo, hi in ranges:
        if lo > reached:
            return False
        reached = max(reached, hi)
    if not ranges or reached < _LARGEST:
        return False
    check_row(otherwise, scope)
    return True


def _guards(test: exp.Expr, layers: tuple[exp.Expr, ...], scope: Scope) -> bool:
    """Does the condition say that what is clamped is there, and finite where it may not be?"""
    if isinstance(test, exp.Anonymous) and str(test.this).upper() == "ISFINITE":
        return len(test.expressions) == 1 and bare(test.expressions[0]) in layers
    present = not_null(test)
    return present is not None and present in layers and kind_of(present, scope) in _PRESENT


# ---- polynomials -----------------------------------------------------------------------------


def polynomial(node: exp.Expr, left: Fact, right: Fact) -> Fact:
    """left op right for rows: sums, differences and products of one value or two, and constants."""
    a, b = _as_poly(left), _as_poly(right)
    if a is None or b is None:
        return None
    of = a[0] if b[0] is None else b[0] if a[0] is None else _together(a[0], b[0])
    if of is None and (a[0] is not None or b[0] is not None):
        return None
    result = _apply(node, _in_terms_of(of, *a), _in_terms_of(of, *b))
    if result is None:
        return None
    return Const(result.c0) if of is None else RowPoly(of, result)


def _together(a: Value, b: Value) -> Value | None:
    """The value or the pair of values that both speak of; None if there are more than two."""
    numbers = {
        n for of in (a, b) for n in ((of.first, of.second) if isinstance(of, Pair) else (of,))
    }
    if len(numbers) > 2:
        return None
    first, *rest = sorted(numbers, key=lambda number: number.serial)
    return Pair(first, rest[0]) if rest else first


def _in_terms_of(of: Value | None, part: Value | None, poly: Poly) -> Poly:
    second = isinstance(of, Pair) and part == of.second
    return poly.of_second() if second else poly


def _apply(node: exp.Expr, a: Poly, b: Poly) -> Poly | None:
    if isinstance(node, exp.Add):
        return a + b
    if isinstance(node, exp.Sub):
        return a - b
    return a * b if isinstance(node, exp.Mul) else None


def _as_poly(fact: Fact) -> tuple[Value | None, Poly] | None:
    match fact:
        case Const(value):
            return None, Poly(value)
        case Number():
            return fact, Poly(0, 1)
        case RowPoly(of, Poly() as poly):
            return of, poly
    return None


def as_row_poly(fact: Fact) -> RowPoly | None:
    """The fact as a polynomial of one row value, if it is one."""
    if isinstance(fact, Number):
        return RowPoly(fact, Poly(0, 1))
    return fact if isinstance(fact, RowPoly) else None
