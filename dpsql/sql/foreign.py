"""What other dialects mean by words that DuckDB knows too: translated where sure, else refused.

sqlglot translates syntax. Where a dialect gives the same words another meaning, the answer would
be quietly wrong; only DuckDB's own dialect passes untouched. docs/dialects.md lists what is held.
Sources: the manuals of PostgreSQL 17 (9.7.1, 9.9), MySQL 8.4 (12.7, 12.8), GoogleSQL, Spark 3.5,
Snowflake, SQL Server 2022 and Trino.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from sqlglot import exp

from dpsql.errors import RefusedQuery
from dpsql.sql.caret import build

_SPARK = frozenset({"spark", "spark2", "databricks", "hive"})
_POSTGRES = frozenset({"postgres", "materialize", "risingwave"})
_MYSQL = frozenset({"mysql", "doris", "starrocks", "singlestore"})
_TRINO = frozenset({"trino", "presto", "athena"})

_BACKSLASH = _POSTGRES | _MYSQL | _SPARK | {"redshift", "bigquery", "clickhouse"}
_NO_ESCAPE = _TRINO | {"snowflake", "oracle", "sqlite", "tsql", "fabric"}
_SUNDAY_0 = _POSTGRES | {"redshift", "snowflake"}
_SUNDAY_1 = frozenset({"bigquery", "spark", "databricks"})
_ISO_WEEKS = _POSTGRES | _TRINO | _SPARK | {"redshift", "snowflake"}
_FRACTIONS = _POSTGRES | _SPARK | {"oracle"}
_TRUNCATING = _SPARK | {"tsql", "fabric", "sqlite", "clickhouse"}

_WEEKDAY = frozenset({"dow", "dayofweek", "weekday", "dw", "day_of_week"})
_WHOLE = frozenset({exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT})


class _Reading:
    """One query in one dialect."""

    def __init__(self, text: str, dialect: str) -> None:
        self.text, self.dialect = text, dialect

    def differs(self, node: exp.Expr, what: str, hint: str) -> NoReturn:
        message = f"{what} means something else in {self.dialect} than here"
        raise build(RefusedQuery, self.text, node, "dialect-differs", message, hint)


def as_meant(root: exp.Expr, text: str, dialect: str) -> exp.Expr:
    """The query with the dialect's meaning, in place. RefusedQuery `dialect-differs` if unsure."""
    name = dialect.partition(",")[0].strip().lower()
    if name in ("duckdb", ""):
        return root
    reading = _Reading(text, name)
    for node in list(root.walk()):
        rule = _RULES.get(type(node))
        if rule is not None:
            rule(node, reading)
    return root


def _wrap(node: exp.Expr, wrapper: exp.Expr) -> None:
    """The node itself inside, no copy: what stands below it is still to be read."""
    node.replace(wrapper)
    wrapper.set("this", node)
    wrapper.update_positions(node)


# ---- patterns ----------------------------------------------------------------------------


def _like(node: exp.Expr, reading: _Reading) -> None:
    pattern = node.args["expression"]
    texts = [str(one.this) for one in pattern.find_all(exp.Literal) if one.is_string]
    if reading.dialect in ("tsql", "fabric") and any("[" in text for text in texts):
        reading.differs(node, "[ in a pattern", "write the alternatives out: x LIKE ... OR ...")
    if isinstance(node.parent, exp.Escape) or reading.dialect in _NO_ESCAPE:
        return
    known = pattern.find(exp.Column) is None
    if known and not any("\\" in text for text in texts):
        return
    if reading.dialect not in _BACKSLASH:
        reading.differs(node, "a backslash in a pattern", "say which: LIKE '100!%' ESCAPE '!'")
    if not known:
        reading.differs(node, "a pattern from a column", "there \\ escapes; use a constant pattern")
    _wrap(node, exp.Escape(expression=exp.Literal.string("\\")))


# ---- parts of dates ----------------------------------------------------------------------


def _extract(node: exp.Expr, reading: _Reading) -> None:
    _part(node, str(node.this.name).lower(), reading)


