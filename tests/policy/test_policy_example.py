"""The contract's own file, and the cases' policy, parse to what they say."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from dpsql.errors import PolicyError
from dpsql.policy import AUTO, Hop, Policy, Price, UnitPath, load, load_text, not_built
from dpsql.policy.schema import BudgetSpec, ColumnRule, Limits
from dpsql.policy.urls import sqlite_path

EXAMPLE = """
version: 1
database: duckdb:///clinic.duckdb
ledger: sqlite:///ledger.db
data_version: "2026-11"
releases: {reuse: budget}               # off | budget
limits: {timeout: 300s, memory: 2GB, reply_quantum: 0ms}
checkpoints: ./checkpoints
analysts_only: false

budgets:
  per_query: {epsilon: 0.2, delta: 1e-8}
  max_per_query: {epsilon: 2.0, delta: 1e-6}
  default: {epsilon: 5.0, delta: 1e-6}
  analysts:
    alice: {epsilon: 10.0, delta: 1e-6}
    bob: {epsilon: 1.0, delta: 1e-6, refresh: monthly}
  teams:
    growth: {members: [carol, dan], epsilon: 8.0, delta: 1e-6}
  total: {epsilon: 20.0, delta: 1e-5}

bounds:
  max_groups: 4
  max_rows_per_group: 10
  min_units_per_group: 0

unit: patient

tables:
  patients:
    unit: patient_id
    columns:
      sex: {values: [f, m]}
      age: {min: 0, max: 110}
      income: {min: 0, max: 200000}
      diagnosis_text: {hidden: true}
      region: {values: [n, s, e, w], nullable: false}
  visits:
    unit: patient_id -> patients.patient_id
    max_rows_per_unit: 60
    columns:
      cost: {min: 0, max: 10000}
      visited_on: {min: 2020-01-01, max: 2025-12-31}
  prescriptions:
    unit: visit_id -> visits.visit_id
  visits_archive:
    unit: patient_id
    key: visit_id
    promised: true
  icd_codes:
    public: true
