"""Statements whose bounded cells meet sources of one row a unit."""

from __future__ import annotations

from statements import Statement, _block, _make

from dpsql.certify import BlockClaim, Claim

LATE = _make(
    """
SELECT k0, COUNT(*) AS units, COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT a.u AS u,
  t2."region" AS k0, a.n0 AS n0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
    COUNT(*) AS n0 FROM (SELECT t0."person_id" AS u FROM "main"."visits" AS t0
    WHERE NOT t0."person_id" IS NULL) AS r GROUP BY 1) AS c) AS a
  JOIN "main"."persons" AS t1 ON t1."id" = a."u"
  JOIN "main"."regions" AS t2 ON t1."city" = t2."city" WHERE NOT a.u IS NULL) AS b GROUP BY 1
""",
    Claim(("k0",), "units", 1, (_block(0, 1, 20),), None),
)

LATE_CAPPED = _make(
    """
SELECT k0, k1, COUNT(*) AS units, COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT a.u AS u,
  t1."city" AS k0, a.k1 AS k1, a.n0 AS n0 FROM (SELECT u, k1, n0 FROM (SELECT *,
    ROW_NUMBER() OVER (PARTITION BY u ORDER BY HASH(HASH(u, k1, CAST('7' AS UBIGINT))), k1) AS rn
    FROM (SELECT u, k1, LEAST(n0, 20) AS n0 FROM (SELECT u, k1, COUNT(*) AS n0
    FROM (SELECT t0."person_id" AS u, t0."dept" AS k1 FROM "main"."visits" AS t0
    WHERE NOT t0."person_id" IS NULL) AS r GROUP BY 1, 2) AS c) AS p) AS k WHERE rn <= 2) AS a
  JOIN "main"."persons" AS t1 ON t1."id" = a."u" WHERE NOT a.u IS NULL) AS b GROUP BY 1, 2
""",
    Claim(("k0", "k1"), "units", 2, (BlockClaim(("b0_0",), 20, 2, 40, 800),), None),
)

LATE_STATEMENTS: dict[str, Statement] = {"late": LATE, "late capped": LATE_CAPPED}
