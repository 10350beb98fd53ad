"""What a query asks for beyond the policy's caps is lowered, and the query is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from dpsql.explain import explain
from dpsql.render.answers import footer
from dpsql.session import Session

POLICY: dict[str, Any] = {
    "unit": "person",
    "budgets": {"default": {"epsilon": "1e12", "delta": 0.5}, "per_query": {"epsilon": 1}},
    "bounds": {"max_groups": 5, "max_rows_per_group": 4},
    "releases": {"reuse": "off"},
    "tables": {
        "visits": {"unit": "id", "columns": {"k": {"min": 0, "max": 99, "nullable": False}}},
        "few": {"unit": "id", "max_rows_per_unit": 3},
        "once": {"unit": "id"},
    },
}
GROUPS = "max_groups_contributed = 50 was lowered to the policy's 5"
EACH = "max_rows_contributed = 70 was lowered to the policy's 4 in each group"
TOTAL = "max_rows_contributed = 70 was lowered to the policy's 3"
BY_K = "k, COUNT(*) AS n FROM visits GROUP BY k"
# name: options, the rest of the query, what is told
CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "groups": ("max_groups_contributed = 50", BY_K, (GROUPS,)),
    "both": ("max_groups_contributed = 50, max_rows_contributed = 70", BY_K, (GROUPS, EACH)),
    "as many": ("max_groups_contributed = 5", BY_K, ()),
    "fewer": ("max_groups_contributed = 2, max_rows_contributed = 3", BY_K, ()),
    "no groups": ("max_groups_contributed = 50", "COUNT(*) AS n FROM visits", ()),
    "rows of a table": ("max_rows_contributed = 70", "COUNT(*) AS n FROM few", (TOTAL,)),
    "fewer in all": ("max_rows_contributed = 10", "k, MEDIAN(k) AS n FROM visits GROUP BY k", ()),
    "a median": ("max_rows_contributed = 70", "MEDIAN(k) AS n FROM visits", (EACH,)),
    "people": (
        "max_rows_contributed = 70",
        "k, COUNT(DISTINCT id) AS n FROM visits GROUP BY k",
        (),
    ),
    "one row": ("max_rows_contributed = 70", "COUNT(*) AS n FROM once", ()),
}


@pytest.fixture(scope="module")
def opened() -> Iterator[Session]:
    with duckdb.connect() as owner:
        owner.execute(
            "CREATE TABLE visits AS SELECT i % 50 AS id, i % 100 AS k FROM range(900) t(i);"
            " CREATE TABLE few AS SELECT i % 50 AS id FROM range(100) t(i);"
            " CREATE TABLE once (id INTEGER PRIMARY KEY)"
        )
        with pytest.warns(UserWarning, match="no ledger"):
            session = Session(POLICY, "ann", epsilon=1, delta=1e-6, engine=owner)
        yield session
        session.close()


@pytest.mark.parametrize("name", CASES)
def test_what_is_lowered_is_told(opened: Session, name: str) -> None:
    options, rest, told = CASES[name]
    sql = f"SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS({options}) {rest}"
    answer = opened.query(sql)
    (release,) = answer.privacy.releases
    assert release.lowered == told
    assert release.to_json()["bounds_lowered"] == list(told)
    lines = footer(answer, opened.policy).splitlines()
    assert [line for line in lines if "was lowered" in line] == list(told)
    (explained,) = explain(opened, sql).releases
    assert explained.lowered == told
    assert explained.to_dict()["lowered"] == list(told)
    said = " ".join(str(explain(opened, sql)).split())
    assert ("; ".join(told) in said) if told else ("was lowered" not in said)
