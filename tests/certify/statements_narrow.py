"""Decimals computed in 64 bits where they fit, else in full."""

from __future__ import annotations

from statements import Statement, _block, _make

from dpsql.certify import Claim

NARROW = _make(
    """
SELECT COALESCE(SUM(v0), 0) AS b0_0 FROM (SELECT t0."id" AS u,
  CASE WHEN (TRY_CAST(t0."wage" AS DECIMAL(6, 2)) * CAST('2' AS DECIMAL(1, 0)))
    BETWEEN CAST('0.00' AS DECIMAL(18, 2)) AND CAST('5000.00' AS DECIMAL(18, 2))
  THEN CAST((TRY_CAST(t0."wage" AS DECIMAL(6, 2)) * CAST('2' AS DECIMAL(1, 0)))
    * CAST(100 AS DECIMAL(3, 0)) AS BIGINT) - 7
  ELSE CASE WHEN NOT t0."wage" IS NULL THEN CAST(CAST(LEAST(GREATEST(t0."wage",
    CAST('0.00' AS DECIMAL(21, 2))), CAST('4000.00' AS DECIMAL(21, 2))) AS DECIMAL(21, 2))
    * CAST(100 AS DECIMAL(19, 0)) AS BIGINT) END END AS v0
  FROM "main"."persons" AS t0 WHERE NOT t0."id" IS NULL) AS b
""",
    Claim((), None, None, (_block(0, 1, 499_993),), 1),
)

NARROW_STATEMENTS: dict[str, Statement] = {"narrow": NARROW}
