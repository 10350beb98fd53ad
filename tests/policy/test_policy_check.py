"""check(): a policy held against a hand-made catalog."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.core.domain import ANY, INTEGER, Interval, Kind, SqlType
from dpsql.errors import InvalidQuery, PolicyError
from dpsql.policy import (
    Finding,
    check,
    find_table,
    load,
    one_row_per_unit,
    query_price,
    refuse_not_built,
    refuse_unfit,
)
from dpsql.policy.check_found import people

KINDS = {
    "INTEGER": Kind.INTEGER,
    "BIGINT": Kind.INTEGER,
    "DOUBLE": Kind.FLOAT,
    "DECIMAL(10,2)": Kind.DECIMAL,
    "VARCHAR": Kind.TEXT,
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIMESTAMP": Kind.TIMESTAMP,
}


def columns(**types: str) -> dict[str, CatalogColumn]:
    """`age="INTEGER"` is NOT NULL, `age="INTEGER?"` nullable."""
    found = {}
    for name, text in types.items():
        plain = text.rstrip("?")
        kind = SqlType(KINDS.get(plain, Kind.OPAQUE))
        found[name] = CatalogColumn(name, plain, kind, ANY, text.endswith("?"))
    return found


def table(
    name: str, held: dict[str, CatalogColumn], *keys: tuple[str, ...], schema: str = "main"
) -> CatalogTable:
    return CatalogTable(schema, name, held, keys, ())


def catalog(*tables: CatalogTable) -> Catalog:
    return Catalog({t.name if t.schema == "main" else f"{t.schema}.{t.name}": t for t in tables})


CLINIC = catalog(
    table(
        "patients",
        columns(
            patient_id="INTEGER",
            sex="VARCHAR?",
            age="INTEGER?",
            height="DOUBLE?",
            alive="BOOLEAN",
            born="DATE?",
            seen="TIMESTAMP?",
            token="UUID",
            tags="VARCHAR[]",
        ),
        ("patient_id",),
    ),
    table(
        "visits",
        columns(visit_id="BIGINT", patient_id="BIGINT?", cost="DECIMAL(10,2)?"),
        ("visit_id",),
        ("patient_id", "visit_id"),
    ),
    table("lines", columns(visit_id="INTEGER", qty="INTEGER")),
    table("codes", columns(code="VARCHAR"), ("code",)),
    table("secrets", columns(x="INTEGER")),
)

BUDGETS: dict[str, Any] = {"default": {"epsilon": 1, "delta": "1e-6"}}


def policy_dict(tables: Any = None, **changes: Any) -> dict[str, Any]:
    standard = {
        "patients": {
            "unit": "patient_id",
            "columns": {
                "sex": {"values": ["f", "m"]},
                "age": {"min": 0, "max": 110},
                "born": {"min": "1900-01-01", "max": "2026-01-01", "nullable": False},
            },
        },
        "visits": {"unit": "patient_id -> patients.patient_id", "max_rows_per_unit": 60},
        "lines": {"unit": "visit_id -> visits.visit_id"},
        "codes": {"public": True},
    }
    return {
        "unit": "patient",
        "database": "duckdb:///x",
        "budgets": BUDGETS,
        "bounds": {"max_groups": 4, "max_rows_per_group": 10},
        "tables": standard if tables is None else tables,
    } | changes


def run(tables: Any = None, **changes: Any) -> list[Finding]:
    return check(load(policy_dict(tables, **changes)), CLINIC)


def said(found: list[Finding], where: str, level: str = "note") -> str:
    return " | ".join(f.message for f in found if f.where == where and f.level == level)


def test_a_good_policy_has_no_errors_and_explains_each_table() -> None:
    found = run()
    assert [f for f in found if f.level == "error"] == []
    assert "one row per patient, enforced by the database" in said(found, "tables.patients")
    assert "reached by patient_id" in said(found, "tables.patients.unit")
    rows = said(found, "tables.visits")
    assert "bounded by max_rows_per_group 10, max_rows_per_unit 60, max_groups 4" in rows
    way = said(found, "tables.lines.unit")
    assert "over visit_id -> visits.visit_id, patient_id -> patients.patient_id, then" in way
    assert "rows where visits.patient_id is NULL belong to nobody" in way
    assert "public: about no one" in said(found, "tables.codes")
    assert said(found, "tables") == "not listed, so they do not exist for analysts: secrets"


def test_columns_without_range_and_public_keys() -> None:
    found = run()
    notes = said(found, "tables.patients.columns")
    assert "no range: height. Filtered and grouped freely" in notes
    assert (
        "public group keys: sex (2 values, and NULL), age (111 values, and NULL), "
        "alive (true, false), born (by date_trunc or EXTRACT)." in notes
    )
    assert "its NULL rows are in no group" in said(found, "tables.patients.columns.born")
    assert "no range: cost." in said(found, "tables.visits.columns")
    assert "the limits of a type are none" in notes
    assert "no public group key" in said(found, "tables.visits.columns")


def test_what_is_found_privately_is_told_with_the_people_it_takes() -> None:
    """From the usual price alone; where none is usual, or such queries are refused, nothing is."""
    price = {"default": {"epsilon": 10, "delta": "1e-4"}, "per_query": {"epsilon": "0.1"}}
    told = said(run(budgets=price), "tables.patients.columns", "warning")
    assert "the range of height is found by each query, at the usual price (ε = 0.1)" in told
    many = [int(n.replace(",", "")) for n in re.findall(r"(?:about|sum,) ([\d,]+)", told)]
    assert many == [people(Fraction(1, 10)), people(Fraction(1, 10), ends=2)]
    assert 7_000 < many[0] < 9_000 < 20_000 < many[1] < 30_000
    dearer = {**price, "per_query": {"epsilon": 1}}
    few = run(budgets=dearer)
    assert f"about {people(Fraction(1)):,} " in said(few, "tables.patients.columns")
    assert "are found" not in said(few, "tables.patients.columns", "warning"), "few do"
    assert people(Fraction(1)) < many[0] / 9
    refused = run(budgets=price, bounds={"max_groups": 3, "undeclared": "refuse"})
    assert not said(refused, "tables.patients.columns", "warning")
    assert not said(run(), "tables.patients.columns", "warning")
    assert not said(run(budgets=price), "tables.codes.columns", "warning")


def test_rows_that_are_found_privately_are_told() -> None:
    price = {"default": {"epsilon": 10, "delta": "1e-4"}, "per_query": {"epsilon": "0.1"}}
    for bounds in ({"max_groups": 3, "max_rows_per_group": "auto"}, {"max_groups": 3}):
        told = said(run(budgets=price, bounds=bounds), "tables.lines", "warning")
        assert "in a group are found by each query, at the usual price (ε = 0.1)" in told
    fixed = run(budgets=price, bounds={"max_groups": 3, "max_rows_per_group": 5})
    assert "are found" not in said(fixed, "tables.lines", "warning")


def test_public_tables_and_ranges_as_wide_as_a_type() -> None:
    whole = Interval(Fraction(-(2**31)), Fraction(2**31 - 1))
    held = {name: CatalogColumn(name, "INTEGER", INTEGER, whole, True) for name in "abcd"}
    odd = catalog(
        *(t for t in CLINIC.tables.values() if t.name != "codes"),
        table("codes", {**columns(code="VARCHAR", price="INTEGER", level="INTEGER"), **held}),
    )
    rules = {
        "level": {"values": [1, 2]},
        "a": {"min": "-2147483648", "max": 2147483647},
        "b": {"min": "-1e10", "max": "1e10"},
        "c": {"min": 0, "max": 2147483647},
    }
    given = policy_dict()
    given["tables"]["codes"] = {"public": True, "columns": rules}
    found = check(load(given), odd)
    notes = said(found, "tables.codes.columns")
    assert "no range: price, d. Beside people's rows summed and averaged within bounds" in notes
    assert "ranges as wide as their types: a (INTEGER), b (INTEGER). Noise" in notes
    assert [f for f in found if f.level == "error"] == []


@pytest.mark.parametrize(
    ("tables", "where", "message", "hint"),
    [
        ({"patient": {"unit": "x"}}, "tables.patient", "has no such table", "`patients`"),
        ({"patients": {"unit": "patientid"}}, "unit", "has no column patientid", "`patient_id`"),
        ({"patients": {"unit": "tags"}}, "unit", "(VARCHAR[]) cannot identify", "a UUID"),
        ({"patients": {"unit": "alive"}}, "unit", "cannot identify a patient", "a UUID"),
        ({"patients": {"unit": "height"}}, "unit", "cannot identify a patient", "a UUID"),
        ({"visits": {"unit": "cost"}}, "unit", "(DECIMAL(10,2)) cannot identify", "a UUID"),
        (
            {"patients": {"unit": "patient_id"}, "visits": {"unit": "cost -> patients.patient_id"}},
            "tables.visits.unit",
            "compares DECIMAL(10,2) with INTEGER: that could merge two units",
            "same type",
        ),
        (
            {"patients": {"unit": "patient_id", "columns": {"agee": {}}}},
            "columns.agee",
            "has no column agee",
            "did you mean `age`?",
        ),
        (
            {"patients": {"unit": "patient_id"}, "visits": {"unit": "pid -> patients.patient_id"}},
            "tables.visits.unit",
            "visits has no column pid",
            "`patient_id`",
        ),
        (
            {"patients": {"unit": "patient_id"}, "visits": {"unit": "patient_id -> patients.pid"}},
            "tables.visits.unit",
            "patients has no column pid",
            "`patient_id`",
        ),
        (
            {"patients": {"unit": "patient_id"}, "visits": {"unit": "patient_id -> patients.age"}},
            "tables.visits.unit",
            "patients.age is not a key that the database enforces",
            "PRIMARY KEY (age)",
        ),
        (
            {"patients": {"unit": "patient_id"}, "visits": {"unit": "patient_id -> patients.sex"}},
            "tables.visits.unit",
            "compares BIGINT with VARCHAR",
            "same type",
        ),
        (
            {"patients": {"unit": "sex"}, "visits": {"unit": "patient_id"}},
            "tables.visits.unit",
            "stored as BIGINT here and as VARCHAR in patients",
            "same type",
        ),
        (
            {"patients": {"unit": "patient_id", "key": "pid"}},
            "tables.patients.key",
            "has no column pid",
            "`patient_id`",
        ),
    ],
)
def test_units_that_do_not_hold(tables: Any, where: str, message: str, hint: str) -> None:
    errors = [f for f in run(tables) if f.level == "error"]
    assert any(
        f.where.endswith(where) and message in f.message and hint in f.hint for f in errors
    ), errors


@pytest.mark.parametrize(
    ("column", "rule", "message"),
    [
        ("sex", {"min": 0, "max": 1}, "`min` and `max` (0 to 1) cannot clamp VARCHAR"),
        ("age", {"min": "2020-01-01", "max": "2020-01-02"}, "cannot clamp INTEGER"),
        ("born", {"min": 0, "max": 1}, "cannot clamp DATE"),
        ("alive", {"min": 0, "max": 1}, "cannot clamp BOOLEAN"),
        ("sex", {"values": [1, 2]}, "the number 1 in `values` cannot be in a column of type"),
        ("age", {"values": ["a"]}, "the text 'a' in `values` cannot be"),
        ("age", {"values": [0.5]}, "the number 0.5 in `values` cannot be"),
        ("tags", {"values": ["x"]}, "cannot be in a column of type VARCHAR[]"),
        ("age", {"values": ["2020-01-01"]}, "cannot be in a column of type INTEGER"),
        ("born", {"min": "2020-01-01 10:00", "max": "2020-01-02 10:00"}, "cannot clamp DATE"),
        ("alive", {"values": ["x"]}, "cannot be in a column of type BOOLEAN"),
        ("born", {"values": ["yesterday"]}, "cannot be in a column of type DATE"),
    ],
)
def test_rules_that_do_not_fit_the_type(column: str, rule: Any, message: str) -> None:
    found = run({"patients": {"unit": "patient_id", "columns": {column: rule}}})
    assert message in said(found, f"tables.patients.columns.{column}", "error")


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("born", {"values": ["2020-01-01"]}),
        ("seen", {"values": ["2020-01-01", "2020-01-01 10:00"]}),
        ("seen", {"min": "2020-01-01", "max": "2020-01-02"}),
        ("alive", {"values": [True]}),
        ("age", {"values": [1, 2]}),
        ("height", {"values": [1.5], "min": 0, "max": 2.5}),
    ],
)
def test_rules_that_fit(column: str, rule: Any) -> None:
    found = run({"patients": {"unit": "patient_id", "columns": {column: rule}}})
    assert [f for f in found if f.level == "error"] == []


def test_unbounded_rows_and_unenforced_keys_are_warned_of() -> None:
    tables = {"lines": {"unit": "visit_id", "key": "qty"}}
    found = run(tables, bounds={})
    assert "nothing here bounds them" in said(found, "tables.lines", "warning")
    assert "does not enforce qty as a key" in said(found, "tables.lines.key", "warning")


def test_one_row_per_unit_needs_enforced_keys_all_the_way() -> None:
    policy = load(policy_dict())
    rows = {
        name: one_row_per_unit(policy.tables, CLINIC, name, table.unit)
        for name, table in policy.tables.items()
        if table.unit is not None
    }
    assert rows == {"patients": True, "visits": False, "lines": False}
    tables = {
        "patients": {"unit": "patient_id"},
        "passports": {"unit": "holder -> patients.patient_id"},
    }
    policy = load(policy_dict(tables))
    path = policy.tables["passports"].unit
    assert path is not None
    held = columns(holder="INTEGER", year="INTEGER")
    for key, expected in [(("holder",), True), (("holder", "year"), False)]:
        known = catalog(*CLINIC.tables.values(), table("passports", held, key))
        assert one_row_per_unit(policy.tables, known, "passports", path) is expected


def test_find_table_by_schema_and_case() -> None:
    one, other = table("t", {}), table("u", {}, schema="s")
    for name, expected in [
        ("t", one),
        ("T", one),
        ("main.t", one),
        ("s.u", other),
        ("S.U", other),
        ("u", None),
        ("x.t", None),
    ]:
        declared = load(policy_dict({name: {"unit": "x"}})).tables[name]
        assert find_table(catalog(one, other), declared) is expected, name


def test_what_check_calls_an_error_connect_refuses() -> None:
    refuse_unfit(load(policy_dict()), CLINIC)
    bad = {"patients": {"unit": "patient_id", "columns": {"sex": {"min": 0, "max": 1}}}}
    with pytest.raises(PolicyError, match=r"tables\.patients\.columns\.sex: `min`") as caught:
        refuse_unfit(load(policy_dict(bad)), CLINIC)
    assert caught.value.code == "unfit"


def test_budget_findings() -> None:
    budgets = {
        "per_query": {"epsilon": 2, "delta": "1e-6"},
        "default": {"epsilon": 1, "delta": "1e-6"},
        "total": {"epsilon": 0.5, "delta": "1e-6"},
    }
    warnings = said(run(budgets=budgets), "budgets.default", "warning")
    assert "less epsilon than one query costs by default" in warnings
    assert "below per_query.delta" in warnings
    assert "more epsilon than budgets.total" in warnings
    assert "every query must name its epsilon" in said(run(), "budgets.per_query")
    assert "nothing bounds what colluding" in said(run(), "budgets.total", "warning")
    nobody = said(run(analysts_only=True), "budgets", "error")
    assert "nobody may ask" in nobody


def test_budgets_that_promise_next_to_nothing_are_warned_of() -> None:
    small = {"default": {"epsilon": 20, "delta": "1e-4"}, "per_query": {"epsilon": 10}}
    assert "promise" not in said(run(budgets=small), "budgets", "warning")
    large = {
        "default": {"epsilon": 21, "delta": "1e-3"},
        "per_query": {"epsilon": 11},
        "total": {"epsilon": 100, "delta": "1e-6"},
    }
    told = said(run(budgets=large), "budgets.default", "warning")
    assert "next to nothing: ε = 21: odds change more than 400 million-fold" in told
    assert "a chance of 1 in 1,000" in told
    assert "next to nothing" in said(run(budgets=large), "budgets.total", "warning")
    assert "ε = 11" in said(run(budgets=large), "budgets.per_query", "warning")


def named(total: float, *epsilons: float, **more: Any) -> dict[str, Any]:
    analysts = {f"a{i}": {"epsilon": e, "delta": "1e-6"} | more for i, e in enumerate(epsilons)}
    return {"analysts": analysts, "total": {"epsilon": total, "delta": "1e-5"}}


def test_the_guarantee_per_analyst_is_claimed_only_when_shown() -> None:
    def verdict(budgets: Any, only: bool = True) -> str:
        return said(run(budgets=budgets, analysts_only=only), "budgets.total")

    assert "each budget's own guarantee holds too" in verdict(named(10, 2, 1))
    assert "not shown to fit under total" in verdict(named(3, 2, 2))
    assert "counts as unbounded" in verdict(named(10, 2, 1, refresh="daily"))
    open_list = named(10, 2, 1) | {"default": {"epsilon": 1, "delta": "1e-6"}}
    assert "any number of unnamed analysts" in verdict(open_list, only=False)
    assert "each budget's own" in verdict(open_list, only=True)
    assert "each budget's own" in verdict(named(10, 2, 1), only=False)


def test_a_budget_with_windows_promises_each_window_alone() -> None:
    month = {"default": {"epsilon": 1, "delta": "1e-6", "refresh": "monthly"}}
    text = said(run(budgets=month), "budgets.default", "warning")
    assert "refreshes monthly: its guarantee is for each window alone, and nothing" in text
    bounded = month | {"total": {"epsilon": 9, "delta": "1e-5"}}
    assert "bounded by budgets.total" in said(run(budgets=bounded), "budgets.default")
    never = {"default": {"epsilon": 1, "delta": "1e-6"}}
    assert "refreshes" not in said(run(budgets=never), "budgets.default")


def test_not_built_is_listed_and_refused() -> None:
    served = {"database": "postgresql://h/db", "limits": {"memory": "2GB"}}
    findings = run(**served)
    assert "the server's own" in said(findings, "limits.memory", "error")
    with pytest.raises(PolicyError, match="a limit of memory") as caught:
        refuse_not_built(load(policy_dict(**served)))
    assert caught.value.code == "not-built"
    refuse_not_built(load(policy_dict(checkpoints="./c")))


def test_query_price() -> None:
    policy = load(policy_dict())
    budget = policy.budget_of("eve")
    with pytest.raises(InvalidQuery, match="names no epsilon") as caught:
        query_price(policy, budget)
    assert caught.value.code == "no-epsilon"
    assert query_price(policy, budget, epsilon="0.5") == (0.5, budget.delta / 1000)
    capped = {
        "per_query": {"epsilon": "0.25", "delta": "1e-8"},
        "max_per_query": {"epsilon": 2, "delta": "1e-7"},
        "default": {"epsilon": 5, "delta": "1e-3"},
    }
    policy = load(policy_dict(budgets=capped))
    budget = policy.budget_of("eve")
    assert query_price(policy, budget) == (0.25, policy.budgets.per_query.delta)
    for bad in ({"epsilon": 3}, {"delta": 1e-6}, {"epsilon": 0}, {"delta": True}):
        with pytest.raises(InvalidQuery):
            query_price(policy, budget, **bad)
