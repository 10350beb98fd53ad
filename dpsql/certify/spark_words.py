"""Spark's functions by name and number of arguments, as nodes of the normal form.

None of them raises, whatever it is given, under the settings that `spark_settings` pins.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.foreign_words import WORDS, Build, concat_ws, one, two
from dpsql.core.domain import Kind


def _paren(node: exp.Expr) -> exp.Expr:
    loose = (exp.Binary, exp.Unary, exp.Between, exp.In, exp.Escape)
    plain = isinstance(node, exp.Paren) or not isinstance(node, loose)
    return node if plain else exp.Paren(this=node)


def _sign(kind: type[exp.Expr]) -> Build:
    return lambda a: kind(this=_paren(a[0]), expression=_paren(a[1]))


def _log(base: int) -> Build:
    return lambda a: exp.Log(this=exp.Literal.number(base), expression=a[0])


def _none(kind: type[exp.Expr]) -> Build:
    return lambda a: kind()


def _shift(kind: type[exp.Expr]) -> Build:
    return lambda a: kind(this=a[0], offset=a[1], default=a[2] if len(a) > 2 else None)


_FLOATS = {
    "sqrt": exp.Sqrt,
    "cbrt": exp.Cbrt,
    "exp": exp.Exp,
    "ln": exp.Ln,
    "sin": exp.Sin,
    "cos": exp.Cos,
    "tan": exp.Tan,
    "cot": exp.Cot,
    "asin": exp.Asin,
    "acos": exp.Acos,
    "atan": exp.Atan,
    "sinh": exp.Sinh,
    "cosh": exp.Cosh,
    "tanh": exp.Tanh,
    "asinh": exp.Asinh,
    "acosh": exp.Acosh,
    "atanh": exp.Atanh,
}
CALLS: dict[tuple[str, int], Build] = {
    **WORDS,
    # arithmetic
    ("try_add", 2): _sign(exp.Add),
    ("try_subtract", 2): _sign(exp.Sub),
    ("try_multiply", 2): _sign(exp.Mul),
    ("try_mod", 2): _sign(exp.Mod),
    ("round", 1): one(exp.Round),
    **{(word, 1): one(kind) for word, kind in _FLOATS.items()},
    ("log10", 1): _log(10),
    ("log2", 1): _log(2),
    # choices
    ("nullif", 2): two(exp.Nullif),
    **{("coalesce", n): lambda a: exp.Coalesce(this=a[0], expressions=a[1:]) for n in range(1, 65)},
    **{
        (word, n): lambda a, kind=kind: kind(this=a[0], expressions=a[1:], ignore_nulls=True)  # type: ignore[misc]
        for word, kind in (("least", exp.Least), ("greatest", exp.Greatest))
        for n in range(2, 65)
    },
    # texts
    ("startswith", 2): two(exp.StartsWith),
    ("endswith", 2): two(exp.EndsWith),
    ("contains", 2): two(exp.Contains),
    ("instr", 2): lambda a: exp.StrPosition(this=a[0], substr=a[1]),
    ("substring", 2): lambda a: exp.Substring(this=a[0], start=a[1]),
    ("substring", 3): lambda a: exp.Substring(this=a[0], start=a[1], length=a[2]),
    **concat_ws(64),
    # aggregates and windows
    ("count", 1): lambda a: exp.Count(this=a[0], big_int=True),
    ("try_sum", 1): one(exp.Sum),
    ("min", 1): one(exp.Min),
    ("max", 1): one(exp.Max),
    ("row_number", 0): _none(exp.RowNumber),
    ("rank", 0): _none(exp.Rank),
    ("dense_rank", 0): _none(exp.DenseRank),
    ("percent_rank", 0): _none(exp.PercentRank),
    ("cume_dist", 0): _none(exp.CumeDist),
    ("ntile", 1): one(exp.Ntile),
    ("lag", 2): _shift(exp.Lag),
    ("lag", 3): _shift(exp.Lag),
    ("lead", 2): _shift(exp.Lead),
    ("lead", 3): _shift(exp.Lead),
    ("first_value", 1): one(exp.FirstValue),
    ("last_value", 1): one(exp.LastValue),
    ("nth_value", 2): lambda a: exp.NthValue(this=a[0], offset=a[1]),
}
"""Read one to one."""

AGGREGATES = frozenset(
    "count try_sum min max row_number rank dense_rank percent_rank cume_dist ntile lag lead"
    " first_value last_value nth_value".split()
)

_SHAPED = frozenset(
    "try_divide rint round floor ceil sign date_part second unix_micros unix_seconds unix_date"
    " date_trunc date_format concat xxhash64 inline arrays_zip".split()
)
"""Read where they stand in a shape of ours, and nowhere else."""
KNOWN = frozenset({word for word, _ in CALLS}) | _SHAPED

GIVES: dict[str, Kind] = {
    **dict.fromkeys((*_FLOATS, "log10", "log2", "power", "atan2", "rint", "sign"), Kind.FLOAT),
    **dict.fromkeys(("percent_rank", "cume_dist"), Kind.FLOAT),
    **dict.fromkeys(("count", "row_number", "rank", "dense_rank", "ntile"), Kind.INTEGER),
    **dict.fromkeys(("length", "octet_length", "instr", "unix_date"), Kind.INTEGER),
    **dict.fromkeys(("unix_micros", "unix_seconds", "date_part", "second"), Kind.INTEGER),
    **dict.fromkeys(("startswith", "endswith", "contains"), Kind.BOOLEAN),
    **dict.fromkeys(("lower", "upper", "reverse", "left", "right", "substring"), Kind.TEXT),
    **dict.fromkeys(("replace", "split_part", "translate", "lpad", "rpad"), Kind.TEXT),
    **dict.fromkeys(("concat", "concat_ws", "date_format"), Kind.TEXT),
    "xxhash64": Kind.INTEGER,
}
"""Of which kind what they give is, whatever they are given."""

OF_ITS_FIRST = frozenset(
    "abs round floor ceil nullif min max lag lead first_value last_value nth_value try_sum".split()
)
"""What they give is of the kind of their first argument."""
OF_ALL = frozenset(
    "try_add try_subtract try_multiply try_mod try_divide coalesce least greatest".split()
)

PARTS = {
    "YEAR": "year",
    "YEAROFWEEK": "isoyear",
    "QUARTER": "quarter",
    "MONTH": "month",
    "WEEK": "week",
    "DAY": "day",
    "HOUR": "hour",
    "MINUTE": "minute",
    "DOW_ISO": "isodow",
    "DOY": "doy",
}
UNITS = frozenset("YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND".split())
FORMATS = {
    "yyyy": "%Y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "DDD": "%j",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "EEEE": "%A",
    "EEE": "%a",
}
NAMES: dict[str, type[exp.Expr]] = {"EEEE": exp.Dayname, "MMMM": exp.Monthname}
