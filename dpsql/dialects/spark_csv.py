"""A CSV file as rows in Spark: a function of each line alone, as `files_csv` is in DuckDB.

Spark reads the lines as they are, by its text source; what a line says is computed here, by the
same rules: a line with another number of fields is no row, nor is one with a stray quote, U+001E,
bytes that are not UTF-8 or more than two million of them; a field that is not of its type is NULL.

The patterns have possessive quantifiers only: Java's others recurse once a character, and one long
field would end the query of all in a StackOverflowError.
"""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.core.files import CsvRules
from dpsql.dialects.spark_text import identifier, text
from dpsql.errors import EngineFailed

_LONGEST = 2_000_000
_SIGNED = {"TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INTEGER": "INT", "BIGINT": "BIGINT"}
_UNSIGNED = {
    "UTINYINT": ("SMALLINT", 8),
    "USMALLINT": ("INT", 16),
    "UINTEGER": ("BIGINT", 32),
    "UBIGINT": ("DECIMAL(20, 0)", 64),
}
_WHOLE = r"\A\s*+[+-]?[0-9]{1,40}+\s*+\z"
_NUMBER = r"\A\s*+[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]{1,3}+)?\s*+\z"
_SPECIAL = r"(?i)\A\s*+(?:nan|[+-]?inf|[+-]?infinity)\s*+\z"
_DAY = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_DATE = rf"\A\s*+{_DAY}\s*+\z"
_MOMENT = rf"\A\s*+{_DAY}(?:[ T][0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,6}})?)?)?\s*+\z"
_UUID = r"(?i)\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z"


def row_filter(rules: CsvRules, columns: int, headers: Sequence[str]) -> str:
    """Which lines are rows, of `value`. `headers`: first lines, no rows wherever they are."""
    line = _line()
    tests = [
        "is_valid_utf8(value)",
        f"octet_length(value) <= {_LONGEST}",
        f"NOT contains(value, {text(chr(0x1E))})",
        *(f"{line} <> {text(header)}" for header in dict.fromkeys(headers)),
        f"size({fields(rules)}) = {columns}",
    ]
    return " AND ".join(f"({test})" for test in tests)


def fields(rules: CsvRules) -> str:
    """The fields of `value` as they are written; NULL where the line is no row."""
    line = _line()
    cut, mark = _regex(rules.delimiter), _regex(rules.quote) if rules.quote else ""
    simple = f"split({line}, {text(cut)}, -1)"
    if not mark:
        return simple
    one = f"(?:{mark}[^{mark}]*+(?:{mark}{mark}[^{mark}]*+)*+{mark}|[^{mark}{cut}]*+)"
    whole, each = rf"(?s)\A{one}(?:{cut}{one})*+\z", f"(?s)({one}){cut}"
    listed = f"regexp_extract_all(concat({line}, {text(rules.delimiter)}), {text(each)}, 1)"
    return (
        f"CASE WHEN NOT contains({line}, {text(rules.quote)}) THEN {simple}"
        f" WHEN regexp_like({line}, {text(whole)}) THEN {listed} END"
    )


def field(place: int, type_: str, rules: CsvRules) -> str:
    """The field at `place`, from 0, of the fields `f`, as its column's type."""
    raw = f"get(f, {place})"
    plain = f"CASE WHEN {raw} <> {text(rules.null)} THEN {_unquoted(raw, rules)} END"
    return typed(plain, type_)


def typed(sql: str, type_: str) -> str:
    """The text as the type, NULL where it does not spell it plainly. A fraction is no integer."""
    if type_ == "VARCHAR":
        return sql
    if type_ in _SIGNED:
        return _cast(sql, _WHOLE, _SIGNED[type_])
    if type_ in _UNSIGNED:
        name, bits = _UNSIGNED[type_]
        found = _cast(sql, _WHOLE, name)
        return f"CASE WHEN {found} BETWEEN 0 AND {2**bits - 1} THEN {found} END"
    if type_.startswith("DECIMAL"):
        return _cast(sql, _NUMBER, type_)
    if type_ in ("FLOAT", "DOUBLE"):
        found = f"CASE WHEN {_is(sql, _NUMBER)} OR {_is(sql, _SPECIAL)} THEN {sql} END"
        return f"CAST(try_cast({found} AS {type_}) AS DOUBLE)"
    if type_ == "BOOLEAN":
        low = f"lower({sql})"
        return (
            f"CASE WHEN {low} IN ('true', 't', 'yes', 'y', '1') THEN TRUE"
            f" WHEN {low} IN ('false', 'f', 'no', 'n', '0') THEN FALSE END"
        )
    if type_ == "DATE":
        return _cast(sql, _DATE, "DATE")
    if type_ == "TIMESTAMP":
        return _cast(sql, _MOMENT, "TIMESTAMP_NTZ")
    if type_ == "UUID":
        return f"CASE WHEN {_is(sql, _UUID)} THEN lower({sql}) END"
    raise EngineFailed(
        f"a column of type {type_} is not read from files by Spark",
        code="files-columns",
        hint="write BIGINT or DECIMAL(38,0) under `types`",
    )


def named(columns: Sequence[tuple[str, str]], rules: CsvRules) -> list[str]:
    """What a row shows: each column under its name."""
    return [
        f"{field(place, type_, rules)} AS {identifier(name)}"
        for place, (name, type_) in enumerate(columns)
    ]


def _cast(sql: str, pattern: str, type_: str) -> str:
    return f"CASE WHEN {_is(sql, pattern)} THEN try_cast({sql} AS {type_}) END"


def _is(sql: str, pattern: str) -> str:
    return f"regexp_like({sql}, {text(pattern)})"


def _line() -> str:
    return "rtrim('\\r', value)"


def _unquoted(raw: str, rules: CsvRules) -> str:
    if not rules.quote:
        return raw
    mark, twice = text(rules.quote), text(rules.quote * 2)
    inner = f"replace(substr({raw}, 2, length({raw}) - 2), {twice}, {mark})"
    return f"CASE WHEN startswith({raw}, {mark}) THEN {inner} ELSE {raw} END"


def _regex(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"
