"""Spark enforces no key: a path of two hops rests on the owner's word, and is verified there."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest
import spark_world as worlds

sys.path.insert(0, str(Path(__file__).parents[1] / "files"))

import promised_world as world

from dpsql.errors import RefusedQuery
from dpsql.policy.promises import all_promises
from dpsql.promised import look, verify
from dpsql.session import Session

pytestmark = pytest.mark.xdist_group("spark")

DDL = {f"promised_{name}": columns for name, columns in world.DDL.items()}
QUERY = (
    "SELECT r.qty, COUNT(*), SUM(v.cost) FROM {0}rx r JOIN {0}visits v ON v.visit_id = r.visit_id"
    " GROUP BY r.qty ORDER BY r.qty"
)


def policy(tmp_path):
    found = world.policy(tmp_path, files=True)
    for table in found["tables"].values():
        del table["files"]
        table["unit"] = table["unit"].replace("-> ", "-> promised_")
    found["tables"] = {f"promised_{name}": table for name, table in found["tables"].items()}
    return {**found, "database": worlds.URL}


def test_two_hops_over_promised_keys_give_what_enforced_ones_give(spark_session, tmp_path):
    data = world.rows()
    worlds.fill(spark_session, DDL, {f"promised_{name}": rows for name, rows in data.items()})
    world.write(tmp_path, data)
    with closing(Session(policy(tmp_path), "ana")) as session:
        with pytest.raises(RefusedQuery) as caught:
            session.query(QUERY.format("promised_"))
        assert caught.value.code == "promise-unverified"
        told = (session.policy, session.engine, session.ledger, session.data_version)
        promises = all_promises(session.policy, session.engine.catalog())
        assert [one.column for one in promises] == [
            "promised_persons.id",
            "promised_visits.visit_id",
        ]
        assert all(verify(one, *told).holds for one in promises)
        answer = session.query(QUERY.format("promised_"))
        assert [one.promise for one in answer.privacy.resting] == list(reversed(promises))
        mine = [tuple(map(int_of, row.values())) for row in answer.table.to_pylist()]
    with world.opened(tmp_path, files=False) as session:
        table = session.query(QUERY.format("")).table
        assert mine == [tuple(map(int_of, row.values())) for row in table.to_pylist()]


def test_what_is_no_key_is_counted(spark_session, tmp_path):
    data = world.rows()
    data["visits"] = [*data["visits"], (7, 3, 0), (7, 4, 0), (None, 6, 0)]
    worlds.fill(spark_session, DDL, {f"promised_{name}": rows for name, rows in data.items()})
    with closing(Session(policy(tmp_path), "ana")) as session:
        promises = all_promises(session.policy, session.engine.catalog())
        found = [look(one, session.policy, session.engine) for one in promises]
    assert [(one.lacking, one.shared) for one in found] == [(0, 0), (1, 3)]


def int_of(value):
    return None if value is None else int(value)
