"""Broken semi-joins, unions and windows: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

RELATIONS: dict[str, Mutation] = {
    # ---- NOT IN on the unit, IN over public tables
    "anti join of another column": ("anti", 'NOT (t0."person_id" IN', 'NOT (t0."visit_id" IN'),
    "anti join over NULL units": ("anti", 'WHERE NOT t1."person_id" IS NULL AND t1', "WHERE t1"),
    "anti join on the row": ("anti", 'SELECT t1."person_id"', 'SELECT t1."lab_id"'),
    "anti join correlated": ("anti", 't1."code" = 3', 't1."code" = t0."visit_id"'),
    "anti join or": ("anti", "AND NOT (t0", "OR NOT (t0"),
    "anti join within NULL": ("anti", "AND NOT (t0", 'AND (t0."person_id" IS NULL OR NOT t0'),
    "look-up in people's rows": (
        "anti",
        'SELECT t2."alias" FROM "main"."aliases" AS t2 WHERE t2."city" = \'B\'',
        'SELECT t2."sex" FROM "main"."persons" AS t2 WHERE t2."sex" = \'f\'',
    ),
    "look-up of another type": ("anti", 't0."dept" IN (SELECT t2', 't0."cost" IN (SELECT t2'),
    "look-up correlated": ("anti", "t2.\"city\" = 'B'", 't2."city" = t0."dept"'),
    "look-up of an outer column": ("anti", 'SELECT t2."alias"', 'SELECT t0."dept"'),
    "look-up aggregated": ("anti", 'SELECT t2."alias"', 'SELECT MAX(t2."alias")'),
    "look-up grouped": ("anti", "t2.\"city\" = 'B'", "t2.\"city\" = 'B' GROUP BY 1"),
    "look-up limited": ("anti", "t2.\"city\" = 'B'", "t2.\"city\" = 'B' LIMIT 1"),
    "look-up joined with people": (
        "anti",
        '"main"."aliases" AS t2 WHERE',
        '"main"."aliases" AS t2 JOIN "main"."lab" AS t9 ON t9."code" = 1 WHERE',
    ),
    "look-up in a table not declared": ("anti", '"main"."aliases"', '"main"."undeclared"'),
    "look-up with another NULL": ("anti", '(t0."dept" IS NULL OR', '(t0."ts" IS NULL OR'),
    # ---- sums within a unit
    "inner sum of plain floats": (
        "fixed",
        """CAST(LEAST(GREATEST(t1."value", CAST('0.0' AS DOUBLE)), CAST('300.0' AS DOUBLE))"""
        """ * CAST('34359738368.0' AS DOUBLE) AS BIGINT)""",
        't1."value"',
    ),
    "inner sum not clamped": (
        "fixed",
        """LEAST(GREATEST(t1."value", CAST('0.0' AS DOUBLE)), CAST('300.0' AS DOUBLE))""",
        't1."value"',
    ),
    "inner sum of a cast": ("fixed", "SUM(CASE WHEN ISFINITE", "SUM(0.5 + CASE WHEN ISFINITE"),
    "inner sum of long decimals": ("fixed", "DECIMAL(18, 2)", "DECIMAL(19, 2)"),
    "inner sum of decimals as they are": (
        "fixed",
        'SUM(CAST(t1."code" AS DECIMAL(18, 2)))',
        'SUM(t1."code" * 0.5)',
    ),
    "inner sum averaged": ("fixed", "SUM(CAST(t1", "AVG(CAST(t1"),
    "inner maximum of plain floats": ("fixed", 't1."value" + 0.0', 't1."value"'),
    "inner maximum of shifted floats": ("fixed", 't1."value" + 0.0', 't1."value" + 0.5'),
    # ---- FULL JOIN, as the rewriter takes it apart
    "full join as it is": ("full", "LEFT JOIN", "FULL JOIN"),
    "full join under the other unit": ("full", 't1."id" AS u', 't2."person_id" AS u'),
    "full join on anything": ("full", 'ON t2."person_id" = t1."id"', 'ON t2."code" = t1."age"'),
    "full join of a lesser anti join": ("full", 'NOT (t3."person_id" IN', 'NOT (t3."lab_id" IN'),
    "full join with nobody's rows": ("full", 'NOT t3."person_id" IS NULL AND', ""),
    # ---- UNION ALL
    "union drops doubles": ("union", "UNION ALL", "UNION"),
    "union all by name": ("union", "UNION ALL", "UNION ALL BY NAME"),
    "intersection": ("union", "UNION ALL", "INTERSECT"),
    "difference": ("union", "UNION ALL", "EXCEPT ALL"),
    "union of another unit": ("union", 't2."id" AS u', 't2."age" AS u'),
    "union of a cast unit": ("union", 't2."id" AS u', 'CAST(t2."id" AS BIGINT) AS u'),
    "union of NULL units": ("union", 'WHERE NOT t2."id" IS NULL AND', "WHERE"),
    "union of columns turned": (
        "union",
        't2."id" AS u, t2."age" AS c0',
        't2."age" AS c0, t2."id" AS u',
    ),
    "union of fewer columns": ("union", 't2."id" AS u, t2."age" AS c0', 't2."id" AS u'),
    "union of two types": ("union", 't2."age" AS c0', 't2."city" AS c0'),
    "union of a hidden column": ("union", 't2."age" AS c0', 't2."secret" AS c0'),
    "union with nobody's rows": (
        "union",
        """SELECT t2."id" AS u, t2."age" AS c0 FROM "main"."persons" AS t2"""
        """ WHERE NOT t2."id" IS NULL AND t2."ok\"""",
        "SELECT 1 AS u, 2 AS c0",
    ),
    "union limited": ("union", 'AND t2."ok"', 'AND t2."ok" LIMIT 3'),
    "union ordered": ("union", 'AND t2."ok"', 'AND t2."ok" ORDER BY 1'),
    "one row of a union": ("union", "SELECT u, LEAST(n0, 20) AS n0", "SELECT u, n0"),
}
