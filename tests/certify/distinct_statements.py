"""Statements of distinct values, and how they are broken: (statement, text, replacement)."""

from __future__ import annotations

from dataclasses import dataclass

from dpsql.certify import DistinctClaim


@dataclass(frozen=True)
class Statement:
    sql: str
    claim: DistinctClaim


def _line(text: str) -> str:
    return " ".join(text.split())


_RX = """FROM "main"."rx" AS t0 JOIN "main"."visits" AS t1 ON t0."visit_id" = t1."visit_id"
    WHERE NOT t1."person_id" IS NULL"""
_SALT = "CAST('7' AS UBIGINT)"
_UNIT = f"HASH(HASH(u, {_SALT})) AS unit"
_ITEM = f"HASH(HASH({_SALT}, v)) AS item"
_C = (
    f"""ROW_NUMBER() OVER (PARTITION BY u, k0 ORDER BY HASH(HASH(u, k0, v, {_SALT})), k0, v) AS c"""
)
_RN = f"""DENSE_RANK() OVER (PARTITION BY u ORDER BY HASH(HASH(u, k0, {_SALT})), k0) AS rn"""

CAP = Statement(
    _line(f"""SELECT k0, {_UNIT}, {_ITEM} FROM (SELECT *, {_C}, {_RN} FROM
    (SELECT u, k0, v FROM (SELECT t1."person_id" AS u, t0."drug" AS k0, t0."qty" AS v {_RX}) AS r
    WHERE NOT v IS NULL GROUP BY 1, 2, 3) AS p) AS k WHERE c <= 4 AND rn <= 5"""),
    DistinctClaim(("k0",), "unit", "item", most=4, groups=5, cells=None),
)
ALONE = Statement(
    _line(f"""SELECT {_UNIT}, {_ITEM} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY u
    ORDER BY HASH(HASH(u, v, {_SALT})), v) AS c FROM (SELECT u, v FROM
    (SELECT t1."person_id" AS u, t0."drug" AS v {_RX}) AS r WHERE NOT v IS NULL GROUP BY 1, 2)
    AS p) AS k WHERE c <= 8"""),
    DistinctClaim((), "unit", "item", most=8, groups=1, cells=1),
)
ROW = Statement(
    _line(f"""SELECT k0, {_UNIT}, {_ITEM} FROM (SELECT *, {_C} FROM (SELECT u, k0, v FROM
    (SELECT t0."id" AS u, t0."sex" AS k0, CASE WHEN (t0."age" > 10) AND (ISFINITE(t0."income"))
    THEN t0."income" + 0.0 END AS v FROM "main"."persons" AS t0 WHERE NOT t0."id" IS NULL) AS r
    WHERE k0 IN ('f', 'm') AND NOT v IS NULL GROUP BY 1, 2, 3) AS p) AS k WHERE c <= 1"""),
    DistinctClaim(("k0",), "unit", "item", most=1, groups=1, cells=2),
)
STATEMENTS = {"cap": CAP, "alone": ALONE, "row": ROW}

