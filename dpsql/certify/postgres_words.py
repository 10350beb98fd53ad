"""PostgreSQL's functions by name and number of arguments, as nodes of the normal form."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from dpsql.certify.foreign_words import WORDS, Build, concat_ws, one, two


def _trim(position: str | None) -> Mapping[int, Build]:
    return {
        1: lambda a: exp.Trim(this=a[0], position=position),
        2: lambda a: exp.Trim(this=a[0], expression=a[1], position=position),
    }


CALLS: dict[tuple[str, int], Build] = {
    **WORDS,
    # numbers
    ("floor", 1): one(exp.Floor),
    ("ceil", 1): one(exp.Ceil),
    ("trunc", 1): one(exp.Trunc),
    ("cbrt", 1): one(exp.Cbrt),
    ("sin", 1): one(exp.Sin),
    ("cos", 1): one(exp.Cos),
    ("tan", 1): one(exp.Tan),
    ("atan", 1): one(exp.Atan),
    ("div", 2): lambda a: exp.IntDiv(this=exp.Paren(this=a[0]), expression=exp.Paren(this=a[1])),
    ("round", 2): lambda a: exp.Round(this=a[0], decimals=a[1]),  # of exact numbers alone
    # moments
    ("isfinite", 1): lambda a: exp.Anonymous(this="ISFINITE", expressions=a),
    # texts
    ("starts_with", 2): two(exp.StartsWith),
    ("strpos", 2): lambda a: exp.StrPosition(this=a[0], substr=a[1]),
    ("substr", 2): lambda a: exp.Substring(this=a[0], start=a[1]),
    ("substr", 3): lambda a: exp.Substring(this=a[0], start=a[1], length=a[2]),
    **{("btrim", n): build for n, build in _trim(None).items()},
    **{("ltrim", n): build for n, build in _trim("LEADING").items()},
    **{("rtrim", n): build for n, build in _trim("TRAILING").items()},
    **{
        ("concat", n): lambda a: exp.Concat(expressions=a, safe=True, coalesce=True)
        for n in range(1, 10)
    },
    **concat_ws(10),
}

FORMATS = {
    "FMMonth": "%B",
    "FMDay": "%A",
    "YYYY": "%Y",
    "HH24": "%H",
    "DDD": "%j",
    "Mon": "%b",
    "MM": "%m",
    "DD": "%d",
    "MI": "%M",
    "SS": "%S",
    "Dy": "%a",
}
"""Parts of a format, the longer of two before the one that begins it."""

NAMES: dict[str, type[exp.Expr]] = {"FMDay": exp.Dayname, "FMMonth": exp.Monthname}
