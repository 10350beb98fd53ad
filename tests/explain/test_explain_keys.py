"""explain says where the values of each public key come from."""

from __future__ import annotations

import duckdb
import pytest

import dpsql

DDL = """
CREATE TABLE people(id INTEGER PRIMARY KEY, city VARCHAR, ok BOOLEAN, born DATE, n INTEGER);
CREATE TABLE towns(name VARCHAR);
INSERT INTO towns VALUES ('Aix'), ('Bonn');
"""
POLICY = {
    "version": 1,
    "unit": "person",
    "ledger": "sqlite://",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "default": {"epsilon": 9, "delta": "1e-4"},
    },
    "bounds": {"max_groups": 3, "max_rows_per_group": 3},
    "tables": {
        "people": {
            "unit": "id",
            "columns": {
                "city": {"values": ["Aix", "Bonn"]},
                "born": {"min": "2000-01-01", "max": "2001-12-31"},
            },
        },
        "towns": {"public": True},
    },
}
KEYS = {
    "city": "values of people.city in the policy",
    "UPPER(city)": "worked out from values of people.city in the policy",
    "ok": "the type of people.ok, which is boolean",
    "date_trunc('month', born)": "worked out from min and max of people.born in the policy",
    "EXTRACT(year FROM born)": "worked out from min and max of people.born in the policy",
    "CASE WHEN n > 3 THEN 'a' ELSE 'b' END": "the constants of the query",
    "t.name": "the rows of the public table towns",
    "v.x": "the list in the query",
    "v.x + 1": "worked out from the list in the query",
    "n": "WHERE, on people.n",
    "LEFT(city, 1) || CAST(v.x AS VARCHAR)": "worked out from values of people.city in the policy"
    " and the list in the query",
    "secret": "",
}


@pytest.fixture(scope="module")
def cursor():
    with duckdb.connect(":memory:") as engine:
        engine.execute(DDL.replace("n INTEGER", "n INTEGER, secret VARCHAR"))
        with dpsql.connect(POLICY, analyst="ann", engine=engine) as connection:
            yield connection.cursor()


@pytest.mark.parametrize("key", KEYS)
def test_each_source_is_named(key, cursor):
    sql = (
        f"SELECT {key} AS k, COUNT(*) FROM people JOIN towns t ON t.name = city JOIN (VALUES (1),"
        f" (2)) v(x) ON v.x < n WHERE n IN (3, 4, 5) GROUP BY k"
    )
    told = cursor.explain(sql)
    (found,) = told.to_dict()["releases"][0]["keys"]
    assert found["origin"] == KEYS[key]
    assert (f"of k: {KEYS[key]}" in " ".join(str(told).split())) is bool(KEYS[key])
