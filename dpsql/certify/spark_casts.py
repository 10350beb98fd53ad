"""Casts and roundings in Spark's text, and what they are in the normal form."""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import (
    constant,
    decimal,
    digits,
    is_text,
    number_of,
    power_of_ten,
)
from dpsql.certify.foreign_shapes import Read, bare, only
from dpsql.certify.spark_kinds import Kinds, kind_of_type
from dpsql.certify.spark_moments import PARTS_SHAPES, part, trunc
from dpsql.certify.spark_text import match, word_of
from dpsql.core.domain import NUMERIC, Kind

_D = exp.DType
INTEGERS = frozenset({_D.TINYINT, _D.SMALLINT, _D.INT, _D.BIGINT})
_PLAIN = INTEGERS | {_D.DOUBLE, _D.TEXT, _D.BOOLEAN, _D.DATE}
_EDGE = "CAST('9.223372036854776e+18' AS DOUBLE)"
"""2^63, which Spark casts to 2^63 - 1."""

_WHOLE = "^ *[+-]?[0-9]{1,18} *\\z"
_NUMBER = "^ *[+-]?[0-9]{1,15}([.][0-9]{0,15})?([eE][+-]?[0-9]{1,2})? *\\z"
_DIGITS = "^ *[+-]?[0-9]{1,18}([.][0-9]{0,18})? *\\z"
_DAY = "^ *(?!0000)[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} *\\z"
_READABLE = {
    _D.DOUBLE: _NUMBER,
    _D.DECIMAL: _DIGITS,
    _D.DATE: _DAY,
    **dict.fromkeys(INTEGERS, _WHOLE),
}
"""How a text is plainly spelled that is cast to a type."""


def type_of(to: exp.DataType) -> exp.DataType:
    """The normal form's name: 38 digits without a fraction are HUGEINT's."""
    only(to, "this", "expressions", "nested")
    if to.this is _D.ARRAY:
        (of,) = to.expressions
        return exp.DataType(this=_D.ARRAY, expressions=[type_of(of)], nested=True)
    if to.this is _D.TIMESTAMPNTZ:
        return exp.DataType(this=_D.TIMESTAMP)
    if to.this is _D.DECIMAL:
        return exp.DataType(this=_D.INT128) if digits(to) == (38, 0) else decimal(to)
    require(to.this in _PLAIN and not to.expressions, "a type is not on the list")
    return exp.DataType(this=to.this)


def given(node: exp.Expr) -> exp.Expr:
    """A public value beside the text: under a cast that says of which type it is."""
    name = node.this.this if isinstance(node.this, exp.Placeholder) else None
    if not isinstance(name, str) or type(node) is not exp.Cast:
        refuse("a given value has its name")
    return exp.Cast(this=exp.Placeholder(this=name), to=type_of(node.to))


def cast(node: exp.Cast, read: Read, kinds: Kinds) -> exp.Expr:
    """CAST or TRY_CAST, by what is cast to what: each pair has its own rule, or is refused."""
    source, to = bare(node.this), node.to
    only(node, "this", "to", "safe")
    if isinstance(source, exp.Placeholder):
        return given(node)
    if is_text(source):
        require(type(node) is exp.Cast and to.this not in INTEGERS, "a constant is plain")
        return constant(str(source.this), type_of(to))
    for shape in PARTS_SHAPES:
        if (found := match(shape, node)) is not None:
            return part(found, shape, read, kinds)
    if (moment := trunc(node, read, kinds)) is not None:
        return moment
    have, want = kinds.of(source), kind_of_type(to)
    if have is Kind.NULL:
        return _built(node, read(source))
    if to.this in INTEGERS:
        return _integer(node, source, have, read, kinds)
    if to.this is _D.DECIMAL:
        return _decimal(node, source, have, read, kinds)
    if want is Kind.FLOAT and have in NUMERIC:
        return _built(node, read(source))
    if want is Kind.TEXT and have in _SPELLED:
        return _built(node, read(source))
    if want is Kind.DATE and have is Kind.TIMESTAMP:
        return _built(node, read(source))
    if want is Kind.TIMESTAMP and have is Kind.DATE:
        return _midnight(node, source, read)
    return _spelled(node, source, to, read, kinds)


