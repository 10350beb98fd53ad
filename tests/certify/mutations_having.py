"""Faults in HAVING: groups may be dropped by their keys alone, and only by the totals."""

from __future__ import annotations

from statements import Mutation

_NEVER, _CITY = "OR COUNT(*) < 1", "k1 IN ('a', 'b')"

HAVING: dict[str, Mutation] = {
    f"having: {name}": (statement, old, new)
    for name, (statement, old, new) in {
        "small groups kept": ("having", _NEVER, "OR COUNT(*) < 2"),
        "large groups kept": ("having", _NEVER, "OR COUNT(*) > 1"),
        "groups of a column's NULLs kept": ("having", _NEVER, "OR COUNT(v0) < 1"),
        "groups by a distinct count": ("having", _NEVER, "OR COUNT(DISTINCT v0) < 1"),
        "no small groups": ("having", _NEVER, "AND COUNT(*) < 1"),
        "not without rows": ("having", _NEVER, "OR NOT COUNT(*) < 1"),
        "without rows, first": ("having", _CITY, f"(COUNT(*) < 1 OR {_CITY})"),
        "by a sum": ("having", _CITY, "SUM(v0) > 5"),
        "by an exact answer": ("having", _CITY, "b0_0 > 5"),
        "by a row's value": ("having", _CITY, "v0 > 5"),
        "by the unit": ("having", _CITY, "u > 5"),
        "by a key that is no BOOLEAN": ("having", _CITY, "k1"),
        "by a cast that may fail": ("having", _CITY, "CAST(k1 AS BIGINT) = 3"),
        "by a query": (
            "having",
            _CITY,
            'k1 IN (SELECT t9."city" FROM "main"."regions" AS t9)',
        ),
        "keys named for each other": (
            "having",
            "SELECT k0, k1, COALESCE",
            "SELECT k1 AS k0, k0 AS k1, COALESCE",
        ),
        "without keys": ("steps", "GROUP BY 1) AS c) AS b", "GROUP BY 1) AS c) AS b HAVING TRUE"),
        "below the totals": ("cap", "GROUP BY 1, 2) AS c", "GROUP BY 1, 2 HAVING k0 = 'a') AS c"),
        "cells by their count": (
            "cap",
            "GROUP BY 1, 2) AS c",
            "GROUP BY 1, 2 HAVING COUNT(*) < 5) AS c",
        ),
    }.items()
}
