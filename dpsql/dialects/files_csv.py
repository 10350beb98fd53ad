"""A CSV file as rows: a line is a row, and nothing on one line can change what another means.

DuckDB's own reader takes a quoted field over several lines, so that one person's unclosed quote
swallows the rows of others, and its sniffer lets one row change the type of a column. Here it is
told to do one thing only, to cut the file into lines; what follows is a function of the line:

* the line is cut at the delimiter, or, where it holds the quote, as RFC 4180 says within a line;
* a line with another number of fields than the table has columns is no row, nor is one that holds
  U+001E, bytes that are not UTF-8, or more than two million bytes;
* a field that is not of its column's type is NULL, and so is the null text where it is not quoted.

Hence for lists of lines x and y, rows(x + y) = rows(x) ⊎ rows(y): a unit whose lines are taken out
takes its own rows away and changes no other.
"""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.core.files import CsvRules
from dpsql.dialects.files_text import identifier, text

_MARK = "\x1e"  # cuts no line that is a row
_NEVER = "\x1f\x1f"  # the reader wants a null text: a line of this alone is none
_LONGEST_HEADER = 2**20
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def relation(
    paths: Sequence[str], rules: CsvRules, columns: int, *, partitions: Sequence[str] = ()
) -> str:
    """SQL of one row a line that is a row: `f`, its fields, with the partitions' columns."""
    listed = ", ".join(text(path) for path in paths)
    hive = "true, hive_types_autocast = false" if partitions else "false"
    lines = (
        f"read_csv([{listed}], auto_detect = false, header = {str(rules.header).lower()},"
        " columns = {'dpsql_line': 'VARCHAR', 'dpsql_rest': 'VARCHAR'},"
        f" delim = {text(_MARK)}, quote = '', escape = '', comment = '', nullstr = {text(_NEVER)},"
        " new_line = '\\n', null_padding = true, strict_mode = false, ignore_errors = true,"
        f" compression = 'none', parallel = true, hive_partitioning = {hive})"
    )
    also = "".join(f", {identifier(name)}" for name in partitions)
    cut = (
        f"SELECT {_fields(rules)} AS f{also} FROM (SELECT rtrim(dpsql_line, chr(13)) AS l{also}"
        f" FROM {lines} WHERE dpsql_rest IS NULL) AS lines"
    )
    return f"(SELECT * FROM ({cut}) AS cut WHERE len(f) = {columns})"


def field(place: int, type_: str, rules: CsvRules) -> str:
    """SQL of the field at `place`, from 1, as its column's type."""
    raw = f"f[{place}]"
    plain = f"CASE WHEN {raw} <> {text(rules.null)} THEN {_unquoted(raw, rules)} END"
    return typed(plain, type_)


def typed(sql: str, type_: str) -> str:
    """The text as the type, NULL where it is none. A fraction is no whole number.

    (CAST would round 1.7 to 2, and so merge two people's ids.)
    """
    if type_ == "VARCHAR":
        return sql
    cast = f"TRY_CAST({sql} AS {type_})"
    if type_.removeprefix("U") in _WHOLE:
        return f"CASE WHEN NOT regexp_matches({sql}, '[.eE]') THEN {cast} END"
    return cast


def _fields(rules: CsvRules) -> str:
    simple = f"string_split(l, {text(rules.delimiter)})"
    if not rules.quote:
        return simple
    cut, mark = _regex(rules.delimiter), _regex(rules.quote)
    one = f"(?:{mark}(?:[^{mark}]|{mark}{mark})*{mark}|[^{mark}{cut}]*)"
    whole = text(f"(?s){one}(?:{cut}{one})*")
    each = text(f"(?s)({one}){cut}")
    return (
        f"CASE WHEN NOT contains(l, {text(rules.quote)}) THEN {simple}"
        f" WHEN regexp_full_match(l, {whole})"
        f" THEN regexp_extract_all(l || {text(rules.delimiter)}, {each}, 1) END"
    )


def _unquoted(raw: str, rules: CsvRules) -> str:
    if not rules.quote:
        return raw
    mark, twice = text(rules.quote), text(rules.quote * 2)
    inner = f"replace(substr({raw}, 2, length({raw}) - 2), {twice}, {mark})"
    return f"CASE WHEN starts_with({raw}, {mark}) THEN {inner} ELSE {raw} END"


def _regex(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"


def header(path: str, rules: CsvRules) -> list[str] | None:
    """The names on a file's first line, cut as every line is; None if it is not one.

    OSError, UnicodeDecodeError where it cannot be read.
    """
    line = first_line(path)
    return cut(line, rules) if line else None


def first_line(path: str) -> str:
    """A file's first line without its end. OSError, UnicodeDecodeError as `header`."""
    with open(path, "rb") as file:
        raw = file.readline(_LONGEST_HEADER)
    return raw.decode("utf-8-sig").removesuffix("\n").rstrip("\r")


def cut(line: str, rules: CsvRules) -> list[str] | None:
    """A line's fields without their quotes; None if the line is no row."""
    fields, mark = raw_fields(line, rules), rules.quote
    if fields is None or not mark:
        return fields
    return [one[1:-1].replace(mark * 2, mark) if one.startswith(mark) else one for one in fields]


def raw_fields(line: str, rules: CsvRules) -> list[str] | None:
    """A line's fields as they are written, as `relation` cuts it; None if the line is no row."""
    mark = rules.quote
    if not mark or mark not in line:
        return line.split(rules.delimiter)
    fields, rest = [], line
    while True:
        end = _end(rest, rules)
        if end is None:
            return None
        fields.append(rest[:end])
        if end == len(rest):
            return fields
        if rest[end] != rules.delimiter:
            return None
        rest = rest[end + 1 :]


def _end(rest: str, rules: CsvRules) -> int | None:
    """Where the first field ends; None if a quote stands where none may."""
    mark = rules.quote
    if rest.startswith(mark):
        closing = _closing(rest, mark)
        return None if closing is None else closing + 1
    end = rest.find(rules.delimiter)
    end = len(rest) if end < 0 else end
    return None if mark in rest[:end] else end


def _closing(quoted: str, mark: str) -> int | None:
    place = 1
    while (place := quoted.find(mark, place)) >= 0:
        if quoted[place : place + 2] != mark * 2:
            return place
        place += 2
    return None
