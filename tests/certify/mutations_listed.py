"""Broken lists of constants: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

LISTED: dict[str, Mutation] = {
    "list with a row twice": ("listed look-up", "('M', 7, 'x')", "('B', 7, 'x')"),
    "list met by no key": ("listed look-up", 't0."city" = t1."c0"', 't0."city" = t1."c2"'),
    "list with NULL for a key": ("listed look-up", "('M', 7", "(NULL, 7"),
    "list looked up by an expression": (
        "listed look-up", 't0."city" = t1."c0"', 'LOWER(t0."city") = t1."c0"',
    ),
    "list met by nothing": ("listed look-up", 't0."city" = t1."c0"', "TRUE"),
    "list with people's columns": ("listed look-up", "('M', 7, 'x')", "('M', 7, t0.\"city\")"),
    "list with a hidden column": ("listed look-up", "('M', 7, 'x')", "('M', t0.\"secret\", 'x')"),
    "list with a subquery": (
        "listed look-up", "('M', 7, 'x')", '(\'M\', (SELECT 7 FROM "main"."persons"), \'x\')',
    ),
    "list with an expression": ("listed look-up", "('M', 7, 'x')", "('M', 3 + 4, 'x')"),
    "list with a function": ("listed look-up", "('M', 7, 'x')", "('M', ABS(7), 'x')"),
    "list of two types": ("listed look-up", "('M', 7, 'x')", "('M', '7', 'x')"),
    "list of uneven rows": ("listed look-up", "('M', 7, 'x')", "('M', 7)"),
    "list with too few names": ("listed look-up", "t1(c0, c1, c2)", "t1(c0, c1)"),
    "list with a name twice": ("listed look-up", "t1(c0, c1, c2)", "t1(c0, c1, c1)"),
    "list taken for people": ("listed", 't0."person_id" AS u', 't1."c1" AS u'),
    "list alone": (
        "listed", '"main"."lab" AS t0 JOIN (VALUES', "(VALUES (1, 2)) AS t0(person_id, code) JOIN"
        " (VALUES",
    ),
    "list kept on the left": (
        "listed",
        'FROM "main"."lab" AS t0 JOIN (VALUES (1, 3, CAST(\'1.5\' AS DECIMAL(2, 1)), DATE'
        " '2020-01-01'),",
        'FROM (VALUES (1)) AS t9(z) LEFT JOIN "main"."lab" AS t0 ON TRUE JOIN (VALUES (1, 3,'
        " CAST('1.5' AS DECIMAL(2, 1)), DATE '2020-01-01'),",
    ),
    "list with a number too long": ("listed", "(2, -4", "(2, -99999999999999999999"),
    "list with a decimal out of its type": ("listed", "CAST('2.5' AS", "CAST('22.5' AS"),
    "list with decimals of two types": (
        "listed", "CAST('2.5' AS DECIMAL(2, 1))", "CAST('2.50' AS DECIMAL(3, 2))",
    ),
    "list with no such day": ("listed", "DATE '2020-01-01'", "DATE '2020-02-31'"),
    "list with an endless day": ("listed", "DATE '2020-01-01'", "DATE 'infinity'"),
    "columns of a table renamed": (
        "listed", '"main"."lab" AS t0 JOIN', '"main"."lab" AS t0(lab_id, code, value, person_id)'
        " JOIN",
    ),
    "columns of a subquery renamed": ("listed", ") AS r GROUP", ") AS r(k0, u, v0) GROUP"),
    "rows compared as tuples": (
        "listed", 't0."code" = t1."c0"', '(t0."code", 1) = (t1."c0", 1)',
    ),
}  # fmt: skip
