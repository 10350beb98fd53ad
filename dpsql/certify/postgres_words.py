"""PostgreSQL's functions by name and number of arguments, as nodes of the normal form."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

Build = Callable[[list[exp.Expr]], exp.Expr]


def _one(kind: type[exp.Expr]) -> Build:
    return lambda a: kind(this=a[0])


def _two(kind: type[exp.Expr]) -> Build:
    return lambda a: kind(this=a[0], expression=a[1])


def _trim(position: str | None) -> Mapping[int, Build]:
    return {
        1: lambda a: exp.Trim(this=a[0], position=position),
        2: lambda a: exp.Trim(this=a[0], expression=a[1], position=position),
    }


def _pad(left: bool) -> Build:
    return lambda a: exp.Pad(this=a[0], expression=a[1], fill_pattern=a[2], is_left=left)


CALLS: dict[tuple[str, int], Build] = {
    # numbers
    ("abs", 1): _one(exp.Abs),
    ("floor", 1): _one(exp.Floor),
    ("ceil", 1): _one(exp.Ceil),
    ("trunc", 1): _one(exp.Trunc),
    ("cbrt", 1): _one(exp.Cbrt),
    ("sin", 1): _one(exp.Sin),
    ("cos", 1): _one(exp.Cos),
    ("tan", 1): _one(exp.Tan),
    ("atan", 1): _one(exp.Atan),
    ("atan2", 2): _two(exp.Atan2),
    ("power", 2): _two(exp.Pow),
    ("div", 2): lambda a: exp.IntDiv(this=exp.Paren(this=a[0]), expression=exp.Paren(this=a[1])),
    ("round", 2): lambda a: exp.Round(this=a[0], decimals=a[1]),  # of exact numbers alone
    # moments
    ("isfinite", 1): lambda a: exp.Anonymous(this="ISFINITE", expressions=a),
    # texts
    ("lower", 1): _one(exp.Lower),
    ("upper", 1): _one(exp.Upper),
    ("reverse", 1): _one(exp.Reverse),
    ("length", 1): _one(exp.Length),
    ("octet_length", 1): lambda a: exp.Anonymous(this="STRLEN", expressions=a),
    ("left", 2): _two(exp.Left),
    ("right", 2): _two(exp.Right),
    ("starts_with", 2): _two(exp.StartsWith),
    ("strpos", 2): lambda a: exp.StrPosition(this=a[0], substr=a[1]),
    ("substr", 2): lambda a: exp.Substring(this=a[0], start=a[1]),
    ("substr", 3): lambda a: exp.Substring(this=a[0], start=a[1], length=a[2]),
    ("replace", 3): lambda a: exp.Replace(this=a[0], expression=a[1], replacement=a[2]),
    ("split_part", 3): lambda a: exp.SplitPart(this=a[0], delimiter=a[1], part_index=a[2]),
    ("translate", 3): lambda a: exp.Translate(this=a[0], from_=a[1], to=a[2]),
    ("lpad", 3): _pad(True),
    ("rpad", 3): _pad(False),
    **{("btrim", n): build for n, build in _trim(None).items()},
    **{("ltrim", n): build for n, build in _trim("LEADING").items()},
    **{("rtrim", n): build for n, build in _trim("TRAILING").items()},
    **{
        ("concat", n): lambda a: exp.Concat(expressions=a, safe=True, coalesce=True)
        for n in range(1, 10)
    },
    **{
        ("concat_ws", n): lambda a: exp.ConcatWs(expressions=a, safe=True, coalesce=True)
        for n in range(2, 11)
    },
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
