"""Which cases a peer's own documentation says it answers, where that can be read off a list.

dpsql: tests/cases (tier 1, and good_outcomes.json). Qrlew: "Postgres supported functions and
operators" of its documentation, where "functions or operators not listed are not supported".
SmartNoise has no such list: peer_smartnoise.py asks its published grammar. Tumult takes no SQL.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

CASES = Path(__file__).resolve().parents[2] / "tests" / "cases"

QRLEW_LISTS = set(
    "Count Sum Avg Variance Stddev Case If Coalesce Cast Abs Ceil Exp Floor Ln Log Pow Round Sign"
    " Sqrt Trunc Rand Cos Sin Tan Concat Lower Upper Trim Substring StrPosition MD5 CurrentDate"
    " CurrentTime CurrentTimestamp And Or Xor Not".split()
)
"""sqlglot's names of what is ticked there. CAST, IS NULL and BETWEEN are let pass, unlisted."""

QRLEW_LACKS: tuple[type[exp.Expr], ...] = (
    exp.Like,  # "planned"
    exp.ILike,
    exp.Window,
    exp.Cube,
    exp.Rollup,
    exp.GroupingSets,
    exp.Exists,
    exp.Filter,
    exp.NullSafeNEQ,
    exp.IntDiv,
)
"""Operators and clauses marked planned there, or missing from the list."""


def qrlew(sql: str) -> bool:
    try:
        tree = sqlglot.parse_one(sql, read="postgres")
    except sqlglot.ParseError:
        return False
    functions = {type(f).__name__ for f in tree.find_all(exp.Func)}
    in_query = any(node.args.get("query") for node in tree.find_all(exp.In))
    return functions <= QRLEW_LISTS and not in_query and tree.find(*QRLEW_LACKS) is None


def dpsql(case: dict[str, Any]) -> bool:
    outcomes = json.loads((CASES / "good_outcomes.json").read_text())
    return case["tier"] == 1 or outcomes.get(case["id"]) == "answered"
