"""Bounded statements as the rewriter writes them, with claims that hold exactly.

They are kept as text so that mutations of them stay what they are when the rewriter changes; that
today's rewriter is accepted is tested apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import statements_pairs
import statements_tallies

from dpsql.certify import BlockClaim, Claim

INCOME = """CAST(CASE WHEN t0."income" < CAST('0.0' AS DOUBLE) THEN CAST('0.0' AS DOUBLE)
WHEN t0."income" > CAST('1000000.0' AS DOUBLE) THEN CAST('1000000.0' AS DOUBLE)
ELSE t0."income" END * CAST('16.0' AS DOUBLE) AS BIGINT)"""
WAGE = """CAST(CAST(LEAST(GREATEST(t0."wage", CAST('-1.00' AS DECIMAL(21, 2))),
CAST('5000.00' AS DECIMAL(21, 2))) AS DECIMAL(21, 2)) * CAST(100 AS DECIMAL(19, 0)) AS BIGINT)"""


@dataclass(frozen=True)
class Statement:
    """`sql` on one line, so that mutations need not care for line breaks."""

    sql: str
    claim: Claim


Mutation = tuple[str, str, str]
"""Name of a statement, a text in it, what it is replaced by."""


def _make(text: str, claim: Claim) -> Statement:
    return Statement(" ".join(text.split()), claim)


def _block(index: int, size: int, linf: int, l0: int = 1) -> BlockClaim:
    columns = tuple(f"b{index}_{i}" for i in range(size))
    return BlockClaim(columns, linf, l0, l0 * linf, l0 * linf * linf)


ROW = _make(
    f"""
SELECT k0, CAST(16000000 AS INT128) * COUNT(v0) - COALESCE(SUM(v0), 0) AS b0_0,
  COALESCE(SUM(v0), 0) AS b0_1, COALESCE(SUM(v1), 0) AS b1_0,
  CAST(14400 AS INT128) * COUNT(v2) - COALESCE(SUM(2 * v2 * (120 - v2)), 0)
    - COALESCE(SUM(v2 * v2), 0) AS b2_0,
  COALESCE(SUM(2 * v2 * (120 - v2)), 0) AS b2_1, COALESCE(SUM(v2 * v2), 0) AS b2_2,
  COUNT(v3) AS b3_0
FROM (SELECT u, k0, v0, v1, v2, v3 FROM (SELECT t0."id" AS u,
  CASE WHEN t0."sex" = 'f' THEN 0 WHEN t0."sex" = 'm' THEN 1 END AS k0,
  CASE WHEN ISFINITE(t0."income") THEN {INCOME} END AS v0,
  CASE WHEN NOT t0."wage" IS NULL THEN {WAGE} END AS v1,
  CASE WHEN NOT t0."age" IS NULL THEN CAST(CASE WHEN t0."age" < 0 THEN 0
    WHEN t0."age" > 120 THEN 120 ELSE t0."age" END AS BIGINT) END AS v2,
  1 AS v3
  FROM "main"."persons" AS t0 WHERE NOT t0."id" IS NULL) AS r WHERE NOT k0 IS NULL) AS b GROUP BY 1
""",
    Claim(
        ("k0",),
        None,
        None,
        (
            _block(0, 2, 16_000_000),
            _block(1, 1, 500_000),
            _block(2, 3, 14_400),
            _block(3, 1, 1),
        ),
        2,
    ),
)

CAP = _make(
    """
SELECT k0, COUNT(*) AS units, COALESCE(SUM(s0), 0) AS b0_0,
  CAST(50 AS INT128) * COALESCE(SUM(n1), 0) - COALESCE(SUM(s1), 0) AS b1_0,
  COALESCE(SUM(s1), 0) AS b1_1,
  CAST(2116 AS INT128) * COALESCE(SUM(n2), 0) - COALESCE(SUM(s2), 0) - COALESCE(SUM(q2), 0)
    AS b2_0,
  COALESCE(SUM(s2), 0) AS b2_1, COALESCE(SUM(q2), 0) AS b2_2, COALESCE(SUM(n3), 0) AS b3_0