_SPELLED = (Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP)


def _built(node: exp.Cast, inner: exp.Expr) -> exp.Expr:
    if type(node) is exp.TryCast:
        return exp.TryCast(this=inner, to=type_of(node.to), safe=True)
    return exp.Cast(this=inner, to=type_of(node.to))


def _integer(
    node: exp.Cast, source: exp.Expr, have: Kind | None, read: Read, kinds: Kinds
) -> exp.Expr:
    """Spark cuts a fraction off: a float is rounded half to even before, a decimal half up."""
    found = match(f"nullif(rint(_x), {_EDGE})", source) or match("rint(_x)", source)
    if found is not None:
        require(kinds.of(found["_x"]) is Kind.FLOAT, "what is rounded so is a float")
        edged = word_of(source) == "nullif" or type(node) is exp.Cast
        require(edged or node.to.this is not _D.BIGINT, "2^63 is no BIGINT")
        return _built(node, read(found["_x"]))
    found = match("round(_x, 0)", source)
    if found is not None:
        exact = kinds.of(found["_x"]) in (Kind.DECIMAL, Kind.INTEGER)
        inner = read(found["_x"]) if exact else read(source)
        return _built(node, inner)
    if match("sign(_x)", source) is not None:
        require(type(node) is exp.TryCast, "a sign of NaN is none")
        return exp.Sign(this=read(source.expressions[0]))
    if have in (Kind.INTEGER, Kind.BOOLEAN):
        return _built(node, read(source))
    return _spelled(node, source, node.to, read, kinds)


def _decimal(
    node: exp.Cast, source: exp.Expr, have: Kind | None, read: Read, kinds: Kinds
) -> exp.Expr:
    """Of exact numbers as it stands. A float is the nearest multiple of 10^-s, from a BIGINT."""
    scale = digits(node.to)[1]
    nearest = f"TRY_CAST(nullif(round(_y), {_EDGE}) AS BIGINT)"
    shape = f"try_multiply(CAST({nearest} AS DECIMAL(19, 0)), _u)" if scale else nearest
    found = match(shape, source)
    if found is not None and kinds.of(found["_y"]) is Kind.FLOAT:
        require(type(node) is exp.TryCast, "a float is tried")
        value = found["_y"]
        if scale:
            scaled = match("try_multiply(_x, _f)", found["_y"])
            if scaled is None or power_of_ten(scaled["_f"]) != scale:
                refuse("a number is scaled by its places")
            _unit(bare(found["_u"]), scale)
            value = scaled["_x"]
            require(kinds.of(value) is Kind.FLOAT, "what is rounded so is a float")
        return exp.TryCast(this=read(value), to=type_of(node.to), safe=True)
    if have in (Kind.INTEGER, Kind.DECIMAL):
        return _built(node, read(source))
    return _spelled(node, source, node.to, read, kinds)


def _unit(unit: exp.Expr, scale: int) -> None:
    if not isinstance(unit, exp.Cast) or unit.to.this is not _D.DECIMAL or not is_text(unit.this):
        refuse("a unit")
    plain = digits(unit.to) == (scale + 1, scale)
    require(plain and unit.this.name == "0." + "1".rjust(scale, "0"), "a unit")


