"""ε and δ as proposals, and in words an owner can decide by."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from dpsql.core.numbers import read_delta, read_epsilon
from dpsql.errors import InterfaceError, InvalidQuery
from dpsql.policy.odds import meaning, short_meaning
from dpsql.setup.draft import BudgetDraft

__all__ = ["meaning", "number", "propose", "short_meaning"]

EPSILON = "1"
DELTA = "1e-6"
QUERIES = 10
"""A question costs so small a share of an analyst's ε, where nothing else is said."""

ANALYSTS = 3
"""All together may learn what so many analysts may, where nothing else is said."""


def propose(
    epsilon: str = EPSILON,
    delta: str = DELTA,
    total: str | None = None,
    owner: tuple[str, str] | None = None,
) -> BudgetDraft:
    """Budgets around one analyst's (ε, δ). InterfaceError `init-budget` for what is none.

    `total` must hold one analyst's budget and the owner's private scan; left out, it is
    `ANALYSTS` analysts' and the scan's.
    """
    each, chance = _read(read_epsilon, epsilon, "--epsilon"), _read(read_delta, delta, "--delta")
    scan = Fraction(0) if owner is None else _read(read_epsilon, owner[1], "--private-ranges")
    whole = (
        ANALYSTS * each + scan if total is None else _read(read_epsilon, total, "--total-epsilon")
    )
    if whole < max(each, scan):
        raise InterfaceError(
            "--total-epsilon is less than one of the budgets it is to hold",
            code="init-budget",
            hint=f"it is what all learn together: at least {number(max(each, scan))}",
        )
    return BudgetDraft(
        per_query=(number(each / QUERIES), number(chance / 100)),
        max_per_query=(number(each / 2), number(chance / 10)),
        default=(number(each), number(chance)),
        total=(number(whole), number(min(chance * 10, Fraction(1, 100)))),
        owner=None if owner is None else (*owner, number(chance / 50)),
    )


def number(value: Fraction) -> str:
    """Exact text of a finite decimal, 1e-7 style for small ones; else a little below."""
    text = Decimal(value.numerator) / Decimal(value.denominator)
    if 0 < value < Fraction(1, 1000):
        mantissa, _, exponent = f"{text:e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    plain = format(text, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _read(reader: Callable[[object], Fraction], text: str, flag: str) -> Fraction:
    try:
        return reader(text)
    except InvalidQuery as problem:
        raise InterfaceError(
            f"{flag}: {problem.message}", code="init-budget", hint=problem.hint
        ) from None