MUTATIONS: dict[str, tuple[str, str, str]] = {
    # ---- values of a unit
    "one more value": ("cap", "c <= 4", "c <= 5"),
    "no cap on values": ("cap", "c <= 4 AND ", ""),
    "no cap at all": ("alone", " WHERE c <= 8", ""),
    "cap turned round": ("cap", "c <= 4", "c >= 4"),
    "cap of another number": ("cap", "c <= 4", "v <= 4"),
    "cap on values as well": ("cap", "rn <= 5", "rn <= 5 AND v <= 9"),
    "values capped twice": ("cap", "rn <= 5", "rn <= 5 AND c <= 5"),
    "values ranked over all units": ("cap", "PARTITION BY u, k0 ORDER", "PARTITION BY k0 ORDER"),
    "values ranked over all groups": ("cap", "PARTITION BY u, k0 ORDER", "PARTITION BY u ORDER"),
    "values ranked by value": ("cap", "PARTITION BY u, k0 ORDER", "PARTITION BY u, k0, v ORDER"),
    "ranks with ties": ("cap", "ROW_NUMBER()", "RANK()"),
    "ranking leaves ties": ("cap", "AS UBIGINT))), k0, v) AS c", "AS UBIGINT))), k0) AS c"),
    "ranking by a frame": (
        "cap", "k0, v) AS c", "k0, v ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS c",
    ),
    "ranking by more than hashes": ("cap", "HASH(HASH(u, k0, v,", "ABS(HASH(u, k0, v,"),
    # ---- groups
    "one more group": ("cap", "rn <= 5", "rn <= 6"),
    "no cap on groups": ("cap", " AND rn <= 5", ""),
    "groups ranked over all units": (
        "cap", "DENSE_RANK() OVER (PARTITION BY u ORDER", "DENSE_RANK() OVER (ORDER",
    ),
    "groups ranked within groups": (
        "cap", "DENSE_RANK() OVER (PARTITION BY u", "DENSE_RANK() OVER (PARTITION BY u, k0",
    ),
    "groups ranked by value": ("cap", "HASH(HASH(u, k0, CAST", "HASH(HASH(u, v, CAST"),
    "groups ranked without the key": ("cap", "AS UBIGINT))), k0) AS rn", "AS UBIGINT)))) AS rn"),
    "groups numbered by rows": ("cap", "DENSE_RANK()", "RANK()"),
    "either cap": ("cap", "c <= 4 AND rn", "c <= 4 OR rn"),
    # ---- pseudonyms
    "unit's pseudonym of the value": ("cap", "HASH(HASH(u, CAST('7' AS UBIGINT))) AS unit",
                                      "HASH(HASH(v, CAST('7' AS UBIGINT))) AS unit"),
    "unit's pseudonym of both": ("cap", "HASH(HASH(u, CAST('7' AS UBIGINT))) AS unit",
                                 "HASH(HASH(u, v, CAST('7' AS UBIGINT))) AS unit"),
    "unit's pseudonym of the rank": ("cap", "HASH(HASH(u, CAST('7' AS UBIGINT))) AS unit",
                                     "HASH(HASH(c, CAST('7' AS UBIGINT))) AS unit"),
    "the unit itself": ("cap", "HASH(HASH(u, CAST('7' AS UBIGINT))) AS unit", "u AS unit"),
    "the value itself": ("cap", "HASH(HASH(CAST('7' AS UBIGINT), v)) AS item", "v AS item"),
    "item of the unit": ("cap", "AS UBIGINT), v)) AS item", "AS UBIGINT), u)) AS item"),
    "item of the key": ("cap", "AS UBIGINT), v)) AS item", "AS UBIGINT), k0)) AS item"),
    "item of nothing": ("cap", "AS UBIGINT), v)) AS item", "AS UBIGINT))) AS item"),
    "item by another function": ("cap", "HASH(HASH(CAST('7' AS UBIGINT), v)) AS item",
                                 "ABS(v) AS item"),
    # ---- pairs
    "pairs not distinct": ("cap", " GROUP BY 1, 2, 3", ""),
    "pairs by less": ("cap", "GROUP BY 1, 2, 3", "GROUP BY 1, 2"),
    "pairs chosen by how many": ("cap", "GROUP BY 1, 2, 3", "GROUP BY 1, 2, 3 HAVING COUNT(*) > 1"),
    "values dropped before the ranks": ("cap", ") AS p)", ") AS p WHERE v > 3)"),
    "rows given more than once": (
        "cap", ") AS k WHERE", ') AS k CROSS JOIN "main"."regions" AS z WHERE',
    ),
    "grouped at last": ("alone", "WHERE c <= 8", "WHERE c <= 8 GROUP BY 1, 2"),
    # ---- units
    "unit's presence unchecked": ("cap", 'WHERE NOT t1."person_id" IS NULL', "WHERE TRUE"),
    "another unit": ("cap", 't1."person_id" AS u', 't0."visit_id" AS u'),
    "units merged": ("cap", "(SELECT u, k0, v FROM", "(SELECT 1 AS u, k0, v FROM"),
    "many rows of a unit in a group": ("row", "WHERE c <= 1", "WHERE c <= 2"),
    # ---- outputs
    "another output": ("cap", "AS item FROM", "AS item, c FROM"),
    "outputs in another order": ("cap", f"{_UNIT}, {_ITEM}", f"{_ITEM}, {_UNIT}"),
    "value of a float with two zeros": ("row", ' + 0.0 END', ' END'),
    "hidden value": ("row", 'THEN t0."income" + 0.0 END', 'THEN t0."secret" END'),
    "hidden key": ("row", 't0."sex" AS k0', 't0."secret" AS k0'),
    "key shifted": ("cap", "SELECT k0,", "SELECT k0 || 'x' AS k0,"),
}  # fmt: skip
