"""Broken windows over the rows of a unit: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

_PLACE = "ROW_NUMBER() OVER (PARTITION BY u ORDER BY c0, c1, xw2) AS place"

WINDOWS: dict[str, Mutation] = {
    "window across units": ("windows", "PARTITION BY u, c0", "PARTITION BY c0"),
    "window over everybody": ("windows", "PARTITION BY u ORDER BY c1)", "ORDER BY c1)"),
    "window over a key made of the unit": (
        "windows",
        "PARTITION BY u ORDER BY c0",
        "PARTITION BY u + 1 ORDER BY c0",
    ),
    "place with ties": ("windows", "ORDER BY c0, c1, xw2", "ORDER BY c0, c1"),
    "place within a part": ("windows", _PLACE, _PLACE.replace("BY u", "BY u, c0")),
    "place across units": ("windows", _PLACE, _PLACE.replace("PARTITION BY u ", "")),
    "place by rank": ("windows", _PLACE, _PLACE.replace("ROW_NUMBER", "RANK")),
    "several orders of ties": ("windows", "place)", "c0, c1, xw2, place + 0)"),
    "row number with ties": ("windows", "ORDER BY c1 DESC, place", "ORDER BY c1 DESC"),
    "lag with ties": ("windows", "ORDER BY c0, place) AS w1", "ORDER BY c0) AS w1"),
    "ntile with ties": ("windows", "NTILE(4) OVER (PARTITION BY u ORDER BY c0, place)",
                        "NTILE(4) OVER (PARTITION BY u ORDER BY c0)"),
    "last value with ties": ("windows", "ORDER BY c1, place RANGE", "ORDER BY c1 RANGE"),
    "row number without an order": ("windows", " ORDER BY c1 DESC, place", ""),
    "rank without an order": ("windows", "PERCENT_RANK() OVER (PARTITION BY u ORDER BY c0)",
                              "PERCENT_RANK() OVER (PARTITION BY u)"),
    "row number by floats with two zeros": ("windows", 't1."value" + 0.0', 't1."value"'),
    "lag by data": ("windows", "LAG(c1, 2, 0e0)", "LAG(c1, c0, 0e0)"),
    "lag by nothing": ("windows", "LAG(c1, 2, 0e0)", "LAG(c1, 0, 0e0)"),
    "lag with a default of another type": ("windows", "LAG(c1, 2, 0e0)", "LAG(c1, 2, 7)"),
    "lag with a default out of range": ("windows", "LAG(c1, 2, 0e0)", "LAG(c1, 2, 1e39)"),
    "lag with an integer out of range": ("windows", "LAG(c1, 2, 0e0)", "LAG(c0, 2, 3000000000)"),
    "lag with another column": ("windows", "LAG(c1, 2, 0e0)", "LAG(c1, 2, c1)"),
    "ntile by data": ("windows", "NTILE(4)", "NTILE(c0)"),
    "mode": ("windows", "LAG(c1, 2, 0e0)", "MODE(c1)"),
    "window sum of floats": ("windows", "SUM(xw2)", "SUM(c1)"),
    "window average": ("windows", "SUM(xw2)", "AVG(xw2)"),
    "window sum of distinct": ("windows", "SUM(xw2)", "SUM(DISTINCT xw2)"),
    "window ordered by an expression": ("windows", "ORDER BY c1) AS w2", "ORDER BY c1 * 2) AS w2"),
    # ---- frames
    "frame over ties": ("framed", "ORDER BY c0 DESC, c1, xw0 ROWS", "ORDER BY c0 DESC ROWS"),
    "frame without an order": ("framed", " ORDER BY c0 DESC, c1, xw0 ROWS", " ROWS"),
    "frame across units": ("framed", "PARTITION BY u ORDER", "PARTITION BY c0 ORDER"),
    "frame by data": ("framed", "2 PRECEDING", "c0 PRECEDING"),
    "frame with a distance": ("framed", "ROWS BETWEEN", "RANGE BETWEEN"),
    "frame of groups": ("framed", "ROWS BETWEEN", "GROUPS BETWEEN"),
    "frame with a hole": ("framed", "AND CURRENT ROW", "AND CURRENT ROW EXCLUDE TIES"),
    "frame of a rank": ("framed", "SUM(xw0)", "RANK()"),
    "frame of floats": ("framed", 'CAST(t1."code" AS BIGINT)', 't1."value"'),
    "frame beside another": (
        "framed",
        "SELECT u, c0, c1, SUM",
        "SELECT u, c0, c1, LAG(c0) OVER (PARTITION BY u ORDER BY c1, c0, xw0) AS w1, SUM",
    ),
}  # fmt: skip