FROM (SELECT u, k0, s0, n1, s1, n2, s2, q2, n3 FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY u
  ORDER BY HASH(HASH(u, k0, CAST('7' AS UBIGINT))), k0) AS rn FROM (SELECT u, k0,
  CAST(LEAST(GREATEST(COALESCE(s0, 0), -200000), 20000000) AS BIGINT) AS s0,
  LEAST(n1, 20) AS n1,
  CAST(CASE WHEN n1 > 20 THEN ((COALESCE(s1, 0)) * 20) // n1 ELSE COALESCE(s1, 0) END AS BIGINT)
    AS s1,
  LEAST(n2, 20) AS n2,
  CAST(CASE WHEN n2 > 20 THEN ((2 * (46 * COALESCE(s2, 0) - COALESCE(q2, 0))) * 20) // n2
    ELSE 2 * (46 * COALESCE(s2, 0) - COALESCE(q2, 0)) END AS BIGINT) AS s2,
  CAST(CASE WHEN n2 > 20 THEN ((COALESCE(q2, 0)) * 20) // n2 ELSE COALESCE(q2, 0) END AS BIGINT)
    AS q2,
  LEAST(n3, 20) AS n3
FROM (SELECT u, k0, SUM(v0) AS s0, COUNT(v1) AS n1, SUM(v1) AS s1, COUNT(v2) AS n2, SUM(v2) AS s2,
  SUM(v2 * v2) AS q2, COUNT(v3) AS n3 FROM (SELECT t1."person_id" AS u, t0."drug" AS k0,
  CASE WHEN NOT t0."price" IS NULL THEN CAST(CAST(LEAST(GREATEST(t0."price",
    CAST('-10.000' AS DECIMAL(22, 3))), CAST('1000.000' AS DECIMAL(22, 3))) AS DECIMAL(22, 3))
    * CAST(1000 AS DECIMAL(19, 0)) AS BIGINT) END AS v0,
  CASE WHEN NOT t0."qty" IS NULL THEN CAST(LEAST(GREATEST(t0."qty", 0), 50) AS BIGINT) END AS v1,
  CASE WHEN (t0."qty" > 3) AND NOT t0."qty" IS NULL
    THEN CAST(LEAST(GREATEST(t0."qty", 4), 50) AS BIGINT) - 4 END AS v2,
  CASE WHEN (t0."qty" > 5) THEN 1 END AS v3
FROM "main"."rx" AS t0 JOIN "main"."visits" AS t1 ON t0."visit_id" = t1."visit_id"
  JOIN "main"."visits" AS t2 ON t0."visit_id" = t2."visit_id" AND t2."person_id" = t1."person_id"
  WHERE NOT t1."person_id" IS NULL) AS r GROUP BY 1, 2) AS c) AS p) AS k WHERE rn <= 5) AS b
GROUP BY 1
""",
    Claim(
        ("k0",),
        "units",
        5,
        (
            _block(0, 1, 20_000_000, 5),
            _block(1, 2, 1_000, 5),
            _block(2, 3, 42_320, 5),
            _block(3, 1, 20, 5),
        ),
        None,
    ),
)

_COST = """CAST(LEAST(GREATEST(t0."cost", CAST('-50.0' AS DOUBLE)), CAST('5000.0' AS DOUBLE))
* CAST('2048.0' AS DOUBLE) AS BIGINT)"""
_W, _C, _M = 2**16, 30, 20


def _weighed(index: int, size: int, row: int) -> BlockClaim:
    """A unit's rows weigh W·C in all, W·m in a group: one full group and half a one."""
    columns = tuple(f"b{index}_{i}" for i in range(size))
    unit = _W * row
    return BlockClaim(columns, _M * unit, 4, _C * unit, (_M**2 + (_C - _M) ** 2) * unit**2)


