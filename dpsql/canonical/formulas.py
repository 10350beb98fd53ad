"""Conditions in negation normal form: sets instead of chains, whatever they are made of.

All laws used hold in SQL's three values and where nothing can raise, which every bound expression
guarantees: AND and OR are associative, commutative and idempotent, TRUE and FALSE are their
units and absorb, De Morgan, NOT NOT a = a, and x IN (a, b) = (x = a OR x = b).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TRUE, FALSE = "true", "false"


@dataclass(frozen=True, slots=True)
class Atom:
    """A condition that is not taken apart. `text` TRUE or FALSE: the constants."""

    text: str
    negated: bool = False

    def __str__(self) -> str:
        return f"(not {self.text})" if self.negated else self.text


@dataclass(frozen=True, slots=True)
class Member:
    """x IN (values), `values` as comparable texts; one value is x = value."""

    subject: str
    values: frozenset[str]
    negated: bool = False

    def __str__(self) -> str:
        text = f"(in {self.subject} {' '.join(sorted(self.values))})"
        return f"(not {text})" if self.negated else text


@dataclass(frozen=True, slots=True)
class Junction:
    """`word` is and or or; its parts are never junctions of the same word, and at least two."""

    word: str
    parts: frozenset[Atom | Member | Junction]

    def __str__(self) -> str:
        return f"({self.word} {' '.join(sorted(map(str, self.parts)))})"


Formula = Atom | Member | Junction


def constant(value: bool) -> Atom:
    return Atom(TRUE if value else FALSE)


def negation(formula: Formula) -> Formula:
    """NOT formula, pushed down to the leaves."""
    match formula:
        case Atom(text="true" | "false" as text):
            return constant(text == FALSE)
        case Atom(text=text, negated=negated):
            return Atom(text, not negated)
        case Member(subject=subject, values=values, negated=negated):
            return Member(subject, values, not negated)
        case Junction(word=word, parts=parts):
            return junction("or" if word == "and" else "and", map(negation, parts))


def junction(word: str, formulas: Iterable[Formula]) -> Formula:
    """AND or OR of any number of conditions."""
    unit, absorbing = (TRUE, FALSE) if word == "and" else (FALSE, TRUE)
    parts: set[Formula] = set()
    for formula in formulas:
        inner = isinstance(formula, Junction) and formula.word == word
        parts |= formula.parts if inner else {formula}  # type: ignore[union-attr]
    if Atom(absorbing) in parts:
        return Atom(absorbing)
    parts.discard(Atom(unit))
    parts = _merged(parts, negated=word == "and")
    if not parts:
        return Atom(unit)
    return next(iter(parts)) if len(parts) == 1 else Junction(word, frozenset(parts))


def _merged(parts: set[Formula], *, negated: bool) -> set[Formula]:
    """x = a OR x = b is one list, and so is x <> a AND x <> b."""
    lists: dict[str, frozenset[str]] = {}
    rest: set[Formula] = set()
    for part in parts:
        if isinstance(part, Member) and part.negated == negated:
            lists[part.subject] = lists.get(part.subject, frozenset()) | part.values
        else:
            rest.add(part)
    return rest | {Member(subject, values, negated) for subject, values in lists.items()}
