"""Broken tallies: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

_SCALED = "CASE WHEN n0 > 20 THEN ((COALESCE(p0_1, 0)) * 20) // n0 ELSE COALESCE(p0_1, 0) END"
_ONE, _TWO = "CASE WHEN v0 = 1 THEN 64 ELSE 0 END", "CASE WHEN v0 = 2 THEN 64 ELSE 0 END"

TALLIES: dict[str, Mutation] = {
    f"tallies: {name}": mutation
    for name, mutation in {
        "a class counted twice": ("tally", "v0 = 2", "v0 = 1"),
        "classes from here on": ("tally", "v0 = 1", "v0 >= 1"),
        "any class but one": ("tally", "v0 = 1", "v0 <> 1"),
        "another column's class": ("tally", "WHEN v0 = 1", "WHEN u = 1"),
        "a class told by an expression": ("tally", "v0 = 1", "v0 + u = 1"),
        "a class that counts more": ("tally", "v0 = 1 THEN 1", "v0 = 1 THEN 2"),
        "a class that takes away": ("tally", "v0 = 1 THEN 1", "v0 = 1 THEN -1"),
        "the other rows counted, too": ("tally", "v0 = 1 THEN 1 ELSE 0", "v0 = 1 THEN 1 ELSE 1"),
        "the other rows NULL": ("tally", "v0 = 1 THEN 1 ELSE 0 END", "v0 = 1 THEN 1 END"),
        "total too small": ("tally", "CAST(1 AS", "CAST(0 AS"),
        "total too large": ("tally", "CAST(1 AS", "CAST(2 AS"),
        "a class left out of the remainder": (
            "tally",
            " - COALESCE(SUM(CASE WHEN v0 = 2 THEN 1 ELSE 0 END), 0) AS b0_0",
            " AS b0_0",
        ),
        "rows without a class": ("tally", "THEN 2 ELSE 0 END AS v0", "THEN 2 END AS v0"),
        "a class that is a column": ("tally", "THEN 2 ELSE 0", 'THEN t0."age" ELSE 0'),
        "a rest that is a column": ("tally", "THEN 2 ELSE 0", 'THEN 2 ELSE t0."age"'),
        "a condition on a hidden column": ("tally", 't0."age" < 30', 't0."secret" < 30'),
        "a condition that may fail": (
            "tally",
            't0."age" < 30',
            'CAST(t0."city" AS INTEGER) < 30',
        ),
        "all rows": ("tally", "COUNT(v0)", "COUNT(*)"),
        "classes of different weight": ("tally, capped", _TWO, _TWO.replace("64", "65")),
        "a class of a cell twice": ("tally, capped", _TWO, _ONE),
        "not scaled": ("tally, capped", _SCALED, "COALESCE(p0_1, 0)"),
        "scaled less": ("tally, capped", _SCALED, _SCALED.replace("* 20)", "* 21)")),
        "rows capped higher": ("tally, capped", "LEAST(n0, 20)", "LEAST(n0, 21)"),
        "rows not capped": ("tally, capped", "LEAST(n0, 20) AS n0", "n0 AS n0"),
        "a class not weighted": ("tally, weighted", "w * COALESCE(p0_1, 0)", "COALESCE(p0_1, 0)"),
        "rows not weighted": ("tally, weighted", "w * n0 AS n0", "n0 AS n0"),
        "weighted higher": ("tally, weighted", "1310720 // SUM(n)", "1310721 // SUM(n)"),
        "weighted higher in a cell": ("tally, weighted", "983040 // n)", "983041 // n)"),
        "weighted by another count": ("tally, weighted", "983040 // n)", "983040 // n0)"),
        "sums of classes added": ("tally, weighted", "w * COALESCE(p0_1, 0)", "w * (p0_1 + p0_2)"),
    }.items()
}