"""


@pytest.fixture
def example() -> Policy:
    return load_text(EXAMPLE, source="policy.yaml", base=Path("/data"))


def test_top_level(example: Policy) -> None:
    assert example.version == 1
    assert example.database is not None
    assert example.database.path == Path("/data/clinic.duckdb")
    assert example.ledger == "sqlite:////data/ledger.db"
    assert example.data_version == "2026-11"
    assert example.releases_reuse is True
    assert example.limits == Limits(300.0, "2GB", 0)
    assert example.checkpoints == "/data/checkpoints"
    assert example.analysts_only is False
    assert example.unit == "patient"
    assert (example.bounds.max_groups, example.bounds.max_rows_per_group) == (4, 10)


def test_budgets_are_exact(example: Policy) -> None:
    budgets = example.budgets
    assert budgets.per_query == Price(Fraction(1, 5), Fraction(1, 10**8))
    assert budgets.max_per_query == Price(Fraction(2), Fraction(1, 10**6))
    assert budgets.total == BudgetSpec("total", "total", Fraction(20), Fraction(1, 10**5))
    assert budgets.analysts["bob"].refresh == "monthly"
    assert budgets.teams["growth"].members == ("carol", "dan")


def test_tables_and_unit_paths(example: Policy) -> None:
    tables = example.tables
    to_patient = Hop("patient_id", "patients", "patient_id")
    assert tables["patients"].unit == UnitPath((), "patient_id")
    assert tables["visits"].unit == UnitPath((to_patient,), "patient_id")
    assert tables["prescriptions"].unit == UnitPath(
        (Hop("visit_id", "visits", "visit_id"), to_patient), "patient_id"
    )
    assert tables["visits"].max_rows_per_unit == 60
    assert tables["visits_archive"].promised
    assert tables["visits_archive"].key == "visit_id"
    assert tables["icd_codes"].public
    assert tables["icd_codes"].unit is None


def test_columns(example: Policy) -> None:
    columns = example.tables["patients"].columns
    assert columns["sex"] == ColumnRule(values=("f", "m"))
    assert columns["age"] == ColumnRule(min=Fraction(0), max=Fraction(110))
    assert columns["diagnosis_text"].hidden
    assert columns["region"] == ColumnRule(values=("n", "s", "e", "w"), nullable=False)
    assert example.tables["visits"].columns["visited_on"].min == date(2020, 1, 1)
    assert example.tables["patients"].rule("AGE").max == 110
    assert example.tables["patients"].rule("nope") == ColumnRule()


def test_all_of_it_is_built(example: Policy) -> None:
    assert not_built(example) == []


def small(**changes: object) -> dict[str, object]:
    policy: dict[str, object] = {
        "database": "duckdb:///:memory:",
        "budgets": {"default": {"epsilon": 1, "delta": "1e-6"}},
        "tables": {"t": {"unit": "id"}},
    }
    return policy | changes


def test_not_built_of_engines_and_auto() -> None:
    for served in ("postgresql://reader@host/db", "sc://host:15002"):
        assert not_built(load(small(database=served))) == []
        (finding,) = not_built(load(small(database=served, limits={"memory": "2GB"})))
        assert finding.where == "limits.memory"
    here = small(database="spark://local[*]", limits={"memory": "2GB"})
    assert not_built(load(here)) == []
    policy = load(small(bounds={"max_rows_per_group": "auto"}, ledger="postgresql://h/db"))
    assert policy.bounds.max_rows_per_group is AUTO
    assert not_built(policy) == []


def test_bounds_that_nobody_declares() -> None:
    assert load(small()).bounds.automatic
    assert load(small(bounds={"undeclared": "auto"})).bounds.automatic
    assert not load(small(bounds={"undeclared": "refuse"})).bounds.automatic
    with pytest.raises(PolicyError, match="undeclared"):
        load(small(bounds={"undeclared": "never"}))


def test_passwords_stay_out_of_the_repr() -> None:
    url = "postgresql://u:hunter2@h/db"
    assert "hunter2" not in repr(load(small(database=url, ledger=url)))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb:///rel.db", Path("/base/rel.db")),
        ("duckdb:///../rel.db", Path("/rel.db")),
        ("duckdb:////abs/x.db", Path("/abs/x.db")),
        ("duckdb:///:memory:", None),
        ("duckdb://:memory:", None),
        ("duckdb://", None),
    ],
)
def test_database_urls(url: str, path: Path | None) -> None:
    text = f'database: "{url}"\nbudgets: {{default: {{epsilon: 1, delta: .1}}}}\n'
    policy = load_text(text + "tables: {t: {unit: id}}", source="p", base=Path("/base"))
    assert policy.database is not None
    assert policy.database.path == path
    assert policy.ledger == "sqlite:////base/dpsql-ledger.db"


def test_a_dict_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    policy = load(small(database="duckdb:///x.db"))
    assert policy.database is not None
    assert policy.database.path == tmp_path / "x.db"
    assert policy.ledger is None
    assert load(small(ledger="sqlite:///l.db")).ledger == f"sqlite:///{tmp_path}/l.db"
    assert load(small(ledger="sqlite://")).ledger == "sqlite://"
    odd = tmp_path / "a%20b?"  # the owner's folder is what it is called, to SQLAlchemy too
    odd.mkdir()
    monkeypatch.chdir(odd)
    url = load(small(ledger="sqlite:///l.db")).ledger
    assert url is not None
    assert make_url(url).database == str(odd / "l.db")
    assert sqlite_path(url) == odd / "l.db"
    assert load(policy) is policy


def test_a_file_by_str_and_path(tmp_path: Path) -> None:
    file = tmp_path / "dpsql.yaml"
    file.write_text(EXAMPLE, encoding="utf-8-sig")
    policy = load(str(file))
    assert policy == load(file)
    assert policy.source == str(file)
    assert policy.ledger == f"sqlite:///{tmp_path}/ledger.db"


def test_yaml_1_2_scalars() -> None:
    text = """
budgets: {default: {epsilon: 1e3, delta: 1e-7}}
data_version: 007
unit: no
tables:
  t:
    unit: id
    columns:
      a: {values: [yes, no, on, off, y, "1", "true", "2020-01-01", 12:30:45, '']}
      b: {values: [true, false]}
      c: {values: [1, -2, 0.5, 1e2, +7]}
      d: {values: [2020-01-01, 2021-02-03]}
      e: {values: [2020-01-01 10:00, 2020-01-01T11:00:00.5]}
      f: {min: -1.5e-3, max: 1e300}
      g: {min: 2020-01-01T00:00:00, max: 2020-01-02 00:00:00}
