"""One process has one instance of a database file, and says so when two wishes do not fit."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

import dpsql


@pytest.fixture
def attempt(tmp_path: Path) -> Any:
    """`attempt(limits)`: a connection to one small file under a policy with these limits."""
    path = tmp_path / "small.duckdb"
    with duckdb.connect(str(path)) as owner:
        owner.execute("CREATE TABLE people AS SELECT 1 AS id")
    policy = {
        "version": 1,
        "database": f"duckdb:///{path}",
        "ledger": f"sqlite:///{tmp_path}/ledger.db",
        "unit": "person",
        "budgets": {
            "default": {"epsilon": 1, "delta": 1e-6},
            "total": {"epsilon": 9, "delta": 1e-5},
        },
        "tables": {"people": {"unit": "id"}},
    }
    with ExitStack() as opened:

        def connect(**limits: str) -> dpsql.Connection:
            return opened.enter_context(dpsql.connect(policy | {"limits": limits}, analyst="a"))

        yield connect


def test_one_memory_limit_a_process(attempt: Any) -> None:
    """The second policy's limit is neither dropped in silence nor blamed on another process."""
    first = attempt(memory="1GB")
    attempt(memory="1GB")
    attempt()  # no wish of its own
    with pytest.raises(dpsql.EngineFailed) as caught:
        attempt(memory="2GB")
    assert caught.value.code == "engine-locked"
    assert "this process has it open already, with limits.memory 1GB" in str(caught.value)
    assert "another process" not in str(caught.value)
    assert not first.closed


def test_the_limit_goes_with_the_last_connection(attempt: Any) -> None:
    attempt(memory="1GB").close()
    attempt(memory="2GB")


def test_a_connection_of_the_owners_own_is_not_another_process(
    attempt: Any, tmp_path: Path
) -> None:
    with (
        duckdb.connect(str(tmp_path / "small.duckdb")),
        pytest.raises(dpsql.EngineFailed) as caught,
    ):
        attempt(memory="1GB")
    assert "this process has it open already" in str(caught.value)
