"""Statements that are given released values beside the text, as the rewriter writes them."""

from __future__ import annotations

from statements import Statement, _block, _make

from dpsql.certify import Claim

GIVEN = _make(
    """
SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
  COUNT(v0) AS n0 FROM (SELECT t0."person_id" AS u, CASE WHEN NOT t1."c1" IS NULL THEN 1 END AS v0
  FROM "main"."visits" AS t0 JOIN (SELECT UNNEST(CAST($given_0_c0 AS TEXT[])) AS c0,
    UNNEST(CAST($given_0_c1 AS BIGINT[])) AS c1) AS t1 ON t0."dept" = t1."c0"
  WHERE NOT t0."person_id" IS NULL AND t0."cost" > CAST($given_1 AS DOUBLE)
  AND NOT (t0."dept" IN (SELECT t2."c0" FROM (SELECT UNNEST(CAST($given_2_c0 AS TEXT[])) AS c0)
    AS t2))) AS r GROUP BY 1) AS c) AS b
""",
    Claim((), None, None, (_block(0, 1, 20),), 1),
)

UNIQUE = _make(
    """
SELECT COUNT(v0) AS b0_0 FROM (SELECT t0."id" AS u, 1 AS v0 FROM "main"."persons" AS t0
  JOIN (SELECT c0, MIN(c1) AS c1 FROM (SELECT UNNEST(CAST($given_0_c0 AS TEXT[])) AS c0,
    UNNEST(CAST($given_0_c1 AS DOUBLE[])) AS c1) AS g GROUP BY 1) AS t1 ON t0."city" = t1."c0"
  CROSS JOIN (SELECT MIN(c0) AS c0 FROM (SELECT UNNEST(CAST($given_1_c0 AS DOUBLE[])) AS c0) AS g
    HAVING COUNT(*) > 0) AS t2
  WHERE NOT t0."id" IS NULL AND t0."income" > t1."c1" AND t0."income" < t2."c0") AS b
""",
    Claim((), None, None, (_block(0, 1, 1),), 1),
)

VALUES = {
    "given_0_c0": ["x", "x", "y", None, "z", "B", "B"],
    "given_0_c1": [1, 2, None, 3, 4, 5, 6],
    "given_1": 0.5,
    "given_1_c0": [1e6, 2e6],
    "given_2_c0": ["q"],
}
"""What the statements are replayed with: keys come again, though releases have each once."""


def values(sql: str) -> dict[str, object]:
    """Those that the text has parameters for."""
    return {name: value for name, value in VALUES.items() if f"${name} " in sql}


CHAINS: dict[str, Statement] = {"given": GIVEN, "unique": UNIQUE}
