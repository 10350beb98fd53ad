"""A hop may land on a key that the policy promises; nothing else may rest on one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from certify_world import POLICY, World
from statements import ALL

from dpsql.certify import certify
from dpsql.core.catalog import Catalog
from dpsql.core.domain import FLOAT
from dpsql.errors import InternalError
from dpsql.policy import load

KEYS = {"persons": "id", "visits": "visit_id", "lab": "lab_id"}


def _policy(*promised: str) -> Any:
    tables: dict[str, Any] = dict(POLICY["tables"])
    for name in promised:
        tables[name] = {**tables[name], "key": KEYS[name], "promised": True}
    return load({**POLICY, "tables": tables})


def _catalog(world: World, **changes: Any) -> Catalog:
    """No table has a key or a foreign key, as over files."""
    bare = {"keys": (), "foreign_keys": (), "primary_key": ()} | changes
    return Catalog({name: replace(t, **bare) for name, t in world.catalog.tables.items()})


def _refused(world: World, name: str, catalog: Catalog, policy: Any, sql: str = "") -> None:
    with pytest.raises(InternalError) as caught:
        certify(sql or ALL[name].sql, ALL[name].claim, policy=policy, catalog=catalog)
    assert caught.value.code == "certify"


@pytest.mark.parametrize("is_view", [False, True])
def test_a_path_over_a_promised_key_is_certified_and_moves_no_more(
    world: World, is_view: bool
) -> None:
    catalog, hops = _catalog(world, is_view=is_view), ALL["hops"]
    certify(hops.sql, hops.claim, policy=_policy("lab"), catalog=catalog)
    assert world.excess(hops.sql, hops.claim) == []


def test_a_path_over_a_key_that_nobody_promises_is_refused(world: World) -> None:
    _refused(world, "hops", _catalog(world), _policy())
    _refused(world, "hops", _catalog(world), _policy("visits", "persons"))
    unpromised = {**POLICY["tables"]["lab"], "key": "lab_id"}
    named = load({**POLICY, "tables": {**POLICY["tables"], "lab": unpromised}})
    _refused(world, "hops", _catalog(world), named)
    other = {**POLICY["tables"]["lab"], "key": "code", "promised": True}
    elsewhere = load({**POLICY, "tables": {**POLICY["tables"], "lab": other}})
    _refused(world, "hops", _catalog(world), elsewhere)


def test_a_promised_key_must_be_joined_on_and_of_an_exact_type(world: World) -> None:
    sql = ALL["hops"].sql
    for old, new in (('."lab_id"', '."code"'), (" JOIN ", " LEFT JOIN ")):
        assert old in sql
        _refused(world, "hops", _catalog(world), _policy("lab"), sql.replace(old, new))
    tables = dict(_catalog(world).tables)
    for name in ("lab", "labnote"):
        columns = dict(tables[name].columns)
        columns["lab_id"] = replace(columns["lab_id"], type=FLOAT, type_text="DOUBLE")
        tables[name] = replace(tables[name], columns=columns)
    _refused(world, "hops", Catalog(tables), _policy("lab"))


@pytest.mark.parametrize("name", ["row", "joined"])
def test_one_row_a_unit_never_rests_on_a_promise(world: World, name: str) -> None:
    """Nor does a row that is looked up by such a key."""
    _refused(world, name, _catalog(world), _policy("persons", "visits", "lab"))
