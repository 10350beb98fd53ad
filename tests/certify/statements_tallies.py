"""Statements that count rows by class: from rows, over capped cells, and weighted."""

from __future__ import annotations

_CLASS = """CASE WHEN (t0."sex" = 'f') THEN 1 WHEN (t0."age" < 30) THEN 2 ELSE 0 END AS v0"""

ROWS = f"""
SELECT CAST(1 AS INT128) * COUNT(v0) - COALESCE(SUM(CASE WHEN v0 = 1 THEN 1 ELSE 0 END), 0)
  - COALESCE(SUM(CASE WHEN v0 = 2 THEN 1 ELSE 0 END), 0) AS b0_0,
  COALESCE(SUM(CASE WHEN v0 = 1 THEN 1 ELSE 0 END), 0) AS b0_1,
  COALESCE(SUM(CASE WHEN v0 = 2 THEN 1 ELSE 0 END), 0) AS b0_2
FROM (SELECT t0."id" AS u, {_CLASS} FROM "main"."persons" AS t0 WHERE NOT t0."id" IS NULL) AS b
"""

_CODES = """CASE WHEN (t0."code" = 3) THEN 1 WHEN (t0."code" = 4) THEN 2 ELSE 0 END AS v0"""
_OUT = """CAST(64 AS INT128) * COALESCE(SUM(n0), 0) - COALESCE(SUM(p0_1), 0)
  - COALESCE(SUM(p0_2), 0) AS b0_0, COALESCE(SUM(p0_1), 0) AS b0_1,
  COALESCE(SUM(p0_2), 0) AS b0_2"""
_CELLS = """COUNT(v0) AS n0, SUM(CASE WHEN v0 = 1 THEN 64 ELSE 0 END) AS p0_1,
  SUM(CASE WHEN v0 = 2 THEN 64 ELSE 0 END) AS p0_2"""
_FROM = f"""FROM (SELECT t0."person_id" AS u, {_CODES} FROM "main"."lab" AS t0
  WHERE NOT t0."person_id" IS NULL) AS r GROUP BY 1"""


def _scaled(at: int) -> str:
    whole = f"COALESCE(p0_{at}, 0)"
    share = f"CASE WHEN n0 > 20 THEN (({whole}) * 20) // n0 ELSE {whole} END"
    return f"CAST({share} AS BIGINT) AS p0_{at}"


CAPPED = f"""
SELECT {_OUT} FROM (SELECT u, LEAST(n0, 20) AS n0, {_scaled(1)}, {_scaled(2)}
FROM (SELECT u, {_CELLS} {_FROM}) AS c) AS b
"""

WEIGHTED = f"""
SELECT k0, {_OUT} FROM (SELECT u, k0, w * n0 AS n0, w * COALESCE(p0_1, 0) AS p0_1,
  w * COALESCE(p0_2, 0) AS p0_2 FROM (SELECT *, CAST(LEAST(65536,
  1310720 // SUM(n) OVER (PARTITION BY u), 983040 // n) AS BIGINT) AS w
FROM (SELECT u, k0, COUNT(*) AS n, {_CELLS}
FROM (SELECT u, k0, v0 FROM (SELECT t0."person_id" AS u,
  CASE WHEN t0."code" = 3 THEN 0 WHEN t0."code" = 4 THEN 1 END AS k0, {_CODES}
  FROM "main"."lab" AS t0 WHERE NOT t0."person_id" IS NULL) AS r WHERE NOT k0 IS NULL) AS r
GROUP BY 1, 2) AS c) AS w) AS b GROUP BY 1
"""
