"""Each form's text, time and memory for one row, against what the row and the query's text allow.

What a form gives has at most `joined_texts` times the characters of the row's longest text, and
`written_text` of the query's own: the very bounds that `weight` refuses by. Longest inputs here:
200,000 characters, in one byte each and in as many as UTF-8 has.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from function_world import NASTY, TYPES, attempt, bind, combinations, emit, names_of
from test_functions_total import CASES

from dpsql import functions
from dpsql.core.domain import Kind
from dpsql.core.ir import Call, Expr
from dpsql.dialects.duckdb_types import read_type
from dpsql.functions.weight import joined_texts, written_text

LONG = 200_000
TEXTS = {
    "ascii": "a" * LONG,
    "two bytes": "é" * LONG,
    "four bytes": "😀" * LONG,
    "grows in capitals": "ŉßﬁ" * (LONG // 3),
    "combining": "e\u0301" * (LONG // 2),
    "families": "👩‍👩‍👧‍👦" * (LONG // 11),
    "dots": "İ" * LONG,
    "percent": "%_!\\" * (LONG // 4),
    "blanks": " " * LONG,
    "separators": "-a/b" * (LONG // 4),
}
NUMBER = 400
"""Characters that a number, a date or a truth takes when it is written: 24 of a DOUBLE, say."""
SECONDS = 0.5
"""For one row of 200,000 characters; the slowest takes 0.02 s on a machine at rest."""


def calls(expr: Expr) -> set[str]:
    if not isinstance(expr, Call):
        return set()
    return {expr.fn}.union(*(calls(arg) for arg in expr.args))


def forms() -> dict[str, Expr]:
    """Each case of the table over texts alone, and over a text beside another type."""
    found: dict[str, Expr] = {}
    for template, choices in CASES.values():
        if "s" in choices:
            for sql in combinations(template, ["s", *[c for c in choices if c in ("d", "ts")]]):
                expr = attempt(sql)
                if expr is not None and "s" in {name.rstrip("_") for name in names_of(expr)}:
                    found[sql] = expr
    return found


FORMS = forms()


@pytest.fixture(scope="module")
def con() -> Any:
    con = duckdb.connect(config={"threads": 1})
    con.execute("CREATE TABLE t (s VARCHAR, s_ VARCHAR, d DOUBLE, d_ DOUBLE, ts TIMESTAMP,"
                " ts_ TIMESTAMP)")  # fmt: skip
    return con


def put(con: Any, text: str) -> None:
    con.execute("DELETE FROM t")
    moment = "290309-12-22 (BC) 00:00:00"
    con.execute("INSERT INTO t VALUES (?, ?, -2.2250738585072014e-308, 1e308, ?, ?)",
                [text, text, moment, moment])  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
def test_one_row_gives_no_more_than_its_bound(con: Any, kind: str) -> None:
    put(con, TEXTS[kind])
    assert len(FORMS) > 70
    for sql, expr in FORMS.items():
        total = emit(expr)
        size = "length(CAST(q.v AS VARCHAR))" if expr.domain.type.kind is Kind.TEXT else "0"
        took = []
        for _ in range(3):
            started = time.perf_counter()
            [(length,)] = con.execute(
                f"SELECT {size} FROM (SELECT {total} AS v FROM t) q"
            ).fetchall()
            took.append(time.perf_counter() - started)
            if took[-1] < SECONDS:
                break
        joined = joined_texts(expr)
        most = joined * max(len(TEXTS[kind]), NUMBER) + written_text(expr)
        assert (length or 0) <= most, sql
        assert min(took) < SECONDS, sql


def test_what_grows_is_seen(con: Any) -> None:
    """REPEAT, were it listed, would pass neither bound."""
    put(con, TEXTS["ascii"])
    [(length,)] = con.execute("SELECT length(repeat(s, 50)) FROM t").fetchall()
    expr = bind("upper(s)")
    assert length > joined_texts(expr) * LONG + written_text(expr)


def test_the_table_is_the_registrys() -> None:
    """A function without a case on boundary values is not to be listed."""
    listed = {name for family in functions.REGISTRY for name in family.names}
    tried: set[str] = set()
    for template, choices in CASES.values():
        accepted = 0
        for sql in combinations(template, choices):
            expr = attempt(sql)
            if expr is None:
                continue
            tried |= calls(expr)
            accepted += 1
            if accepted == 8:
                break
    assert listed - tried == set(), "write a case in test_functions_total.CASES"


def test_the_table_misses_what_is_new(monkeypatch: Any) -> None:
    class New:
        names = ("brand_new",)
        nodes = ()
        calls = ()

    monkeypatch.setattr(functions, "REGISTRY", (*functions.REGISTRY, New()))
    with pytest.raises(AssertionError, match="write a case"):
        test_the_table_is_the_registrys()


def test_every_type_of_a_column_has_its_ends() -> None:
    """Each type that is read has a column of boundary values; NULL is added to all."""
    kinds = {read_type(TYPES[name])[0].kind for name in NASTY}
    assert kinds == set(Kind) - {Kind.OPAQUE, Kind.NULL}
    for name, kind in TYPES.items():
        certain = read_type(kind)[1]
        if certain.lo is None or read_type(kind)[0].kind is Kind.FLOAT:
            continue
        values = {Fraction(value) for value in NASTY[name]}
        assert max(values) == certain.hi, kind
        assert min(values) == certain.lo or name == "n1", kind
    assert {"inf", "-inf", "nan", "-0.0"} <= set(NASTY["d"])
    assert {"infinity", "-infinity"} <= set(NASTY["day"]) & set(NASTY["ts"])
