"""Which tables a recorded text names."""

from __future__ import annotations

import pytest

from dpsql.history import tables
from dpsql.history.tables import same_table, tables_of


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT COUNT(*) FROM persons", ("persons",)),
        ("select 1 from A join b on a.x = b.x, c", ("a", "b", "c")),
        ("SELECT 1 FROM main.Visits v", ("main.visits",)),
        ('SELECT 1 FROM "Odd ""name"""', ('odd "name"',)),
        ("WITH q AS (SELECT * FROM visits) SELECT COUNT(*) FROM q", ("visits",)),
        # a CTE that hides the table it reads: the table is read all the same
        ("WITH visits AS (SELECT * FROM visits) SELECT COUNT(*) FROM visits", ("visits",)),
        ("SELECT 1 FROM a WHERE x IN (SELECT x FROM b) UNION ALL SELECT 1 FROM c", ("a", "b", "c")),
        ("SELECT COUNT(*) FROM persons WHERE name = 'x FROM secrets'", ("persons",)),
        ("SELECT COUNT(*) FROM persons -- FROM secrets\n/* JOIN more */", ("persons",)),
        ("SELECT COUNT(*) FROM t1 WHERE v2 = 3", ("t1",)),
        ("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5) COUNT(*) FROM a", ("a",)),
        ("SELECT SUM(x, contribution_bounds_per_row => (0, 1.5)) FROM a WHERE y = ?", ("a",)),
        ("SELECT COUNT(*) FROM a WHERE x = :n\n-- with {'n': 3}", ("a",)),
        ("SELECT COUNT(*) FROM `proj.data.t`", ("proj.data.t",)),
        ("SELECT 1", ()),
        ("this is no SQL (", ()),
        ("SELECT 'never closed", ()),
        ("", ()),
    ],
)
def test_tables_of(sql, named):
    assert tables_of(sql) == named


def test_texts_that_differ_in_literals_alone_are_parsed_once():
    tables._of_shape.cache_clear()
    for age in range(50):
        assert tables_of(f"SELECT COUNT(*) FROM p WHERE a > {age}.5e1 AND n = 'it''s {age}'") == (
            "p",
        )
    assert tables._of_shape.cache_info().misses == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("visits", "Visits", True),
        ("visits", "main.visits", True),
        ("a.visits", "b.visits", False),
        ("visits", "visit", False),
    ],
)
def test_same_table(one, other, same):
    assert same_table(one, other) is same
    assert same_table(other, one) is same
