"""Moments in PostgreSQL's text: steps, differences, parts."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import is_text
from dpsql.certify.foreign_shapes import Found, Read, bare, put
from dpsql.certify.postgres_text import match

_D = exp.DType
_STEP = re.compile(r"(-?[0-9]{1,9}) (YEAR|QUARTER|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)\Z")
_PARTS = frozenset("year isoyear quarter month week day hour minute second dow isodow doy".split())


def moved(node: exp.Expr, read: Read) -> exp.Expr | None:
    """x + INTERVAL, and the difference of two moments in hours, minutes or seconds."""
    right = bare(node.args["expression"])
    if not isinstance(node, (exp.Add, exp.Sub)):
        return None
    if isinstance(right, exp.Cast) and right.to.this is _D.INTERVAL:
        step = _STEP.match(str(right.this.name))
        if step is None:
            refuse("an interval is a constant")
        amount, unit = step.groups()
        interval = exp.Interval(this=exp.Literal.string(amount), unit=exp.Var(this=unit))
        return type(node)(this=put(read, node.this), expression=interval)
    for unit, seconds in (("hour", 3600), ("minute", 60), ("second", 1)):
        start = f"pg_catalog.date_part('epoch', pg_catalog.date_trunc('{unit}', %s))"
        count = f"(CAST({start} AS BIGINT) / CAST({seconds} AS BIGINT))"
        found = match(f"{count % '_b'} - {count % '_a'}", node)
        if found is not None:
            return _difference(read, unit, found["_a"], found["_b"])
    return None


def _difference(read: Read, unit: str, start: exp.Expr, end: exp.Expr) -> exp.Expr:
    return exp.DateDiff(
        this=read(end),
        expression=read(start),
        unit=exp.Var(this=unit.upper()),
        date_part_boundary=True,
    )


def part(node: exp.Expr, read: Read) -> exp.Expr | None:
    """A cast that belongs to a part, to a difference in days or to a sign."""
    for shape, build in _WHOLE_FORMS.items():
        found = match(shape, node)
        if found is not None:
            return build(read, found)
    return None


def _part(read: Read, found: Found) -> exp.Expr:
    word = bare(found["_p"])
    require(is_text(word) and str(word.this) in _PARTS, "a part is a known one")
    value = read(found["_x"])
    return exp.Anonymous(this="DATE_PART", expressions=[word.copy(), value])


_WHOLE_FORMS: dict[str, Callable[[Read, Found], exp.Expr]] = {
    "CAST(pg_catalog.sign(_x) AS INT)": lambda read, f: exp.Sign(this=read(f["_x"])),
    "CAST(pg_catalog.floor(pg_catalog.date_part(_p, _x)) AS BIGINT)": _part,
    "CAST(pg_catalog.date_part(_p, _x) AS BIGINT)": _part,
    "CAST((CAST(_b AS DATE) - CAST(_a AS DATE)) AS BIGINT)": lambda read, f: _difference(
        read, "day", f["_a"], f["_b"]
    ),
}