"""
    policy = load_text(text, source="p", base=Path("/"))
    rules = policy.tables["t"].columns
    assert policy.budgets.default is not None
    assert policy.budgets.default.epsilon == 1000
    assert policy.budgets.default.delta == Fraction(1, 10**7)
    assert (policy.data_version, policy.unit) == ("007", "no")
    listed = ("yes", "no", "on", "off", "y", "1", "true", "2020-01-01", "12:30:45", "")
    assert rules["a"].values == listed
    assert rules["b"].values == (True, False)
    assert rules["c"].values == (1, -2, Decimal("0.5"), Decimal(100), 7)
    assert rules["d"].values == (date(2020, 1, 1), date(2021, 2, 3))
    assert rules["e"].values == (
        datetime(2020, 1, 1, 10),
        datetime(2020, 1, 1, 11, 0, 0, 500000),
    )
    assert (rules["f"].min, rules["f"].max) == (Fraction(-15, 10000), Fraction(10**300))
    assert isinstance(rules["g"].min, datetime)


def test_dict_numbers_and_dates_are_exact() -> None:
    rule = {"min": Fraction(1, 3), "max": 0.7}
    day = {"min": date(2020, 1, 1), "max": "2021-01-01"}
    values = {"values": [0.1, Fraction(1, 8), Decimal("1.50"), 3]}
    columns = {"a": rule, "b": day, "c": values}
    policy = load(
        small(
            data_version=7,
            tables={"t": {"unit": "id", "columns": columns}},
            budgets={
                "default": {"epsilon": 1e12, "delta": 0.9},
                "max_per_query": {"epsilon": Decimal("1e9"), "delta": "0.01"},
            },
        )
    )
    rules = policy.tables["t"].columns
    assert (rules["a"].min, rules["a"].max) == (Fraction(1, 3), Fraction(7, 10))
    assert rules["b"].max == date(2021, 1, 1)
    assert rules["c"].values == (Decimal("0.1"), Decimal("0.125"), Decimal("1.50"), 3)
    assert policy.data_version == "7"
    assert policy.budgets.default is not None
    assert policy.budgets.default.epsilon == 10**12
    assert policy.budgets.per_query == Price(None, None)


def test_schema_names_and_quotes() -> None:
    tables = {
        "Shop.Customers": {"unit": "id"},
        '"odd.name"': {"unit": "c -> shop.customers.id"},
        "lines": {"unit": '"line order" -> "odd.name".id, "odd.name".c -> Shop.Customers.id'},
    }
    policy = load(small(tables=tables))
    assert policy.tables["Shop.Customers"].parts == ("Shop", "Customers")
    assert policy.tables['"odd.name"'].parts == ("odd.name",)
    assert policy.tables["lines"].unit == UnitPath(
        (Hop("line order", '"odd.name"', "id"), Hop("c", "Shop.Customers", "id")), "id"
    )


def test_budget_of() -> None:
    policy = load_text(EXAMPLE, source="policy.yaml", base=Path("/data"))
    assert policy.budget_of("ALICE").key == "analyst:alice"
    assert policy.budget_of("Dan") == policy.budgets.teams["growth"].budget
    assert policy.budget_of("dan").key == "team:growth"
    stranger = policy.budget_of("Eve")
    assert (stranger.name, stranger.kind, stranger.epsilon) == ("eve", "default", 5)
    assert policy.budget_of("total").key == "analyst:total"
    assert policy.budget_of("ＡＬＩＣＥ") is policy.budget_of("alice")
    for bad in ("", " x", "a\u200bb", "a\nb", 7, None, "x" * 300):
        with pytest.raises(PolicyError) as caught:
            policy.budget_of(bad)
        assert caught.value.code == "bad-analyst"


def test_unknown_analysts() -> None:
    budgets = {"analysts": {"alice": {"epsilon": 1, "delta": 0.1}}}
    for only in (True, False):
        policy = load(small(budgets=budgets, analysts_only=only))
        with pytest.raises(PolicyError, match="alcie") as caught:
            policy.budget_of("alcie")
        assert caught.value.code == "unknown-analyst"
        assert caught.value.hint == "the nearest name is alice"
        with pytest.raises(PolicyError) as caught:
            policy.budget_of("somebody else")
        assert "alice" not in caught.value.hint  # whom no one came near to naming
