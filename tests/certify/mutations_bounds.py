"""Broken bounds of rows, cells, ranks and weights: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import INCOME, WAGE, Mutation

_INCOME = " ".join(INCOME.split())
_WAGE = " ".join(WAGE.split())
_RN = "ROW_NUMBER() OVER (PARTITION BY u ORDER BY HASH(HASH(u, k0, CAST('7' AS UBIGINT))), k0)"
_SHARE = "LEAST(65536, 1966080 // SUM(n) OVER (PARTITION BY u), 1310720 // n)"
_UNIT_SIZE = "20132659200000 // GREATEST(SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u), 1)"
_CELL_SIZE = "13421772800000 // GREATEST(ABS(COALESCE(s1, 0)), 1)"
_S1 = "CASE WHEN n1 > 20 THEN ((COALESCE(s1, 0)) * 20) // n1 ELSE COALESCE(s1, 0) END"

BOUNDS: dict[str, Mutation] = {
    # ---- the value of a row
    "clamp dropped (double)": ("row", _INCOME, 'CAST(t0."income" AS BIGINT)'),
    "clamp dropped (decimal)": ("row", _WAGE, 'CAST(t0."wage" * 100 AS BIGINT)'),
    "upper bound dropped": (
        "cap",
        'LEAST(GREATEST(t0."qty", 0), 50)',
        'GREATEST(t0."qty", 0)',
    ),
    "lower bound dropped": ("cap", 'LEAST(GREATEST(t0."qty", 0), 50)', 'LEAST(t0."qty", 50)'),
    "clamp widened (double)": ("row", "THEN CAST('1000000.0'", "THEN CAST('1000001.0'"),
    "both bounds widened (double)": ("row", "'1000000.0'", "'1000000.125'"),
    "lower bound widened (decimal)": ("row", "'-1.00'", "'-5000.01'"),
    "scale raised": ("row", "'16.0'", "'16.000001'"),
    "scale negative": ("row", "'16.0'", "'-16.0'"),
    "clamp by another column": ("row", 't0."age" > 120 THEN 120', 't0."id" > 120 THEN 120'),
    "clamp's other branch": ("row", 'ELSE t0."age" END', 'ELSE t0."age" * 2 END'),
    "clamp compared the other way": ("row", 't0."age" > 120', 't0."age" < 120'),
    "clamp bounds another value": ("row", "> 120 THEN 120", "> 120 THEN 121"),
    "integer cast dropped": (
        "row",
        _INCOME,
        _INCOME.removeprefix("CAST(").removesuffix(" AS BIGINT)"),
    ),
    "clamped before arithmetic only": (
        "cap",
        'CAST(LEAST(GREATEST(t0."qty", 0), 50) AS BIGINT)',
        'CAST(LEAST(GREATEST(t0."qty", 0), 50) * t0."qty" AS BIGINT)',
    ),
    "clamp of text": (
        "cap",
        'LEAST(GREATEST(t0."qty", 0), 50)',
        'LEAST(GREATEST(t0."drug", 0), 50)',
    ),
    "clamp by decimals over a double": (
        "row",
        "CAST('1000000.0' AS DOUBLE)",
        "CAST('1000000.0' AS DECIMAL(21, 2))",
    ),
    "bounds infinite": ("row", "'1000000.0'", "'inf'"),
    "bounds not a number": ("row", "'1000000.0'", "'nan'"),
    "guard dropped (null)": (
        "row",
        'CASE WHEN NOT t0."age" IS NULL THEN CAST(',
        "CASE WHEN TRUE THEN CAST(",
    ),
    "guard of another column": ("row", 'NOT t0."age" IS NULL', 'NOT t0."wage" IS NULL'),
    "guard turned round": ("row", 'NOT t0."age" IS NULL', 't0."age" IS NULL'),
    "guard by OR": (
        "cap",
        '(t0."qty" > 3) AND NOT t0."qty" IS NULL',
        '(t0."qty" > 3) OR NOT t0."qty" IS NULL',
    ),
    "guard of NaN weakened": ("row", 'ISFINITE(t0."income")', 'NOT t0."income" IS NULL'),
    "ELSE added": ("row", f"{_INCOME} END AS v0", f"{_INCOME} ELSE 99999999999 END AS v0"),
    "shift changed": ("cap", "AS BIGINT) - 4 END", "AS BIGINT) - 3 END"),
    "shift the other way": ("cap", "AS BIGINT) - 4 END", "AS BIGINT) + 4 END"),
    "value of a counted row": ("cap", "> 5) THEN 1 END", '> 5) THEN t0."qty" END'),
    # ---- the cell
    "cap of a count raised": ("cap", "LEAST(n3, 20)", "LEAST(n3, 21)"),
    "cap of a count dropped": ("cap", "LEAST(n3, 20) AS n3", "n3 AS n3"),
    "cap by GREATEST": ("cap", "LEAST(n3, 20)", "GREATEST(n3, 20)"),
    "clamp of a sum dropped": (
        "cap",
        "CAST(LEAST(GREATEST(COALESCE(s0, 0), -200000), 20000000) AS BIGINT)",
        "COALESCE(s0, 0)",
    ),
    "clamp of a sum widened above": ("cap", "20000000)", "20000001)"),
    "clamp of a sum widened below": ("cap", "-200000)", "-20000001)"),
    "scaling dropped": ("cap", _S1, "COALESCE(s1, 0)"),
    "scaling only beyond more rows": ("cap", _S1, _S1.replace("n1 > 20", "n1 > 21")),
    "scaled to more rows": ("cap", _S1, _S1.replace("* 20", "* 21")),
    "scaled by another count": ("cap", _S1, _S1.replace("// n1", "// n3")),
    "scaling decided by another count": ("cap", _S1, _S1.replace("n1 > 20", "n3 > 20")),
    "scaled by division, not floored": ("cap", _S1, _S1.replace("//", "/")),
    "scaled by rounding": (
        "cap",
        _S1,
        "CASE WHEN n1 > 20 THEN ROUND(((COALESCE(s1, 0)) * 20) / n1) ELSE COALESCE(s1, 0) END",
    ),
    "one coordinate scaled, the other not": (
        "cap",
        "CASE WHEN n2 > 20 THEN ((COALESCE(q2, 0)) * 20) // n2 ELSE COALESCE(q2, 0) END",
        "COALESCE(q2, 0)",
    ),
    "one coordinate scaled to fewer rows": (
        "cap",
        "CASE WHEN n2 > 20 THEN ((COALESCE(q2, 0)) * 20) // n2 ELSE COALESCE(q2, 0) END",
        "CASE WHEN n2 > 10 THEN ((COALESCE(q2, 0)) * 10) // n2 ELSE COALESCE(q2, 0) END",
    ),
    "the unscaled branch is another sum": (
        "cap",
        _S1,
        _S1.replace("ELSE COALESCE(s1", "ELSE COALESCE(s2"),
    ),
    "middle coordinate without its factor": ("cap", "(2 * (46 *", "(1 * (46 *"),
    "middle coordinate beyond M": ("cap", "(46 * COALESCE(s2, 0)", "(47 * COALESCE(s2, 0)"),
    "square of another value": ("cap", "SUM(v2 * v2) AS q2", "SUM(v1 * v1) AS q2"),
    "square of two values": ("cap", "SUM(v2 * v2) AS q2", "SUM(v2 * v1) AS q2"),
    "count of another value": ("cap", "COUNT(v1) AS n1", "COUNT(v0) AS n1"),
    "counts all rows": ("cap", "COUNT(v1) AS n1", "COUNT(*) AS n1"),
    "sum of a float": ("cap", "SUM(v0) AS s0", "SUM(CAST(v0 AS DOUBLE)) AS s0"),
    "sum of distinct values": ("cap", "SUM(v0) AS s0", "SUM(DISTINCT v0) AS s0"),
    "count of distinct values": ("cap", "COUNT(v3) AS n3", "COUNT(DISTINCT v3) AS n3"),
    "cells without the unit": ("cap", "GROUP BY 1, 2) AS c", "GROUP BY 2) AS c"),
    "cells without a key": ("cap", "GROUP BY 1, 2) AS c", "GROUP BY 1) AS c"),
    "cells finer than the keys": (
        "cap",
        "AS n3 FROM (SELECT t1",
        'AS n3, t0."qty" AS extra FROM (SELECT t1',
    ),
    "cells filtered by other units": (
        "cap",
        "GROUP BY 1, 2) AS c",
        "GROUP BY 1, 2 HAVING COUNT(*) > 1) AS c",
    ),
    # ---- the group cap
    "group cap raised": ("cap", "WHERE rn <= 5", "WHERE rn <= 6"),
    "group cap dropped": ("cap", " WHERE rn <= 5", ""),
    "group cap from below": ("cap", "WHERE rn <= 5", "WHERE rn >= 5"),
    "group cap by OR": ("cap", "WHERE rn <= 5", "WHERE rn <= 5 OR k0 = 'd1'"),
    "group cap by a column": ("cap", "WHERE rn <= 5", "WHERE rn <= n3"),
    "ranked within keys": ("cap", "(PARTITION BY u ORDER", "(PARTITION BY k0 ORDER"),
    "ranked within unit and key": ("cap", "(PARTITION BY u ORDER", "(PARTITION BY u, k0 ORDER"),
    "ranked over all": ("cap", "(PARTITION BY u ORDER", "(ORDER"),
    "ranked without order": ("cap", _RN, "ROW_NUMBER() OVER (PARTITION BY u)"),
    "ranked with ties": ("cap", "AS UBIGINT))), k0)", "AS UBIGINT))))"),
    "ranked by data": ("cap", "AS UBIGINT))), k0)", "AS UBIGINT))), s0, k0)"),
    "ranked by chance": ("cap", "HASH(HASH(u, k0, CAST('7' AS UBIGINT)))", "RANDOM()"),
    "ranked by RANK": ("cap", "ROW_NUMBER()", "RANK()"),
    "ranked in a frame": ("cap", "k0) AS rn", "k0 ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS rn"),
    "kept by a hash": ("cap", "WHERE rn <= 5", "WHERE HASH(u, k0, CAST('7' AS UBIGINT)) <= 5"),
    "ranks replaced": ("cap", f"{_RN} AS rn", "1 AS rn"),
    # ---- weights
    "weight of a unit raised": ("weights", "1966080 //", "1966081 //"),
    "weight of a cell raised": ("weights", "1310720 //", "1310721 //"),
    "weight without the unit's cap": (
        "weights",
        _SHARE,
        "LEAST(65536, 1310720 // n)",
    ),
    "weight without the cell's cap": (
        "weights",
        _SHARE,
        "LEAST(65536, 1966080 // SUM(n) OVER (PARTITION BY u))",
    ),
    "weight over keys": (
        "weights",
        "SUM(n) OVER (PARTITION BY u)",
        "SUM(n) OVER (PARTITION BY k0)",
    ),
    "weight of a frame": (
        "weights",
        "SUM(n) OVER (PARTITION BY u)",
        "SUM(n) OVER (PARTITION BY u RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    ),
    "weight over all units": ("weights", "SUM(n) OVER (PARTITION BY u)", "SUM(n) OVER ()"),
    "weight of the cell alone": ("weights", "SUM(n) OVER (PARTITION BY u)", "n"),
    "weight by rows with a value": ("weights", "SUM(n) OVER", "SUM(n0) OVER"),
    "cell weight by rows with a value": ("weights", "1310720 // n)", "1310720 // n0)"),
    "weight running": (
        "weights",
        "SUM(n) OVER (PARTITION BY u)",
        "SUM(n) OVER (PARTITION BY u ORDER BY k0)",
    ),
    "weight counts": ("weights", "SUM(n) OVER (PARTITION BY u)", "COUNT(*) OVER (PARTITION BY u)"),
    "weight divides in floats": ("weights", "1966080 // SUM", "1966080 / SUM"),
    "weight is the greatest": ("weights", "LEAST(65536, 1966080", "GREATEST(65536, 1966080"),
    "weight negative": ("weights", "LEAST(65536,", "LEAST(-65536,"),
    "weight from another column": ("weights", "w * n2 AS n2", "n * n2 AS n2"),
    "weight dropped": ("weights", "w * n2 AS n2", "n2 AS n2"),
    "weight twice": ("weights", "w * n2 AS n2", "w * w * n2 AS n2"),
    "weight on one coordinate only": (
        "weights",
        "w * (COALESCE(q0, 0)) AS q0",
        "COALESCE(q0, 0) AS q0",
    ),
    "rows of a unit counted partly": ("weights", "COUNT(*) AS n,", "COUNT(v1) AS n,"),
    # ---- weights of a lone sum, by its size
    "size: weight of a unit raised": ("weights", "20132659200000 //", "20132659200001 //"),
    "size: weight of a cell raised": ("weights", "13421772800000 //", "13421772800001 //"),
    "size: weight without the unit's cap": ("weights", f"{_UNIT_SIZE}, ", ""),
    "size: weight without the cell's cap": ("weights", f", {_CELL_SIZE}", ""),
    "size: weight without W": ("weights", f"LEAST(65536, {_UNIT_SIZE}", f"LEAST({_UNIT_SIZE}"),
    "size: sizes of sums with their signs": (
        "weights",
        "SUM(ABS(COALESCE(s1, 0))) OVER",
        "SUM(COALESCE(s1, 0)) OVER",
    ),
    "size: size of the sum over cells": (
        "weights",
        "SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u)",
        "ABS(SUM(COALESCE(s1, 0)) OVER (PARTITION BY u))",
    ),
    "size: of a cell with its sign": (
        "weights",
        "GREATEST(ABS(COALESCE(s1, 0)), 1)",
        "GREATEST(COALESCE(s1, 0), 1)",
    ),
    "size: of another sum": (
        "weights",
        "SUM(ABS(COALESCE(s1, 0))) OVER",
        "SUM(ABS(COALESCE(q0, 0))) OVER",
    ),
    "size: of another sum's cell": (
        "weights",
        "GREATEST(ABS(COALESCE(s1, 0)), 1)",
        "GREATEST(ABS(COALESCE(s0, 0)), 1)",
    ),
    "size: over keys": (
        "weights",
        "SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u)",
        "SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY k0)",
    ),
    "size: running": (
        "weights",
        "SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u)",
        "SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u ORDER BY k0)",
    ),
    "size: largest cell of the unit": (
        "weights",
        "SUM(ABS(COALESCE(s1, 0))) OVER",
        "MAX(ABS(COALESCE(s1, 0))) OVER",
    ),
    "size: divided by 0": ("weights", "GREATEST(ABS(COALESCE(s1, 0)), 1)", "ABS(COALESCE(s1, 0))"),
    "size: divided by less": (
        "weights",
        "GREATEST(SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u), 1)",
        "LEAST(SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u), 1)",
    ),
    "size: NULL sums": ("weights", "SUM(ABS(COALESCE(s1, 0))) OVER", "SUM(ABS(s1)) OVER"),
    "size: by the rows' weight": ("weights", "w1 * COALESCE(s1, 0)", "w1 * w * COALESCE(s1, 0)"),
    "size: another sum weighed": ("weights", "w1 * COALESCE(s1, 0)", "w1 * COALESCE(s0, 0)"),
    "size: weight on a count": ("weights", "w * n2 AS n2", "w1 * n2 AS n2"),
    "size: weight dropped": ("weights", "w1 * COALESCE(s1, 0)", "COALESCE(s1, 0)"),
    "size: in floats": ("weights", "20132659200000 // GREATEST", "20132659200000 / GREATEST"),
}
