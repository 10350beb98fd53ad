"""What the writer of Spark says of each expression: its text, and what type it has there.

Nothing rests on the order in which Spark computes: it may compute the parts of a CASE, of AND and
OR before it knows which are asked for. So each form is made of what raises over no value at all:
`try_` functions, the arithmetic of floats, and casts whose argument is tested inside of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.told import (
    FLOAT,
    Told,
    joined,
)
from dpsql.dialects.writing import NotThere

MAX_TEXT = 500_000
"""Characters of one statement: forms repeat what they are of."""
WIDEST = 38
"""Digits of the widest DECIMAL, which is the normal form's HUGEINT too."""
_KEPT = 6
"""Digits after the point that Spark keeps whatever its settings, where a result has over 38."""


@dataclass(frozen=True, slots=True)
class Term:
    """Text that stands for itself wherever it is put: operators are in parentheses."""

    sql: str
    told: Told


Write = Callable[[exp.Expr], Term]


def refuse(what: str, hint: str = "") -> NoReturn:
    """NotThere (`not-on-this-engine`): before any charge, whatever the data."""
    raise NotThere(
        f"{what} is not available on people's rows in Spark",
        code="not-on-this-engine",
        hint=hint or "write it another way, or compute it above the aggregates",
    )


def name(text: str) -> str:
    """A name, quoted: it is the one of these very letters, case apart."""
    _plain(text)
    return "`" + text.replace("`", "``") + "`"


def text(value: str) -> str:
    """A text: a backslash escapes, and is the one thing escaped beside the quote."""
    _plain(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _plain(value: str) -> None:
    """What Spark's reader of statements could take for something else, wherever it stands."""
    if "\0" in value:
        refuse("a text with the character of code 0")
    if "${" in value:
        refuse("a text with ${", "Spark may put a setting in its place")


def double(value: float) -> str:
    return f"CAST('{value!r}' AS DOUBLE)"


def call(word: str, *args: str) -> str:
    return f"{word}({', '.join(args)})"


def cast(sql: str, type_: str) -> str:
    return f"CAST({sql} AS {type_})"


def attempt(sql: str, type_: str) -> str:
    return f"TRY_CAST({sql} AS {type_})"


def when(test: str, value: str, otherwise: str | None = None) -> str:
    rest = "" if otherwise is None else f" ELSE {otherwise}"
    return f"CASE WHEN {test} THEN {value}{rest} END"


def pair(a: str, sign: str, b: str) -> str:
    return f"({a} {sign} {b})"


# ---- digits ----------------------------------------------------------------------------------


def digits(told: Told) -> tuple[int, int]:
    """Precision and scale of an exact number as Spark has it."""
    if told.kind is Kind.INTEGER:
        return {32: 10, 64: 20, 0: WIDEST}[told.bits], 0
    assert told.digits is not None, "every DECIMAL of Spark has its digits"
    return told.digits


def shaped(precision: int, scale: int, what: str) -> Told:
    """A DECIMAL that is computed; where it has no room Spark drops digits after the point."""
    if precision > WIDEST and scale > _KEPT:
        refuse(f"{what} of so many digits", "cast a side to fewer digits, or to DOUBLE")
    return Told(Kind.DECIMAL, 0, (min(precision, WIDEST), scale))


def fitted(terms: Sequence[Term]) -> list[Term]:
    """Of exact numbers that are brought to one type: with room for the digits of all.

    A wider whole number than has room is tried as one of as many digits as have: else it is NULL.
    """
    known = [term for term in terms if term.told.kind is not Kind.NULL]
    kinds = {term.told.kind for term in known}
    if Kind.TEXT in kinds and len(kinds) > 1:
        refuse("a text beside another type", "cast one of them")
    if not kinds <= {Kind.INTEGER, Kind.DECIMAL} or Kind.DECIMAL not in kinds:
        return list(terms)
    scale = max(digits(term.told)[1] for term in known)
    room = WIDEST - scale
    found = []
    for term in terms:
        if term.told.kind is not Kind.NULL:
            precision, places = digits(term.told)
            if precision - places > room and (places or room < 1):
                refuse("a number beside one of so many digits", "cast one of them to DOUBLE")
            if precision - places > room:
                shape = Told(Kind.DECIMAL, 0, (room, 0))
                term = Term(attempt(term.sql, f"DECIMAL({room}, 0)"), shape)
        found.append(term)
    return found


def common(terms: Sequence[Term]) -> Told:
    """The type of a CASE, COALESCE or LEAST over such branches, `fitted` before."""
    told = joined([term.told for term in terms])
    if told.kind is not Kind.DECIMAL:
        return told
    shapes = [digits(term.told) for term in terms if term.told.kind is not Kind.NULL]
    scale = max(shape[1] for shape in shapes)
    whole = max(shape[0] - shape[1] for shape in shapes)
    return replace(told, digits=(min(whole + scale, WIDEST), scale))


# ---- constants -------------------------------------------------------------------------------


def number(literal: str) -> Term:
    """A numeric literal of the normal form: integers, decimals with a point, floats with an e."""
    if literal.isascii() and literal.isdigit():
        value = int(literal)
        bits = 32 if value < 2**31 else 64 if value < 2**63 else 0
        if value >= 10**WIDEST:
            refuse("a number of so many digits")
        return Term(literal, Told(Kind.INTEGER, bits))
    if "e" in literal.lower():
        return Term(double(float(literal)), FLOAT)
    whole, _, fraction = literal.partition(".")
    if len(whole) + len(fraction) > WIDEST:
        refuse("a number of so many digits")
    return Term(literal, Told(Kind.DECIMAL, 0, (len(whole) + len(fraction), len(fraction))))
