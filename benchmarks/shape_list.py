"""The shapes of shapes.py: each question, what it is measured against, and its goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PRIVATE = "!"
"""Marks a statement that goes through dpsql; the others are sent as they stand."""


@dataclass(frozen=True)
class Against:
    """A statement to be measured beside a shape's own.

    `goals`: the largest ratio wanted, by engine, and for "engine rows units" where that differs.
    """

    name: str
    sql: str
    goals: Mapping[str, float] = field(default_factory=dict)

    def goal(self, engine: str, rows: int, units: int) -> float | None:
        wanted = (f"{engine} {rows} {units}", f"{engine} {rows}", engine)
        return next((self.goals[name] for name in wanted if name in self.goals), None)


@dataclass(frozen=True)
class Shape:
    """`sql` is asked privately. `{whole}` stands for a row's amount as an integer."""

    name: str
    sql: str
    against: tuple[Against, ...]
    engines: tuple[str, ...] = ("duckdb", "postgres", "spark")


def capped(listed: str, groups: int = 5) -> str:
    return (
        f"SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = {groups}) {listed}"
        " FROM events GROUP BY key"
    )


_TWO = "SELECT key, SUM(amount), COUNT(*) FROM events GROUP BY key"
_PEOPLE = "SELECT key, SUM(amount), COUNT(*), COUNT(DISTINCT uid) FROM events GROUP BY key"
_SEX = "SELECT sex, COUNT(*), SUM(income) FROM users GROUP BY sex"
_JOINED = (
    "SELECT u.sex, SUM(e.amount), COUNT(*) FROM events e JOIN users u ON u.uid = e.uid GROUP BY 1"
)

# What any user-level answer has to know: the sums of each person in each group, or of each person.
_FLOOR = (
    "SELECT COUNT(*), SUM(s) FROM (SELECT uid, key, SUM(amount) AS s, COUNT(*) AS n"
    " FROM events GROUP BY uid, key) AS cells"
)
_BY_UNIT = "SELECT SUM(s) FROM (SELECT uid, SUM(amount) AS s FROM events GROUP BY uid) AS units"
# Sums of floats depend on the order of rows, so that one person's leaving moves other people's
# sums: an exact bound needs integers. This is the least plan that has them, without any clamp.
_BY_UNIT_EXACT = (
    "SELECT SUM(s) FROM (SELECT uid, SUM({whole}) AS s FROM events GROUP BY uid) AS units"
)

_CAP_GOALS = {
    "duckdb": 2.5,
    "duckdb 100000000 100000": 1.15,
    "duckdb 100000000 1000000": 1.5,
    "postgres": 2.0,
    "spark": 2.5,
}

SHAPES = (
    Shape(
        "group cap of 5",
        capped("key, SUM(amount), COUNT(*)"),
        (
            Against("floor", _FLOOR, _CAP_GOALS),
            Against("plain + people", _PEOPLE),
            Against("plain", _TWO, {"postgres": 6.0}),
        ),
    ),
    Shape(
        "public keys, no cap step",
        capped("key, SUM(amount), COUNT(*)", 51),  # 50 keys and NULL
        (Against("floor", _FLOOR), Against("plain", _TWO)),
    ),
    Shape(
        "cap of 1",
        capped("key, SUM(amount), COUNT(*)", 1),
        (Against("floor", _FLOOR), Against("plain", _TWO)),
    ),
    Shape(
        "no GROUP BY",
        "SELECT SUM(amount) FROM events",
        (
            Against("by unit", _BY_UNIT, {"duckdb": 1.05}),
            Against("by unit, in integers", _BY_UNIT_EXACT, {"duckdb": 1.05}),
        ),
    ),
    Shape(
        "one row per unit, enforced",
        _SEX,
        (Against("plain", _SEX, {"duckdb": 2.0, "postgres": 1.2}),),
        ("duckdb", "postgres"),  # Spark enforces no keys
    ),
    Shape(
        "key of the unit, joined",
        _JOINED,
        (Against("plain", _JOINED), Against("by unit", _BY_UNIT)),
        ("duckdb", "postgres"),
    ),
    Shape(
        "four aggregates together",
        capped("key, SUM(amount), COUNT(*), AVG(amount), VAR_POP(amount)"),
        (
            Against(
                "one",
                PRIVATE + capped("key, SUM(amount)"),
                {"duckdb": 1.4, "postgres": 1.4, "spark": 1.4},
            ),
        ),
    ),
)
