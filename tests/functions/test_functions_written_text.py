"""How much of one row's text the query itself may write, and look for in it."""

from __future__ import annotations

import pytest
from function_world import attempt, bind

from dpsql.errors import RefusedQuery
from dpsql.functions.text import MAX_SOUGHT
from dpsql.functions.weight import MAX_JOINED, MAX_WRITTEN, joined_texts, written_text


def long(count: int) -> str:
    return "'" + "a" * count + "'"


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("s", 0),
        ("'abc'", 3),
        ("s || 'abc' || s || 'de'", 5),
        ("concat(s, 'abc', 'de')", 5),
        ("concat_ws('--', s, 'abc', s)", 3 + 2 * 4),
        ("CASE WHEN s = 'x' THEN 'abcd' ELSE s || 'ab' END", 4),
        ("lpad(s, 200, 'x')", 256),
        ("upper(reverse(s || 'abc'))", 3),
        ("coalesce(s, 'abc') || i", 3),
    ],
)
def test_what_is_written(sql: str, written: int) -> None:
    assert written_text(bind(sql)) == written


@pytest.mark.parametrize(
    "sql",
    [
        f"s || {long(MAX_WRITTEN + 1)}",
        f"s || {long(MAX_WRITTEN // 2)} || {long(MAX_WRITTEN // 2 + 1)}",
        f"CASE WHEN s = 'n7' THEN {long(MAX_WRITTEN + 1)} END",
        f"coalesce(s, {long(MAX_WRITTEN + 1)})",
    ],
)
def test_too_much_is_refused(sql: str) -> None:
    with pytest.raises(RefusedQuery, match="characters of one text") as caught:
        bind(sql)
    assert caught.value.code == "too-complex"


@pytest.mark.parametrize("form", ["contains(s, {})", "starts_with(s, {})", "ends_with(s, {})",
                                  "replace(s, {}, '')"])  # fmt: skip
def test_what_is_looked_for_is_short(form: str) -> None:
    assert attempt(form.format(long(MAX_SOUGHT))) is not None
    with pytest.raises(RefusedQuery, match="looks for"):
        bind(form.format(long(MAX_SOUGHT + 1)))


def test_concat_ws_counts_as_joining() -> None:
    sql = "concat_ws('', " + ", ".join("s" * 8) + ")"
    assert joined_texts(bind(sql)) == 9
    for _ in range(2):
        sql = "concat_ws('', " + ", ".join([sql] * 8) + ")"
    with pytest.raises(RefusedQuery) as caught:
        bind(sql)
    assert caught.value.code == "too-complex"
    assert MAX_JOINED < 8 * 8 * 8
