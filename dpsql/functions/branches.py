"""What is known of columns in a branch of a CASE: its own test is true, those before it are not.

`CASE WHEN x > 100 THEN 100 WHEN x > 0 THEN x ELSE 0 END` clips x to 0..100, whatever x is. As with
WHERE only the declared range is told: it decides the clamp, which is enforced. What guards rest on
(certain ranges, absence of NULL) stays as it is for all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from dpsql.core.domain import Domain
from dpsql.core.ir import Call, Col, Expr
from dpsql.functions.narrow import OPPOSITE, narrow

MAX_TOLD = 32
"""Tests read for one branch: what a thousand of them tell together would take long to find."""

_TESTS = (*OPPOSITE, "eq", "between", "in")


def reached(
    test: Expr | None, failed: Sequence[Expr]
) -> Mapping[tuple[int, str], Callable[[Domain], Domain]]:
    """(source, column) → how its declared range tightens where `test` holds and `failed` do not."""
    told = [] if test is None else [test]
    for before in failed[:MAX_TOLD]:
        told += _opposite(before)
    return {place: _declared(change) for place, change in narrow(told).items()}


def _declared(change: Callable[[Domain], Domain]) -> Callable[[Domain], Domain]:
    return lambda domain: domain.with_(declared=change(domain).declared)


def _opposite(test: Expr) -> Iterable[Expr]:
    """What holds where a test is FALSE, or NULL for lack of a value of the column it is about."""
    if not isinstance(test, Call):
        return
    if test.fn == "or":
        for part in test.args:
            yield from _opposite(part)
    elif test.fn == "not":
        (inner,) = test.args
        if isinstance(inner, Call) and inner.fn in _TESTS and _one_column(inner):
            yield inner
    elif test.fn in OPPOSITE and _one_column(test):
        yield replace(test, fn=OPPOSITE[test.fn])


def _one_column(test: Call) -> bool:
    """Is it NULL only where the one column that it is about is?"""
    columns = [arg for arg in test.args if isinstance(arg, Col)]
    rest = [arg for arg in test.args if not isinstance(arg, Col)]
    return len(columns) == 1 and not any(arg.domain.nullable for arg in rest)
