"""A small fake binder and a database of nasty and ordinary values, for tests of functions/."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

import duckdb
import sqlglot
from sqlglot import exp

from dpsql import functions
from dpsql.binding.context import domain_of
from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import Domain, Interval, Kind, Scalar, SqlType, of_literal, point
from dpsql.core.ir import Col, Expr, Lit, columns
from dpsql.dialects.duckdb_types import read_type
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.functions.weight import weighed
from dpsql.policy.schema import ColumnRule

TYPES = {
    "ti": "TINYINT",
    "i": "INTEGER",
    "b": "BIGINT",
    "h": "HUGEINT",
    "ub": "UBIGINT",
    "d": "DOUBLE",
    "r": "FLOAT",
    "n": "DECIMAL(10,2)",
    "nn": "DECIMAL(38,10)",
    "n1": "DECIMAL(38,38)",
    "s": "VARCHAR",
    "day": "DATE",
    "ts": "TIMESTAMP",
    "f": "BOOLEAN",
}
_INT = ["0", "1", "-1", "2", "10", "-7"]
NASTY: dict[str, list[str]] = {
    "ti": [*_INT, "127", "-128"],
    "i": [*_INT, "2147483647", "-2147483648", "2147483646"],
    "b": [*_INT, "9223372036854775807", "-9223372036854775808", "9007199254740993"],
    "h": [*_INT, str(2**127 - 1), str(-(2**127)), str(2**126), str(10**38 - 1)],
    "ub": ["0", "1", "18446744073709551615", "9223372036854775808"],
    "d": [
        *("0", "-0.0", "1", "-1", "0.5", "2.5", "1e308", "-1.7976931348623157e308", "5e-324"),
        *("inf", "-inf", "nan", "1e19", "9007199254740993", "1e-308", "2147483647.5", "1e38"),
    ],
    "r": ["0", "-0.0", "1.5", "3.4e38", "-3.4e38", "1e-45", "inf", "-inf", "nan", "0.1"],
    "n": ["0", "0.01", "-0.01", "99999999.99", "-99999999.99", "2.50", "1"],
    "nn": ["0", "1", "-1", "9" * 28 + "." + "9" * 10, "-" + "9" * 28 + "." + "9" * 10, "0.5"],
    "n1": ["0", "0." + "9" * 38, "-0." + "9" * 38, "0.5"],
    "s": [
        *("", "a", "abc", "ABC%", "é", "straße", "İstanbul", "ﬁn", "x\0y", "\\", "12x", " 5 "),
        *("2020-02-30", "2020-02-29", "infinity", "-infinity", "epoch", "nan", "inf", "1e400"),
        *("99999-01-01", "0044-03-15 (BC)", "2020-01-01 25:00:00", "2020-01-01 10:00:00+02"),
        *(
            "true",
            "1.5",
            "-0",
            "1e2",
            "👩‍👩‍👧‍👦",
            "9223372036854775808",
            "a" * 5000,
            "e\u0301\u200d",
            "\u202e\U0010ffff",
            "ǆŉ",
            "290309-12-22 (BC)",
        ),
    ],
    "day": [
        *("2020-02-29", "1970-01-01", "0001-01-01", "9999-12-31", "infinity", "-infinity"),
        *("5881580-07-10", "5877642-06-25 (BC)", "10000-01-01", "0001-12-31 (BC)", "294247-01-11"),
    ],
    "ts": [
        *("2020-02-29 23:59:59.999999", "1970-01-01", "0001-01-01", "9999-12-31 23:59:59.999999"),
        *("infinity", "-infinity", "294247-01-10 04:00:54.775806", "290309-12-22 (BC) 00:00:00"),
        *("10000-01-01", "0001-12-31 (BC) 23:59:59"),
    ],
    "f": ["true", "false"],
}
ORDINARY: dict[str, list[str]] = {
    "ti": ["0", "3", "-5", "17"],
    "i": ["0", "3", "-5", "42", "120"],
    "b": ["0", "7", "-12", "100000"],
    "h": ["0", "5", "-9", "123456789"],
    "ub": ["0", "8", "90"],
    "d": ["0", "0.25", "-3.75", "123.5", "99.99", "2.5"],
    "r": ["0", "0.5", "-2.25", "7.1"],
    "n": ["0", "1.25", "-7.50", "99.99", "2.50"],
    "nn": ["0", "3.5", "-2.0000000001", "77"],
    "n1": ["0", "0.5", "-0.25"],
    "s": ["", "a", "Berlin", "  hi ", "New York", "12", "2021-03-04"],
    "day": ["2020-01-01", "2020-02-29", "2023-12-31", "2024-05-05"],
    "ts": ["2020-01-01 00:00:00", "2020-02-29 23:59:59.5", "2023-12-31 12:30:15", "2024-05-05"],
    "f": ["true", "false"],
}


def domain(name: str, **changes: Any) -> Domain:
    """A column's domain from its engine type alone, as the binder would make it."""
    rule, text = ColumnRule(), TYPES[name.rstrip("_")]
    return domain_of(rule, CatalogColumn(name, text, *read_type(text), True)).with_(**changes)


