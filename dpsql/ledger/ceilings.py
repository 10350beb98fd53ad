"""The most that a budget's releases can have told: what a loss of entries is taken to have spent.

Kept outside the ledger too, in receipts and checkpoints, so that terms which stand in lost entries
alone (a grant, a raise, another calendar) are known when the loss is accepted (acceptance.py).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dpsql.accountant.events import PrivacyEvent, Threshold
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import REFRESH, Refresh
from dpsql.errors import LedgerError

_BY_COUNT: tuple[Refresh, ...] = ("never", *reversed(REFRESH[1:]))
"""Calendars, the one with the fewest windows first."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """All releases of a budget together are (epsilon, delta)-DP, in each window of `refresh`.

    `refresh` is the finest calendar there was. Proof: docs/proofs/ledger.md, section 4.
    """

    epsilon: Fraction
    delta: Fraction
    refresh: Refresh = "never"

    def __or__(self, other: Ceiling) -> Ceiling:
        """The least that is at least both."""
        return Ceiling(
            max(self.epsilon, other.epsilon),
            max(self.delta, other.delta),
            max(self.refresh, other.refresh, key=_BY_COUNT.index),
        )

    def __str__(self) -> str:
        """As `--held` takes it after the budget's name: exact."""
        text = f"{self.epsilon},{self.delta}"
        return text if self.refresh == "never" else f"{text},{self.refresh}"


@dataclass(slots=True)
class Peak:
    """The ceiling of a ledger's entries, entry by entry.

    The releases that the filter admitted are within the largest terms, each part by itself; so are
    burned losses, once the filter has admitted something on top of them. Before that they come on
    top, and in a budget that ever had windows they stay there.
    """

    epsilon: Fraction = Fraction(0)
    conv: Fraction = Fraction(0)
    thr: Fraction = Fraction(0)
    refresh: Refresh = "never"
    burned: list[Threshold] = field(default_factory=list)

    def rise(self, terms: BudgetTerms, refresh: Refresh) -> None:
        """These terms are in force."""
        self.epsilon = max(self.epsilon, terms.epsilon)
        self.conv, self.thr = max(self.conv, terms.delta_conv), max(self.thr, terms.delta_thr)
        self.refresh = max(self.refresh, refresh, key=_BY_COUNT.index)

    def admitted(self) -> None:
        """The filter admitted a charge."""
        if self.refresh == "never":
            self.burned = []

    def burn(self, events: Iterable[tuple[PrivacyEvent, int]]) -> None:
        """A loss was accepted; in each window once."""
        self.burned += [event for event, _ in events if isinstance(event, Threshold)]

    @property
    def terms(self) -> Ceiling:
        """Of what the filter admitted: of any run under the terms that there were."""
        return Ceiling(self.epsilon, self.conv + self.thr, self.refresh)

    @property
    def ceiling(self) -> Ceiling:
        """Of everything, accepted losses included."""
        epsilon = self.epsilon + sum(one.count * one.epsilon for one in self.burned)
        delta = self.conv + self.thr + sum(one.delta() for one in self.burned)
        return Ceiling(Fraction(epsilon), Fraction(delta), self.refresh)


Held = tuple[tuple[str, Ceiling], ...]
"""By budget, in the order of names."""


def held(ceilings: Mapping[str, Ceiling]) -> Held:
    return tuple(sorted(ceilings.items()))


def merged(*several: Held) -> Held:
    """By budget the least that covers all of them."""
    found: dict[str, Ceiling] = {}
    for name, ceiling in (pair for one in several for pair in one):
        found[name] = found[name] | ceiling if name in found else ceiling
    return held(found)


def to_json(ceilings: Held) -> dict[str, list[str]]:
    """Exact text, by budget."""
    return {name: [str(c.epsilon), str(c.delta), c.refresh] for name, c in ceilings}


def from_json(found: Any) -> Held:
    """Exact inverse of `to_json`. LedgerError `ledger-broken` for anything else."""
    try:
        ceilings = held({name: _read(*parts) for name, parts in found.items()})
    except (ValueError, TypeError, AttributeError, ArithmeticError):
        ceilings = ()
    if not ceilings or to_json(ceilings) != found:
        raise LedgerError("these are no budgets' ceilings", code="ledger-broken")
    return ceilings


def read(text: str) -> tuple[str, Ceiling]:
    """`analyst:alice=7,1e-6` or `...,monthly`: numbers as people write them. ValueError."""
    name, _, amounts = text.rpartition("=")
    parts = amounts.split(",")
    if not name or len(parts) not in (2, 3):
        raise ValueError(text)
    return name, _read(parts[0], parts[1], parts[2] if len(parts) == 3 else "never")


def options(ceilings: Iterable[tuple[str, Ceiling]]) -> str:
    """What to add to `dpsql ledger accept` so that these are counted."""
    return "".join(f" --held {shlex.quote(f'{name}={ceiling}')}" for name, ceiling in ceilings)


def _read(epsilon: str, delta: str, refresh: str) -> Ceiling:
    calendar = [word for word in REFRESH if word == refresh]
    for text in (epsilon, delta):
        if len(text) > 4000:
            raise ValueError("a number of hostile length")
    promised, chance = Fraction(epsilon), Fraction(delta)
    if promised <= 0 or chance <= 0 or not calendar:
        raise ValueError("no ceiling")
    return Ceiling(promised, chance, calendar[0])
