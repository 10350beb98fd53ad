"""Functions that are known and not available over people's rows: why, and what to use instead.

One entry a reason. They are documented in docs/reference; a function that is on neither list is
refused by its name alone.
"""

from __future__ import annotations

from sqlglot import exp

_Nodes = tuple[type[exp.Expr], ...]

REFUSED: dict[str, tuple[_Nodes, tuple[str, ...], str, str]] = {
    "regular expressions, SIMILAR TO, GLOB": (
        (
            *(exp.RegexpLike, exp.RegexpILike, exp.RegexpExtract, exp.RegexpReplace),
            *(exp.RegexpExtractAll, exp.RegexpSplit, exp.RegexpFullMatch, exp.SimilarTo, exp.Glob),
        ),
        ("regexp_matches", "regexp_full_match", "regexp_extract", "regexp_replace"),
        "a pattern could take long on one person's text, and the time would tell",
        "LIKE, ILIKE, starts_with, ends_with, contains, split_part and replace are bounded",
    ),
    "REPEAT, FORMAT, PRINTF, SPACE": (
        (exp.Repeat, exp.Format, exp.Space),
        ("printf", "format", "repeat"),
        "the text could grow without bound on one person's row",
        "lpad and rpad up to a constant length, concat and || are available",
    ),
    "hashes": (
        (exp.MD5, exp.MD5Digest, exp.SHA, exp.SHA1Digest, exp.SHA2, exp.SHA2Digest),
        ("hash", "md5", "md5_number", "sha1", "sha256", "crc32"),
        "a hash tells persons apart and has no range",
        "group by the value itself, or cut it: left(x, 2)",
    ),
    "the current date and time": (
        (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentDatetime),
        ("now", "today", "get_current_timestamp", "transaction_timestamp", "localtimestamp"),
        "the query would mean something else each time, and a repeat could not be free",
        "write the date: DATE '2026-01-31'",
    ),
    "random numbers and identifiers": (
        (exp.Rand, exp.Randn, exp.Uuid),
        ("random", "setseed", "gen_random_uuid", "nextval"),
        "rows would be chosen by chance outside the mechanism that is priced",
        "ask for all rows: a sample of them costs as much",
    ),
    "AGE and differences that are intervals": (
        (),
        ("age",),
        "an interval has no range: months have no fixed length",
        "date_diff('day', start, finish), or date_diff('year', ...)",
    ),
    "text read as a moment": (
        (exp.StrToTime, exp.StrToDate, exp.UnixToTime),
        ("strptime", "try_strptime", "to_date", "to_timestamp", "epoch_ms"),
        "it fails over texts of another form",
        "TRY_CAST(x AS DATE) or TRY_CAST(x AS TIMESTAMP): NULL where it is none",
    ),
    "lists, structures and JSON": (
        (exp.Array, exp.Struct, exp.Split, exp.JSONExtract, exp.JSONExtractScalar, exp.Bracket),
        ("list_value", "string_split", "array_extract", "unnest", "json_extract", "struct_pack"),
        "they have no bounded form here",
        "split_part(x, '-', 1) takes a part of a text; unfold columns in a view",
    ),
    "the type of a value": (
        (exp.Typeof,),
        ("typeof", "pg_typeof"),
        "types are the schema's, and public already",
        "the tables' columns and types are listed by `dpsql tables`",
    ),
    "bits and whole-number curiosities": (
        (
            *(exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot),
            *(exp.BitwiseLeftShift, exp.BitwiseRightShift, exp.Factorial, exp.BitwiseCount),
        ),
        ("bit_count", "xor", "gcd", "lcm", "factorial"),
        "no range is worked out for them",
        "x // 2 % 2 = 1 tests the second bit of x",
    ),
}
"""Title → node classes, names of unknown functions, the reason, the way out."""

_BY_NODE = {node: title for title, entry in REFUSED.items() for node in entry[0]}
_BY_NAME = {name: title for title, entry in REFUSED.items() for name in entry[1]}


def why_refused(node: exp.Expr) -> tuple[str, str] | None:
    """(reason, way out) of a known function that is refused; None for all others."""
    title = _BY_NODE.get(type(node))
    if title is None and isinstance(node, exp.Anonymous):
        title = _BY_NAME.get(node.name.lower())
    return None if title is None else (REFUSED[title][2], REFUSED[title][3])
