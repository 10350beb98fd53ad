"""Decimals whose short form is not bounded: (statement, text, replacement) by name."""

from __future__ import annotations

from statements import Mutation

_FIRST = "TRY_CAST(t0.\"wage\" AS DECIMAL(6, 2)) * CAST('2' AS DECIMAL(1, 0)))"

NARROW: dict[str, Mutation] = {
    "short form above the claim": ("narrow", "'5000.00'", "'5010.00'"),
    "short form below the claim": ("narrow", "BETWEEN CAST('0.00'", "BETWEEN CAST('-5010.00'"),
    "short form shifted away": ("narrow", "AS BIGINT) - 7", "AS BIGINT) + 7"),
    "short form of larger units": ("narrow", "CAST(100 AS DECIMAL(3", "CAST(200 AS DECIMAL(3"),
    "short form by a test of another": (
        "narrow",
        f"WHEN ({_FIRST} BETWEEN",
        'WHEN t0."wage" BETWEEN',
    ),
    "short form under no test": (
        "narrow",
        f"WHEN ({_FIRST} BETWEEN CAST('0.00' AS DECIMAL(18, 2)) AND"
        " CAST('5000.00' AS DECIMAL(18, 2))",
        'WHEN t0."ok"',
    ),
    "short form that may fail": ("narrow", "TRY_CAST", "CAST"),
    "long form above the claim": ("narrow", "'4000.00'", "'5010.00'"),
    "long form that is not clamped": (
        "narrow",
        """LEAST(GREATEST(t0."wage", CAST('0.00' AS DECIMAL(21, 2))),"""
        """ CAST('4000.00' AS DECIMAL(21, 2)))""",
        't0."wage"',
    ),
    "long form without its guard": (
        "narrow",
        'ELSE CASE WHEN NOT t0."wage" IS NULL THEN',
        'ELSE CASE WHEN t0."ok" THEN',
    ),
    "short form turned": ("narrow", "AND CAST('5000.00'", "AND CAST('-1.00'"),
}  # fmt: skip
