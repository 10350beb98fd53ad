"""TO_DATE('2020-01-01', 'YYYY-MM-DD') and its like over constants: the moment itself.

Superset and others write dates so. Over columns these functions stay what they are: refused.
"""

from __future__ import annotations

import datetime as dt
import re

from sqlglot import exp

_NAMED = re.compile(r"to_date|to_timestamp|strptime|str_to_date|parse_date|parse_timestamp", re.I)
_POSTGRES = {
    "YYYY": "%Y",
    "MM": "%m",
    "DD": "%d",
    "HH24": "%H",
    "MI": "%M",
    "SS": "%S",
    "US": "%f",
}
_WORD = re.compile("|".join(_POSTGRES))
_LETTERS = re.compile(r"%[YmdHMSf]|[^A-Za-z%]")


def fold_moments(root: exp.Expr, text: str) -> exp.Expr:
    """Constant calls as CAST('...' AS DATE) or AS TIMESTAMP; what does not fit exactly is left."""
    if not _NAMED.search(text):
        return root
    return root.transform(_folded, copy=False)


def _folded(node: exp.Expr) -> exp.Expr:
    read = _read(node)
    moment = None if read is None else _moment(*read[:2])
    if read is None or moment is None:
        return node
    whole = read[2]
    value = moment.date().isoformat() if whole else moment.isoformat(" ")
    literal = exp.Literal.string(value)
    if isinstance(node.this, exp.Expr):
        literal.update_positions(node.this)
    return exp.cast(literal, exp.DType.DATE if whole else exp.DType.TIMESTAMP)


def _read(node: exp.Expr) -> tuple[str, str, bool] | None:
    """(text, format with % codes, is it a date) of a constant call."""
    if isinstance(node, (exp.StrToDate, exp.StrToTime)):
        found = _texts(node.this, node.args.get("format"))
        return None if found is None else (*found, isinstance(node, exp.StrToDate))
    if isinstance(node, exp.UnixToTime):  # DuckDB's reading of PostgreSQL's to_timestamp
        found = _texts(node.this, node.args.get("scale"))
    elif isinstance(node, exp.Anonymous) and node.name.casefold() in ("to_date", "to_timestamp"):
        found = _texts(*node.expressions) if len(node.expressions) == 2 else None
    else:
        return None
    if found is None:
        return None
    format = _WORD.sub(lambda word: _POSTGRES[word[0]], found[1])
    return found[0], format, isinstance(node, exp.Anonymous) and node.name.casefold() == "to_date"


def _texts(text: exp.Expr | None, format: exp.Expr | None) -> tuple[str, str] | None:
    pair = (text, format)
    if not all(isinstance(one, exp.Literal) and one.is_string for one in pair):
        return None
    first, second = (str(one.this) for one in pair if one is not None)
    return first, second


def _moment(text: str, format: str) -> dt.datetime | None:
    """Only what is written exactly as the format says: other readings differ between engines."""
    if _LETTERS.sub("", format) or "%Y" not in format:
        return None
    try:
        found = dt.datetime.strptime(text, format)
    except ValueError:
        return None
    return found if found.year >= 1000 and found.strftime(format) == text else None
