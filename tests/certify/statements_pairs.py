"""Statements over two values at once: the tensor basis from rows, and over capped cells."""

from __future__ import annotations

_AGE = """CASE WHEN NOT t0."age" IS NULL THEN CAST(CASE WHEN t0."age" < 0 THEN 0
WHEN t0."age" > 120 THEN 120 ELSE t0."age" END AS BIGINT) END AS v0"""
_WAGE = """CASE WHEN NOT t0."wage" IS NULL THEN CAST(CAST(CASE
WHEN t0."wage" < CAST('0.00' AS DECIMAL(21, 2)) THEN CAST('0.00' AS DECIMAL(21, 2))
WHEN t0."wage" > CAST('5000.00' AS DECIMAL(21, 2)) THEN CAST('5000.00' AS DECIMAL(21, 2))
ELSE t0."wage" END AS DECIMAL(21, 2)) * CAST(100 AS DECIMAL(19, 0)) AS BIGINT) END AS y0"""

COVARIANCE = f"""
SELECT CAST(60000000 AS INT128) * COUNT(v0 * y0) - COALESCE(SUM((120 - v0) * y0), 0)
    - COALESCE(SUM(v0 * (500000 - y0)), 0) - COALESCE(SUM(v0 * y0), 0) AS b0_0,
  COALESCE(SUM((120 - v0) * y0), 0) AS b0_1, COALESCE(SUM(v0 * (500000 - y0)), 0) AS b0_2,
  COALESCE(SUM(v0 * y0), 0) AS b0_3
FROM (SELECT t0."id" AS u, {_AGE}, {_WAGE} FROM "main"."persons" AS t0
  WHERE NOT t0."id" IS NULL) AS b
"""


def _scaled(at: int) -> str:
    whole = f"COALESCE(p0_{at}, 0)"
    share = f"CASE WHEN n0 > 20 THEN (({whole}) * 20) // n0 ELSE {whole} END"
    return f"CAST({share} AS BIGINT) AS p0_{at}"


_SUMS = " ".join(f"- COALESCE(SUM(p0_{at}), 0)" for at in range(1, 6))
_OUT = ", ".join(f"COALESCE(SUM(p0_{at}), 0) AS b0_{at}" for at in range(1, 6))
_CELLS = ", ".join(map(_scaled, range(1, 6)))

SLOPE = f"""
SELECT CAST(2500 AS INT128) * COALESCE(SUM(n0), 0) {_SUMS} AS b0_0, {_OUT}
FROM (SELECT u, LEAST(n0, 20) AS n0, {_CELLS}
FROM (SELECT u, COUNT(v0 * y0) AS n0, SUM((1 - v0) * 2 * y0 * (50 - y0)) AS p0_1,
  SUM((1 - v0) * y0 * y0) AS p0_2, SUM(v0 * (50 - y0) * (50 - y0)) AS p0_3,
  SUM(v0 * 2 * y0 * (50 - y0)) AS p0_4, SUM(v0 * y0 * y0) AS p0_5
FROM (SELECT t1."person_id" AS u,
  CASE WHEN NOT t0."qty" IS NULL THEN CAST(LEAST(GREATEST(t0."qty", 4), 5) AS BIGINT) - 4 END AS v0,
  CASE WHEN NOT t0."qty" IS NULL THEN CAST(LEAST(GREATEST(t0."qty", 0), 50) AS BIGINT) END AS y0
  FROM "main"."rx" AS t0 JOIN "main"."visits" AS t1 ON t0."visit_id" = t1."visit_id"
  WHERE NOT t1."person_id" IS NULL) AS r GROUP BY 1) AS c) AS b
"""