def _named_part(node: exp.Expr, reading: _Reading) -> None:
    name = node.name.lower()
    if name in ("date_part", "datepart") and node.expressions:
        _part(node, str(node.expressions[0].name).lower(), reading)
    elif name in _WEEKDAY:
        _part(node, name, reading)


def _part(node: exp.Expr, word: str, reading: _Reading) -> None:
    if word in _WEEKDAY and reading.dialect not in _SUNDAY_0:
        if reading.dialect not in _SUNDAY_1 or not isinstance(node, exp.Extract):
            _unsure_day(node, reading)
        _wrap(node, exp.Case(ifs=[_when(day, day + 1) for day in range(7)]))
    if word in ("week", "weeks", "w", "wk", "ww"):
        _week(node, reading)
    if word in ("second", "seconds", "sec", "s") and reading.dialect in _FRACTIONS:
        reading.differs(node, "the second", "DuckDB's is whole: ask in dialect duckdb")


def _when(value: int, result: int) -> exp.If:
    return exp.If(this=exp.Literal.number(value), true=exp.Literal.number(result))


def _day_of_week(node: exp.Expr, reading: _Reading) -> None:
    if reading.dialect not in _SUNDAY_0:
        _unsure_day(node, reading)


def _unsure_day(node: exp.Expr, reading: _Reading) -> NoReturn:
    reading.differs(node, "the day of the week", "EXTRACT(isodow FROM x) is 1 for Monday to 7")


def _week(node: exp.Expr, reading: _Reading) -> None:
    if reading.dialect not in _ISO_WEEKS:
        reading.differs(node, "the week", "EXTRACT(isoweek FROM x) counts ISO weeks, from Monday")


def _truncate(node: exp.Expr, reading: _Reading) -> None:
    unit = node.args.get("unit")
    if unit is not None and str(unit.name).lower().startswith("w"):
        _week(node, reading)


def _difference(node: exp.Expr, reading: _Reading) -> None:
    if not node.args.get("date_part_boundary") and reading.dialect in _SPARK | _TRINO:
        reading.differs(
            node, "date_diff", "there whole units are counted, here boundaries: ask in duckdb"
        )


# ---- text and numbers --------------------------------------------------------------------


def _substring(node: exp.Expr, reading: _Reading) -> None:
    start = node.args.get("start")
    if start is None or (isinstance(start, exp.Literal) and str(start.this).strip("0").isdigit()):
        return
    reading.differs(
        node, "SUBSTRING from 0, from the end or from a column", "RIGHT(x, n) is the same in all"
    )


def _length(node: exp.Expr, reading: _Reading) -> None:
    if reading.dialect in ("tsql", "fabric"):
        reading.differs(node, "LEN", "there it leaves out spaces at the end: ask in duckdb")


def _joined(node: exp.Expr, reading: _Reading) -> None:
    if reading.dialect == "oracle" and node.find(exp.Column) is not None:
        reading.differs(node, "|| beside a NULL", "CONCAT(a, b) leaves NULLs out")


def _cast(node: exp.Expr, reading: _Reading) -> None:
    """Fractions are cut off there, and rounded here."""
    to = node.args["to"]
    if reading.dialect not in _TRUNCATING or to.this not in _WHOLE:
        return
    if isinstance(node.this, exp.Literal) and str(node.this.this).isdigit():
        return
    node.set("this", exp.Trunc(this=node.this))


def _as_moment(node: exp.Expr, reading: _Reading) -> None:
    """MySQL's DATE_FORMAT reads texts as moments, too; those are refused later, by type."""
    if isinstance(node.this, exp.TsOrDsToTimestamp):
        node.set("this", node.this.this)


_RULES: dict[type[exp.Expr], Callable[[exp.Expr, _Reading], None]] = {
    exp.Like: _like,
    exp.ILike: _like,
    exp.Extract: _extract,
    exp.Anonymous: _named_part,
    exp.DayOfWeek: _day_of_week,
    exp.Week: _week,
    exp.DateTrunc: _truncate,
    exp.TimestampTrunc: _truncate,
    exp.DatetimeTrunc: _truncate,
    exp.DateDiff: _difference,
    exp.Substring: _substring,
    exp.Length: _length,
    exp.DPipe: _joined,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.TimeToStr: _as_moment,
}
