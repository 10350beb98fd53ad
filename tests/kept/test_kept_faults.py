"""Without a rule the check of test_kept_neighbours.py fails: it holds by no chance."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from kept_queries import SERVED
from kept_world import HOSTILE, Served, Vectors, excess, make_data, served, vectors

from dpsql.session import Session

OWN = "the statement over rows"
# name: query, what is changed in the making, what in the reading
FAULTS = {
    "no cap on groups": ("private keys, one integer", None, (" WHERE t.rn <= 3", "")),
    "a rank too many": ("private keys, one integer", None, ("t.rn <= 3", "t.rn <= 4")),
    "no cap on rows": ("private keys", ("LEAST(n0, 4)", "n0"), None),
    "no clamp of a sum": (
        "sum",
        (", 240) AS BIGINT)", ", 24000) AS BIGINT)"),
        None,
    ),
    "no scaling": ("mean", (" > 4 THEN ", " > 4000 THEN "), None),
    "NULL is a unit": ("two keys", ('NOT t0."pid" IS NULL', "TRUE"), None),
    "a salt of the data": (
        "private keys, one integer",
        ("AS UBIGINT)", "AS UBIGINT) + (SELECT COUNT(*) FROM visits)"),
        None,
    ),
    "ranks of sums": ("private keys, one integer", ("PARTITION BY u", "PARTITION BY k0"), None),
}


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[int | None, Path]:
    found = {}
    for unit in (None, *HOSTILE):
        found[unit] = tmp_path_factory.mktemp("kept")
        make_data(found[unit], without=unit)
    return found


def read(folder: Path, one: Served, definition: str, text: str) -> Vectors:
    """The vector that a reading gives of cells that a definition makes."""
    assert one.offer is not None
    with duckdb.connect(str(folder / "data.duckdb")) as data:
        if text == OWN:
            return vectors(data.sql(definition).to_arrow_table(), one.plan)
        data.execute("BEGIN")
        data.execute("CREATE SCHEMA dpsql_cells")
        data.execute(f'CREATE TABLE dpsql_cells."{one.offer.table}" AS {definition}')
        found = vectors(data.sql(text).to_arrow_table(), one.plan)
        data.execute("ROLLBACK")
        return found


def changed(text: str, change: tuple[str, str] | None) -> str:
    if change is None:
        return text
    assert change[0] in text
    return text.replace(*change)


@pytest.mark.parametrize("name", FAULTS)
def test_without_the_rule_a_unit_moves_more(
    plain: Session, databases: dict[int | None, Path], name: str
) -> None:
    query, made, reading = FAULTS[name]
    one = served(plain, SERVED[query])
    assert one.offer is not None
    sound = {u: read(path, one, one.offer.definition, one.kept) for u, path in databases.items()}
    assert not any(excess(one.plan, sound[None], sound[unit]) for unit in HOSTILE)
    definition, text = changed(one.offer.definition, made), changed(one.kept, reading)
    broken = {unit: read(path, one, definition, text) for unit, path in databases.items()}
    if name == "NULL is a unit":  # nobody's rows are somebody's: they count at all
        assert broken[None] != sound[None]
        return
    assert any(excess(one.plan, broken[None], broken[unit]) for unit in HOSTILE)


def test_a_salt_that_depends_on_whether_cells_are_up_to_date(
    plain: Session, databases: dict[int | None, Path]
) -> None:
    """D was written to since, so rows are read; D' was not: both are to have the cells' salt."""
    one = served(plain, SERVED["private keys, one integer"])
    assert one.offer is not None
    cells = read(databases[0], one, one.offer.definition, one.kept)
    rows = read(databases[None], one, one.own, OWN)
    assert excess(one.plan, rows, cells) == []
    fresh = one.own.replace(str(one.offer.salt), "7")
    assert fresh != one.own
    assert excess(one.plan, read(databases[None], one, fresh, OWN), cells)
