"""Ranges by a private scan: right where noise is small, paid for, and of a fixed grid."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from math import exp

import duckdb
import pytest

from dpsql.accountant.charge import PURE_UNIT
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.errors import BudgetExceeded
from dpsql.ledger import Ledger
from dpsql.policy import load
from dpsql.policy.schema import Price
from dpsql.session import Session
from dpsql.setup.buckets import buckets_of
from dpsql.setup.private_ranges import BETA, Target, query, scan, threshold

UNIT = ("--unit", "patients.patient_id")

TABLES = """
CREATE TABLE p (id INTEGER PRIMARY KEY, tiny TINYINT, big BIGINT, dec DECIMAL(9, 2), real DOUBLE,
    zero INTEGER, minus DOUBLE, day DATE, stamp TIMESTAMP);
CREATE TABLE v (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id), cost DECIMAL(6, 2));
CREATE TABLE l (v INTEGER REFERENCES v (id), n INTEGER);
INSERT INTO p SELECT i, i % 100, 5000000000, 0.25 + i % 300, 0.3, 0, -3.5,
    DATE '1970-06-01' + CAST(i % 3000 AS INTEGER), TIMESTAMP '2001-02-03 04:05:06'
    FROM range(3000) t(i);
INSERT INTO p VALUES (-1, NULL, NULL, NULL, 'nan', NULL, 'infinity', '9999-01-01', NULL),
    (-2, NULL, NULL, NULL, '-infinity', NULL, NULL, 'infinity', '-infinity');
INSERT INTO v SELECT i, i % 3000, i % 60 FROM range(6000) t(i);
INSERT INTO l SELECT i % 6000, CASE WHEN i % 2 = 0 THEN -5 ELSE 900 END FROM range(12000) t(i);
"""

EXPECTED = {
    ("p", "tiny"): (0, 128),
    ("p", "big"): (0, 2**33),
    ("p", "dec"): (0, 512),
    ("p", "real"): (0, Fraction(1, 2)),
    ("p", "zero"): None,
    ("p", "minus"): (-4, 0),
    ("p", "day"): (dt.date(1970, 1, 1), dt.date(1978, 12, 31)),
    ("p", "stamp"): (dt.date(2001, 1, 1), dt.date(2001, 12, 31)),
    ("v", "cost"): (0, 64),
    ("l", "n"): (-8, 1024),
}


@pytest.fixture
def world(tmp_path):
    with duckdb.connect(str(tmp_path / "w.duckdb")) as c:
        c.execute(TABLES)
    (tmp_path / "p.yaml").write_text(
        "database: duckdb:///w.duckdb\nunit: person\n"
        "budgets:\n  per_query: {epsilon: 1, delta: 1e-9}\n  max_per_query: {epsilon: 1}\n"
        "  analysts: {owner: {epsilon: 1e6, delta: 1e-6}}\n  total: {epsilon: 1e7, delta: 1e-5}\n"
        "bounds: {max_groups: 1, max_rows_per_group: 1}\n"
        "tables:\n  p: {unit: id, columns: {real: {min: 0, max: 1}}}\n"
        "  v: {unit: p -> p.id}\n  l: {unit: v -> v.id}\n"
    )
    return load(tmp_path / "p.yaml")


def test_every_type_and_path(world):
    """At a huge ε the ends are those of the data's buckets; NULL, NaN and infinity are nobody's."""
    targets = [Target(*place) for place in EXPECTED]
    found = scan(world, "owner", Fraction(1000), targets)
    assert {(t.table, t.column): f.range for t, f in zip(targets, found, strict=True)} == EXPECTED


def test_the_scan_costs_what_it_says(world):
    targets = [Target("p", "tiny"), Target("v", "cost")]  # one end, and two
    scan(world, "owner", Fraction(3), targets)
    ledger = Ledger.open(world.ledger)
    try:
        assert ledger.verify().ok
        spent = {name: ledger.spent(name).pure for name in ("analyst:owner", "total")}
    finally:
        ledger.close()
    assert spent == dict.fromkeys(spent, 3 * PURE_UNIT)


def test_the_same_scan_is_free_and_another_is_refused(world):
    budgets = world.budgets
    owner = replace(budgets.analysts["owner"], epsilon=Fraction(2))
    policy = replace(world, budgets=replace(budgets, analysts={"owner": owner}))
    targets = [Target("p", "tiny"), Target("p", "dec")]
    first = scan(policy, "owner", Fraction(2), targets)
    assert scan(policy, "owner", Fraction(2), targets) == first
    with pytest.raises(BudgetExceeded):
        scan(policy, "owner", Fraction(2), [Target("p", "real")])


@pytest.mark.parametrize(("table", "column", "end"), [("p", "day", "MAX"), ("l", "n", "MIN")])
def test_one_person_moves_one_bucket_by_one(world, table, column, end):
    """The plan: rounded Laplace of scale 1/ε, and nothing selected; the exact cells of D and D'."""
    session = Session(
        replace(world, budgets=replace(world.budgets, max_per_query=Price())), "owner"
    )
    try:
        entry = session.engine.catalog().tables[table].columns[column]
        sql = query(session.policy, session.policy.tables[table], entry, buckets_of(entry), end)
        release = session.query(sql, epsilon="4").privacy.releases[0]
    finally:
        session.close()
    assert release.mechanism == "rounded Laplace"
    assert release.events == (({"event": "laplace", "noise_multiplier": "1/4"}, 1),)
    assert release.key_threshold is None


