"""Paths, CHECK constraints, names, ends and budgets: the pure parts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from math import exp

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpsql.core.domain import DATE, FLOAT, TEXT
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.errors import InterfaceError
from dpsql.policy.yaml_nodes import parse_yaml
from dpsql.setup.budgets import meaning, number, propose
from dpsql.setup.constraints import Checked, read_check
from dpsql.setup.names import first_step, path_name, scalar, unit_word
from dpsql.setup.paths import unit_candidates, ways
from dpsql.setup.shape import read_shape
from dpsql.setup.typed import end_text, read_end, read_range


def shape_of(*statements):
    with duckdb.connect() as c:
        for statement in statements:
            c.execute(statement)
        engine = DuckDBEngine.adopt(c)
        try:
            return read_shape(engine)
        finally:
            engine.close()


# ---- paths -----------------------------------------------------------------------------------


def test_ways_follow_enforced_keys_only():
    shape = shape_of(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES p (id))",
        "CREATE TABLE v (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id))",
        "CREATE TABLE l (v INTEGER REFERENCES v (id))",
        "CREATE TABLE loose (p INTEGER)",
        "CREATE TABLE maybe (code INTEGER UNIQUE, p INTEGER REFERENCES p (id))",
        "CREATE TABLE far (code INTEGER REFERENCES maybe (code))",
        "CREATE TABLE pair (a INTEGER, b INTEGER, PRIMARY KEY (a, b))",
        "CREATE TABLE two (a INTEGER, b INTEGER, FOREIGN KEY (a, b) REFERENCES pair (a, b))",
    )
    found = {key: way.sure for key, way in ways(shape.catalog, "p", "id").items()}
    assert found == {
        "p": "id",  # its own reference to itself is no way
        "v": "p -> p.id",
        "l": "v -> v.id",
        "loose": None,
        "maybe": "p -> p.id",
        "far": None,  # UNIQUE, but code may be NULL: not a key that is total
        "pair": None,
        "two": None,
    }


def test_several_ways_are_the_owners_to_choose():
    shape = shape_of(
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE o (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id))",
        "CREATE TABLE s (id INTEGER PRIMARY KEY, o INTEGER REFERENCES o (id))",
        "CREATE TABLE l (o INTEGER REFERENCES o (id), s INTEGER REFERENCES s (id))",
        "CREATE TABLE m (a INTEGER REFERENCES p (id), b INTEGER REFERENCES p (id))",
    )
    found = ways(shape.catalog, "p", "id")
    assert found["l"].steps == ("o -> o.id", "s -> s.id")  # `s` is reached later than `l`
    assert found["l"].sure is None
    assert found["m"].sure is None
    assert found["s"].sure == "o -> o.id"


def test_a_column_that_is_only_named_like_the_unit_is_no_way():
    shape = shape_of(
        "CREATE TABLE p (pid INTEGER PRIMARY KEY)",
        "CREATE TABLE v (PID BIGINT)",
        "CREATE TABLE t (pid VARCHAR)",
        "CREATE TABLE w (pid INTEGER PRIMARY KEY)",
    )
    found = ways(shape.catalog, "p", "pid")
    assert {key: way.named for key, way in found.items()} == {
        "p": (),
        "v": ("PID",),
        "t": (),  # another type
        "w": (),  # a key of its own: surely other ids
    }
    assert not any(way.steps for key, way in found.items() if key != "p")


def test_the_most_far_reaching_key_is_offered_first():
    shape = shape_of(
        "CREATE TABLE a (id INTEGER PRIMARY KEY)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE v (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id))",
        "CREATE TABLE b (id BOOLEAN PRIMARY KEY)",
    )
    assert unit_candidates(shape.catalog) == [("p", "id"), ("a", "id"), ("v", "id")]


# ---- CHECK constraints -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "column", "expected"),
    [
        ("x BETWEEN 0 AND 120", "x", Checked(Fraction(0), Fraction(120))),
        ("x >= -1.5 AND 10 > x", "x", Checked(Fraction(-3, 2), Fraction(10))),
        ("(x > 0)", "x", Checked(Fraction(0), None)),
        ("x >= 0 OR x <= 5", "x", None),
        ("x + 1 > 0", "x", None),
        ("NOT x > 3", "x", None),
        ("x > y", "x", None),
        ("abs(x) < 3", "x", None),
        ("x IN (1, 2, 3)", "x", Checked(values=(1, 2, 3))),
        ("t IN ('a', 'b')", "t", Checked(values=("a", "b"))),
        ("t NOT IN ('a', 'b')", "t", None),
        ("d >= DATE '2020-01-01'", "d", Checked(dt.date(2020, 1, 1))),
        ("d BETWEEN '2020-01-01' AND '2020-12-31'", "d",
         Checked(dt.date(2020, 1, 1), dt.date(2020, 12, 31))),
    ],
)  # fmt: skip
def test_checks_as_duckdb_keeps_them(check, column, expected):
    shape = shape_of(f"CREATE TABLE t (x DOUBLE, y DOUBLE, t VARCHAR, d DATE, CHECK ({check}))")
    assert shape.checked.get(("t", column)) == expected


def test_two_checks_meet():
    shape = shape_of(
        "CREATE TABLE t (x INTEGER CHECK (x > 0), CHECK (x < 10 AND x > 3), CHECK (x < 20))"
    )
    assert shape.checked["t", "x"].range == (3, 10)
    assert Checked(Fraction(5), Fraction(3)).range is None
    assert read_check("certainly not ( SQL") == {}


# ---- text ------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=20).filter(lambda t: t[0] < "\ud800" or t[0] > "\udfff"))
def test_scalars_come_back(text):
    node = parse_yaml(f"k: {{{scalar(text)}: {scalar(text)}}}", "f")
    ((key, value),) = node.entries["k"].entries.items()
    assert (key, value.value) == (text, text)


@pytest.mark.parametrize("name", ["a", "a b", 'a"b', "a -> b.c", "x.y", "1a", "a,b"])
def test_names_in_paths_come_back(name):
    assert first_step(f"{path_name(name)} -> t.k") == (name, ("t",))
    assert first_step(path_name(name)) == (name, ())


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1e12, max_value=1e12)
)
def test_ends_come_back(value):
    assert read_end(end_text(Fraction(value))) == Fraction(value)


@pytest.mark.parametrize("text", ["", "5", "1..", "1..x", "nan..2", "1..inf", "2..1", "1..2..3"])
def test_what_is_no_range(text):
    with pytest.raises(InterfaceError) as caught:
        read_range(text, FLOAT, what="x")
    assert caught.value.code == "init-range"


def test_ranges_fit_the_type():
    day = (dt.date(2020, 1, 1), dt.date(2020, 1, 2))
    assert read_range("2020-01-01 .. 2020-01-02", DATE, what="d") == day
    for text, type_ in (("1..2", DATE), ("1..2", TEXT), ("2020-01-01..2020-01-02", FLOAT)):
        with pytest.raises(InterfaceError, match="cannot clamp"):
            read_range(text, type_, what="x")


@pytest.mark.parametrize(
    ("table", "column", "word"),
    [
        ("patients", "patient_id", "patient"),
        ("visits", "patientId", "patient"),
        ("persons", "zper", "person"),
        ("people", "id", "person"),
        ("families", "id", "family"),
        ("PUMS", "pid", "pum"),
        ("data", "pid", "person"),
    ],
)
def test_the_word_for_a_unit(table, column, word):
    assert unit_word(table, column) == word


# ---- budgets ---------------------------------------------------------------------------------


def test_budgets_hang_together():
    plain = propose("2", "1e-6")
    assert plain.per_query == ("0.2", "1e-8")
    assert plain.max_per_query == ("1", "1e-7")
    assert plain.default == ("2", "1e-6")
    assert plain.total == ("6", "1e-5")
    scanned = propose("1", "1e-6", None, ("owner", "0.5"))
    assert scanned.total[0] == "3.5"
    assert scanned.owner == ("owner", "0.5", "2e-8")
    with pytest.raises(InterfaceError, match="--total-epsilon"):
        propose("1", "1e-6", "1", ("owner", "2"))


@given(st.decimals(min_value=Decimal("1e-9"), max_value=1000, places=12).filter(lambda d: d > 0))
def test_numbers_are_exact(value):
    assert Fraction(number(Fraction(value))) == Fraction(value)


@pytest.mark.parametrize("epsilon", ["0.1", "1", "3", "12"])
def test_the_meaning_is_never_understated(epsilon):
    factor = exp(float(epsilon))
    after = 100 * 0.1 * factor / (0.9 + 0.1 * factor)
    text = meaning(epsilon)
    assert float(text.split(" = ")[2].split(";")[0].replace(",", "")) >= factor
    assert after <= float(text.split("at most ")[-1].split(" ")[0]) <= min(100, after + 1)
