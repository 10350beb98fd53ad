"""What is said to add up does, in the exact bounded answers, where bounds bind; else it need not.

At ε = 10^9 the noise is nothing, so what is drawn are the bounded sums themselves. Each family that
`families` finds is compared; each that it leaves out for its bounds is shown not to add up on the
same data, so that the rule that leaves it out is needed.
"""

from __future__ import annotations

import duckdb
import pytest

from dpsql.consistency.families import families
from dpsql.session import Session


def opened(**bounds) -> Session:
    owner = duckdb.connect()
    owner.execute("CREATE TABLE p (id BIGINT PRIMARY KEY, sex BOOLEAN NOT NULL, old BOOLEAN)")
    owner.execute("INSERT INTO p SELECT range, range % 3 = 0, range % 5 = 0 FROM range(200)")
    owner.execute(
        "CREATE TABLE v (id BIGINT NOT NULL REFERENCES p(id), ok BOOLEAN NOT NULL,"
        " far BOOLEAN NOT NULL, n INT, m INT)"
    )
    owner.execute(  # units of 1 to 12 rows
        "INSERT INTO v SELECT p.id, (p.id + r) % 2 = 0, (p.id * r) % 3 = 0, (p.id + 7 * r) % 10,"
        " CASE WHEN (p.id + r) % 2 = 0 THEN 5 ELSE -1 END"
        " FROM p, range(12) t(r) WHERE r <= p.id % 12"
    )
    policy = {
        "budgets": {"default": {"epsilon": 1e12, "delta": 0.5}},
        "bounds": {"max_groups": 4, "max_rows_per_group": bounds["m"]},
        "ledger": "sqlite://",
        "unit": "person",
        "tables": {
            "p": {"unit": "id"},
            "v": {
                "unit": "id -> p.id",
                **({"max_rows_per_unit": bounds["c"]} if "c" in bounds else {}),
                "columns": {"n": {"min": 0, "max": 9}, "m": {"min": -5, "max": 5}},
            },
        },
    }
    return Session(policy, "a", engine=owner, epsilon=1e9, delta=1e-6, post_process="none")


JOINED = "FROM v JOIN p ON p.id = v.id"


def by_set(session: Session, what: str, keys: str) -> dict[int, object]:
    sql = f"SELECT GROUPING({keys}) AS g, {what} AS x {JOINED} GROUP BY ROLLUP({keys})"
    found: dict[int, object] = {}
    for row in session.query(sql).table.to_pylist():
        found[row["g"]] = found.get(row["g"], 0) + row["x"]
    return found


def family_count(session: Session, what: str, keys: str) -> list[int]:
    sql = f"SELECT {what} AS x {JOINED} GROUP BY ROLLUP({keys})"
    with session.engine.snapshot():
        asked = session.asked_for(None, None)
        planned = session.prepare(sql, None, dialect="duckdb", asked=asked).planned
    found, _ = families(planned, session.policy, "auto")
    return [len(family.nodes) for family in found]


WHAT = ("COUNT(*)", "SUM(v.n)", "SUM(v.m)", "COUNT(DISTINCT v.id)", "COUNT(v.n)")


@pytest.mark.parametrize("what", WHAT)
def test_keys_that_are_functions_of_the_unit(what: str) -> None:
    """Units of up to 12 rows, of which 3 count: each unit has the same cell in every set."""
    session = opened(m=3)
    assert family_count(session, what, "p.sex, p.old") == [3]
    found = by_set(session, what, "p.sex, p.old")
    assert len(set(found.values())) == 1
    assert found[0] != by_set(opened(m=12), what, "p.sex, p.old")[0] or "DISTINCT" in what
    session.close()


@pytest.mark.parametrize("what", WHAT)
def test_a_key_of_rows_below_keys_of_the_unit(what: str) -> None:
    """(ok, sex) and (ok) add up, not with the total: cells of a unit by ok are bounded each."""
    session = opened(m=3)
    sizes = family_count(session, what, "v.ok, p.sex")
    assert sizes == [2]
    found = by_set(session, what, "v.ok, p.sex")
    assert found[0] == found[1] != found[3]
    session.close()


@pytest.mark.parametrize("what", ["COUNT(*)", "SUM(v.n)", "COUNT(v.n)"])
def test_weights_by_the_unit_alone(what: str) -> None:
    session = opened(m=5, c=5)
    assert family_count(session, what, "v.ok, v.far") == [2]
    found = by_set(session, what, "v.ok, v.far")
    assert abs(found[0] - found[1]) <= 1  # each is rounded once
    session.close()


def test_weights_of_sums_of_both_signs_depend_on_the_groups() -> None:
    """Σ|s| over a unit's cells is another sum in each set."""
    session = opened(m=5, c=5)
    assert family_count(session, "SUM(v.m)", "v.far, v.ok") == []
    found = by_set(session, "SUM(v.m)", "v.far, v.ok")
    assert abs(found[0] - found[1]) > 1
    session.close()
