"""Statements of histograms, and how they are broken: (statement, text, replacement) by name."""

from __future__ import annotations

from dataclasses import dataclass

from dpsql.certify import HistogramClaim


@dataclass(frozen=True)
class Statement:
    sql: str
    claim: HistogramClaim


def _line(text: str) -> str:
    return " ".join(text.split())


_AGE = """CASE WHEN NOT t0."age" IS NULL THEN CAST(CASE WHEN t0."age" < 0 THEN 0
    WHEN t0."age" > 120 THEN 120 ELSE t0."age" END AS BIGINT) END"""
_QTY = """CASE WHEN NOT t0."qty" IS NULL THEN CAST(CASE WHEN t0."qty" < 0 THEN 0
    WHEN t0."qty" > 50 THEN 50 ELSE t0."qty" END AS BIGINT) END"""
_PRICE = """CASE WHEN NOT t0."price" IS NULL THEN CAST(CAST(CASE
    WHEN t0."price" < CAST('-10.000' AS DECIMAL(22, 3)) THEN CAST('-10.000' AS DECIMAL(22, 3))
    WHEN t0."price" > CAST('1000.000' AS DECIMAL(22, 3)) THEN CAST('1000.000' AS DECIMAL(22, 3))
    ELSE t0."price" END AS DECIMAL(22, 3)) * CAST(1000 AS DECIMAL(19, 0)) AS BIGINT) + 10000 END"""
_RX = """FROM "main"."rx" AS t0 JOIN "main"."visits" AS t1 ON t0."visit_id" = t1."visit_id"
    WHERE NOT t1."person_id" IS NULL"""
_SHARE = "CASE WHEN n > 20 THEN 1310720 // n ELSE 65536 END"
_RN = """DENSE_RANK() OVER (PARTITION BY u
    ORDER BY HASH(HASH(u, k0, CAST('7' AS UBIGINT))), k0) AS rn"""

ROW = Statement(
    _line(f"""SELECT k0, bin, COUNT(*) AS weight FROM (SELECT u, k0, v AS bin FROM
    (SELECT t0."id" AS u, t0."sex" AS k0, {_AGE} AS v FROM "main"."persons" AS t0
    WHERE NOT t0."id" IS NULL) AS r WHERE k0 IN ('f', 'm') AND NOT v IS NULL) AS b
    GROUP BY 1, 2"""),
    HistogramClaim(("k0",), "bin", "weight", bins=121, most=1, groups=1, cells=2),
)
CAP = Statement(
    _line(f"""SELECT k0, bin, COALESCE(SUM(w), 0) AS weight FROM
    (SELECT u, k0, bin, {_SHARE} * c AS w FROM
    (SELECT *, SUM(c) OVER (PARTITION BY u, k0) AS n, {_RN} FROM
    (SELECT u, k0, bin, COUNT(*) AS c FROM (SELECT u, k0, v AS bin FROM
    (SELECT t1."person_id" AS u, t0."drug" AS k0, {_QTY} AS v {_RX}) AS r WHERE NOT v IS NULL)
    AS d GROUP BY 1, 2, 3) AS p) AS k WHERE rn <= 5) AS b GROUP BY 1, 2"""),
    HistogramClaim(("k0",), "bin", "weight", bins=51, most=1310720, groups=5, cells=None),
)
ONE = Statement(
    _line(f"""SELECT bin, COALESCE(SUM(w), 0) AS weight FROM (SELECT u, bin, {_SHARE} * c AS w FROM
    (SELECT *, SUM(c) OVER (PARTITION BY u) AS n FROM (SELECT u, bin, COUNT(*) AS c FROM
    (SELECT u, (v + 10) // 20 AS bin FROM (SELECT t1."person_id" AS u, {_PRICE} AS v {_RX}) AS r
    WHERE NOT v IS NULL) AS d GROUP BY 1, 2) AS p) AS k) AS b GROUP BY 1"""),
    HistogramClaim((), "bin", "weight", bins=50501, most=1310720, groups=1, cells=1),
)
STATEMENTS = {"row": ROW, "cap": CAP, "one": ONE}

