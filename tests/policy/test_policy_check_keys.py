"""`check` on keys: what the database enforces, and what a copied unit column would win."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.policy import check, load

BUDGETS = {"default": {"epsilon": 1, "delta": 1e-6}}


def findings(tables, *statements):
    with duckdb.connect() as c:
        for statement in statements:
            c.execute(statement)
        engine = DuckDBEngine.adopt(c)
        catalog = engine.catalog()
        engine.close()
    policy = load({"unit": "person", "budgets": BUDGETS, "ledger": "sqlite://", "tables": tables})
    return check(policy, catalog)


def messages(found, where):
    return [finding.message for finding in found if finding.where == where]


P = "CREATE TABLE p (id INTEGER PRIMARY KEY, h VARCHAR)"
V = "CREATE TABLE v (no INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id))"
L = "CREATE TABLE l (v INTEGER REFERENCES v (no), n INTEGER)"
M = "CREATE TABLE m (l INTEGER)"
TABLES = {"p": {"unit": "id"}, "v": {"unit": "p -> p.id"}, "l": {"unit": "v -> v.no"}}


def test_every_table_says_what_is_enforced():
    tables = {**TABLES, "m": {"public": True}, "w": {"public": True}}
    found = findings(tables, P, V, L, M, "CREATE VIEW w AS FROM p")
    assert messages(found, "tables.p.keys") == [
        "enforced by the database: (id) is unique and not NULL"
    ]
    assert messages(found, "tables.v.keys") == [
        "enforced by the database: (no) is unique and not NULL; p refers to p (id)"
    ]
    assert messages(found, "tables.m.keys") == [
        "the database enforces no key, so nothing rests on one"
    ]
    assert messages(found, "tables.w.keys") == ["a view: the database enforces no key on it"]


def test_a_far_table_is_told_what_a_copy_wins():
    found = findings(TABLES, P, V, L)
    (said,) = [m for m in messages(found, "tables.l.unit") if "copy" in m.casefold()]
    assert "each query joins v to find the person" in said  # v.p is the unit: p is not joined
    (hint,) = [f.hint for f in found if f.message == said]
    assert "add id INTEGER NOT NULL to l" in hint
    assert not any("copy" in m.casefold() for m in messages(found, "tables.v.unit"))
    assert not any("copy" in m.casefold() for m in messages(found, "tables.p.unit"))


def test_a_far_table_without_foreign_keys_joins_more():
    bare = "CREATE TABLE v (no INTEGER PRIMARY KEY, p INTEGER)"
    found = findings(TABLES, P, bare, "CREATE TABLE l (v INTEGER)")
    (said,) = [m for m in messages(found, "tables.l.unit") if "copy" in m.casefold()]
    assert "each query joins v, p to find the person" in said
    assert "the 2 joins" in said
    (near,) = [m for m in messages(found, "tables.v.unit") if "each query" in m]
    assert near == "each query joins p: nothing enforces that p names a row"
    (hint,) = [f.hint for f in found if f.message == near]
    assert hint == "declare FOREIGN KEY (p) REFERENCES p (id)"


def test_a_unit_that_is_not_the_key_is_a_column_to_copy():
    """v.p lands on p.id, but the household p.h is protected: one join even with the foreign key."""
    tables = {"p": {"unit": "h"}, "v": {"unit": "p -> p.id"}}
    found = findings(tables, P, V)
    (said,) = [m for m in messages(found, "tables.v.unit") if "copy" in m.casefold()]
    assert "each query joins p to find the person" in said
    (hint,) = [f.hint for f in found if f.message == said]
    assert "add h VARCHAR NOT NULL to v" in hint


@pytest.mark.parametrize("broken", ["q -> p.id", "p -> p.h"])
def test_a_broken_path_is_an_error_first(broken):
    found = findings({"p": {"unit": "id"}, "v": {"unit": broken}}, P, V)
    assert any(f.level == "error" and f.where == "tables.v.unit" for f in found)


ORDERS = "CREATE TABLE o (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id))"


def own_key(tables, *statements):
    return [
        finding
        for finding in findings(tables, *statements)
        if finding.level == "warning" and "the table's own key" in finding.message
    ]


def test_rows_that_are_their_own_unit_beside_a_table_of_people():
    (found,) = own_key({"p": {"unit": "id"}, "o": {"unit": "id"}}, P, ORDERS)
    assert found.where == "tables.o.unit"
    assert found.hint == "if p are the people: unit: p -> p.id"
    assert not own_key({"p": {"unit": "id"}, "o": {"unit": "p -> p.id"}}, P, ORDERS)


def test_public_lists_that_rows_refer_to_are_nobody():
    assert not own_key({"p": {"public": True}, "o": {"unit": "id"}}, P, ORDERS)
    persons = "CREATE TABLE persons (id INTEGER PRIMARY KEY)"
    refers = "CREATE TABLE o (id INTEGER PRIMARY KEY, who INTEGER REFERENCES persons (id))"
    (found,) = own_key({"persons": {"public": True}, "o": {"unit": "id"}}, persons, refers)
    assert "refers to persons, which is public" in found.message
