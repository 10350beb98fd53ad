"""What is read of PostgreSQL's catalog: types, and the keys that are enforced on every row."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from dpsql.core.domain import Kind
from dpsql.dialects.postgres import PostgresEngine

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN positive AS INT CHECK (VALUE > 0);
CREATE SCHEMA hr;
CREATE TABLE people(id BIGINT PRIMARY KEY, code TEXT UNIQUE NOT NULL, maybe TEXT UNIQUE,
    pay NUMERIC(10,2), loose NUMERIC, fine NUMERIC(50,2), r REAL, d DOUBLE PRECISION,
    at TIMESTAMPTZ, padded CHAR(3), m mood, p positive, u UUID, j JSONB,
    byname TEXT COLLATE "C",
    age INT CHECK (age BETWEEN 0 AND 120), state TEXT CHECK (state IN ('a', 'b')),
    born DATE CHECK (born >= DATE '1900-01-01'));
CREATE TABLE visits(id INT PRIMARY KEY, person BIGINT NOT NULL REFERENCES people(id));
CREATE TABLE hr.people(id BIGINT PRIMARY KEY);
CREATE TABLE away(person BIGINT REFERENCES hr.people(id));
CREATE TABLE late(id INT PRIMARY KEY DEFERRABLE);
CREATE TABLE unproved(person BIGINT);
ALTER TABLE unproved ADD FOREIGN KEY (person) REFERENCES people(id) NOT VALID;
CREATE TABLE switched(person BIGINT REFERENCES people(id));
ALTER TABLE switched DISABLE TRIGGER ALL;
CREATE TABLE parent(id INT PRIMARY KEY);
CREATE TABLE child() INHERITS (parent);
CREATE TABLE parted(id INT PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE loosely(n NUMERIC PRIMARY KEY);
CREATE VIEW seen AS SELECT id FROM people;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM people;
CREATE TABLE partial(id INT NOT NULL);
CREATE UNIQUE INDEX ON partial(id) WHERE id > 5;
CREATE TABLE "Odd Näme"("Key" INT PRIMARY KEY, "key" INT, "Zeichen ""ü"" x" TEXT);
CREATE TABLE "Twice"(a INT); CREATE TABLE twice(a INT);
CREATE TABLE secret(id INT PRIMARY KEY, hidden TEXT);
"""


@pytest.fixture(scope="module")
def catalog(server):
    url = server.database()
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        if connection.server_version >= 180_000:
            cursor.execute(
                "CREATE TABLE newer(a INT, b INT REFERENCES visits(id) NOT ENFORCED);"
                "ALTER TABLE newer ADD CONSTRAINT n NOT NULL a NOT VALID;"
                "ALTER TABLE newer ADD UNIQUE (a)"
            )
    engine = PostgresEngine.open(url)
    yield engine.catalog(), engine
    engine.close()


def test_types_are_read_in_duckdbs_names(catalog):
    columns = catalog[0].tables["people"].columns
    found = {name: (c.type_text, c.stored) for name, c in columns.items()}
    assert found["id"] == ("BIGINT", "")
    assert found["pay"] == ("DECIMAL(10,2)", "numeric")
    assert found["loose"] == found["fine"] == ("DOUBLE", "number")
    assert found["r"] == ("DOUBLE", "real")
    assert found["at"] == ("TIMESTAMP", "zoned")
    assert found["padded"] == ("VARCHAR", "padded")
    assert found["m"] == ("VARCHAR", "label")
    assert found["byname"] == ("VARCHAR", "collated")
    assert found["p"] == ("INTEGER", "")
    assert columns["j"].type.kind is Kind.OPAQUE


def test_what_may_be_nan_may_be_null(catalog):
    """A NUMERIC that is NOT NULL can still be NaN, which is read as NULL."""
    (column,) = catalog[0].tables["loosely"].columns.values()
    assert column.nullable
    assert not catalog[0].tables["people"].columns["code"].nullable


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("people", {("id",), ("code",)}),  # a key of NULLs names no row
        ("visits", {("id",)}),
        ("hr.people", {("id",)}),
        ("late", set()),  # deferrable
        ("parent", set()),  # its children's rows are under its name
        ("child", set()),
        ("parted", {("id",)}),
        ("parted_1", {("id",)}),
        ("loosely", set()),  # two numbers can be one DOUBLE
        ("seen", set()),
        ("kept", set()),
        ("partial", set()),
    ],
)
def test_keys_are_those_that_are_enforced(table, keys, catalog):
    assert set(catalog[0].tables[table].keys) == keys


@pytest.mark.parametrize(
    ("table", "enforced"),
    [("visits", True), ("unproved", False), ("switched", False), ("away", False)],
)
def test_references_are_those_that_are_enforced(table, enforced, catalog):
    """One into another schema is left out: its target's name alone would be another table."""
    assert bool(catalog[0].tables[table].foreign_keys) is enforced


def test_newer_constraints_that_are_not_enforced(catalog):
    found = catalog[0].tables.get("newer")
    if found is None:
        pytest.skip("PostgreSQL 18 has them first")
    assert not found.foreign_keys
    assert not found.keys  # NOT NULL is not validated


def test_names_that_differ_in_case_alone_are_left_out(catalog):
    tables = catalog[0].tables
    assert "Twice" not in tables
    assert "twice" not in tables
    assert list(tables["Odd Näme"].columns) == ['Zeichen "ü" x']


def test_views_have_no_keys_and_say_so(catalog):
    assert catalog[0].tables["seen"].is_view
    assert catalog[0].tables["kept"].is_view


def test_checks_are_in_duckdbs_words(catalog):
    found = {text for _, table, text in catalog[1].checks() if table == "people"}
    assert any("age" in text and "120" in text for text in found)
    assert "(state IN ('a', 'b'))" in found
    assert "(born >= CAST('1900-01-01' AS DATE))" in found