_TOTAL = "SUM(c) OVER (PARTITION BY u, k0)"
MUTATIONS: dict[str, tuple[str, str, str]] = {
    # ---- bins
    "clamp dropped": ("row", "THEN 120 ELSE", "THEN 999 ELSE"),
    "clamp wider": ("row", '> 120 THEN 120', '> 121 THEN 121'),
    "clamp to negative bins": ("row", '< 0 THEN 0', '< -1 THEN -1'),
    "no clamp": ("row", _line(_AGE), 't0."age"'),
    "step smaller": ("one", "// 20", "// 19"),
    "step dropped": ("one", "(v + 10) // 20", "v"),
    "rounded further up": ("one", "v + 10", "v + 40"),
    "bin of another column": ("cap", "v AS bin", "k0 AS bin"),
    # ---- weights
    "row weighs more": ("cap", "ELSE 65536", "ELSE 65537"),
    "share larger": ("cap", "1310720 // n", "1310721 // n"),
    "more rows count": ("cap", "n > 20", "n > 21"),
    "no share": ("cap", f"{_SHARE} * c", "65536 * c"),
    "share turned round": ("cap", "n > 20", "n < 20"),
    "share of the bin's rows alone": ("cap", _TOTAL, "SUM(c) OVER (PARTITION BY u, k0, bin)"),
    "share of a running count": ("cap", _TOTAL, "SUM(c) OVER (PARTITION BY u, k0 ORDER BY bin)"),
    "share over all units": ("cap", _TOTAL, "SUM(c) OVER (PARTITION BY k0)"),
    "share of another number": ("cap", _TOTAL, "SUM(bin) OVER (PARTITION BY u, k0)"),
    "share of the number of bins": ("cap", _TOTAL, "COUNT(*) OVER (PARTITION BY u, k0)"),
    "divided by another number": ("cap", "1310720 // n", "1310720 // c"),
    "weight times bin": ("cap", "END * c", "END * bin"),
    "weight twice": ("cap", "END * c", "END * c * 2"),
    "negative share": ("cap", "ELSE 65536", "ELSE -65536"),
    "counts of values": ("cap", "COUNT(*) AS c", "SUM(bin) AS c"),
    "totals of squares": ("cap", "SUM(w)", "SUM(w * w)"),
    "totals of rows": ("cap", "COALESCE(SUM(w), 0)", "COUNT(*)"),
    "greatest weight": ("cap", "SUM(w)", "MAX(w)"),
    "empty sum is something": ("cap", "COALESCE(SUM(w), 0)", "COALESCE(SUM(w), 9)"),
    # ---- groups
    "one more group": ("cap", "rn <= 5", "rn <= 6"),
    "no cap": ("cap", " WHERE rn <= 5", ""),
    "cap on rows instead": ("cap", "rn <= 5", "c <= 5"),
    "cap on rows as well": ("cap", "rn <= 5", "rn <= 5 AND c <= 5"),
    "rank over all units": ("cap", "OVER (PARTITION BY u ORDER", "OVER (ORDER"),
    "rank within groups": ("cap", "OVER (PARTITION BY u ORDER", "OVER (PARTITION BY u, k0 ORDER"),
    "rank without the key": ("cap", "AS UBIGINT))), k0)", "AS UBIGINT))))"),
    "rank by rows": ("cap", "ORDER BY HASH(", "ORDER BY c, HASH("),
    "rank by the bin": ("cap", "HASH(u, k0,", "HASH(u, bin,"),
    "rows numbered": ("cap", "DENSE_RANK()", "RANK()"),
    "rows of other groups dropped before": (
        "cap", ") AS p)", ") AS p WHERE bin > 3)",
    ),
    # ---- units
    "unit's presence unchecked": ("cap", 'WHERE NOT t1."person_id" IS NULL', "WHERE TRUE"),
    "another unit": ("cap", 't1."person_id" AS u', 't0."visit_id" AS u'),
    "units merged": ("cap", "SELECT u, k0, bin, COUNT(*)", "SELECT 1 AS u, k0, bin, COUNT(*)"),
    "counted without the unit": (
        "cap", "SELECT u, k0, bin, COUNT(*) AS c", "SELECT k0, bin, COUNT(*) AS c",
    ),
    "counted by less": ("cap", "GROUP BY 1, 2, 3", "GROUP BY 1, 2"),
    "many rows of a unit": ("row", '"main"."persons" AS t0', '"main"."visits" AS t0'),
    "rows of a join": ("row", 'AS t0 WHERE', 'AS t0 CROSS JOIN "main"."aliases" AS t1 WHERE'),
    # ---- outputs
    "another output": ("row", "COUNT(*) AS weight", "COUNT(*) AS weight, COUNT(*) AS more"),
    "bins merged": ("row", "GROUP BY 1, 2", "GROUP BY 1"),
    "bins chosen by weight": ("row", "GROUP BY 1, 2", "GROUP BY 1, 2 HAVING COUNT(*) > 3"),
    "bins shifted": ("row", "SELECT k0, bin,", "SELECT k0, bin + 1 AS bin,"),
    "key of a float": ("row", 't0."sex" AS k0', 't0."income" AS k0'),
    "hidden key": ("row", 't0."sex" AS k0', 't0."secret" AS k0'),
    "distinct weights": ("cap", "SUM(w)", "SUM(DISTINCT w)"),
}  # fmt: skip
