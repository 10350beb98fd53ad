"""PostgreSQL's own types through the whole path: each is read as docs/postgresql.md says."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import postgres_world
import psycopg2
import pytest

SCHEMA = """
CREATE SCHEMA "Klinik Süd";
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN whole AS INT;
CREATE TABLE "Klinik Süd"."Patienten"(
    "Nr" UUID PRIMARY KEY, code CHAR(4), m mood, w whole, r REAL, n NUMERIC, p NUMERIC(8,2),
    at TIMESTAMPTZ, c TEXT COLLATE "C", "Größe" INT, j JSONB);
INSERT INTO "Klinik Süd"."Patienten"
    SELECT md5(i::text)::uuid, CASE i % 3 WHEN 0 THEN 'ab' ELSE 'abcd' END,
        CASE i % 2 WHEN 0 THEN 'sad' ELSE 'glad' END::mood, i, i / 4.0,
        CASE WHEN i = 1 THEN 'NaN' WHEN i = 2 THEN 'Infinity' WHEN i = 3 THEN 1e400
            ELSE i * 1.5 END::numeric,
        CASE WHEN i = 1 THEN 'NaN' ELSE i * 0.25 END::numeric,
        TIMESTAMPTZ '2020-01-01 00:30:00+02' + i * INTERVAL '1 day', 'x' || i % 2, i, '{}'
    FROM generate_series(1, 100) s(i);
CREATE TABLE visits(nr UUID REFERENCES "Klinik Süd"."Patienten"("Nr"), n INT, c TEXT);
INSERT INTO visits SELECT "Nr", "Größe" % 10, 'x1' FROM "Klinik Süd"."Patienten";
CREATE VIEW seen AS SELECT nr, n FROM visits WHERE n > 4;
"""
POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": "1e9", "delta": "1e-3"},
        "max_per_query": {"epsilon": "1e9", "delta": "1e-3"},
        "default": {"epsilon": "1e12", "delta": "0.9"},
    },
    "releases": {"reuse": "off"},
    "bounds": {"max_groups": 5, "max_rows_per_group": 5},
    "tables": {
        '"Klinik Süd"."Patienten"': {
            "unit": '"Nr"',
            "columns": {
                "r": {"min": 0, "max": 50},
                "n": {"min": 0, "max": 200},
                "p": {"min": 0, "max": 50},
                "w": {"min": 0, "max": 100},
                "Größe": {"min": 0, "max": 100},
                "m": {"values": ["sad", "glad"]},
                "at": {"min": dt.date(2019, 1, 1), "max": dt.date(2021, 1, 1)},
            },
        },
        "visits": {
            "unit": 'nr -> "Klinik Süd"."Patienten"."Nr"',
            "columns": {"n": {"min": 0, "max": 9}},
        },
        "seen": {"unit": "nr", "columns": {"n": {"min": 0, "max": 9}}},
    },
}
TABLE = '"Klinik Süd"."Patienten"'


@pytest.fixture(scope="module")
def session(server):
    url = server.database()
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA)
    with closing(postgres_world.session(POLICY, url)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("sql", "want"),
    [
        (f"SELECT COUNT(*) AS a, SUM(w) AS b FROM {TABLE}", [(100, 5050)]),
        (f'SELECT SUM("Größe") AS a FROM {TABLE} WHERE "Größe" <= 10', [(55,)]),
        (f"SELECT SUM(r) AS a FROM {TABLE} WHERE r < 10", [(sum(i / 4 for i in range(1, 40)),)]),
        # NaN is nobody's value; what is beyond a DOUBLE is not there either
        (f"SELECT COUNT(p) AS a, SUM(p) AS b FROM {TABLE}", [(99, 5049 * 0.25)]),
        (f"SELECT COUNT(n) AS a, COUNT(*) AS b FROM {TABLE} WHERE n IS NOT NULL", [(97, 97)]),
        (f"SELECT COUNT(*) AS a FROM {TABLE} WHERE n = 6", [(1,)]),
        # 00:30 in summer time of the east is the evening before in UTC
        (f"SELECT COUNT(*) AS a FROM {TABLE} WHERE at < TIMESTAMP '2020-01-02'", [(1,)]),
        (f"SELECT EXTRACT(hour FROM at) AS h, COUNT(*) AS a FROM {TABLE} GROUP BY h", {(22, 100)}),
        (f"SELECT m, COUNT(*) AS a FROM {TABLE} GROUP BY m", {("sad", 50), ("glad", 50)}),
        (f"SELECT code, COUNT(*) AS a FROM {TABLE} GROUP BY code", {("ab", 33), ("abcd", 67)}),
        (f"SELECT COUNT(*) AS a FROM {TABLE} WHERE code = 'ab'", [(33,)]),
        (f"SELECT c, COUNT(*) AS a FROM {TABLE} GROUP BY c", {("x0", 50), ("x1", 50)}),
        (f"SELECT COUNT(*) AS a FROM {TABLE} WHERE c || code = 'x1ab'", [(17,)]),
        (f"SELECT COUNT(j) AS a FROM {TABLE}", [(100,)]),
        ("SELECT COUNT(*) AS a, SUM(n) AS b FROM visits", [(100, 450)]),
        ("SELECT COUNT(*) AS a, SUM(n) AS b FROM seen", [(50, 350)]),
        (f'SELECT COUNT(DISTINCT "Nr") AS a FROM {TABLE}', [(100,)]),
    ],
)
def test_answers(sql, want, session):
    found = [tuple(row.values()) for row in session.query(sql).table.to_pylist()]
    rounded = [tuple(float(v) if isinstance(v, float) else v for v in row) for row in found]
    if isinstance(want, set):
        assert {row for row in rounded if row[1]} == want
    else:
        assert len(rounded) == len(want)
        for row, one in zip(rounded, want, strict=True):
            assert [float(v) for v in row] == pytest.approx(list(one), rel=1e-6)
