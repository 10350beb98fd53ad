"""Broken tensor bases: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

_COUNT = "COUNT(v0 * y0)"
_SCALED = "CASE WHEN n0 > 20 THEN ((COALESCE(p0_4, 0)) * 20) // n0 ELSE COALESCE(p0_4, 0) END"

PAIRS: dict[str, Mutation] = {
    f"pairs: {name}": mutation
    for name, mutation in {
        "total too small": ("covariance", "CAST(60000000 AS", "CAST(59999999 AS"),
        "total too large": ("covariance", "CAST(60000000 AS", "CAST(60000001 AS"),
        "rows of the first value alone": ("covariance", _COUNT, "COUNT(v0)"),
        "rows of the second value alone": ("covariance", _COUNT, "COUNT(y0)"),
        "rows of the first twice": ("covariance", _COUNT, "COUNT(v0 * v0)"),
        "all rows": ("covariance", _COUNT, "COUNT(*)"),
        "a product counted with another column": ("covariance", _COUNT, "COUNT(v0 * u)"),
        "a coordinate of one value": ("covariance", "SUM(v0 * y0)", "SUM(v0)"),
        "a coordinate squared": ("covariance", "SUM(v0 * y0)", "SUM(v0 * y0 * y0)"),
        "a coordinate that may be negative": ("covariance", "(120 - v0)", "(119 - v0)"),
        "a coordinate larger than its share": ("covariance", "(120 - v0)", "(121 - v0)"),
        "the other value's span": ("covariance", "(500000 - y0)", "(499999 - y0)"),
        "values exchanged": ("covariance", "SUM(v0 * (500000 - y0))", "SUM(y0 * (500000 - v0))"),
        "a coordinate twice": ("covariance", "SUM((120 - v0) * y0)", "SUM(v0 * y0)"),
        "a clamp widened": ("covariance", "> 120 THEN 120", "> 121 THEN 121"),
        "a clamp widened, of decimals": ("covariance", "'5000.00'", "'5000.01'"),
        "a guard of another column": (
            "covariance",
            'NOT t0."wage" IS NULL',
            'NOT t0."age" IS NULL',
        ),
        "a coordinate left out of the remainder": (
            "covariance",
            " - COALESCE(SUM(v0 * y0), 0) AS b0_0",
            " AS b0_0",
        ),
        "a cube": ("slope", "SUM(v0 * y0 * y0)", "SUM(v0 * y0 * y0 * y0)"),
        "a factor of two dropped": ("slope", "SUM((1 - v0) * 2 * y0", "SUM((1 - v0) * 3 * y0"),
        "a third value": ("slope", "SUM(v0 * y0 * y0)", "SUM(v0 * y0 * u)"),
        "cells counted by one value": ("slope", _COUNT, "COUNT(v0)"),
        "not scaled": ("slope", _SCALED, "COALESCE(p0_4, 0)"),
        "scaled less": ("slope", _SCALED, _SCALED.replace("* 20)", "* 21)")),
        "scaled by another count": ("slope", _SCALED, _SCALED.replace("// n0", "// 20")),
        "rows capped higher": ("slope", "LEAST(n0, 20)", "LEAST(n0, 21)"),
        "rows not capped": ("slope", "LEAST(n0, 20) AS n0", "n0 AS n0"),
        "clamped as a cell": ("slope", _SCALED, "LEAST(GREATEST(COALESCE(p0_4, 0), 0), 50000)"),
    }.items()
}
