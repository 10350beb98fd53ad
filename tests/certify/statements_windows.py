"""Statements with windows over the rows of a unit, as the rewriter writes them."""

from __future__ import annotations

from statements import Statement, _block, _make

from dpsql.certify import Claim

ONE_SUM = Claim((), None, None, (_block(0, 1, 20),), 1)

SEVERAL = _make(
    """
SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
  COUNT(v0) AS n0 FROM (SELECT t0."u" AS u, CASE WHEN NOT t0."w1" IS NULL THEN 1 END AS v0
  FROM (SELECT u, c0, c1,
    ROW_NUMBER() OVER (PARTITION BY u, c0 ORDER BY c1 DESC, place) AS w0,
    LAG(c1, 2, 0e0) OVER (PARTITION BY u ORDER BY c0, place) AS w1,
    SUM(xw2) OVER (PARTITION BY u ORDER BY c1) AS w2,
    NTILE(4) OVER (PARTITION BY u ORDER BY c0, place) AS w3,
    PERCENT_RANK() OVER (PARTITION BY u ORDER BY c0) AS w4,
    LAST_VALUE(c0) OVER (PARTITION BY u ORDER BY c1, place
      RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS w5
    FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY u ORDER BY c0, c1, xw2) AS place
      FROM (SELECT t1."person_id" AS u, t1."code" AS c0,
        CASE WHEN ISFINITE(t1."value") THEN t1."value" + 0.0 END AS c1,
        CAST(t1."code" AS BIGINT) AS xw2
        FROM "main"."lab" AS t1 WHERE NOT t1."person_id" IS NULL) AS p) AS s) AS t0
  WHERE NOT t0."u" IS NULL AND t0."w0" = 1 AND t0."w2" > 3 AND t0."w3" < 3 AND t0."w4" < 5e-1
    AND t0."w5" > 1) AS r GROUP BY 1) AS c) AS b
""",
    ONE_SUM,
)

FRAMED = _make(
    """
SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
  COUNT(v0) AS n0 FROM (SELECT t0."u" AS u, CASE WHEN NOT t0."w0" IS NULL THEN 1 END AS v0
  FROM (SELECT u, c0, c1,
    SUM(xw0) OVER (PARTITION BY u ORDER BY c0 DESC, c1, xw0
      ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS w0
    FROM (SELECT t1."person_id" AS u, t1."code" AS c0, t1."lab_id" AS c1,
        CAST(t1."code" AS BIGINT) AS xw0
        FROM "main"."lab" AS t1 WHERE NOT t1."person_id" IS NULL) AS s) AS t0
  WHERE NOT t0."u" IS NULL AND t0."w0" > 3) AS r GROUP BY 1) AS c) AS b
""",
    ONE_SUM,
)

WINDOWS: dict[str, Statement] = {"windows": SEVERAL, "framed": FRAMED}