class FakeScope:
    """Resolves columns by name; `x_` is a second column of x's type."""

    def __init__(self, domains: Mapping[str, Domain] | None = None) -> None:
        self.domains = domains or {}

    def expr(self, node: exp.Expr) -> Expr:
        if isinstance(node, exp.Paren):
            return self.expr(node.this)
        if isinstance(node, exp.Column):
            name = node.name
            return Col(0, name, self.domains.get(name) or domain(name))
        if isinstance(node, exp.Null):
            return Lit(None, of_literal(None))
        if isinstance(node, exp.Boolean):
            return Lit(bool(node.this), of_literal(bool(node.this)))
        if isinstance(node, exp.Literal):
            value = _literal(node)
            return Lit(value, of_literal(value))
        family = functions.for_node(node)
        if family is None:
            self.refuse(node, "unsupported-function", f"no {type(node).__name__}")
        return weighed(node, functions.bind(family, node, self), self)

    def narrowed(
        self, narrowing: Mapping[tuple[int, str], Callable[[Domain], Domain]]
    ) -> FakeScope:
        changed = {
            name: change(self.domains.get(name) or domain(name))
            for (_, name), change in narrowing.items()
        }
        return FakeScope({**self.domains, **changed})

    def refuse(self, node: exp.Expr, code: str, message: str, hint: str = "") -> NoReturn:
        raise RefusedQuery(message, code=code, hint=hint)

    def invalid(self, node: exp.Expr, code: str, message: str, hint: str = "") -> NoReturn:
        raise InvalidQuery(message, code=code, hint=hint)


def _literal(node: exp.Literal) -> Scalar:
    text = str(node.this)
    if node.is_string:
        return text
    if text.isdigit():
        return int(text)
    return float(text) if "e" in text.lower() else Decimal(text)


def bind(sql: str, domains: Mapping[str, Domain] | None = None, dialect: str = "duckdb") -> Expr:
    node = sqlglot.parse_one(f"SELECT {sql}", read=dialect).expressions[0]
    return FakeScope(domains).expr(node)


REFUSALS = {
    "type-mismatch",
    "bad-literal",
    "unsupported-function",
    "unsupported-expression",
    "too-complex",
    "too-deep",
}


def attempt(sql: str, domains: Mapping[str, Domain] | None = None) -> Expr | None:
    """The bound expression, None where it is refused for a known reason."""
    try:
        return bind(sql, domains)
    except (RefusedQuery, InvalidQuery) as refusal:
        if refusal.code not in REFUSALS:
            raise
        return None


def emit(expr: Expr) -> str:
    tree = functions.emit_expr(expr, lambda col: exp.column(col.name))
    sql = tree.sql(dialect="duckdb")
    again = sqlglot.parse_one(f"SELECT {sql}", read="duckdb").expressions[0]
    assert again.sql(dialect="duckdb") == sql
    return sql


# ---- the database ------------------------------------------------------------------------


def database() -> duckdb.DuckDBPyConnection:
    """Tables nasty_x(x) and ordinary_x(x) for every column x, each with NULL."""
    con = duckdb.connect()
    for kind, lists in (("nasty", NASTY), ("ordinary", ORDINARY)):
        for name, values in lists.items():
            con.execute(f"CREATE TABLE {kind}_{name} (v {TYPES[name]})")
            con.executemany(
                f"INSERT INTO {kind}_{name} SELECT CAST(? AS {TYPES[name]})",
                [[value] for value in [*values, None]],
            )
    return con


def source(kind: str, names: Iterable[str], *, nulls: bool = True) -> str:
    """A FROM clause: the cross product of the values of the named columns."""
    parts = [f"(SELECT v AS {name} FROM {kind}_{name.rstrip('_')}) t_{name}" for name in names]
    return " CROSS JOIN ".join(parts) or "(SELECT 1)"


def names_of(expr: Expr) -> list[str]:
    return sorted({col.name for col in columns(expr)})


def fetch(con: duckdb.DuckDBPyConnection, sql: str, type_: SqlType) -> list[Any]:
    """One column; moments beyond Python's years come back as text."""
    if type_.kind in (Kind.DATE, Kind.TIMESTAMP):
        texts = con.execute(f"SELECT CAST(q.v AS VARCHAR) FROM ({sql}) q(v)").fetchall()
        return [moment(row[0]) for row in texts]
    return [row[0] for row in con.execute(sql).fetchall()]


def moment(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text


def inside(value: Any, span: Interval, slack: Fraction = Fraction(0)) -> bool:
    """Does a fetched value lie in the interval?"""
    if span.lo is None and span.hi is None:
        return True
    if isinstance(value, str):  # a moment beyond Python's years
        early = value.startswith("-") or "(BC)" in value
        return span.lo is None if early else span.hi is None
    if isinstance(value, float) and not math.isfinite(value):
        return span.hi is None if value > 0 or value != value else span.lo is None
    end = point(value)
    room: Any = slack if isinstance(end, Fraction) else dt.timedelta(0)
    return (span.lo is None or span.lo - room <= end) and (span.hi is None or end <= span.hi + room)


def combinations(template: str, choices: Sequence[str]) -> list[str]:
    """The template with every choice of columns for {0}, {1}: `{0} + {1}` -> `i + d`, ..."""
    count = 1 + max((int(c) for c in "012" if "{" + c + "}" in template), default=-1)
    found = []
    for picked in itertools.product(choices, repeat=count):
        names, seen = [], set()
        for name in picked:
            names.append(name + "_" if name in seen else name)
            seen.add(name)
        found.append(template.format(*names))
    return found
