"""Broken totals, units, joins and subqueries: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

_ON = 't2."person_id" = t1."person_id"'
_EXISTS = 'EXISTS (SELECT 1 FROM "main"."lab" AS t9 WHERE t9."code" = 3)'

UNITS: dict[str, Mutation] = {
    # ---- totals
    "first coordinate larger": ("row", "CAST(16000000 AS INT128)", "CAST(16000001 AS INT128)"),
    "first coordinate smaller": ("row", "CAST(16000000 AS INT128)", "CAST(15999999 AS INT128)"),
    "first coordinate adds": ("row", "COUNT(v0) - COALESCE", "COUNT(v0) + COALESCE"),
    "first coordinate is the count": ("row", "COUNT(v0) - COALESCE(SUM(v0), 0) AS", "COUNT(v0) AS"),
    "first coordinate of another count": ("row", "COUNT(v0) - ", "COUNT(v3) - "),
    "first coordinate less another sum": (
        "row",
        "COUNT(v0) - COALESCE(SUM(v0), 0)",
        "COUNT(v0) - COALESCE(SUM(v1), 0)",
    ),
    "first coordinate less half": (
        "row",
        "- COALESCE(SUM(v2 * v2), 0) AS b2_0",
        "AS b2_0",
    ),
    "a coordinate twice": (
        "row",
        "COALESCE(SUM(v0), 0) AS b0_1",
        "2 * COALESCE(SUM(v0), 0) AS b0_1",
    ),
    "sum of no rows is NULL": ("row", "COALESCE(SUM(v0), 0) AS b0_1", "SUM(v0) AS b0_1"),
    "sum of no rows is data": (
        "row",
        "COALESCE(SUM(v0), 0) AS b0_1",
        "COALESCE(SUM(v0), 7) AS b0_1",
    ),
    "average": ("row", "COALESCE(SUM(v1), 0)", "COALESCE(AVG(v1), 0)"),
    "maximum": ("row", "COALESCE(SUM(v1), 0)", "COALESCE(MAX(v1), 0)"),
    "sum of distinct": ("row", "COALESCE(SUM(v1), 0)", "COALESCE(SUM(DISTINCT v1), 0)"),
    "sum filtered": ("row", "COALESCE(SUM(v1), 0)", "COALESCE(SUM(v1) FILTER (WHERE v2 > 3), 0)"),
    "units by rows": ("cap", "COUNT(*) AS units", "COALESCE(SUM(n3), 0) AS units"),
    "units by a column": ("cap", "COUNT(*) AS units", "COUNT(s0) AS units"),
    "extra output": ("row", "COUNT(v3) AS b3_0", "COUNT(v3) AS b3_0, COUNT(*) AS more"),
    "output dropped": ("row", ", COUNT(v3) AS b3_0", ""),
    "groups by fewer keys": ("cap", "WHERE rn <= 5) AS b GROUP BY 1", "WHERE rn <= 5) AS b"),
    "groups by another column": (
        "cap",
        "SELECT k0, COUNT(*) AS units",
        "SELECT n1 AS k0, COUNT(*) AS units",
    ),
    "key made above": ("row", "SELECT k0, CAST(160", "SELECT k0 + v1 AS k0, CAST(160"),
    "filter above": ("row", "AS b GROUP BY 1", "AS b WHERE v1 > 3 GROUP BY 1"),
    "limit above": ("row", "AS b GROUP BY 1", "AS b GROUP BY 1 LIMIT 3"),
    "order above": ("row", "AS b GROUP BY 1", "AS b GROUP BY 1 ORDER BY 2"),
    "having above": ("row", "AS b GROUP BY 1", "AS b GROUP BY 1 HAVING COUNT(*) > 1"),
    # ---- whose row is it
    "unit of another column": ("row", 't0."id" AS u', 't0."age" AS u'),
    "unit made up": ("row", 't0."id" AS u', "1 AS u"),
    "unit computed": ("row", 't0."id" AS u', 't0."id" // 2 AS u'),
    "unit cast": ("row", 't0."id" AS u', 'CAST(t0."id" AS DOUBLE) AS u'),
    "unit of the row's own id": ("hops", 't1."person_id" AS u', 't0."grade" AS u'),
    "unit swapped for a key": ("joined", 't0."person_id" AS u', 't0."visit_id" AS u'),
    "unit lost above": ("cap", "SELECT u, k0, s0, n1", "SELECT k0 AS u, k0, s0, n1"),
    "unit may be NULL": ("row", ' WHERE NOT t0."id" IS NULL', ""),
    "unit is NULL": ("row", 'WHERE NOT t0."id" IS NULL', 'WHERE t0."id" IS NULL'),
    "unit filter of another column": (
        "joined",
        'WHERE NOT t0."person_id" IS NULL AND t0',
        'WHERE NOT t0."dept" IS NULL AND t0',
    ),
    "unit filter by OR": (
        "hops",
        'WHERE NOT t1."person_id" IS NULL AND t0',
        'WHERE NOT t1."person_id" IS NULL OR t0',
    ),
    "unit filter moved above": (
        "hops",
        'WHERE NOT t1."person_id" IS NULL AND t0."note" = \'n\') AS r',
        "WHERE t0.\"note\" = 'n') AS r WHERE NOT u IS NULL",
    ),
    "join without the unit": ("cap", ' AND t2."person_id" = t1."person_id"', ""),
    "join on another column": (
        "cap",
        _ON,
        't2."dept" = t1."dept"',
    ),
    "join by OR": ("cap", ' AND t2."person_id" = t1', ' OR t2."person_id" = t1'),
    "join by >=": ("cap", _ON, 't2."person_id" >= t1."person_id"'),
    "join on shifted units": (
        "cap",
        _ON,
        't2."person_id" = t1."person_id" + 1',
    ),
    "join on units as text": (
        "cap",
        _ON,
        'CAST(t2."person_id" AS TEXT) = CAST(t1."person_id" AS TEXT)',
    ),
    "join not distinct": (
        "cap",
        _ON,
        't2."person_id" IS NOT DISTINCT FROM t1."person_id"',
    ),
    "join crossed": (
        "cap",
        ' ON t0."visit_id" = t2."visit_id" AND t2."person_id" = t1."person_id"',
        " ON TRUE",
    ),
    "left join without the unit": ("joined", ' AND t3."person_id" = t0."person_id"', ""),
    "left join's unit in WHERE": (
        "joined",
        ' AND t3."person_id" = t0."person_id" WHERE ',
        ' WHERE t3."person_id" = t0."person_id" AND ',
    ),
    "preserved side public": (
        "joined",
        'FROM "main"."visits" AS t0 JOIN "main"."persons" AS t1 ON t1."id" = t0."person_id"',
        'FROM "main"."regions" AS t9 LEFT JOIN "main"."visits" AS t0 ON TRUE JOIN'
        ' "main"."persons" AS t1 ON t1."id" = t0."person_id"',
    ),
    "right join": ("joined", 'LEFT JOIN "main"."lab"', 'RIGHT JOIN "main"."lab"'),
    "full join": ("joined", 'LEFT JOIN "main"."lab"', 'FULL JOIN "main"."lab"'),
    "semi join": ("joined", 'JOIN "main"."persons"', 'SEMI JOIN "main"."persons"'),
    "natural join": (
        "cap",
        'JOIN "main"."visits" AS t1 ON t0."visit_id" = t1."visit_id" JOIN',
        'NATURAL JOIN "main"."visits" AS t1 JOIN',
    ),
    "path over no key": (
        "hops",
        'ON t0."lab_id" = t1."lab_id"',
        'ON t0."lab_id" = t1."code"',
    ),
    "path not joined": ("hops", 'ON t0."lab_id" = t1."lab_id"', "ON TRUE"),
    "path by >=": ("hops", 't0."lab_id" = t1."lab_id"', 't0."lab_id" >= t1."lab_id"'),
    "path left joined": ("hops", ' JOIN "main"."lab"', ' LEFT JOIN "main"."lab"'),
    "path to another table": ("hops", '"main"."lab" AS', '"main"."visits" AS'),
    # ---- semi-joins and subqueries
    "semi-join on no unit": (
        "joined",
        'AND t0."person_id" IN (SELECT',
        'AND t0."visit_id" IN (SELECT',
    ),
    "semi-join gives no unit": ("joined", 'IN (SELECT t4."person_id"', 'IN (SELECT t4."code"'),
    "semi-join by OR": (
        "joined",
        'AND t0."person_id" IN (',
        'AND t0."dept" = \'x\' OR t0."person_id" IN (',
    ),
    "semi-join without a unit": ("joined", 'WHERE NOT t4."person_id" IS NULL AND', "WHERE"),
    "exists": ("joined", 'AND t0."person_id" IN (', f'AND {_EXISTS} AND t0."person_id" IN ('),
    "scalar subquery": (
        "hops",
        "t0.\"note\" = 'n'",
        't0."grade" > (SELECT AVG(t9."code") FROM "main"."lab" AS t9)',
    ),
    "scalar subquery as a key": (
        "row",
        "CASE WHEN t0.\"sex\" = 'f' THEN 0 WHEN t0.\"sex\" = 'm' THEN 1 END AS k0",
        '(SELECT MAX(t9."age") FROM "main"."persons" AS t9) AS k0',
    ),
    # ---- how many rows of a unit
    "many rows taken for one": ("row", '"main"."persons" AS t0', '"main"."visits" AS t0'),
    "public table repeats rows": (
        "row",
        '"main"."persons" AS t0 WHERE',
        '"main"."persons" AS t0 CROSS JOIN "main"."regions" AS t1 WHERE',
    ),
    "public table joined on no key": (
        "row",
        '"main"."persons" AS t0 WHERE',
        '"main"."persons" AS t0 JOIN "main"."aliases" AS t1 ON t1."city" = t0."city" WHERE',
    ),
    "public table joined on a cast key": (
        "row",
        '"main"."persons" AS t0 WHERE',
        '"main"."persons" AS t0 JOIN "main"."regions" AS t1 ON LOWER(t1."city") = t0."city" WHERE',
    ),
    "public table joined above the cells": (
        "cap",
        "AS c) AS p) AS k",
        'AS c) AS p) AS k JOIN "main"."aliases" AS t9 ON TRUE',
    ),
    "private table joined above the cells": (
        "hops",
        "GROUP BY 1) AS c",
        'GROUP BY 1) AS c JOIN "main"."lab" AS t9 ON t9."person_id" = c."u"',
    ),
    "left join decided by the row": (
        "joined",
        'ON t2."city" = t1."city"',
        'ON t2."city" = t1."city" AND t0."dept" = \'x\'',
    ),
    "left join on no key": ("joined", 't2."city" = t1."city"', 't2."region" = t1."city"'),
    "key varies within the unit": ("joined", "t2.\"region\" = 'east'", "t0.\"dept\" = 'east'"),
    "inner join on no key": (
        "joined",
        'ON t1."id" = t0."person_id"',
        'ON t1."id" >= t0."person_id" AND t1."age" = t0."person_id"',
    ),
    "per unit and key taken for per unit": (
        "per_unit",
        "GROUP BY 1) AS t0",
        "GROUP BY 1, 2) AS t0",
    ),
    # ---- within the unit
    "inner sum of floats": ("per_unit", 'SUM(CAST(t1."code" AS BIGINT))', 'SUM(t1."value")'),
    "inner average": ("per_unit", 'MAX(t1."code")', 'AVG(t1."code")'),
    "inner first": ("per_unit", 'MAX(t1."code")', 'FIRST(t1."code")'),
    "inner list": ("per_unit", 'MAX(t1."code")', 'LIST(t1."code")'),
    "inner maximum of floats": ("per_unit", 'MAX(t1."code")', 'MAX(t1."value")'),
    "inner key of floats": (
        "per_unit",
        't1."person_id" AS u, COUNT(*) AS a0,',
        't1."person_id" AS u, t1."value" AS a9, COUNT(*) AS a0,',
    ),
    "inner window": (
        "per_unit",
        "COUNT(*) AS a0",
        "COUNT(*) OVER () AS a0",
    ),
}
