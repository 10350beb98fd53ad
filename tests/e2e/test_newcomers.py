"""What somebody new to dpsql types first, and what it says to them."""

from __future__ import annotations

import pytest
import refuse_world as world

from dpsql.core.nearest import nearest
from dpsql.errors import Error
from dpsql.sql.parser import parse

CASE = world.cases()["count-distinct"]


@pytest.mark.parametrize("order", ["ALL", "ALL DESC NULLS LAST", "all"])
def test_order_by_all_may_be_cut_as_by_numbers(order):
    """LIMIT adds the keys behind the terms, which ALL does not suffer: it is written out."""
    sql = "SELECT age > 30 AS old, COUNT(*) AS n FROM users GROUP BY 1 ORDER BY {} LIMIT 2"
    tail = order[3:]
    found, wanted = (
        CASE.answer(sql.format(text)).table.column("old").to_pylist()
        for text in (order, f"1{tail}, 2{tail}")
    )
    assert found == wanted
    assert len(found) == 2


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELCT COUNT(*) FROM users", "SELCT: did you mean SELECT?"),
        ("SELECT COUNT(*) FORM users", "FORM: did you mean FROM?"),
        ("SELECT COUNT(*) FROM users WERE age > 3", "WERE: did you mean WHERE?"),
        ("SELECT TOP 5 city FROM users", "write LIMIT 5"),
        ("SELECT 'FORM', \"GRUOP\" COUNT(*) FROM users", ""),
    ],
)
def test_the_nearest_keyword_is_offered(sql, hint):
    with pytest.raises(Error) as caught:
        parse(sql, "duckdb")
    assert caught.value.code == "syntax"
    assert (caught.value.hint or "").startswith(hint)
    assert bool(caught.value.hint) == bool(hint)


def test_too_many_parts_are_told_as_such():
    many = " OR ".join(f"age = {i % 100}" for i in range(3000))
    with pytest.raises(Error) as caught:
        parse(f"SELECT COUNT(*) FROM users WHERE {many}", "duckdb")
    assert caught.value.code == "too-complex"
    assert "x IN (...)" in caught.value.hint


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("regexp_matches(city, 'x')", "regexp_matches"),
        ("Random() < 0.5", "random"),
        ("city ~ 'x'", "matching by a regular expression"),
    ],
)
def test_functions_are_called_what_they_were_called(call, name):
    with pytest.raises(Error) as caught:
        CASE.answer(f"SELECT COUNT(*) FROM users WHERE {call}")
    assert caught.value.message.startswith(f"{name} is not available")


@pytest.mark.parametrize("sql", ["SELECT STRING_AGG(n, ',') FROM ({0}) q"])
def test_functions_above_the_noise_too(sql):
    inner = "SELECT city, COUNT(*) AS n FROM users GROUP BY city"
    with pytest.raises(Error) as caught:
        CASE.answer(sql.format(inner))
    assert caught.value.message.startswith("function string_agg is not available")


def test_what_is_far_is_no_nearest_name():
    assert nearest("entropy", ["century"]) is None
    assert nearest("mad", ["add"]) is None
    assert nearest("columns", ["count"]) is None
    assert nearest("heatlh", ["health"]) == "health"


def test_a_self_join_is_told_by_its_aliases():
    with pytest.raises(Error) as caught:
        CASE.answer("SELECT COUNT(*) FROM users a JOIN users b ON a.city = b.city")
    assert caught.value.hint == "add `b.user_id = a.user_id` to the join condition"
