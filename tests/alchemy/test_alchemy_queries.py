"""SQLAlchemy's expressions, compiled and answered."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from dpsql.alchemy import DPDialect

BOTH = [("Berlin", 100), ("Oslo", 200)]


def _rows(connection: Connection, query: Any) -> list[Any]:
    return sorted(tuple(row) for row in connection.execute(query))


def _grouped(patients: sa.Table) -> Any:
    count = sa.func.count().label("n")
    return sa.select(patients.c.city, count).group_by(patients.c.city)


def test_group_by_with_its_labels(connection: Connection, patients: sa.Table) -> None:
    query = sa.select(patients.c.city, sa.func.count()).group_by(patients.c.city)
    result = connection.execute(query)
    assert list(result.keys()) == ["city", "count_1"]
    assert sorted(tuple(row) for row in result) == BOTH
    assert '"patients"."city"' in str(query.compile(connection))


def test_limit_and_offset_are_parameters(connection: Connection, patients: sa.Table) -> None:
    query = _grouped(patients).order_by(sa.desc("n"))
    assert _rows(connection, query.limit(1)) == [("Oslo", 200)]
    assert _rows(connection, query.limit(1).offset(1)) == [("Berlin", 100)]
    assert _rows(connection, query.offset(1)) == [("Berlin", 100)]
    assert _rows(connection, query.limit(0)) == []


def test_subqueries_and_ctes(connection: Connection, patients: sa.Table) -> None:
    inner = _grouped(patients).subquery()
    assert _rows(connection, sa.select(sa.func.max(inner.c.n))) == [(200,)]
    assert _rows(connection, sa.select(inner).where(inner.c.n > 150)) == [("Oslo", 200)]
    assert "anon_1" in str(sa.select(inner).compile(connection))
    cte = _grouped(patients).cte("sizes")
    assert _rows(connection, sa.select(cte.c.city, cte.c.n * 2)) == [("Berlin", 200), ("Oslo", 400)]
    rank = sa.func.row_number().over(order_by=inner.c.n.desc())
    assert _rows(connection, sa.select(rank, inner.c.city)) == [(1, "Oslo"), (2, "Berlin")]
    counts = sa.select(sa.func.count()).select_from(patients)
    assert _rows(connection, sa.union_all(counts, counts)) == [(300,), (300,)]


CONDITIONS: list[tuple[str, Any, int]] = [
    ("in", lambda c: c.city.in_(["Berlin", "Rome"]), 100),
    ("in nothing", lambda c: c.city.in_([]), 0),
    ("not in nothing", lambda c: c.city.notin_([]), 300),
    ("contains", lambda c: c.city.contains("erl"), 100),
    ("startswith", lambda c: c.city.startswith("B_", autoescape=True), 0),
    ("ilike", lambda c: c.city.ilike("BER%"), 100),
    ("not ilike", lambda c: ~c.city.ilike("BER%"), 200),
    ("ilike with escape", lambda c: c.city.ilike("B/%", escape="/"), 0),
    ("like with escape", lambda c: c.city.like("Be'%", escape="'"), 0),
    ("boolean", lambda c: c.member, 100),
    ("not boolean", lambda c: ~c.member, 200),
    ("is true", lambda c: c.member.is_(True), 100),
    ("= true", lambda c: c.member == sa.true(), 100),
    ("date", lambda c: c.born > dt.date(2000, 1, 1), 150),
    ("timestamp", lambda c: c.seen >= dt.datetime(2020, 1, 2), 150),
    ("decimal", lambda c: c.income == Decimal("1.25"), 75),
    ("float", lambda c: c.weight < 1.0, 10),
    ("is null", lambda c: c.city == None, 0),  # noqa: E711 - SQLAlchemy's way to say IS NULL
    ("is not null", lambda c: c.city.isnot(None), 300),
    ("between", lambda c: c.age.between(20, 21), 12),
    ("distinct from", lambda c: c.city.is_distinct_from("Oslo"), 100),
    ("modulo", lambda c: c.age % 2 == 0, 150),
    ("and, or", lambda c: sa.and_(c.age < 21, sa.or_(c.city == "Oslo", c.income > 9)), 4),
    ("extract", lambda c: sa.extract("year", c.born) == 2000, 300),
]


@pytest.mark.parametrize(
    ("make", "count"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS]
)
def test_conditions(connection: Connection, patients: sa.Table, make: Any, count: int) -> None:
    query = sa.select(sa.func.count()).select_from(patients).where(make(patients.c))
    assert _rows(connection, query) == [(count,)]


@pytest.mark.skipif(sa.__version__ < "2", reason="icontains came with SQLAlchemy 2.0")
def test_icontains(connection: Connection, patients: sa.Table) -> None:
    query = sa.select(sa.func.count()).select_from(patients)
    assert _rows(connection, query.where(patients.c.city.icontains("ERL"))) == [(100,)]


def test_values_keep_their_types(connection: Connection, patients: sa.Table) -> None:
    c = patients.c
    query = sa.select(
        *(sa.func.sum(c.age), sa.func.sum(c.income), sa.func.avg(c.age), sa.func.count(c.id)),
        *(sa.func.sum(sa.cast(c.age, sa.Float)), sa.func.sum(c.age / 2)),
        sa.func.sum(c.age) / sa.func.count(),
    )
    (row,) = connection.execute(query)
    assert [type(value) for value in row] == [int, Decimal, float, int, float, float, float]
    assert tuple(row)[:2] == (13_350, Decimal("562.50"))
    assert tuple(row)[4:] == pytest.approx((13_350, 6_675, 44.5), rel=1e-6)  # `/` is not floored


def test_more_aggregates(connection: Connection, patients: sa.Table) -> None:
    c = patients.c
    few = sa.select(sa.func.count().filter(c.age < 21)).select_from(patients)
    assert _rows(connection, few) == [(6,)]
    assert _rows(connection, sa.select(sa.func.count(sa.distinct(c.id)))) == [(300,)]
    having = _grouped(patients).having(sa.func.count() > 150)
    assert _rows(connection, having) == [("Oslo", 200)]
    group = sa.case((c.age < 21, "young"), else_="old").label("age_group")
    by_group = sa.select(group, sa.func.count()).group_by(group)
    assert _rows(connection, by_group) == [("old", 294), ("young", 6)]
    assert _rows(connection, sa.select(group, sa.func.count()).group_by("age_group")) == [
        *(("old", 294), ("young", 6))
    ]


def test_a_join_along_the_reflected_key(connection: Connection, engine: Engine) -> None:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    patients, visits = metadata.tables["patients"], metadata.tables["visits"]
    query = (
        sa.select(patients.c.city, sa.func.sum(visits.c.cost))
        .select_from(patients.join(visits))
        .group_by(patients.c.city)
    )
    rows = dict(_rows(connection, query))
    assert rows == pytest.approx({"Berlin": 400, "Oslo": 800}, rel=1e-3)
    notes = sa.Table("Notes", metadata, schema="archive", autoload_with=engine)
    assert _rows(connection, sa.select(sa.func.count(notes.c["Note No"]))) == [(0,)]
    ended = sa.select(sa.func.count(visits.c.end))  # a reserved word for a name
    assert _rows(connection, ended) == [(0,)]


def test_units_of_time_are_not_cached_with_the_statement(
    connection: Connection, patients: sa.Table
) -> None:
    def by(unit: str) -> list[Any]:
        moment = sa.func.date_trunc(unit, patients.c.born)
        query = sa.select(moment, sa.func.count()).group_by(moment)
        return [row for row in connection.execute(query) if row[1]]

    months = [(dt.datetime(2000, 1, 1), 150), (dt.datetime(2000, 2, 1), 150)]
    assert [(len(by("year")), len(by("month"))) for _ in range(2)] == [(1, 2), (1, 2)]
    assert [(str(row[0])[:10], row[1]) for row in by("month")] == [
        (str(moment)[:10], n) for moment, n in months
    ]
    part = sa.func.date_part("month", patients.c.born)
    query = sa.select(part, sa.func.count()).group_by(part)
    assert [tuple(row) for row in connection.execute(query) if row[1]] == [(1, 150), (2, 150)]


def test_public_tables_are_read_row_by_row(connection: Connection, engine: Engine) -> None:
    cities = sa.Table("cities", sa.MetaData(), autoload_with=engine)
    assert _rows(connection, sa.select(cities)) == [("Berlin", 3), ("Oslo", 1)]
    assert (
        connection.execute(sa.select(cities.c.people).where(cities.c.name == "Oslo")).scalar() == 1
    )


def test_texts_and_their_parameters(connection: Connection) -> None:
    sql = "SELECT COUNT(*) FROM patients WHERE age < "
    assert connection.execute(sa.text(sql + ":top"), {"top": 21}).scalar() == 6
    assert connection.exec_driver_sql(sql + "?", (21,)).scalar() == 6
    assert connection.exec_driver_sql(sql + ":top", {"top": 21}).scalar() == 6
    assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_orm_queries(engine: Engine, patients: sa.Table) -> None:
    with Session(engine) as session:
        query = session.query(patients.c.city, sa.func.count()).group_by(patients.c.city)
        assert sorted(tuple(row) for row in query) == BOTH
        session.commit()


@pytest.mark.parametrize("what", ["rows", "insert", "update", "delete", "create", "drop", "lock"])
def test_the_rest_is_refused(engine: Engine, patients: sa.Table, what: str) -> None:
    statements: dict[str, Any] = {
        "rows": sa.select(patients),
        "insert": sa.insert(patients).values(id=1),
        "update": sa.update(patients).values(age=1),
        "delete": sa.delete(patients),
        "create": sa.schema.CreateTable(sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer))),
        "drop": sa.schema.DropTable(patients),
        "lock": sa.select(sa.func.count()).select_from(patients).with_for_update(),
    }
    expected = exc.CompileError if what == "lock" else exc.NotSupportedError
    with engine.connect() as connection, pytest.raises(expected) as caught:
        connection.execute(statements[what])
    if what != "lock":
        assert caught.value.orig.hint  # type: ignore[attr-defined]


def test_types_in_casts() -> None:
    def text(kind: Any) -> str:
        return str(sa.cast(sa.column("x"), kind).compile(dialect=DPDialect()))

    assert [text(kind) for kind in (sa.Float, sa.REAL, sa.DateTime, sa.String)] == [
        *('CAST("x" AS DOUBLE)', 'CAST("x" AS FLOAT)', 'CAST("x" AS TIMESTAMP)'),
        'CAST("x" AS VARCHAR)',
    ]
