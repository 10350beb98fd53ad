"""Statements over rows of constants, as the rewriter writes them."""

from __future__ import annotations

from statements import Statement, _block, _make

from dpsql.certify import Claim

JOINED = _make(
    """
SELECT k0, COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, k0, LEAST(n0, 20) AS n0 FROM (SELECT u, k0,
  COUNT(v0) AS n0 FROM (SELECT t0."person_id" AS u, t1."c1" AS k0,
    CASE WHEN t1."c2" > 1 THEN 1 END AS v0
  FROM "main"."lab" AS t0 JOIN (VALUES (1, 3, CAST('1.5' AS DECIMAL(2, 1)), DATE '2020-01-01'),
    (2, -4, CAST('2.5' AS DECIMAL(2, 1)), NULL)) AS t1(c0, c1, c2, c3) ON t0."code" = t1."c0"
  WHERE NOT t0."person_id" IS NULL) AS r GROUP BY 1, 2) AS c) AS b GROUP BY 1
""",
    Claim(("k0",), None, None, (_block(0, 1, 20, 2),), 2),
)

LOOKED_UP = _make(
    """
SELECT COALESCE(SUM(v0), 0) AS b0_0, COUNT(v1) AS b1_0 FROM (SELECT t0."id" AS u,
  CASE WHEN NOT t1."c1" IS NULL THEN CAST(LEAST(GREATEST(t1."c1", 1), 7) AS BIGINT) END AS v0,
  1 AS v1
  FROM "main"."persons" AS t0 JOIN (VALUES ('B', 1, 'x'), ('M', 7, 'x')) AS t1(c0, c1, c2)
    ON t0."city" = t1."c0" WHERE NOT t0."id" IS NULL) AS b
""",
    Claim((), None, None, (_block(0, 1, 7), _block(1, 1, 1)), 1),
)

LISTED: dict[str, Statement] = {"listed": JOINED, "listed look-up": LOOKED_UP}