def test_the_grid_is_the_types(world):
    """No bucket end depends on the data: the same columns, empty, give the same grid."""
    with duckdb.connect() as c:
        c.execute(TABLES.split("INSERT")[0])
        engine = DuckDBEngine.adopt(c)
        empty = engine.catalog()
        engine.close()
    engine = DuckDBEngine.open(world.database.path)
    full = engine.catalog()
    engine.close()
    for table, column in EXPECTED:
        one, other = (cat.tables[table].columns[column] for cat in (empty, full))
        assert buckets_of(one) == buckets_of(other)


@pytest.mark.parametrize("epsilon", [Fraction(1, 100), Fraction(1, 3), Fraction(5)])
def test_the_threshold_is_the_tails(epsilon):
    """An empty bucket reaches it with probability at most β/B: rounded Laplace, exactly."""
    people = threshold(105, epsilon)
    tail = exp(-(people - 0.5) * float(epsilon)) / 2
    assert tail <= BETA / 105
    assert exp(-(people - 1.5) * float(epsilon)) / 2 > BETA / 105  # and not by more than one


def test_init_writes_and_charges_it(clinic, init, dpsql):
    result = init("clinic.duckdb", *UNIT, "--private-ranges", "4", "--range", "visits.cost=0..99")
    assert "private scan of 4 columns at ε = 4 in all" in result.stderr
    policy = load("dpsql.yaml")
    assert policy.tables["visits"].columns["cost"].max == 99
    weight = policy.tables["patients"].columns["weight"]
    assert (weight.min, weight.max) == (0, 128)
    assert policy.tables["prescriptions"].columns["pills"].max == 32
    assert policy.budgets.analysts["owner"].epsilon == 4
    text = (clinic / "dpsql.yaml").read_text()
    assert text.count("private scan: ") == 4
    assert text.count("least power of two that holds nearly everybody; nobody need reach it") == 3
    (born,) = [line for line in text.splitlines() if line.strip().startswith("born:")]
    assert born.endswith("# private scan: whole years that hold nearly everybody's dates")
    assert "charged to `owner`" in " ".join(text.split())
    assert dpsql("check", "--strict").exit_code in (0, 1)
    assert dpsql("ledger", "verify").exit_code == 0
    spent = dpsql("budget", "--analyst", "owner", "--format", "json").stdout
    assert '"remaining_queries":0' in spent.replace(" ", "")
    init("clinic.duckdb", *UNIT, "--private-ranges", "4", "--range", "visits.cost=0..99", "--force")
    assert (clinic / "dpsql.yaml").read_text() == text  # the releases were kept: no new draw


def test_too_little_is_refused_before_any_charge(clinic, dpsql):
    result = dpsql("init", "clinic.duckdb", *UNIT, "--private-ranges", "1e-6")
    assert result.exit_code == 2
    assert "--private-ranges: too little for" in result.stderr
    assert dpsql("init", "clinic.duckdb", *UNIT, "--private-ranges", "x").exit_code == 2
    assert not (clinic / "dpsql.yaml").exists()


def test_few_people_give_no_range(clinic, init):
    init("clinic.duckdb", *UNIT, "--private-ranges", "0.01")
    policy = load("dpsql.yaml")
    assert "weight" not in policy.tables["patients"].columns
    lines = (clinic / "dpsql.yaml").read_text().splitlines()
    (weight,) = [line for line in lines if line.strip().startswith("# weight:")]
    (born,) = [line for line in lines if line.strip().startswith("# born:")]
    assert "for lack of a span between powers of two with about" in weight
    assert "for lack of a year with about" in born
    for line in (weight, born):
        assert line.endswith("write min and max from what you know, or scan again at a larger ε")