def _midnight(node: exp.Cast, source: exp.Expr, read: Read) -> exp.Expr:
    """A date of the years 1 to 9999, or one that stands there: others may not fit."""
    if type(source) is exp.Cast and is_text(source.this):
        return _built(node, read(source))
    found = match(
        "CASE WHEN _d BETWEEN CAST('0001-01-01' AS DATE) AND CAST('9999-12-31' AS DATE)"
        " THEN _d END",
        source,
    )
    if found is None or type(node) is not exp.Cast:
        refuse("a date is one of the years 1 to 9999")
    return exp.TryCast(this=read(found["_d"]), to=type_of(node.to), safe=True)


def _spelled(
    node: exp.Cast, source: exp.Expr, to: exp.DataType, read: Read, kinds: Kinds
) -> exp.Expr:
    """A text that a pattern says to be plainly spelled, tried."""
    found = match("CASE WHEN _t RLIKE _p THEN _t END", source)
    if found is None or type(node) is not exp.TryCast:
        refuse("a cast is of a known kind")
    pattern = bare(found["_p"])
    plain = is_text(pattern) and str(pattern.this) == _READABLE.get(to.this)
    require(plain and kinds.of(found["_t"]) is Kind.TEXT, "a pattern is a known one")
    return exp.TryCast(this=read(found["_t"]), to=type_of(to), safe=True)


# ---- rounding --------------------------------------------------------------------------------

_ONE = "THEN CAST('1.0' AS DOUBLE) ELSE CAST('0.0' AS DOUBLE) END"
_FLOOR = f"try_subtract(rint(_x), CASE WHEN rint(_x) > _x {_ONE})"
_CEIL = f"try_add(rint(_x), CASE WHEN rint(_x) < _x {_ONE})"
_CUT = ("try_subtract(_x, try_mod(_x, CAST('1.0' AS DOUBLE)))", "try_subtract(_x, try_mod(_x, 1))")
_UP = (
    "CASE WHEN abs(_x) <= CAST('1e+290' AS DOUBLE) THEN"
    " try_divide(CAST(round(try_multiply(_x, _f)) AS DOUBLE), CAST(_f AS DOUBLE)) ELSE _x END"
)
_DOWN = (
    "CASE WHEN abs(_x) <= CAST('1e+290' AS DOUBLE) THEN"
    " try_multiply(round(try_divide(CAST(_x AS DOUBLE), CAST(_f AS DOUBLE))), _f) ELSE _x END"
)


def rounded(node: exp.Expr, read: Read, kinds: Kinds) -> exp.Expr | None:
    """FLOOR, CEIL and TRUNC as they are written of floats, and each of decimals."""
    for shape, kind in (
        (_FLOOR, exp.Floor),
        (_CEIL, exp.Ceil),
        *((one, exp.Trunc) for one in _CUT),
    ):
        found = match(shape, node)
        if found is not None:
            kinds.numbers(found["_x"])
            return kind(this=read(found["_x"]))
    word, parts = word_of(node), node.expressions
    if word in ("floor", "ceil"):
        exact = len(parts) == 1 and kinds.of(parts[0]) in (Kind.DECIMAL, Kind.INTEGER)
        require(exact, "FLOOR and CEIL raise over large floats")
        return (exp.Floor if word == "floor" else exp.Ceil)(this=read(parts[0]))
    if word == "round" and len(parts) == 2:
        places = number_of(parts[1])
        require(places is not None and kinds.of(parts[0]) is not Kind.FLOAT, "digits of a decimal")
        kinds.numbers(parts[0])
        return exp.Round(this=read(parts[0]), decimals=read(parts[1]))
    return None


def to_places(node: exp.Expr, read: Read, kinds: Kinds) -> exp.Expr | None:
    """A float rounded to a number of places."""
    for shape, sign in ((_UP, 1), (_DOWN, -1)):
        found = match(shape, node)
        places = None if found is None else power_of_ten(found["_f"])
        if found is not None and places is not None:
            kinds.numbers(found["_x"])
            number: exp.Expr = exp.Literal.number(places)
            number = number if sign > 0 else exp.Neg(this=number)
            return exp.Round(this=read(found["_x"]), decimals=number)
    return None
