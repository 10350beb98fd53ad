"""Moments in Spark's text: parts, cuts, steps, differences."""

from __future__ import annotations

import re

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import is_text
from dpsql.certify.foreign_shapes import Found, Read, bare, put
from dpsql.certify.spark_kinds import Kinds
from dpsql.certify.spark_text import match
from dpsql.certify.spark_words import FORMATS, NAMES, PARTS, UNITS
from dpsql.core.domain import TEMPORAL, Kind

_PART = "CAST(date_part(_p, _x) AS BIGINT)"
_SECOND = "CAST(second(_x) AS BIGINT)"
_DOW = "CAST(try_mod(date_part('DOW_ISO', _x), 7) AS BIGINT)"
PARTS_SHAPES = (_PART, _SECOND, _DOW)
_COUNTS = ("HOUR", "MINUTE", "SECOND", "DAY", "MONTH")
_STEP = re.compile(r"-?[0-9]{1,11}\Z")


def _moment(node: exp.Expr, read: Read, kinds: Kinds) -> exp.Expr:
    require(kinds.of(node) in TEMPORAL, "a moment is asked, no text")
    return read(node)


def part(found: Found, shape: str, read: Read, kinds: Kinds) -> exp.Expr:
    """DATE_PART of what is a moment."""
    word = {_SECOND: "second", _DOW: "dow"}.get(shape, "")
    if not word:
        name = bare(found["_p"])
        require(is_text(name) and str(name.this) in PARTS, "a part is a known one")
        word = PARTS[str(name.this)]
    value = _moment(found["_x"], read, kinds)
    return exp.Anonymous(this="DATE_PART", expressions=[exp.Literal.string(word), value])


def trunc(node: exp.Expr, read: Read, kinds: Kinds) -> exp.Expr | None:
    """Cut as Spark's TIMESTAMP, whose clock in UTC is that of the one without a zone."""
    found = match("CAST(date_trunc(_u, CAST(_x AS TIMESTAMP)) AS TIMESTAMP_NTZ)", node)
    if found is None:
        return None
    unit = bare(found["_u"])
    require(is_text(unit) and str(unit.this) in UNITS, "a unit is a known one")
    require(kinds.of(found["_x"]) is Kind.TIMESTAMP, "a moment is asked, no text")
    return exp.TimestampTrunc(this=read(found["_x"]), unit=exp.Var(this=str(unit.this)))


def moved(node: exp.Expr, read: Read, kinds: Kinds) -> exp.Expr:
    """x + INTERVAL."""
    step = bare(node.args["expression"])
    if not isinstance(step, exp.Interval) or kinds.of(node.this) is not Kind.TIMESTAMP:
        refuse("an operator that raises is not on the list")
    amount, unit = step.this, step.args.get("unit")
    if not isinstance(unit, exp.Var) or amount is None or unit.name not in _COUNTS:
        refuse("a constant step")
    require(is_text(amount) and _STEP.match(str(amount.this)) is not None, "a constant step")
    interval = exp.Interval(this=exp.Literal.string(str(amount.this)), unit=exp.Var(this=unit.name))
    return type(node)(this=put(read, node.this), expression=interval)


_DAYS = "try_subtract(CAST(unix_date(_b) AS BIGINT), CAST(unix_date(_a) AS BIGINT))"
_CLOCK = (
    "try_subtract(unix_seconds(date_trunc('{0}', CAST(_b AS TIMESTAMP))) DIV CAST({1} AS BIGINT),"
    " unix_seconds(date_trunc('{0}', CAST(_a AS TIMESTAMP))) DIV CAST({1} AS BIGINT))"
)
_DIFFERENCES = {
    _DAYS: ("DAY", Kind.DATE),
    **{
        _CLOCK.format(unit, seconds): (unit, Kind.TIMESTAMP)
        for unit, seconds in (("HOUR", 3600), ("MINUTE", 60), ("SECOND", 1))
    },
}


def difference(node: exp.Expr, read: Read, kinds: Kinds) -> exp.Expr | None:
    """Boundaries between two moments."""
    for shape, (unit, kind) in _DIFFERENCES.items():
        found = match(shape, node)
        if found is not None:
            require(all(kinds.of(found[x]) is kind for x in ("_a", "_b")), "moments are asked")
            return exp.DateDiff(
                this=read(found["_b"]),
                expression=read(found["_a"]),
                unit=exp.Var(this=unit),
                date_part_boundary=True,
            )
    return None


def stamp(node: exp.Expr, read: Read, kinds: Kinds) -> exp.Expr:
    """A moment written out, by a format that is a constant."""
    found = match("date_format(CAST(_x AS TIMESTAMP), _f)", node)
    form = None if found is None else bare(found["_f"])
    if found is None or not is_text(form) or kinds.of(found["_x"]) is not Kind.TIMESTAMP:
        refuse("a format is a constant, of a moment")
    assert form is not None
    rest, value, shown = str(form.this), read(found["_x"]), ""
    if rest in NAMES:
        return NAMES[rest](this=value)
    while rest:
        quoted = re.match(r"'([^'\\%]+)'", rest)
        if quoted is not None:
            text, piece = quoted.group(), quoted.group(1)
        else:
            run = re.match(r"([A-Za-z])\1*", rest)
            text = "" if run is None else run.group()
            require(text in FORMATS, "a format is a known one")
            piece = FORMATS[text]
        shown, rest = shown + piece, rest[len(text) :]
    return exp.TimeToStr(this=value, format=exp.Literal.string(shown))
