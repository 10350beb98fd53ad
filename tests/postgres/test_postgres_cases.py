"""The shared cases on PostgreSQL: what analysts and attackers write, over rows made for attacks.

Every case runs on both engines with equal exact bounded aggregates, or stands in one of the lists
below with the reason. No statement fails over any row: an error would tell of it.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import duckdb
import make_data
import postgres_world
import pytest
import yaml
from e2e_compare import exact
from sqlglot import parse_one

from dpsql.dialects.postgres_forms import written
from dpsql.errors import Error, RefusedQuery
from dpsql.session import Session

FOLDER = Path(__file__).parents[1] / "cases"
FILES = ["good.jsonl", "hostile.jsonl", "suites.jsonl", *sorted(
    f"hostile_own/{path.name}" for path in (FOLDER / "hostile_own").glob("*.jsonl")
)]  # fmt: skip
ODD = "PostgreSQL: a comparison with an infinity or NaN that arithmetic made is NULL"
FAR = "PostgreSQL: a quotient is NULL where a side is beyond 1e153, lest a division fail"
DIFFER = {
    "good-155": FAR,
    "own-special_values-06": FAR,
    "bad-058": ODD,
    "own-automatic_bounds-09": ODD,
    "own-errors-01": ODD,
    "own-errors-22": ODD,
    "own-errors-08": "PostgreSQL: the text 'Infinity' is no plain number",
}
"""Exact aggregates that differ, by the case's id."""
NOT_THERE = {
    "good-189": "PostgreSQL has no schema main",
    "good-201": "a float as text",
    "bad-074": "POW by 400",
    "bad-207": "a float as text",
    "bad-362": "REAL",
    "own-sensitivity-15": "a factor below 1e-100",
    "postgresql-03": "a logarithm to base 2",
    "postgresql-30": "ASCII",
    "postgresql-47": "ASINH",
}
"""Cases that DuckDB answers and PostgreSQL refuses before any charge: what it lacks."""


def cases():
    for file in FILES:
        for line in (FOLDER / file).read_text().splitlines():
            case = json.loads(line)
            yield case["id"], case["sql"], case.get("params")


CASES = {name: (sql, params) for name, sql, params in cases()}
QUICK = {name: CASES[name] for name in [*sorted(CASES)[::12], *DIFFER, *NOT_THERE]}


@pytest.fixture(scope="module")
def engines(server, tmp_path_factory):
    """A session on DuckDB and one on PostgreSQL, over the same rows; the outcomes known."""
    policy = yaml.safe_load((FOLDER / "policy.yaml").read_text())
    policy.pop("ledger")
    users, orders, regions = make_data.build(200, 7, True)
    rows = {"users": users, "orders": [tuple(order) for order in orders], "regions": regions}
    ddl = {
        text.split("(")[0].split()[-1]: text.partition("(")[2].rstrip(")").format(F="DOUBLE")
        for text in make_data.DDL
    }
    url = server.database()
    postgres_world.fill(url, ddl, rows)
    path = tmp_path_factory.mktemp("cases") / "cases.duckdb"
    with duckdb.connect(str(path)) as connection:
        for table, columns in ddl.items():
            connection.execute(f"CREATE TABLE {table}({columns})")
            for at in range(0, len(rows[table]), 500):
                some = rows[table][at : at + 500]
                marks = ", ".join([f"({', '.join('?' * len(some[0]))})"] * len(some))
                values = [value for row in some for value in row]
                connection.execute(f"INSERT INTO {table} VALUES {marks}", values)
    with (
        pytest.warns(UserWarning, match="ledger"),
        closing(Session({**policy, "database": f"duckdb:///{path}"}, "ana")) as here,
        closing(postgres_world.session(policy, url)) as there,
    ):
        yield here, there, {}


def prepared(session, sql, params):
    with session.engine.snapshot():
        return session.prepare(sql, params, dialect="duckdb", asked=session.asked).certified


def outcome(name, engines):
    """'refused', 'unread' (nothing is compared), 'equal', 'differs' or a code of PostgreSQL's."""
    here, there, known = engines
    if name not in known:
        known[name] = found(name, here, there)
    return known[name]


def found(name, here, there):
    sql, params = CASES[name]
    try:
        asked = prepared(here, sql, params)
    except Error:
        return "refused"
    try:
        prepared(there, sql, params)
    except RefusedQuery as refusal:
        return refusal.code
    catalog, equal, compared = there.engine.catalog(), True, 0
    for text in (text for certified in asked for text in certified.texts):
        if "$given" in text:  # by a release: its own statements are compared
            continue
        moved = text.replace('"cases"."main".', '"public".').replace('"main".', '"public".')
        mine = there.engine.fetch(written(parse_one(moved, read="duckdb"), catalog))
        if "HASH" in text:  # which groups are kept: another hash chooses others
            continue
        equal = equal and exact(mine) == exact(here.engine.fetch(text))
        compared += 1
    return "differs" if not equal else "equal" if compared else "unread"


def check(name, engines):
    result = outcome(name, engines)
    if name in DIFFER:
        assert result == "differs", "it may leave the list"
    elif name in NOT_THERE:
        assert result in ("not-on-this-engine", "unknown-table"), "it may leave the list"
    elif "main." in CASES[name][0] or '"main"' in CASES[name][0]:
        assert result in ("unknown-table", "equal", "unread", "refused")
    else:
        assert result in ("equal", "unread", "refused")


@pytest.mark.parametrize("name", QUICK)
def test_case(name, engines):
    check(name, engines)


def test_many_cases_are_compared(engines):
    assert sum(outcome(name, engines) == "equal" for name in QUICK) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CASES if name not in QUICK])
def test_every_case(name, engines):
    check(name, engines)
