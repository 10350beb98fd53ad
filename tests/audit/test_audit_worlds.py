"""Any policy can be audited: odd types and names, unit paths; what cannot be is said."""

from __future__ import annotations

import numpy as np
import pytest
from audit_world import POLICY

from dpsql.audit.canaries import MANY_ROWS, Canary, all_groups, canaries, many_rows
from dpsql.audit.world import KEY

ODD = {
    "schema": """
        CREATE TABLE customers (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL);
        CREATE TABLE orders (oid UUID PRIMARY KEY, customer VARCHAR NOT NULL
            REFERENCES customers (id), day DATE NOT NULL);
        CREATE TABLE lines ("order id" UUID REFERENCES orders (oid), qty DECIMAL(9,2),
            "price €" DOUBLE NOT NULL, hugeint HUGEINT NOT NULL, moment TIMESTAMP NOT NULL);
        CREATE SCHEMA s;
        CREATE TABLE s."odd t" (u BIGINT NOT NULL UNIQUE, v TINYINT, flag BOOLEAN NOT NULL);
        CREATE TABLE days (d DATE PRIMARY KEY);
        CREATE TABLE twins (a DATE PRIMARY KEY REFERENCES days (d));
    """,
    "policy": {
        "version": 1,
        "budgets": {"default": {"epsilon": 1, "delta": "1e-6"}},
        "bounds": {"max_groups": 2, "max_rows_per_group": 3, "min_units_per_group": 5},
        "limits": {"reply_quantum": "250ms"},
        "tables": {
            "customers": {"unit": "id"},
            "orders": {"unit": "customer -> customers.id"},
            "lines": {
                "unit": '"order id" -> orders.oid',
                "max_rows_per_unit": 4,
                "columns": {"qty": {"min": -5, "max": 2}, "price €": {"min": 0, "max": 100.5}},
            },
            's."odd t"': {"unit": "u", "columns": {"v": {"min": 0, "max": 100}}},
            "days": {"unit": "d"},
            "twins": {"unit": "a -> days.d"},
        },
    },
}


@pytest.mark.slow
def test_odd_policies_are_audited_whole(audit):
    made = audit(60, **ODD)
    told = []
    findings = list(made.run(list(made.policy.tables), told.append))
    assert len(told) == len(findings)
    assert {f.table for f in findings} == set(made.policy.tables)
    assert [f for f in findings if f.problem] == []
    assert not any(f.broken for f in findings)
    asked = {f.question for f in findings if f.table == "lines"}
    assert {"SUM(qty)", "AVG(price €)", "VAR_POP(qty)", "COUNT(*)"} <= asked


def test_what_cannot_be_made_up_is_said(audit):
    made = audit(
        60,
        schema="CREATE TABLE t (u TINYINT PRIMARY KEY);CREATE TABLE e (u BIGINT, x INT[] NOT NULL)",
        policy={
            "version": 1,
            "budgets": {"default": {"epsilon": 1, "delta": "1e-6"}},
            "tables": {"t": {"unit": "u"}, "e": {"unit": "u"}},
        },
    )
    problems = {f.table: f.problem for f in made.run(["t", "e"], lambda _: None)}
    assert "no rows could be made up" in problems["t"]
    assert "column x" in problems["e"]


def test_nothing_is_asked_of_the_owners_rows(audit, monkeypatch):
    """Every query goes to a database in memory that holds the invented rows alone."""
    from dpsql.dialects import duckdb as engine

    made = audit(40)
    seen = []
    real = engine.DuckDBEngine.fetch

    def fetch(self, sql, **options):
        (count,) = self._connection.execute("SELECT count(*) FROM people").fetchone()
        seen.append((self.identity, count))
        return real(self, sql, **options)

    monkeypatch.setattr(engine.DuckDBEngine, "fetch", fetch)
    list(made.run(["people"], lambda _: None))
    assert seen
    assert all(count > 0 for _, count in seen)  # the owner's table is empty


@pytest.mark.parametrize("groups", [1, 2, 5])
def test_canaries_vary_what_a_cap_may_forget(groups):
    kinds = list(canaries(groups, 3, 100, one_row=False))
    assert {kind.groups for kind in kinds} == {1, groups, groups + 1, all_groups(groups)}
    assert max(kind.rows * kind.groups for kind in kinds) > groups * 3
    assert many_rows(groups, 3) > groups * 3
    assert all(kind.groups == kind.rows == 1 for kind in canaries(groups, 3, 100, one_row=True))


def test_a_canary_stays_in_its_block(audit):
    import duckdb

    made = audit(50)
    trial = next(t for t in made._trials("visits") if t.question.shown == "SUM(cost)")
    world, present = trial.world, np.arange(50) % 3 == 0
    with duckdb.connect() as connection:
        world.fill(connection, present, Canary(3, 7, beyond=True))
        rows = connection.execute(
            f"SELECT person, {KEY} // {world.groups}, count(*), count(DISTINCT {KEY}), max(cost)"
            " FROM visits GROUP BY ALL HAVING max(cost) > 10"
        ).fetchall()
    assert sorted(block for _, block, *_ in rows) == list(np.flatnonzero(present))
    assert len({person for person, *_ in rows}) == len(rows)
    assert {(n, keys) for _, _, n, keys, _ in rows} == {(21, 3)}


@pytest.mark.parametrize("most", [700, 12_000, 60_000])
def test_more_groups_than_can_be_tried_are_said(most, audit):
    """One person's groups would fill memory with too few people to tell anything."""
    made = audit(200, policy=POLICY | {"bounds": {"max_groups": most, "max_rows_per_group": 3}})
    trials = list(made._trials("visits"))
    for trial in trials[:-1]:
        assert "too many groups" in str(made._finding(trial, 0.001).problem)
    for trial in trials:
        for canary in trial.canaries:
            rows = canary.rows * canary.groups * trial.world.blocks
            assert canary.rows == 1 or rows <= MANY_ROWS
    assert trials[-1].world.keys <= MANY_ROWS
