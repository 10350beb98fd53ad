"""The same statements against a catalog, or a policy, that promises less: refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from certify_world import POLICY, World
from statements import ALL, Statement

from dpsql.certify import certify
from dpsql.core.catalog import Catalog
from dpsql.core.domain import FLOAT, TEXT, Kind, SqlType
from dpsql.errors import InternalError
from dpsql.policy import load


def _catalog(world: World, table: str, **changes: Any) -> Catalog:
    tables = dict(world.catalog.tables)
    tables[table] = replace(tables[table], **changes)
    return Catalog(tables)


def _typed(world: World, table: str, column: str, kind: SqlType) -> Catalog:
    columns = dict(world.catalog.tables[table].columns)
    columns[column] = replace(columns[column], type=kind, type_text=str(kind))
    return _catalog(world, table, columns=columns)


def _refused(world: World, statement: Statement, catalog: Catalog, policy: Any = None) -> None:
    with pytest.raises(InternalError) as caught:
        certify(statement.sql, statement.claim, policy=policy or world.policy, catalog=catalog)
    assert caught.value.code == "certify"


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("row", "persons"),  # one row per unit rests on the key
        ("joined", "persons"),  # so does a key taken from a looked-up row
        ("joined", "regions"),
        ("hops", "lab"),  # a hop lands on a key
        ("cap", "visits"),
    ],
)
def test_nothing_rests_on_a_key_that_is_not_enforced(world: World, name: str, table: str) -> None:
    _refused(world, ALL[name], _catalog(world, table, keys=()))
    wider = tuple((*key, "extra") for key in world.catalog.tables[table].keys)
    _refused(world, ALL[name], _catalog(world, table, keys=wider))
    _refused(world, ALL[name], _catalog(world, table, is_view=True))


@pytest.mark.parametrize("name", ["cap", "weights"])
def test_the_last_hop_is_skipped_over_an_enforced_foreign_key_alone(
    world: World, name: str
) -> None:
    _refused(world, ALL[name], _catalog(world, "visits", foreign_keys=()))


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("row", "persons", "id"),
        ("hops", "lab", "person_id"),
        ("hops", "lab", "lab_id"),
        ("cap", "visits", "visit_id"),
        ("joined", "lab", "person_id"),
        ("joined", "regions", "city"),
    ],
)
def test_equality_across_types_proves_nothing(
    world: World, name: str, table: str, column: str
) -> None:
    kinds = [FLOAT, SqlType(Kind.OPAQUE)]
    if column not in ("person_id", "id") and column != "city":
        kinds.append(TEXT)
    for kind in kinds:
        _refused(world, ALL[name], _typed(world, table, column, kind))


def test_a_whole_path_is_followed_where_no_foreign_key_ends_it(world: World) -> None:
    """rx -> visits -> persons, the last hop joined on the key of persons."""
    catalog = _catalog(world, "visits", foreign_keys=())
    sql = (
        "SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,"
        ' COUNT(v0) AS n0 FROM (SELECT t2."id" AS u, 1 AS v0 FROM "main"."rx" AS t0'
        ' JOIN "main"."visits" AS t1 ON t0."visit_id" = t1."visit_id"'
        ' JOIN "main"."persons" AS t2 ON t1."person_id" = t2."id"'
        ' WHERE NOT t2."id" IS NULL) AS r GROUP BY 1) AS c) AS b'
    )
    statement = Statement(sql, ALL["hops"].claim)
    certify(sql, statement.claim, policy=world.policy, catalog=catalog)
    assert world.excess(sql, statement.claim) == []
    for old, new in (
        ('ON t1."person_id" = t2."id"', 'ON t1."visit_id" = t2."id"'),
        ('ON t0."visit_id" = t1."visit_id"', 'ON t0."rx_id" = t1."visit_id"'),
        ('ON t1."person_id" = t2."id"', "ON TRUE"),
        ('JOIN "main"."persons"', 'LEFT JOIN "main"."persons"'),
    ):
        _refused(world, Statement(sql.replace(old, new), statement.claim), catalog)


def test_a_database_is_named_where_it_must_be_and_only_there(world: World) -> None:
    """Where a schema is called like a database, `schema.table` could be another one's."""
    ambiguous = _catalog(world, "persons", database="memory")
    row = ALL["row"]
    named = row.sql.replace('"main"."persons"', '"memory"."main"."persons"')
    assert named != row.sql
    certify(named, row.claim, policy=world.policy, catalog=ambiguous)
    _refused(world, row, ambiguous)
    _refused(world, Statement(named, row.claim), world.catalog)
    other = Statement(named.replace('"memory"', '"other"'), row.claim)
    _refused(world, other, ambiguous)
    _refused(world, other, world.catalog)