WEIGHTS = _make(
    f"""
SELECT k0, CAST(106965237760000 AS INT128) * COALESCE(SUM(n0), 0) - COALESCE(SUM(s0), 0)
    - COALESCE(SUM(q0), 0) AS b0_0,
  COALESCE(SUM(s0), 0) AS b0_1, COALESCE(SUM(q0), 0) AS b0_2, COALESCE(SUM(s1), 0) AS b1_0,
  COALESCE(SUM(n2), 0) AS b2_0
FROM (SELECT u, k0, w * n0 AS n0,
  w * (2 * (10342400 * COALESCE(s0, 0) - COALESCE(q0, 0))) AS s0,
  w * (COALESCE(q0, 0)) AS q0, w1 * COALESCE(s1, 0) AS s1, w * n2 AS n2
FROM (SELECT *, CAST(LEAST(65536, 1966080 // SUM(n) OVER (PARTITION BY u), 1310720 // n) AS BIGINT)
  AS w, CAST(LEAST(65536,
  20132659200000 // GREATEST(SUM(ABS(COALESCE(s1, 0))) OVER (PARTITION BY u), 1),
  13421772800000 // GREATEST(ABS(COALESCE(s1, 0)), 1)) AS BIGINT) AS w1
FROM (SELECT u, k0, COUNT(*) AS n, COUNT(v0) AS n0, SUM(v0) AS s0, SUM(v0 * v0) AS q0,
  SUM(v1) AS s1, COUNT(v2) AS n2
FROM (SELECT u, k0, v0, v1, v2 FROM (SELECT t0."person_id" AS u, CASE WHEN t0."dept" = 'x' THEN 0
  WHEN t0."dept" = 'y' THEN 1 WHEN t0."dept" = 'z' THEN 2 WHEN t0."dept" IS NULL THEN 3 END AS k0,
  CASE WHEN ISFINITE(t0."cost") THEN {_COST} + 102400 END AS v0,
  CASE WHEN (t0."ts" > CAST('2021-02-01 00:00:00' AS TIMESTAMP)) AND ISFINITE(t0."cost")
    THEN {_COST} END AS v1,
  1 AS v2
  FROM "main"."visits" AS t0 WHERE NOT t0."person_id" IS NULL) AS r WHERE NOT k0 IS NULL) AS r
GROUP BY 1, 2) AS c) AS w) AS b GROUP BY 1
""",
    Claim(
        ("k0",),
        None,
        None,
        (_weighed(0, 3, 10_342_400**2), _weighed(1, 1, 10_240_000), _weighed(2, 1, 1)),
        4,
    ),
)

JOINED = _make(
    """
SELECT k0, COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, k0, LEAST(n0, 20) AS n0 FROM (SELECT u, k0,
  COUNT(v0) AS n0 FROM (SELECT t0."person_id" AS u,
  CASE WHEN t2."region" = 'east' THEN 0 WHEN t2."region" = 'south' THEN 1
    WHEN t2."region" = 'west' THEN 2 WHEN t2."region" IS NULL THEN 3 END AS k0, 1 AS v0
FROM "main"."visits" AS t0 JOIN "main"."persons" AS t1 ON t1."id" = t0."person_id"
  LEFT JOIN "main"."regions" AS t2 ON t2."city" = t1."city"
  LEFT JOIN "main"."lab" AS t3 ON t3."code" = 2 AND t3."person_id" = t0."person_id"
WHERE NOT t0."person_id" IS NULL AND t0."person_id" IN (SELECT t4."person_id"
  FROM "main"."lab" AS t4 WHERE NOT t4."person_id" IS NULL AND t4."code" = 3)) AS r
GROUP BY 1, 2) AS c) AS b GROUP BY 1
""",
    Claim(("k0",), None, None, (_block(0, 1, 20),), 4),
)

PER_UNIT = _make(
    """
SELECT CAST(39 AS INT128) * COUNT(v0) - COALESCE(SUM(v0), 0) AS b0_0, COALESCE(SUM(v0), 0) AS b0_1
FROM (SELECT t0."u" AS u, CASE WHEN NOT t0."a0" IS NULL
  THEN CAST(LEAST(GREATEST(t0."a0", 1), 40) AS BIGINT) - 1 END AS v0
FROM (SELECT t1."person_id" AS u, COUNT(*) AS a0, SUM(CAST(t1."code" AS BIGINT)) AS a1,
  MAX(t1."code") FILTER(WHERE t1."value" > 2) AS a2, COUNT(DISTINCT t1."value") AS a3
FROM "main"."lab" AS t1 WHERE NOT t1."person_id" IS NULL GROUP BY 1) AS t0
WHERE NOT t0."u" IS NULL AND t0."a2" > 3 AND t0."a3" > 1 AND t0."a1" > 0) AS b
""",
    Claim((), None, None, (_block(0, 2, 39),), 1),
)

