"""Functions with their own domains, and numbers rounded to places, by their shapes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.foreign_constants import digits, number_of, power_of_ten
from dpsql.certify.foreign_shapes import Read, bare, same
from dpsql.certify.postgres_text import match
from dpsql.certify.postgres_types import type_of

_NEAREST = (
    "pg_catalog.trunc(_x) + CASE WHEN pg_catalog.abs(_x - pg_catalog.trunc(_x)) >="
    " CAST('0.5' AS DP ) THEN pg_catalog.sign(_x) ELSE CAST('0.0' AS DP ) END"
)

_DOMAINS: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    "CASE WHEN _x >= CAST('0.0' AS DP ) THEN pg_catalog.sqrt(_x) END": lambda x: exp.Sqrt(this=x),
    "CASE WHEN _x > CAST('0.0' AS DP ) THEN pg_catalog.ln(_x) END": lambda x: exp.Ln(this=x),
    "CASE WHEN _x > CAST('0.0' AS DP ) THEN pg_catalog.log(_x) END": lambda x: exp.Log(
        this=exp.Literal.number(10), expression=x
    ),
    "CASE WHEN pg_catalog.abs(_x) <= CAST('1.0' AS DP ) THEN pg_catalog.asin(_x) END": (
        lambda x: exp.Asin(this=x)
    ),
    "CASE WHEN pg_catalog.abs(_x) <= CAST('1.0' AS DP ) THEN pg_catalog.acos(_x) END": (
        lambda x: exp.Acos(this=x)
    ),
    "CASE WHEN _x BETWEEN CAST('-700.0' AS DP ) AND CAST('709.0' AS DP ) THEN pg_catalog.exp(_x)"
    " WHEN _x < CAST('-700.0' AS DP ) THEN CAST('0.0' AS DP ) END": lambda x: exp.Exp(this=x),
}


def shaped(node: exp.Expr, read: Read) -> exp.Expr | None:
    for shape, build in _DOMAINS.items():
        found = match(shape, node)
        if found is not None:
            return build(read(found["_x"]))
    return _places(node, read) or _decimal(node, read)


def nearest(node: exp.Expr, read: Read) -> exp.Expr | None:
    """Half away from zero, by what is cut off."""
    found = match(_NEAREST, node)
    return None if found is None else exp.Round(this=read(found["_x"]))


def _places(node: exp.Expr, read: Read) -> exp.Expr | None:
    up = (
        "CASE WHEN pg_catalog.abs(_x) <= CAST('1e+290' AS DP ) THEN"
        f" CAST(({_NEAREST.replace('_x', '(_x * _f)')}) AS DP ) / CAST(_f AS DP ) ELSE _x END"
    )
    down = (
        "CASE WHEN pg_catalog.abs(_x) BETWEEN CAST('1e-200' AS DP ) AND CAST('1e+290' AS DP )"
        f" THEN ({_NEAREST.replace('_x', '(CAST(_x AS DP ) / CAST(_f AS DP ))')}) * _f"
        " WHEN pg_catalog.abs(_x) < CAST('1e-200' AS DP ) THEN CAST('0.0' AS DP ) ELSE _x END"
    )
    for shape, sign in ((up, 1), (down, -1)):
        found = match(shape, node)
        places = None if found is None else power_of_ten(found["_f"])
        if found is not None and places is not None:
            number: exp.Expr = exp.Literal.number(places)
            number = number if sign > 0 else exp.Neg(this=number)
            return exp.Round(this=read(found["_x"]), decimals=number)
    return None


def _decimal(node: exp.Expr, read: Read) -> exp.Expr | None:
    """A float as DECIMAL(p, s): the nearest multiple of 10^-s.

    What is rounded must have p digits: of the largest float let in, the product (rounded to a
    float, as the engine does) and its nearest whole number are computed here; both are monotone.
    """
    scaled = _NEAREST.replace("_x", "(_x * _f)")
    shape = (
        "CASE WHEN pg_catalog.abs(_x) <= _m THEN _d END",
        f"CAST(CAST(({scaled}) AS BIGINT) AS NUMERIC) * _u",
        f"CAST(CAST(({_NEAREST}) AS BIGINT) AS NUMERIC)",
    )
    found = match(shape[0], node)
    cast = None if found is None else bare(found["_d"])
    if found is None or not isinstance(cast, exp.Cast) or not cast.to.expressions:
        return None
    precision, scale = digits(cast.to)
    most = number_of(found["_m"])
    inner = match(shape[1] if scale else shape[2], cast.this)
    if inner is None or most is None or not same(inner["_x"], found["_x"]):
        return None
    rounded = floor(Fraction(float(most * 10**scale)) + Fraction(1, 2))
    require(rounded < min(10**precision, 10**18 + 1), "a number has its digits, rounded")
    if scale:
        require(power_of_ten(inner["_f"]) == scale, "a number is scaled by its places")
        unit = bare(inner["_u"])
        exact = isinstance(unit, exp.Cast) and digits(unit.to) == (scale + 1, scale)
        require(exact and Fraction(str(unit.this.name)) == Fraction(1, 10**scale), "a unit")
    return exp.TryCast(this=read(found["_x"]), to=type_of(cast.to), safe=True)
