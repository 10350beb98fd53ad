"""What is refused, by which code; and the readings of constants."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
import sqlglot
from function_world import bind, domain, emit
from sqlglot import exp

from dpsql import functions
from dpsql.core.domain import Domain, Interval, Kind, SqlType
from dpsql.core.ir import Call, Lit
from dpsql.errors import Error, InvalidQuery, RefusedQuery
from dpsql.functions import intervals
from dpsql.functions.literals import convert, emit_literal, parse_date, parse_timestamp

OPAQUE = {"o": Domain(SqlType(Kind.OPAQUE))}

MISMATCHES = [
    *("s + 1", "-s", "f * 2", "i AND f", "NOT i", "i OR TRUE", "s > 5", "f = 1", "i = '5'"),
    *("i IN (1, 'x')", "i BETWEEN 'a' AND 'b'", "lower(i)", "i LIKE '1%'", "length(day)"),
    *("ts - ts_", "day - ts", "ts + 1", "day - 1.5", "CAST(i AS DATE)", "CAST(ts AS BIGINT)"),
    *("CAST(f AS TIMESTAMP)", "abs(s)", "year(i)", "date_trunc('month', s)", "i IS TRUE"),
    *("CASE WHEN i THEN 1 END", "CASE WHEN f THEN 1 ELSE 'x' END", "COALESCE(s, 0)", "sqrt(f)"),
    *("CASE s WHEN 1 THEN 2 END", "LEAST(ts, 3)", "NULLIF(s, 1)", "IF(i, 1, 2)", "o = o", "-o"),
    *("o || 'x'", "CAST(o AS VARCHAR)", "COALESCE(o, 1)", "o IN (1)", "ts > i", "s > day"),
]
BAD_LITERALS = [
    *("day > 'yesterday'", "ts > 'x'", "day = '2023-02-30'", "DATE 'infinity'", "ts = 'infinity'"),
    *("CAST('10000-01-01' AS DATE)", "TIMESTAMP 'epoch'", "day > '2023-01-01 10:00:00'"),
    *("ts >= '2023-01-01 10:00:00+02'", "date('0000-01-01')", "ts < '2023-1-1 24:00:00'"),
]
REFUSED = [
    *("s LIKE s_", "s LIKE '%%%%%'", "s LIKE 'a!' ESCAPE '!'", "s LIKE 'a' ESCAPE 'ab'"),
    *("s LIKE lower('A')", "s LIKE '" + "a" * 257 + "'", "i IN (1, b)", "i IN (SELECT 1)"),
    *("round(d, i)", "round(d, 400)", "trunc(d, 2)", "log(3, d)", "log(d, d_)"),
    *(
        "replace(s, s_, 'x')",
        "replace(s, 'a', 'bb')",
        "replace(s, '', 'x')",
        "replace(s, 'a')",
        "trim(s, s_)",
    ),
    *("left(s, i)", "left(s, -1)", "right(s, -1)", "substring(s, 1, -1)", "substring(s, i)"),
    *("substring(s, 9223372036854775807, 2)", "starts_with(s, s_)", "contains(s, s_)"),
    *("s || s || s || s || s || s || s || s || s", "concat(s, s, s, s, s, s, s, s, s)"),
    *(
        "date_trunc('decade', ts)",
        "date_trunc(s, ts)",
        "date_part(s, ts)",
        "extract(julian from ts)",
    ),
    *(
        "date_diff('decade', ts, ts_)",
        "date_diff('week', ts, ts_)",
        "ts + INTERVAL 1 CENTURY",
        "ts + INTERVAL (i) DAY",
    ),
    *("ts + INTERVAL '1 year 2 months'", "ts + INTERVAL 99999 YEAR", "ts + INTERVAL 0.5 DAY"),
    *("CAST(s AS BLOB)", "CAST(s AS JSON)", "CAST(i AS BIT)", "CAST(ts AS TIMESTAMPTZ)"),
    *("CAST(i AS INTEGER[])", "CAST(s AS TIME)", "CAST(i AS DECIMAL(39, 2))", "CAST(s AS UUID)"),
    *("i BETWEEN SYMMETRIC 1 AND 2", "repeat(s, 10)", "lpad(s, 1000000)", "md5(s)", "random()"),
    *("regexp_matches(s, 'a+')", "s SIMILAR TO 'a'", "s GLOB 'a*'", "s ~ 'a'", "error('x')"),
    *("current_date", "now()", "sleep_ms(1)", "pg_sleep(1)", "getvariable('x')", "hash(s)"),
    *("i & 1", "i << 2", "~i", "xor(i, b)", "factorial(i)", "strptime(s, '%Y')", "chr(i)"),
    *("[i]", "{'a': i}", "list_value(i)", "s[1]", "TRY(i)", "i::TEXT COLLATE nocase"),
    *("lpad(s, i, 'x')", "lpad(s, 9, '')", "split_part(s, s_, 1)", "strpos(s, s_)"),
    *("repeat(s, 9)", "width_bucket(i, b, 9, 3)", "time_bucket(INTERVAL 2 WEEK, ts)"),
    *("strftime(ts, '%c')", "strftime(ts, s)", "translate(s, 'a', 'é')", "concat_ws(s, s_)"),
    *("(SELECT 1)", "EXISTS (SELECT 1)", "x -> x + 1", "i IS JSON"),
]


@pytest.mark.parametrize("sql", MISMATCHES)
def test_type_errors_name_both_types(sql: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        bind(sql, OPAQUE)
    assert caught.value.code == "type-mismatch"
    assert caught.value.message


@pytest.mark.parametrize("sql", BAD_LITERALS)
def test_bad_literals(sql: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        bind(sql)
    assert caught.value.code == "bad-literal"


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(sql: str) -> None:
    with pytest.raises(Error) as caught:
        bind(sql)
    assert isinstance(caught.value, RefusedQuery) or caught.value.code == "type-mismatch"


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("d", "1 / ({})"),
        ("d", "({} BETWEEN 0 AND 1)::INT"),
        ("d", "CASE {} WHEN 1 THEN 2 WHEN 3 THEN 4 ELSE 5 END"),
        ("d", "NULLIF({}, 0)"),
        ("d", "({} IN (1, 2))::INT"),
        ("ts", "{} + INTERVAL 1 DAY"),
        ("s", "CAST(CAST({} AS DATE) AS VARCHAR)"),
    ],
)
def test_nesting_that_would_grow_exponentially_is_refused(inner: str, outer: str) -> None:
    sql = inner
    for depth in range(30):
        sql = outer.format(sql)
        try:
            text = emit(bind(sql))
        except RefusedQuery as refusal:
            assert refusal.code == "too-complex"  # noqa: PT017
            assert depth >= 3
            return
        assert len(text) < 200_000
    pytest.fail("never refused")


def test_every_family_is_found_by_its_nodes_and_names() -> None:
    for family in functions.REGISTRY:
        for node in family.nodes:
            assert functions.for_node(node()) is family
        for name in family.names:
            assert functions.for_call(name) is family
        for name in family.calls:
            assert functions.for_node(exp.Anonymous(this=name.upper())) is family


def test_equality_of_columns_stays_bare() -> None:
    same = bind("i = i_")
    assert isinstance(same, Call)
    assert same.fn == "eq"
    assert emit(same) == "i = i_"
    assert bind("b = d").fn == "eq_rounded"  # type: ignore[union-attr]
    assert bind("b = 9007199254740993e0").fn == "eq_rounded"  # type: ignore[union-attr]
    assert bind("b = 5e0").fn == "eq"  # type: ignore[union-attr]
    assert bind("i = 5.0").fn == "eq"  # type: ignore[union-attr]
    assert emit(bind("day = TIMESTAMP '2020-01-01 00:00:00'")) == (
        "day = CAST('2020-01-01' AS DATE)"
    )


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("DATE '2024-02-29'", dt.date(2024, 2, 29)),
        ("TIMESTAMP '2024-02-29 10:11:12.5'", dt.datetime(2024, 2, 29, 10, 11, 12, 500_000)),
        ("'2024-02-29'::date", dt.date(2024, 2, 29)),
        ("date('2024-02-29')", dt.date(2024, 2, 29)),
        ("-5", -5),
        ("- - 5.5", Decimal("5.5")),
        ("-1e3", -1000.0),
        ("NOT TRUE", False),
        ("TRY_CAST('x' AS DATE)", None),
    ],
)
def test_constants_fold(sql: str, value: object) -> None:
    expr = bind(sql)
    assert isinstance(expr, Lit)
    assert expr.value == value
    assert type(expr.value) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        *(0, -1, 2**31, -(2**63), 2**63, 2**100, Decimal("1.50"), Decimal("-0.05"), Decimal("100")),
        *(0.1, -0.5, 1e22, 5e-324, 1.7976931348623157e308, -2.5e-8, True, False, "", "o'x", "é\n"),
        *(dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.datetime(2020, 1, 2, 3, 4, 5, 6), None),
        dt.datetime(2020, 1, 1),
    ],
)
def test_literals_come_back(value: object) -> None:
    sql = emit_literal(value).sql(dialect="duckdb")  # type: ignore[arg-type]
    with duckdb.connect() as connection:  # the module's own is shared with every other test
        (got,) = connection.execute(f"SELECT {sql}").fetchone() or (object(),)
    assert got == value
    assert type(got) is type(value)
    again = sqlglot.parse_one(f"SELECT {sql}", read="duckdb").expressions[0]
    assert again.sql(dialect="duckdb") == sql


def test_reading_moments() -> None:
    assert parse_date("2024-1-5") == dt.date(2024, 1, 5)
    assert parse_date(" 2024-01-05 ") == dt.date(2024, 1, 5)
    assert parse_timestamp("2024-01-05T06:07") == dt.datetime(2024, 1, 5, 6, 7)
    for bad in ("", "2024", "20240105", "2024-01-05Z", "infinity", "2024-13-01", "٢٠٢٤-01-01"):
        assert parse_date(bad) is None
        assert parse_timestamp(bad) is None


def test_convert_keeps_the_value_or_says_no() -> None:
    two = SqlType(Kind.DECIMAL, 10, 2)
    assert str(convert(3, two)) == "3.00"
    assert convert(Decimal("1.005"), two) is None
    assert convert(2.5, SqlType(Kind.INTEGER)) is None
    assert convert(True, SqlType(Kind.INTEGER)) is None
    assert convert("x", SqlType(Kind.DATE)) is None
    assert convert(dt.date(2020, 1, 1), SqlType(Kind.TIMESTAMP)) == dt.datetime(2020, 1, 1)


def test_outward_rounding_is_outward_and_least() -> None:
    tenth = Interval(Fraction(1, 10), Fraction(1, 10))
    out = intervals.double(tenth)
    assert out.lo is not None
    assert out.lo < Fraction(1, 10) < out.hi  # type: ignore[operator]
    assert float(out.lo) == 0.09999999999999999  # type: ignore[arg-type]
    assert float(out.hi) == 0.1  # type: ignore[arg-type]
    whole = Interval(Fraction(-(2**24)), Fraction(500_000))
    assert intervals.single(whole) == whole
    assert intervals.single(Interval(Fraction(0), Fraction(10) ** 39)) == Interval(
        Fraction(0), None
    )
    tiny = intervals.double(Interval(Fraction(1, 2**2000), Fraction(1, 2**2000)))
    assert tiny == Interval(Fraction(0), Fraction(1, 2**1074))


def test_other_dialects() -> None:
    """Integer division where the dialect has it; `/` is float division in DuckDB."""
    assert bind("i / 2", dialect="postgres").fn == "int_div"  # type: ignore[union-attr]
    assert bind("d / 2", dialect="postgres").fn == "div"  # type: ignore[union-attr]
    assert bind("i / 2").fn == "div"  # type: ignore[union-attr]
    assert bind("date_trunc('month', ts)", dialect="postgres").fn == "date_trunc"  # type: ignore[union-attr]
    assert bind("s || 'x'", dialect="postgres").fn == "text_join"  # type: ignore[union-attr]
    assert domain("i").nullable
