"""Our errors do not carry the engine's own, whose words quote rows; nor in `__context__`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

import dpsql
from dpsql.session import Session

SECRET = "Rumpelstilzchen"
SQL = "SELECT SUM(age) FROM people"
POLICY: dict[str, Any] = {
    "unit": "person",
    "budgets": {"default": {"epsilon": 1e6, "delta": 0.5}},
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "tables": {
        "people": {"unit": "id", "columns": {"age": {"min": 0, "max": 9}}},
        "cities": {"public": True},
    },
}


@pytest.fixture
def owner() -> Iterator[duckdb.DuckDBPyConnection]:
    """The views fail at one row, in words that quote it."""
    with duckdb.connect() as owner:
        owner.execute(f"CREATE TABLE rows_ AS SELECT 1 AS id, '{SECRET}' AS age")
        owner.execute("CREATE VIEW people AS SELECT id, CAST(age AS INTEGER) AS age FROM rows_")
        owner.execute("CREATE VIEW cities AS SELECT CAST(age AS INTEGER) AS n FROM rows_")
        yield owner


def chain(error: BaseException) -> list[BaseException]:
    """The error and all it was raised from or in."""
    found, links = [], [error]
    while links:
        link = links.pop()
        if all(link is not one for one in found):
            found.append(link)
            links += [one for one in (link.__cause__, link.__context__) if one is not None]
    return found


def asked(owner: duckdb.DuckDBPyConnection, face: str) -> Callable[[], object]:
    if face == "session":
        with pytest.warns(UserWarning, match="no ledger"):
            session = Session(POLICY, "a", engine=owner, epsilon=1, delta=1e-6)
        return lambda: session.query(SQL)
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(POLICY, analyst="a", engine=owner, epsilon=1, delta=1e-6)
    sql = SQL if face == "cursor" else "SELECT n, (SELECT COUNT(*) FROM people) FROM cities"
    return lambda: connection.execute(sql)


@pytest.mark.parametrize("face", ["cursor", "public table", "session"])
def test_the_engines_words_are_nowhere(owner: duckdb.DuckDBPyConnection, face: str) -> None:
    ask = asked(owner, face)
    with pytest.raises(dpsql.EngineFailed) as caught:
        ask()
    assert all(isinstance(link, dpsql.Error) for link in chain(caught.value))
    assert SECRET not in "".join(map(repr, chain(caught.value)))


def test_what_the_caller_was_handling_stays(owner: duckdb.DuckDBPyConnection) -> None:
    ask, mine = asked(owner, "cursor"), KeyError("mine")

    def handling() -> None:
        try:
            raise mine
        except KeyError:
            ask()

    with pytest.raises(dpsql.EngineFailed) as caught:
        handling()
    assert chain(caught.value) == [caught.value, mine]


def test_a_fault_of_ours_hides_what_it_was(
    owner: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(SECRET)

    ask = asked(owner, "cursor")
    monkeypatch.setattr("dpsql.pipeline.execute.run", fail)
    with pytest.raises(dpsql.InternalError) as caught:
        ask()
    assert chain(caught.value) == [caught.value]
    monkeypatch.setattr("dpsql.pipeline.execute.run", lambda *_, **__: fail_of_memory())
    with pytest.raises(dpsql.EngineFailed) as full:
        ask()
    assert chain(full.value) == [full.value]


def fail_of_memory() -> None:
    raise MemoryError(SECRET)
