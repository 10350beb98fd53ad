"""Cells of other data, another policy, another engine never answer; and no analyst sees which."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from kept_queries import SERVED
from kept_world import make_cells, make_data, rows, rules, served, session

from dpsql.cells import state
from dpsql.explain import explain
from dpsql.session import Session

QUERY = "SELECT city, COUNT(*), SUM(amount) FROM visits GROUP BY city"
KEPT = [{"by": ["city"], "values": ["amount"]}]
SURE = "1000000000"
TAMPERED = 999_983


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    """A policy whose cells are built. They say something else than the rows, so one can tell."""
    make_data(tmp_path)
    policy = rules(tmp_path, kept=KEPT, data_version="1", releases={"reuse": "off"})
    make_cells(policy)
    with duckdb.connect(policy["cells"]) as cells:
        cells.execute(f"UPDATE dpsql_cells.c0 SET n0 = {TAMPERED} WHERE k0 = 0 AND rn = 1")
    return policy


def total(opened: Session) -> int:
    answer = opened.query(QUERY, epsilon=SURE)
    return sum(answer.table.column(1).to_pylist())


def from_cells(policy: dict[str, Any]) -> bool:
    """Does a new session answer from the cells?"""
    with session(policy) as opened:
        return total(opened) > TAMPERED


def offered(policy: dict[str, Any]) -> bool:
    with session(policy) as opened:
        return served(opened, QUERY).offer is not None


def test_a_session_reads_cells(kept: dict[str, Any]) -> None:
    assert from_cells(kept)


def write(policy: dict[str, Any]) -> None:
    path = policy["database"].removeprefix("duckdb:///")
    with duckdb.connect(path) as data:
        data.execute("UPDATE visits SET amount = 7 WHERE vid = 1999")


def set_back(policy: dict[str, Any]) -> None:
    """Another file of the same size under the same name, with the times of the old one."""
    path = policy["database"].removeprefix("duckdb:///")
    before = os.stat(path)
    shutil.copy2(path, path + ".new")
    os.replace(path + ".new", path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(path).st_size == before.st_size


def touch(policy: dict[str, Any]) -> None:
    """Written in place, and the time of its content set back."""
    path = policy["database"].removeprefix("duckdb:///")
    before = os.stat(path)
    with open(path, "r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(first)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(path)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("change", [write, set_back, touch])
def test_data_that_was_written_to_is_read_itself(
    kept: dict[str, Any], change: Callable[[dict[str, Any]], None]
) -> None:
    """Without a word of the owner's. The salt stays that of the cells: it is not the data's."""
    with session(kept) as opened:
        before = served(opened, QUERY)
    change(kept)
    assert not from_cells(kept)
    with session(kept) as opened:
        after = served(opened, QUERY)
    assert after == before
    assert after.offer is not None
    make_cells(kept)
    with session(kept) as opened:
        again = served(opened, QUERY)
        assert again.offer is not None
        assert again.offer.salt != after.offer.salt
        cells = opened.cells.engine
        assert cells is not None
        own = rows(opened.engine.fetch(again.own), again.plan)
        assert rows(cells.fetch(again.kept), again.plan) == own


def changed_policy(kept: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    policy = copy.deepcopy(kept)
    *outer, last = path.split(".")
    place = policy
    for key in outer:
        place = place[key]
    place[last] = value
    return policy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data_version", "2"),
        ("bounds.max_rows_per_group", 5),
        ("tables.visits.columns.amount", {"min": -5, "max": 61}),
        ("tables.visits.columns.city", {"values": ["B", "M", "K"]}),
        ("tables.visits.columns.city", {"values": ["B", "K", "M"], "nullable": False}),
        ("tables.visits.unit", "vid"),
        ("tables.visits.kept", [{"by": ["city"], "values": ["amount", "x"]}]),
    ],
)
def test_another_policy_retires_cells(kept: dict[str, Any], path: str, value: Any) -> None:
    policy = changed_policy(kept, path, value)
    assert not offered(policy)
    assert not from_cells(policy)
    assert from_cells(kept)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bounds.max_groups", 2),
        ("budgets.per_query", {"epsilon": 2, "delta": "1e-7"}),
        ("tables.visits.columns.x", {"min": 0, "max": 1}),
    ],
)
def test_what_cells_do_not_depend_on_leaves_them(
    kept: dict[str, Any], path: str, value: Any
) -> None:
    assert from_cells(changed_policy(kept, path, value))


def test_another_duckdb_retires_cells(kept: dict[str, Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(state, "engine_version", lambda: "duckdb 2.9.9")
    assert not offered(kept)


def test_another_type_retires_cells(kept: dict[str, Any]) -> None:
    """Though the statement is the same: what its words mean is not."""
    with session(kept) as opened:
        before = served(opened, QUERY).own
    path = kept["database"].removeprefix("duckdb:///")
    with duckdb.connect(path) as data:
        data.execute("ALTER TABLE visits ALTER pid TYPE INTEGER")
    with session(kept) as opened:
        after = served(opened, QUERY)
        assert after.offer is None
        assert after.own.partition("AS UBIGINT")[2] == before.partition("AS UBIGINT")[2]


def test_another_database_has_no_cells_of_this_one(kept: dict[str, Any], tmp_path: Path) -> None:
    shutil.copy2(kept["database"].removeprefix("duckdb:///"), tmp_path / "copy.duckdb")
    policy = changed_policy(kept, "database", f"duckdb:///{tmp_path / 'copy.duckdb'}")
    assert not offered(policy)


def test_connections_handed_in_use_none(kept: dict[str, Any]) -> None:
    with duckdb.connect(kept["database"].removeprefix("duckdb:///")) as data:
        opened = Session(kept, "ann", engine=data)
        assert served(opened, QUERY).offer is None
        assert total(opened) < TAMPERED
        opened.close()


def test_a_file_that_is_none_is_not_read(kept: dict[str, Any]) -> None:
    Path(kept["cells"]).write_text("no database")
    assert not offered(kept)
    assert not from_cells(kept)


def test_a_file_of_other_notes_is_not_read(kept: dict[str, Any]) -> None:
    with duckdb.connect(kept["cells"]) as cells:
        cells.execute("UPDATE dpsql_cells.meta SET salt = 'none'")
    assert not offered(kept)
    assert not from_cells(kept)


def test_explain_tells_which_cells_serve_and_not_whether_they_stand(kept: dict[str, Any]) -> None:
    with session(kept) as opened:
        fresh = explain(opened, QUERY)
        assert "cells" in fresh.to_text()
        assert "visits by city" in fresh.to_text()
        assert "dpsql_cells" in fresh.to_text(sql=True)
    write(kept)
    with session(kept) as opened:
        stale = explain(opened, QUERY)
    assert stale.to_text(sql=True) == fresh.to_text(sql=True)
    assert stale.to_dict() == fresh.to_dict()
    Path(kept["cells"]).unlink()
    with session(kept) as opened:
        without = explain(opened, QUERY)
    assert without.to_dict()["releases"][0]["kept_cells"] is None
    price = ("epsilon", "delta", "releases")
    told, bare = fresh.to_dict(), without.to_dict()
    assert [told[name] for name in price[:2]] == [bare[name] for name in price[:2]]
    assert told["releases"][0]["events"] == bare["releases"][0]["events"]
    assert told["releases"][0]["columns"] == bare["releases"][0]["columns"]


def test_files_are_followed_while_a_session_is_open(tmp_path: Path) -> None:
    """A Parquet file that is replaced is another one at the next query."""
    make_data(tmp_path)
    place = tmp_path / "visits.parquet"
    with duckdb.connect(str(tmp_path / "data.duckdb")) as data:
        data.execute(f"COPY visits TO '{place}'")
    policy = rules(tmp_path, kept=KEPT)
    del policy["database"], policy["tables"]["persons"]
    policy["tables"]["visits"]["files"] = str(place)
    policy["releases"] = {"reuse": "off"}
    make_cells(policy)
    with duckdb.connect(policy["cells"]) as cells:
        cells.execute(f"UPDATE dpsql_cells.c0 SET n0 = {TAMPERED} WHERE k0 = 0 AND rn = 1")
    with session(policy) as opened:
        assert total(opened) > TAMPERED
        shutil.copy(place, tmp_path / "new")
        os.replace(tmp_path / "new", place)
        assert total(opened) < TAMPERED
    assert not from_cells(policy)
    make_cells(policy)
    with session(policy) as opened:
        for name in ("two keys", "count"):
            one = served(opened, SERVED[name])
            assert (one.offer is None) == (name == "two keys")


def test_a_bound_that_is_found_to_be_that_of_the_cells_is_served(kept: dict[str, Any]) -> None:
    """The plan is rewritten once it is found, and certified again."""
    with session(kept) as opened:
        sql = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'auto') city, COUNT(*) FROM visits"
        answer = opened.query(f"{sql} GROUP BY city", epsilon="100")
        (found,) = answer.privacy.releases[-1].bounds_found
        assert (sum(answer.table.column(1).to_pylist()) > TAMPERED) == (found.value == 4)


def test_cells_that_are_built_again_leave_open_sessions_theirs(kept: dict[str, Any]) -> None:
    """The old file is read until it is let go of; the new one is found by who opens it next."""
    with session(kept) as opened:
        before = served(opened, QUERY)
        make_cells(kept)
        assert served(opened, QUERY) == before
        assert total(opened) > TAMPERED
    assert not from_cells(kept)  # what was tampered with is gone
    with session(kept) as again:
        after = served(again, QUERY)
        assert after.offer is not None
        assert before.offer is not None
        assert after.offer.salt != before.offer.salt
