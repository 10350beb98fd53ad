"""No literal argument may be judged by the engine only when a row is there to meet it.

`CASE WHEN name = 'x' THEN f(col, literal) END`: were f to look at the literal when a row comes and
raise, the error would tell of that row (so it was with LIKE ... ESCAPE 'ä'). Every function name
and every operator of the registry is tried with odd literals in every place: what the binder
accepts must fail on all rows or on none, so that an empty table tells as much as a full one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import sqlglot
from function_world import NASTY, TYPES, FakeScope, database
from sqlglot import exp

from dpsql import functions
from dpsql.core.ir import Expr
from dpsql.errors import InvalidQuery, RefusedQuery

COLUMNS = ("s", "i", "d", "day", "ts")
TEXTS = (
    *("''", "'a'", "'ab'", "'ä'", "'😀'", "'\\'", "'a\\'", "'%'", "'a!'", "'!!'", "'['", "'('"),
    *("'day'", "'dayx'", "'%Y'", "'%Q'", "'2020-02-30'", "'infinity'", "'1e400'", "'1 day'"),
    "'" + "x" * 300 + "'",
)
NUMBERS = (
    *("0", "1", "-1", "2", "10", "16", "-16", "1.5", "2147483647", "2147483648", "-2147483649"),
    *("9223372036854775807", "9223372036854775808", "1e308", "NULL", "TRUE", "9" * 38),
)
LITERALS = TEXTS + NUMBERS
FEW = ("''", "'a'", "'ä'", "'a!'", "0", "-1", "2147483648", "NULL")
USUAL = ("'a'", "1", "'day'")
CASTS = ("TINYINT", "HUGEINT", "DECIMAL(5, 2)", "REAL", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP")

OPERATORS: tuple[str, ...] = (
    *(f"{{c}} {op} {{l}}" for op in ("+", "-", "*", "/", "//", "%", "**", "||", "^@")),
    *(f"{{l}} {op} {{c}}" for op in ("+", "-", "*", "/", "//", "%", "**", "||")),
    *(f"{{c}} {op} {{l}}" for op in ("=", "<>", "<", "<=", ">", ">=", "IS", "IS DISTINCT FROM")),
    *("{c} IS NOT DISTINCT FROM {l}", "-{c} > {l}", "NOT ({c} = {l})", "{c} IS NULL OR {l}"),
    *("{c} = {l} AND {c} < {l}", "{c} IN ({l}, {l})", "{c} BETWEEN {l} AND {l}"),
    *("{c} LIKE {l}", "{c} ILIKE {l}", "{c} NOT LIKE {l}", "{c} NOT ILIKE {l}", "{c} GLOB {l}"),
    *("{c} LIKE 'a' ESCAPE {l}", "{c} NOT LIKE {l} ESCAPE '!'", "{c} ILIKE {l} ESCAPE {l}"),
    *("{c} SIMILAR TO {l}", "{c} ~ {l}", "{c} COLLATE {l}", "{c} LIKE {l} || {l} ESCAPE 'a'"),
    *("CASE {c} WHEN {l} THEN {l} ELSE {l} END", "CASE WHEN {c} = {l} THEN {l} END"),
    *("{c} + INTERVAL {l} DAY", "{c} - INTERVAL {l} MONTH", "{c} + INTERVAL {l}"),
    *("EXTRACT({l} FROM {c})", "{c} AT TIME ZONE {l}", "TRIM(BOTH {l} FROM {c})"),
    *("TRIM(LEADING {l} FROM {c})", "SUBSTRING({c} FROM {l} FOR {l})", "POSITION({l} IN {c})"),
    *(f"{{c}} = CAST({{l}} AS {t})" for t in CASTS),
    *(f"{{c}} = TRY_CAST({{l}} AS {t})" for t in CASTS),
    *(f"CAST({{c}} AS {t}) = {{l}}" for t in CASTS),
    *("date_add({c}, INTERVAL {l} DAY)", "date_trunc({l}, CAST({c} AS DATE))"),
    *("strftime({c}, {l})", "time_bucket(INTERVAL {l} DAY, {c})", "time_bucket(INTERVAL {l}, {c})"),
    *("pi() * {c}", "make_date({l}, {l}, {l})", "epoch({c})", "{c} + to_days({l})"),
    *("CAST({c} AS DECIMAL({l}, {l}))", "{c} = DATE {l}", "{c} = TIMESTAMP {l}"),
)


def _spread(template: str) -> Iterator[str]:
    """Each literal in each place, the other places holding a usual one."""
    places = template.count("{l}")
    for column in COLUMNS if places < 2 else ("s", "i", "ts"):
        parts = template.replace("{c}", column).split("{l}")
        for odd in range(max(places, 1)):
            for usual, literal in itertools.product(
                USUAL if places > 1 else USUAL[:1], LITERALS if places < 2 else FEW
            ):
                filled = [literal if place == odd else usual for place in range(places)]
                yield parts[0] + "".join(a + b for a, b in zip(filled, parts[1:], strict=True))


def calls(name: str) -> Iterator[str]:
    """The function with a column at each place and literals at the others."""
    yield from (f"{name}({column})" for column in COLUMNS)
    yield from _spread(f"{name}({{c}}, {{l}})")
    yield from _spread(f"{name}({{l}}, {{c}})")
    for places in ("{c}, {l}, {l}", "{l}, {c}, {l}", "{l}, {l}, {c}", "{c}, {l}, {l}, {l}"):
        if _reads(f"{name}({places.replace('{c}', 's').replace('{l}', '1')})"):
            yield from _spread(f"{name}({places})")


def _reads(sql: str) -> bool:
    try:
        node = sqlglot.parse_one(f"SELECT {sql}", read="duckdb").expressions[0]
    except sqlglot.errors.SqlglotError:
        return False
    return functions.for_node(node) is not None


class Watching(FakeScope):
    """Notes what was bound, so that nothing of the registry is left out."""

    def __init__(self, seen: set[object]) -> None:
        super().__init__()
        self.seen = seen

    def expr(self, node: exp.Expr) -> Expr:
        if isinstance(node, exp.Column) and node.name not in COLUMNS:
            self.refuse(node, "no-column", node.name)
        bound = super().expr(node)
        self.seen.add(node.name.lower() if isinstance(node, exp.Anonymous) else type(node))
        return bound


def accepted(texts: Iterator[str], seen: set[object]) -> list[str]:
    """The engine's SQL of what the binder takes."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            node = sqlglot.parse_one(f"SELECT {text}", read="duckdb").expressions[0]
            bound = Watching(seen).expr(node)
        except (sqlglot.errors.SqlglotError, RefusedQuery, InvalidQuery):
            continue
        tree = functions.emit_expr(bound, lambda col: exp.column(col.name))
        found[tree.sql(dialect="duckdb")] = None
    return list(found)


