"""Stored answers are about one database: another one under the same ledger pays for its own."""

from __future__ import annotations

import ast
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

import dpsql
from dpsql.ledger import Ledger
from dpsql.policy import load
from dpsql.policy.data_identity import stored_version
from dpsql.session import Session

ASKED = "SELECT COUNT(*) FROM p"


def policy(folder: Path, database: Path | None, **more: Any) -> dict[str, Any]:
    price = {"epsilon": 1, "delta": "1e-6"}
    located = {} if database is None else {"database": f"duckdb:///{database}"}
    return {
        "version": 1,
        "ledger": f"sqlite:///{folder}/ledger.db",
        "budgets": {"per_query": price, "default": {"epsilon": 100, "delta": "1e-3"}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"p": {"unit": "id"}},
        **located,
        **more,
    }


def people(connection: duckdb.DuckDBPyConnection, count: int) -> duckdb.DuckDBPyConnection:
    connection.execute("CREATE TABLE p (id BIGINT PRIMARY KEY)")
    connection.execute(f"INSERT INTO p SELECT range FROM range({count})")
    return connection


def file(path: Path, count: int) -> Path:
    people(duckdb.connect(str(path)), count).close()
    return path


def asked(given: dict[str, Any], engine: object = None) -> tuple[int, bool]:
    """The answer, and whether it was free."""
    with closing(Session(given, "alice", engine=engine)) as session:
        answer = session.query(ASKED)
        return answer.table.column(0).to_pylist()[0], answer.privacy.free


def test_each_pays_for_its_own(tmp_path: Path) -> None:
    """P(false alarm) < 1e-100: Laplace noise of scale 1 beyond 400."""
    january, february = file(tmp_path / "jan.duckdb", 1000), file(tmp_path / "feb.duckdb", 5)
    first = asked(policy(tmp_path, january))
    second = asked(policy(tmp_path, february))
    assert not first[1]
    assert not second[1]
    assert (first[0] > 500, second[0] > 500) == (True, False)
    assert asked(policy(tmp_path, january)) == (first[0], True)
    assert asked(policy(tmp_path, february)) == (second[0], True)
    assert not asked(policy(tmp_path, february, data_version="2"))[1]


def test_one_file_is_one_database_however_it_is_reached(tmp_path: Path, monkeypatch: Any) -> None:
    real = file(tmp_path / "real.duckdb", 10)
    (tmp_path / "link.duckdb").symlink_to(real)
    monkeypatch.chdir(tmp_path)
    assert not asked(policy(tmp_path, real))[1]
    assert asked(policy(tmp_path, tmp_path / "link.duckdb"))[1]
    assert asked({**policy(tmp_path, None), "database": "duckdb:///real.duckdb"})[1]
    with duckdb.connect("link.duckdb", read_only=True) as owner:
        assert asked(policy(tmp_path, None), owner)[1]


def test_a_link_turned_to_other_data_is_another_database(tmp_path: Path) -> None:
    link = tmp_path / "current.duckdb"
    for month in ("jan", "feb"):
        link.unlink(missing_ok=True)
        link.symlink_to(file(tmp_path / f"{month}.duckdb", 10))
        assert not asked(policy(tmp_path, link))[1]


def test_a_moved_file_pays_anew(tmp_path: Path) -> None:
    before = file(tmp_path / "before.duckdb", 10)
    assert not asked(policy(tmp_path, before))[1]
    before.rename(tmp_path / "after.duckdb")
    assert not asked(policy(tmp_path, tmp_path / "after.duckdb"))[1]


def test_memory_is_of_one_connection(tmp_path: Path) -> None:
    one, other = people(duckdb.connect(), 10), people(duckdb.connect(), 10)
    given = policy(tmp_path, None)
    assert not asked(given, one)[1]
    assert asked(given, one)[1]
    assert not asked(given, other)[1]


def test_the_ledger_shows_the_version_and_no_path(tmp_path: Path) -> None:
    given = policy(tmp_path, file(tmp_path / "jan.duckdb", 10), data_version="2026-11")
    asked(given)
    with Ledger.open(given["ledger"]) as ledger:
        (kept,) = {
            entry.body["data_version"] for entry in ledger.entries() if entry.kind == "charge"
        }
    version, _, digest = kept.rpartition("@")
    assert version == "2026-11"
    assert len(digest) == 12
    assert int(digest, 16) >= 0


@pytest.mark.parametrize(
    ("one", "other"),
    [(("1", "a"), ("1", "b")), (("1", "a"), ("2", "a")), (("1@2", "a"), ("1", "2@a"))],
)
def test_versions_and_databases_never_meet(one: Any, other: Any) -> None:
    kept = []
    for version, identity in (one, other):
        given = load({**policy(Path("/nowhere"), None), "data_version": version})
        kept.append(stored_version(given, identity))
    assert kept[0] != kept[1]


def test_nothing_else_takes_the_policy_s_version_for_it() -> None:
    """Whoever hands a version to the ledger must take the stored one, of the session."""
    package = Path(dpsql.__file__).parent
    found = []
    for path in package.rglob("*.py"):
        if path.is_relative_to(package / "policy") or path.is_relative_to(package / "ledger"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "data_version":
                owner = ast.unparse(node.value)
                if owner.rpartition(".")[2] in ("policy", "loaded"):
                    found.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
    assert found == []