def _policy(table: str, **changes: Any) -> Any:
    tables = {**POLICY["tables"], table: {**POLICY["tables"][table], **changes}}
    return load({**POLICY, "tables": tables})


def test_the_policy_decides_what_is_hidden_public_and_whose(world: World) -> None:
    hidden = _policy("persons", columns={"sex": {"hidden": True}})
    _refused(world, ALL["row"], world.catalog, hidden)
    moved = _policy("lab", unit="lab_id")
    _refused(world, ALL["hops"], world.catalog, moved)
    _refused(world, ALL["per_unit"], world.catalog, moved)
    gone = {name: t for name, t in POLICY["tables"].items() if name != "labnote"}
    _refused(world, ALL["hops"], world.catalog, load({**POLICY, "tables": gone}))


def test_a_table_declared_twice_is_refused(world: World) -> None:
    twice = {**POLICY["tables"], "main.regions": {"public": True}}
    _refused(world, ALL["joined"], world.catalog, load({**POLICY, "tables": twice}))


def test_a_key_of_floats_within_a_unit_makes_groups_but_is_not_read(world: World) -> None:
    """Which of -0.0 and 0.0 such a group keeps is up to row order, so up to other units."""
    sql = (
        "SELECT k0, COUNT(*) AS units, COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, k0, n0 FROM"
        " (SELECT *, ROW_NUMBER() OVER (PARTITION BY u ORDER BY HASH(u, k0), k0) AS rn FROM"
        " (SELECT u, k0, LEAST(n0, 20) AS n0 FROM (SELECT u, k0, COUNT(v0) AS n0 FROM"
        ' (SELECT t0."u" AS u, CAST(t0."a0" AS TEXT) AS k0, 1 AS v0 FROM'
        ' (SELECT t1."person_id" AS u, t1."value" AS k0, COUNT(*) AS a0 FROM "main"."lab" AS t1'
        ' WHERE NOT t1."person_id" IS NULL GROUP BY 1, 2) AS t0 WHERE NOT t0."u" IS NULL) AS r'
        " GROUP BY 1, 2) AS c) AS p) AS k WHERE rn <= 5) AS b GROUP BY 1"
    )
    block = replace(ALL["hops"].claim.blocks[0], l0=5, l1=100, l2_squared=2000)
    claim = replace(
        ALL["hops"].claim,
        keys=("k0",),
        units="units",
        max_groups_for_units=5,
        blocks=(block,),
        cells=None,
    )
    certify(sql, claim, policy=world.policy, catalog=world.catalog)
    read = sql.replace('CAST(t0."a0" AS TEXT)', 'CAST(t0."k0" AS TEXT)')
    _refused(world, Statement(read, claim), world.catalog)
    normal = 'CASE WHEN ISFINITE(t1."value") THEN t1."value" + 0.0 END AS k0'
    certify(
        read.replace('t1."value" AS k0', normal),
        claim,
        policy=world.policy,
        catalog=world.catalog,
    )
    raw = 'CAST(t0."a0" AS DOUBLE) / 3 AS k0'
    _refused(
        world, Statement(sql.replace('CAST(t0."a0" AS TEXT) AS k0', raw), claim), world.catalog
    )