@pytest.fixture(scope="module")
def con() -> Any:
    """Tables `full` and `empty` of the same columns; `full` holds every nasty value."""
    con = database()
    rows = max(len(NASTY[name]) for name in COLUMNS) + 1
    numbered = [
        f"(SELECT v AS {name}, row_number() OVER () AS n FROM nasty_{name}) t_{name}"
        for name in COLUMNS
    ]
    joins = " ".join(f"LEFT JOIN {part} USING (n)" for part in numbered)
    con.execute(
        f"CREATE TABLE full_ AS SELECT {', '.join(COLUMNS)} FROM (SELECT unnest(range(1, {rows}))"
        f" AS n) r {joins}"
    )
    con.execute(f"CREATE TABLE empty_ ({', '.join(f'{c} {TYPES[c]}' for c in COLUMNS)})")
    return con


def fails(con: Any, expressions: list[str], table: str) -> bool:
    columns = ", ".join(f"CASE WHEN s IS NULL OR i > -9 THEN {e} END" for e in expressions)
    try:
        con.execute(f"SELECT {columns} FROM {table}").fetchall()
    except duckdb.Error:
        return True
    return False


def row_errors(con: Any, expressions: list[str]) -> list[str]:
    """Those that fail where rows are and pass where none is, found by halving."""
    if not expressions or not fails(con, expressions, "full_"):
        return []
    if len(expressions) == 1:
        return [] if fails(con, expressions, "empty_") else expressions
    middle = len(expressions) // 2
    return row_errors(con, expressions[:middle]) + row_errors(con, expressions[middle:])


def test_no_literal_is_judged_at_a_row(con: Any) -> None:
    seen: set[object] = set()
    texts = itertools.chain(
        (text for template in OPERATORS for text in _spread(template)),
        (text for name in functions.KNOWN for text in calls(name)),
    )
    expressions = accepted(texts, seen)
    assert len(expressions) > 3_000
    wrong = [
        text
        for start in range(0, len(expressions), 250)
        for text in row_errors(con, expressions[start : start + 250])
    ]
    assert wrong == []
    # DateSub is DateAdd turned round; these are read from other dialects alone, as what is above.
    all_ = {entry for family in functions.REGISTRY for entry in (*family.nodes, *family.calls)}
    assert all_ - seen == {exp.DateSub, exp.TsOrDsAdd, "make_date", "epoch"}, (
        "write an operator above for what no text reached"
    )


def test_the_search_finds_what_fails_at_a_row(con: Any) -> None:
    escape = "s LIKE 'a' ESCAPE 'ä'"
    assert row_errors(con, ["lower(s)", escape, "i > 1"]) == [escape]
    assert row_errors(con, ["lower(s)", "nothing(s)"]) == []
