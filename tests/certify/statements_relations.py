"""Statements over further relations, as the rewriter writes them."""

from __future__ import annotations

from statements import Statement, _block, _make

from dpsql.certify import Claim

ONE_SUM = Claim((), None, None, (_block(0, 1, 20),), 1)

ANTI = _make(
    """
SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
  COUNT(v0) AS n0 FROM (SELECT t0."person_id" AS u, 1 AS v0 FROM "main"."visits" AS t0
  WHERE NOT t0."person_id" IS NULL
  AND NOT (t0."person_id" IN (SELECT t1."person_id" FROM "main"."lab" AS t1
    WHERE NOT t1."person_id" IS NULL AND t1."code" = 3))
  AND t0."dept" IN (SELECT t2."alias" FROM "main"."aliases" AS t2 WHERE t2."city" = 'B')
  AND (t0."dept" IS NULL OR NOT (t0."dept" IN (SELECT t3."city" FROM "main"."regions" AS t3
    WHERE NOT t3."city" IS NULL)))) AS r GROUP BY 1) AS c) AS b
""",
    ONE_SUM,
)

RELATIONS: dict[str, Statement] = {"anti": ANTI}
