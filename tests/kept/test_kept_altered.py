"""A file of cells whose tables were altered, or whose bytes are broken: rows are read instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from kept_world import make_cells, make_data, rules, served, session

from dpsql.cells.build import states
from dpsql.cells.state import ALTERED
from dpsql.errors import EngineFailed
from dpsql.opening import open_engine
from dpsql.policy import load

QUERY = "SELECT city, COUNT(*) AS n, SUM(amount) AS s FROM visits GROUP BY city"
TABLE = "dpsql_cells.c0"
ALTERATIONS = {
    "a column less": f"ALTER TABLE {TABLE} DROP COLUMN n0",
    "a column more": f"ALTER TABLE {TABLE} ADD COLUMN n99 INTEGER",
    "a column of another name": f"ALTER TABLE {TABLE} RENAME COLUMN rn TO rank",
    "sums that are text": f"ALTER TABLE {TABLE} ALTER n0 TYPE VARCHAR",
    "sums that are floats": f"ALTER TABLE {TABLE} ALTER n0 TYPE DOUBLE",
    "keys that are text": f"ALTER TABLE {TABLE} ALTER k0 TYPE VARCHAR",
    "no table": f"DROP TABLE {TABLE}",
}


@pytest.fixture
def policy(tmp_path: Path) -> dict[str, Any]:
    make_data(tmp_path)
    made = rules(tmp_path, kept=[{"by": ["city"], "values": ["amount"]}])
    make_cells(made)
    return made


def why(policy: dict[str, Any]) -> list[str]:
    loaded = load(policy)
    engine = open_engine(loaded)
    try:
        return [one.why for one in states(loaded, engine)]
    finally:
        engine.close()


@pytest.mark.parametrize("name", ALTERATIONS)
def test_altered_tables_are_not_read(policy: dict[str, Any], name: str) -> None:
    assert why(policy) == [""]
    with session(policy) as opened:
        assert served(opened, QUERY).offer is not None
    with duckdb.connect(policy["cells"]) as file:
        file.execute(ALTERATIONS[name])
    assert why(policy) == [ALTERED]
    with session(policy) as opened:
        assert served(opened, QUERY).offer is None
        assert opened.query(QUERY, epsilon="1").table.num_rows > 0


def corrupt(path: Path) -> None:
    """Break every block of the file but those of its head, as a bad disk would."""
    found = bytearray(path.read_bytes())
    for at in range(12288 + 4096, len(found), 4096):
        found[at : at + 64] = bytes(64 * [0xA5])
    path.write_bytes(bytes(found))


NO_CELLS = {
    "a letter": lambda path: path.write_text("a letter"),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "broken blocks": corrupt,
}


@pytest.mark.parametrize("name", NO_CELLS)
def test_what_is_no_database_is_called_that(policy: dict[str, Any], name: str) -> None:
    """DuckDB speaks of a broken *block*: nobody has it *locked*."""
    NO_CELLS[name](Path(policy["cells"]))
    with pytest.raises(EngineFailed) as caught:
        why(policy)
    assert caught.value.code == "cells-file"
    assert "cannot be read as a file of kept cells" in caught.value.message
    assert "dpsql cells build" in caught.value.hint
    with session(policy) as opened:
        assert served(opened, QUERY).offer is None
        assert opened.query(QUERY, epsilon="1").table.num_rows > 0


def test_cells_that_fail_while_they_are_read_tell_nothing(
    policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error would tell that the data was not written to: rows are read, under the same salt."""
    with session(policy) as opened:
        cells = opened.cells.engine
        assert cells is not None
        asked: list[str] = []
        fetch = cells.fetch

        def fails(sql: str, **given: Any) -> Any:
            if '"c0"' not in sql:
                return fetch(sql, **given)
            asked.append(sql)
            raise EngineFailed("the database could not answer")

        monkeypatch.setattr(cells, "fetch", fails)
        assert opened.query(QUERY, epsilon="1").table.num_rows > 0
        assert len(asked) == 1
