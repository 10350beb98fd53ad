"""Attempts, which test before they cast: read as TRY_CAST.

The test must be of what is cast, and its ends or its pattern must be of the type.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import count_of, digits, is_text, number_of
from dpsql.certify.foreign_shapes import Read, bare, put, same
from dpsql.certify.postgres_guards import zero_guard
from dpsql.certify.postgres_text import match
from dpsql.certify.postgres_types import INTEGERS, type_of

_D = exp.DType

WHOLE = "^ *[+-]?[0-9]{1,18} *$"
NUMBER = "^ *[+-]?[0-9]{1,15}([.][0-9]{0,15})?([eE][+-]?[0-9]{1,2})? *$"
PLAIN = "^ *[+-]?[0-9]{1,18}([.][0-9]{0,18})? *$"
_FOURTH = "(?:0[48]|[2468][048]|[13579][26])"
DAY = (
    "^ *(?!0000)(?:[0-9]{4}-(?:0?[13578]|1[02])-(?:0?[1-9]|[12][0-9]|3[01])"
    "|[0-9]{4}-(?:0?[469]|11)-(?:0?[1-9]|[12][0-9]|30)"
    "|[0-9]{4}-0?2-(?:0?[1-9]|1[0-9]|2[0-8])"
    f"|(?:(?:[0-9]{{2}}{_FOURTH})|(?:{_FOURTH}00))-0?2-29) *$"
)

_READABLE = {WHOLE: _D.BIGINT, NUMBER: _D.DOUBLE, PLAIN: _D.DECIMAL, DAY: _D.DATE}
"""What a text of such a spelling can be cast to."""


def branch(node: exp.Expr, read: Read) -> exp.Expr:
    """After x BETWEEN lo AND hi, a cast of x * s to an integer type that holds both ends."""
    value, shift = bare(node.args["true"]), None
    if isinstance(value, (exp.Add, exp.Sub)) and count_of(value.args["expression"]) is not None:
        shift, value = value, bare(value.this)
    tested = _scaled(bare(node.this), value)
    if tested is None:
        return read(node.args["true"])
    attempt = exp.TryCast(this=read(tested.this), to=type_of(tested.to), safe=True)
    if shift is None:
        return attempt
    return type(shift)(this=attempt, expression=put(read, shift.args["expression"]))


def attempt(node: exp.Expr, read: Read) -> exp.Expr | None:
    """A cast of what is tested to lie within constants of the type."""
    found = match("CASE WHEN _x BETWEEN _a AND _b THEN _y END", node)
    cast = None if found is None else bare(found["_y"])
    if found is None or not isinstance(cast, exp.Cast):
        return None
    target, source, tested = cast.to, bare(cast.this), bare(found["_x"])
    wide = target.this is _D.DECIMAL and not target.expressions
    if wide and isinstance(source, exp.Cast) and source.to.this is _D.BIGINT:
        target, source = source.to, bare(source.this)
    if not any(same(tested, one) for one in _forms_of(source, target)):
        return None
    if not _holds(target, found["_a"], found["_b"]):
        return None
    attempt = exp.TryCast(this=read(source), to=type_of(target), safe=True)
    return exp.Cast(this=attempt, to=type_of(cast.to)) if wide else attempt


def spelled(node: exp.Expr) -> tuple[exp.Expr, exp.DType, exp.Expr] | None:
    """A text that a pattern says to be plainly spelled, of which type, and what is read of it."""
    found = match("CASE WHEN _t ~ _p THEN _y END", node)
    if found is None:
        return None
    pattern = bare(found["_p"])
    if not is_text(pattern) or str(pattern.this) not in _READABLE:
        refuse("a pattern is a known one")
    return found["_t"], _READABLE[str(pattern.this)], found["_y"]


def _scaled(test: exp.Expr, value: exp.Expr) -> exp.Cast | None:
    """The cast in CASE WHEN x BETWEEN lo AND hi THEN CAST(x * s AS an integer type) END."""
    if type(test) is not exp.Between or not isinstance(value, exp.Cast):
        return None
    bits = INTEGERS.get(value.to.this)
    product = bare(value.this)
    inner = zero_guard(product) if isinstance(product, exp.Case) else product
    if bits is None or not isinstance(bare(inner or product), exp.Mul):
        return None
    product = bare(inner or product)
    factor, ends = (
        number_of(product.args["expression"]),
        [number_of(test.args[e]) for e in ("low", "high")],
    )
    if factor is None or None in ends or not same(product.this, test.this):
        return None
    require(
        all(end is not None and abs(end * factor) < 2**bits - 1 for end in ends),
        "a value within its ends fits the type",
    )
    return value


def _forms_of(source: exp.Expr, target: exp.DataType) -> list[exp.Expr]:
    """What may be tested in place of what is cast: it, and it rounded as the cast rounds."""
    places = str(digits(target)[1]) if target.this is _D.DECIMAL else "0"
    found = [source]
    wide = exp.Cast(this=source, to=exp.DataType(this=_D.DECIMAL, nested=False))
    big = exp.Cast(this=source, to=exp.DataType(this=_D.BIGINT, nested=False))
    widest = exp.Cast(this=big, to=exp.DataType(this=_D.DECIMAL, nested=False))
    for one in (source, wide, widest):
        called = exp.Anonymous(this="round", expressions=[one, exp.Literal.number(places)])
        found.append(exp.Dot(this=exp.to_identifier("pg_catalog"), expression=called))
    return found


def _holds(target: exp.DataType, low: exp.Expr, high: exp.Expr) -> bool:
    """Do the ends lie within the type?"""
    if target.this is _D.TIMESTAMP:
        days = [bare(end) for end in (low, high)]
        plain = all(isinstance(d, exp.Cast) and d.to.this is _D.DATE for d in days)
        return plain and [str(d.this.name) for d in days] == ["0001-01-01", "9999-12-31"]
    ends = [number_of(low), number_of(high)]
    if ends[0] is None or ends[1] is None:
        return False
    if target.this in INTEGERS:
        bits = INTEGERS[target.this]
        return bool(-(2**bits) <= ends[0] and ends[1] <= 2**bits - 1)
    if target.this is _D.DECIMAL and target.expressions:
        precision, scale = digits(target)
        most = max(abs(ends[0]), abs(ends[1]))
        return bool(most * 10**scale <= 10**precision - 1)  # rounded, it has no digit more
    return False
