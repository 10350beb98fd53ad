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

FIXED = _make(
    """
SELECT COALESCE(SUM(v0), 0) AS b0_0, COUNT(v1) AS b1_0 FROM (SELECT t0."u" AS u,
  CASE WHEN ISFINITE(CAST(t0."a0" AS DOUBLE) * 2.9103830456733704e-11)
    THEN CAST(LEAST(GREATEST(CAST(t0."a0" AS DOUBLE) * 2.9103830456733704e-11,
    CAST('0.0' AS DOUBLE)), CAST('12000.0' AS DOUBLE)) * CAST('1024.0' AS DOUBLE) AS BIGINT)
    END AS v0,
  CASE WHEN t0."a1" > 3.5 AND t0."a2" < 7e0 THEN 1 END AS v1
  FROM (SELECT t1."person_id" AS u, SUM(CASE WHEN ISFINITE(t1."value")
      THEN CAST(LEAST(GREATEST(t1."value", CAST('0.0' AS DOUBLE)), CAST('300.0' AS DOUBLE))
      * CAST('34359738368.0' AS DOUBLE) AS BIGINT) END) AS a0,
    SUM(CAST(t1."code" AS DECIMAL(18, 2))) AS a1,
    MAX(CASE WHEN ISFINITE(t1."value") THEN t1."value" + 0.0 END) AS a2
    FROM "main"."lab" AS t1 WHERE NOT t1."person_id" IS NULL GROUP BY 1) AS t0
  WHERE NOT t0."u" IS NULL) AS b
""",
    Claim((), None, None, (_block(0, 1, 12_288_000), _block(1, 1, 1)), 1),
)

UNION = _make(
    """
SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
  COUNT(v0) AS n0 FROM (SELECT t0."u" AS u, CASE WHEN NOT t0."c0" IS NULL THEN 1 END AS v0
  FROM (SELECT t1."person_id" AS u, t1."code" AS c0 FROM "main"."lab" AS t1
      WHERE NOT t1."person_id" IS NULL
    UNION ALL SELECT t2."id" AS u, t2."age" AS c0 FROM "main"."persons" AS t2
      WHERE NOT t2."id" IS NULL AND t2."ok") AS t0
  WHERE NOT t0."u" IS NULL) AS r GROUP BY 1) AS c) AS b
""",
    ONE_SUM,
)

FULL = _make(
    """
SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
  COUNT(v0) AS n0 FROM (SELECT t0."u" AS u, CASE WHEN t0."c0" THEN 1 END AS v0
  FROM (SELECT t1."id" AS u, NOT t2."person_id" IS NULL AS c0, t1."age" AS c1
      FROM "main"."persons" AS t1 LEFT JOIN "main"."lab" AS t2 ON t2."person_id" = t1."id"
      WHERE NOT t1."id" IS NULL
    UNION ALL SELECT t3."person_id" AS u, TRUE AS c0, NULL AS c1 FROM "main"."lab" AS t3
      WHERE NOT t3."person_id" IS NULL AND NOT (t3."person_id" IN (SELECT t4."id"
        FROM "main"."persons" AS t4 WHERE NOT t4."id" IS NULL))) AS t0
  WHERE NOT t0."u" IS NULL) AS r GROUP BY 1) AS c) AS b
""",
    ONE_SUM,
)

RELATIONS: dict[str, Statement] = {"anti": ANTI, "fixed": FIXED, "union": UNION, "full": FULL}
