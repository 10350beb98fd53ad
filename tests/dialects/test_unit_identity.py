"""DuckDB's equality is identity on the types that may tell a unit (docs/proofs/units.md)."""

from __future__ import annotations

import itertools

import duckdb
import pytest

BIG = 2**53
WIDTHS = {
    "TINYINT": (-128, -1, 0, 127),
    "UTINYINT": (0, 127, 255),
    "BIGINT": (-(2**63), -1, 0, BIG, BIG + 1, 2**63 - 1),
    "UBIGINT": (0, BIG, BIG + 1, 2**63 - 1, 2**63, 2**64 - 1),
    "HUGEINT": (-(2**127), -1, 0, BIG, BIG + 1, 2**64 - 1, 2**127 - 1),
}
TEXTS = ["", " ", "a", "A", "a ", " a", "a\0", "a\u200b", "\u00e9", "e\u0301", "ss", "\u00df"]
TEXTS += ["1", "01", "1.0", "1 ", "i", "\u0131", "\u212a", "k", "K", "\ufb01", "fi"]
MOMENTS = ["-infinity", "infinity", "0001-01-01", "1970-01-01", "9999-12-31"]
OTHERS = {
    "VARCHAR": TEXTS,
    "DATE": MOMENTS,
    "TIMESTAMP": [*MOMENTS, "1970-01-01 00:00:00.000001"],
    "UUID": [f"{head}0000000-0000-0000-0000-00000000000{tail}" for head in "08f" for tail in "01"],
}
ALL = {**WIDTHS, **OTHERS}


def rows(name, kind, values):
    """A table of the values, each with its number."""
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE {name} (n INTEGER, v {kind})")
    connection.executemany(
        f"INSERT INTO {name} SELECT ?, CAST(? AS VARCHAR)",
        [(n, str(value)) for n, value in enumerate(values)],
    )
    return connection


def apart(kind, values):
    """How many people GROUP BY, PARTITION BY, DISTINCT and `=` see in the values, twice each."""
    with rows("t", kind, [*values, *values]) as connection:
        ask = connection.execute
        return [
            ask("SELECT COUNT(*) FROM (SELECT v FROM t GROUP BY v)").fetchall()[0][0],
            ask("SELECT COUNT(DISTINCT v) FROM t").fetchall()[0][0],
            ask(
                "SELECT COUNT(*) FROM (SELECT row_number() OVER (PARTITION BY v ORDER BY n) AS r"
                " FROM t) WHERE r = 1"
            ).fetchall()[0][0],
            ask("SELECT COUNT(*) // 4 FROM t AS a JOIN t AS b ON a.v = b.v").fetchall()[0][0],
        ]


@pytest.mark.parametrize("kind", ALL)
def test_as_many_people_as_values(kind):
    assert apart(kind, ALL[kind]) == [len(ALL[kind])] * 4


@pytest.mark.parametrize(("one", "other"), [*itertools.permutations(WIDTHS, 2)])
def test_whole_numbers_of_two_widths(one, other):
    with rows("a", one, WIDTHS[one]) as connection:
        connection.execute(f"CREATE TABLE b (v {other})")
        connection.executemany(
            f"INSERT INTO b SELECT CAST(? AS {other})", [(str(v),) for v in WIDTHS[other]]
        )
        same = len(set(WIDTHS[one]) & set(WIDTHS[other]))
        met = connection.execute("SELECT COUNT(*) FROM a JOIN b ON a.v = b.v").fetchall()
        inside = connection.execute("SELECT COUNT(*) FROM a WHERE v IN (SELECT v FROM b)")
        assert [*met, *inside.fetchall()] == [(same,)] * 2


def test_a_type_that_merges_is_seen():
    values = [*TEXTS]
    assert apart("VARCHAR COLLATE NOCASE", values)[0] < len(values)
    assert apart("DOUBLE", [BIG, BIG + 1, "-0.0", "0.0"])[:3] == [2] * 3
