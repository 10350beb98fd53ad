"""Broken uses of what is given beside the text: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

_ONE = "CAST($given_1 AS DOUBLE)"

GIVEN: dict[str, Mutation] = {
    # ---- a value
    "given without a type": ("given", _ONE, "$given_1"),
    "given as an attempt": ("given", _ONE, "TRY_CAST($given_1 AS DOUBLE)"),
    "given under another name": ("given", _ONE, "CAST($other AS DOUBLE)"),
    "given by number": ("given", _ONE, "CAST($1 AS DOUBLE)"),
    "given by place": ("given", _ONE, "CAST(? AS DOUBLE)"),
    "given of an unknown type": ("given", _ONE, "CAST($given_1 AS INTERVAL)"),
    "given in dollar quotes": ("given", _ONE, "CAST($$1$$ AS DOUBLE)"),
    "given as a condition": ("given", f'"cost" > {_ONE}', f'"cost" > 1 AND {_ONE}'),
    "given narrowed to fit": ("given", _ONE, "CAST(CAST($given_1 AS BIGINT) AS INT)"),
    "given as a cap": ("given", "LEAST(n0, 20)", "LEAST(n0, CAST($given_1 AS BIGINT))"),
    "given as a clamp": (
        "given",
        "THEN 1 END AS v0",
        "THEN LEAST(GREATEST(t1.c1, 0), CAST($given_1 AS BIGINT)) END AS v0",
    ),
    "given as the value": ("given", "THEN 1 END AS v0", "THEN CAST($given_1 AS BIGINT) END AS v0"),
    "given as a pattern": ("given", f'"cost" > {_ONE}', '"dept" LIKE CAST($given_1 AS TEXT)'),
    "given as the unit": ("given", 't0."person_id" AS u', "CAST($given_1 AS BIGINT) AS u"),
    "given in the total": ("given", "AS b0_0 FROM", "+ CAST($given_1 AS BIGINT) AS b0_0 FROM"),
    # ---- lists
    "list in a condition": ("given", _ONE, "UNNEST(CAST($given_1 AS DOUBLE[]))"),
    "list of the row": (
        "given",
        "CAST($given_0_c1 AS BIGINT[])",
        'CAST(t0."visit_id" AS BIGINT[])',
    ),
    "list written out": ("given", "CAST($given_0_c1 AS BIGINT[])", "[1, 2]"),
    "list of lists": ("given", "BIGINT[]", "BIGINT[][]"),
    "list beside a column": ("given", "UNNEST(CAST($given_0_c1 AS BIGINT[]))", '"visit_id"'),
    "list over people": ("given", "AS c1) AS t1", 'AS c1 FROM "main"."lab" AS x) AS t1'),
    "list filtered": ("given", "AS c1) AS t1", "AS c1 WHERE 1 = 1) AS t1"),
    "list as a value": ("given", _ONE, "CAST($given_1 AS DOUBLE[])"),
    "list as the unit": ("given", 't0."person_id" AS u', 't1."c1" AS u'),
    "list in a look-up of people": (
        "given",
        'SELECT t2."c0" FROM (SELECT UNNEST(CAST($given_2_c0 AS TEXT[])) AS c0) AS t2',
        'SELECT t2."dept" FROM "main"."visits" AS t2',
    ),
    "look-up among numbers": ("given", "$given_2_c0 AS TEXT[]", "$given_2_c0 AS BIGINT[]"),
    "look-up within the row": ("given", 'SELECT t2."c0" FROM', 'SELECT t0."dept" FROM'),
    # ---- unique
    "keys not made unique": ("unique", " AS g GROUP BY 1", " AS g"),
    "keys by place": ("unique", "AS g GROUP BY 1", "AS g GROUP BY 2"),
    "keys of no place": ("unique", "AS g GROUP BY 1", "AS g GROUP BY c0"),
    "keys, and any row of each": ("unique", "SELECT c0, MIN(c1) AS c1", "SELECT c0, c1 AS c1"),
    "keys, and a maximum": ("unique", "SELECT c0, MIN(c1) AS c1", "SELECT c0, MAX(c1) AS c1"),
    "keys of one more column": ("unique", "MIN(c1) AS c1", "MIN(c9) AS c1"),
    "keys of floats": ("unique", "$given_0_c0 AS TEXT[]", "$given_0_c0 AS DOUBLE[]"),
    "keys not joined on": ("unique", 't0."city" = t1."c0"', 't0."city" >= t1."c0"'),
    "keys joined elsewhere": ("unique", 't0."city" = t1."c0"', 't0."income" = t1."c1"'),
    "keys straight from lists": ("unique", "SELECT c0, MIN(c1) AS c1 FROM (", "SELECT * FROM ("),
    "keys of a join": ("unique", "AS g GROUP BY 1", 'AS g, "main"."aliases" AS h GROUP BY 1'),
    "keys of a filter": ("unique", "AS g GROUP BY 1", "AS g WHERE c1 > 1 GROUP BY 1"),
    "keys kept by people": ("unique", "AS g GROUP BY 1", "AS g GROUP BY 1 HAVING COUNT(*) > 0"),
    "one row, not made one": ("unique", "SELECT MIN(c0) AS c0", "SELECT c0 AS c0"),
    "one row, always": ("unique", "HAVING COUNT(*) > 0", ""),
    "one row, or another test": ("unique", "HAVING COUNT(*) > 0", "HAVING MIN(c0) > 0"),
}
