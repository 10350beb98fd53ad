"""What must not be read, called or written: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

_FILTER = "t0.\"sex\" = 'f'"

GRAMMAR: dict[str, Mutation] = {
    # ---- what may be read and called
    "undeclared table": ("row", '"main"."persons"', '"main"."undeclared"'),
    "unknown table": ("row", '"main"."persons"', '"main"."nothing"'),
    "other schema": ("row", '"main"."persons"', '"temp"."persons"'),
    "other database": ("row", '"main"."persons"', '"other"."main"."persons"'),
    "table without schema": ("row", '"main"."persons"', '"persons"'),
    "table function": ("row", '"main"."persons"', "read_csv('/etc/passwd')"),
    "public table instead": ("row", '"main"."persons"', '"main"."regions"'),
    "hidden column": ("row", _FILTER, 't0."secret" = 42'),
    "hidden column in a join": (
        "joined",
        'ON t1."id" = t0."person_id"',
        'ON t1."id" = t0."person_id" AND t1."secret" = t0."visit_id"',
    ),
    "hidden path column as a value": ("hops", "t0.\"note\" = 'n'", 't0."lab_id" > 3'),
    "unknown column": ("row", _FILTER, "t0.\"nothing\" = 'f'"),
    "outer column": ("joined", 'AND t4."code" = 3', 'AND t4."code" = t1."age"'),
    "volatile function": (
        "row",
        'WHERE NOT t0."id" IS NULL',
        'WHERE NOT t0."id" IS NULL AND RANDOM() > 0.5',
    ),
    "volatile value": ("row", _FILTER, 't0."sex" = uuid()'),
    "clock": ("row", _FILTER, 't0."born" > CURRENT_DATE'),
    "unknown function": ("row", _FILTER, 'sleep_ms(t0."age") IS NULL'),
    "error function": ("row", _FILTER, "error('x') IS NULL"),
    "setting": ("row", _FILTER, "current_setting('x') = 'f'"),
    "hash outside ranking": ("row", _FILTER, 'HASH(t0."sex") = 3'),
    "regular expression": ("row", _FILTER, "regexp_matches(t0.\"sex\", 'f')"),
    "growing text": ("row", _FILTER, "REPEAT(t0.\"sex\", 99999999) = 'f'"),
    "whole row": ("row", _FILTER, "t0 IS NULL"),
    "lambda": ("row", _FILTER, "list_filter([1], x -> x > 0) IS NULL"),
    "struct": ("row", _FILTER, "{'a': t0.\"sex\"} IS NULL"),
    "list type": ("row", _FILTER, 'CAST(t0."sex" AS TEXT[]) IS NULL'),
    "collation": ("row", _FILTER, "t0.\"sex\" COLLATE NOCASE = 'f'"),
    # ---- shape
    "distinct": ("row", "(SELECT u, k0, v0", "(SELECT DISTINCT u, k0, v0"),
    "limit inside": ("row", "WHERE NOT k0 IS NULL) AS b", "WHERE NOT k0 IS NULL LIMIT 9) AS b"),
    "order inside": ("row", "WHERE NOT k0 IS NULL) AS b", "WHERE NOT k0 IS NULL ORDER BY v0) AS b"),
    "sample": ("row", '"main"."persons" AS t0', '"main"."persons" AS t0 TABLESAMPLE 10%'),
    "qualify": ("row", "WHERE NOT k0 IS NULL) AS b", "WHERE NOT k0 IS NULL QUALIFY TRUE) AS b"),
    "union all": (
        "hops",
        "GROUP BY 1) AS c",
        "GROUP BY 1 UNION ALL SELECT u, n0 FROM (SELECT 1 AS u, 1 AS n0) AS x) AS c",
    ),
    "common table expression": (
        "hops",
        "SELECT COALESCE(",
        "WITH x AS (SELECT 1) SELECT COALESCE(",
    ),
    "values": ("hops", 'FROM "main"."labnote" AS t0', "FROM (VALUES (1)) AS t0(lab_id)"),
    "lateral": (
        "hops",
        ' JOIN "main"."lab" AS t1',
        ' JOIN LATERAL (SELECT 1 AS x) AS t5 ON TRUE JOIN "main"."lab" AS t1',
    ),
    "unnest": (
        "row",
        '"main"."persons" AS t0 WHERE',
        '"main"."persons" AS t0, UNNEST([1, 2]) AS x WHERE',
    ),
    "group by all": ("row", "AS b GROUP BY 1", "AS b GROUP BY ALL"),
    "grouping sets": ("row", "AS b GROUP BY 1", "AS b GROUP BY ROLLUP (1)"),
    "renamed columns": ("row", "IS NULL) AS b GROUP", "IS NULL) AS b(u, v0, k0, v1, v2, v3) GROUP"),
    "star except": ("cap", "SELECT *, ROW", "SELECT * EXCLUDE (u), k0 AS u, ROW"),
    "star over tables": ("hops", "1 AS v0 FROM", "*, 1 AS v0 FROM"),
    "name twice": ("hops", "1 AS v0 FROM", "1 AS v0, 2 AS V0 FROM"),
    "alias twice": ("cap", 'AS t2 ON t0."visit_id" = t2', 'AS t1 ON t0."visit_id" = t1'),
    "two statements": ("hops", ") AS c) AS b", ") AS c) AS b; SELECT 1"),
    "comment": ("hops", ") AS c) AS b", ") AS c) AS b -- x"),
    "comment inside": ("hops", "LEAST(n0, 20)", "LEAST(n0, /* 20 */ 20)"),
    "comment beside a strange text": ("hops", "= 'n'", "= '#' /* x */"),
    "positional column beside a strange text": ("hops", "= 'n'", "= '--' AND #2 = 3"),
    "positional column": ("hops", "LEAST(n0, 20)", "LEAST(#2, 20)"),
    "parameter": ("hops", "LEAST(n0, 20)", "LEAST(n0, ?)"),
    "dollar quotes": ("hops", "= 'n'", "= $$n$$"),
    "number in disguise": ("hops", "LEAST(n0, 20)", "LEAST(n0, 2e1)"),
    "number with underscores": ("hops", "LEAST(n0, 20)", "LEAST(n0, 2_1)"),
    "copy": ("hops", "SELECT COALESCE(", "COPY (SELECT COALESCE("),
    "nonsense": ("hops", "SELECT COALESCE(", "SELECT SELECT COALESCE(("),
}