STEPS = _make(
    """
SELECT CAST(10342400 AS INT128) * COALESCE(SUM(n0), 0) - COALESCE(SUM(s0), 0) AS b0_0,
  COALESCE(SUM(s0), 0) AS b0_1 FROM (SELECT u, LEAST(n0, 20) AS n0,
  CAST(CASE WHEN n0 > 20 THEN ((COALESCE(s0, 0)) * 20) // n0 ELSE COALESCE(s0, 0) END AS BIGINT)
    AS s0 FROM (SELECT u, COUNT(v0) AS n0, SUM(v0) AS s0 FROM (SELECT t0."person_id" AS u,
  CASE WHEN t0."cost" BETWEEN CAST('-50.0' AS DOUBLE) AND CAST('5000.0' AS DOUBLE)
      THEN TRY_CAST(t0."cost" * CAST('2048.0' AS DOUBLE) AS BIGINT) + 102400
    WHEN t0."cost" BETWEEN CAST('-1.7976931348623157e+308' AS DOUBLE) AND CAST('-50.0' AS DOUBLE)
      THEN 0
    WHEN t0."cost" BETWEEN CAST('5000.0' AS DOUBLE) AND CAST('1.7976931348623157e+308' AS DOUBLE)
      THEN 10342400 END AS v0
  FROM "main"."visits" AS t0 WHERE NOT t0."person_id" IS NULL) AS r GROUP BY 1) AS c) AS b
""",
    Claim((), None, None, (_block(0, 2, 206_848_000),), 1),
)

_UNREAD = "TRY_CAST(t0.\"cost\" * CAST('2048.0' AS DOUBLE) AS BIGINT)"
LAST_STEP = _make(
    STEPS.sql.replace("THEN 10342400 END", f"THEN 10342400 ELSE {_UNREAD} + 102400 END")
    .replace("(COALESCE(s0, 0))", "s0")
    .replace("ELSE COALESCE(s0, 0) END", "ELSE s0 END"),
    STEPS.claim,
)
"""STEPS with an ELSE that no number reaches, and NULL for the sum over no rows."""

HOPS = _make(
    """
SELECT COALESCE(SUM(n0), 0) AS b0_0 FROM (SELECT u, LEAST(n0, 20) AS n0 FROM (SELECT u,
  COUNT(v0) AS n0 FROM (SELECT t1."person_id" AS u, 1 AS v0 FROM "main"."labnote" AS t0
  JOIN "main"."lab" AS t1 ON t0."lab_id" = t1."lab_id"
  WHERE NOT t1."person_id" IS NULL AND t0."note" = 'n') AS r GROUP BY 1) AS c) AS b
""",
    Claim((), None, None, (_block(0, 1, 20),), 1),
)

COVARIANCE = _make(
    statements_pairs.COVARIANCE, Claim((), None, None, (_block(0, 4, 60_000_000),), 1)
)
TALLY = _make(statements_tallies.ROWS, Claim((), None, None, (_block(0, 3, 1),), 1))
TALLY_CAPPED = _make(statements_tallies.CAPPED, Claim((), None, None, (_block(0, 3, 64 * 20),), 1))
_ALL, _CELL = 64 * 1_310_720, 64 * 983_040
TALLY_WEIGHTED = _make(
    statements_tallies.WEIGHTED,
    Claim(
        ("k0",),
        None,
        None,
        (BlockClaim(("b0_0", "b0_1", "b0_2"), _CELL, 2, _ALL, _CELL**2 + (_ALL - _CELL) ** 2),),
        2,
    ),
)
SLOPE = _make(statements_pairs.SLOPE, Claim((), None, None, (_block(0, 6, 50_000),), 1))
HAVING = _make(
    """
SELECT k0, k1, COALESCE(SUM(v0), 0) AS b0_0, COUNT(v1) AS b1_0 FROM (SELECT t0."id" AS u,
  t0."sex" AS k0, t0."city" AS k1, CASE WHEN NOT t0."age" IS NULL
    THEN CAST(LEAST(GREATEST(t0."age", 0), 120) AS BIGINT) END AS v0, 1 AS v1
  FROM "main"."persons" AS t0 WHERE NOT t0."id" IS NULL) AS b GROUP BY 1, 2
HAVING ((k0 IN ('f', 'm') OR k0 IS NULL) AND k1 IN ('a', 'b')) OR COUNT(*) < 1
""",
    Claim(("k0", "k1"), None, None, (_block(0, 1, 120), _block(1, 1, 1)), 6),
)

ALL = {
    "covariance": COVARIANCE,
    "slope": SLOPE,
    "tally": TALLY,
    "tally, capped": TALLY_CAPPED,
    "tally, weighted": TALLY_WEIGHTED,
    "row": ROW,
    "cap": CAP,
    "weights": WEIGHTS,
    "joined": JOINED,
    "per_unit": PER_UNIT,
    "steps": STEPS,
    "last step": LAST_STEP,
    "having": HAVING,
    "hops": HOPS,
}
