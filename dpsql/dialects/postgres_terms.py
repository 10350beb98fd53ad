"""What the writer of PostgreSQL says of each expression: its text, and what type it has there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.writing import NotThere

MAX_TEXT = 500_000
"""Characters of one statement: guards repeat what they guard."""


@dataclass(frozen=True, slots=True)
class Told:
    """A type in PostgreSQL. `bits` of an INTEGER: 32, 64, or 0 for a NUMERIC without fraction.

    `digits`: precision and scale of a DECIMAL, where they are known.
    """

    kind: Kind
    bits: int = 0
    digits: tuple[int, int] | None = None

    @property
    def huge(self) -> bool:
        return self.kind is Kind.INTEGER and self.bits == 0


INT, BIG, HUGE = Told(Kind.INTEGER, 32), Told(Kind.INTEGER, 64), Told(Kind.INTEGER, 0)
FLOAT, TEXT, BOOL = Told(Kind.FLOAT), Told(Kind.TEXT), Told(Kind.BOOLEAN)
DATE, TIMESTAMP, NOTHING = Told(Kind.DATE), Told(Kind.TIMESTAMP), Told(Kind.NULL)
DECIMAL, OPAQUE = Told(Kind.DECIMAL), Told(Kind.OPAQUE)


@dataclass(frozen=True, slots=True)
class Term:
    """Text that stands for itself wherever it is put: operators are in parentheses.

    Of a FLOAT: `finite`, it is never NaN nor an infinity; `whole`, it is an integer's (0, or at
    least 1 in size and below 10^39).
    """

    sql: str
    told: Told
    finite: bool = False
    whole: bool = False


Write = Callable[[exp.Expr], Term]


def refuse(what: str, hint: str = "") -> NoReturn:
    """NotThere (`not-on-this-engine`): before any charge, whatever the data."""
    raise NotThere(
        f"{what} is not available on people's rows in PostgreSQL",
        code="not-on-this-engine",
        hint=hint or "write it another way, or compute it above the aggregates",
    )


def name(text: str) -> str:
    """A name, quoted: it is the one of these very letters."""
    return '"' + text.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text, with standard_conforming_strings on."""
    if "\0" in value:
        refuse("a text with the character of code 0", "no text in PostgreSQL holds it")
    return "'" + value.replace("'", "''") + "'"


def double(value: float) -> str:
    return f"CAST('{value!r}' AS DOUBLE PRECISION)"


def call(word: str, *args: str) -> str:
    """A function of PostgreSQL's own, named with its schema."""
    return f"pg_catalog.{word.lower()}({', '.join(args)})"


def form(word: str, *args: str) -> str:
    """What is no function but grammar (COALESCE), or an aggregate."""
    return f"{word}({', '.join(args)})"


def cast(sql: str, type_: str) -> str:
    return f"CAST({sql} AS {type_})"


def when(test: str, value: str, otherwise: str | None = None) -> str:
    rest = "" if otherwise is None else f" ELSE {otherwise}"
    return f"CASE WHEN {test} THEN {value}{rest} END"


def pair(a: str, sign: str, b: str) -> str:
    return f"({a} {sign} {b})"


def byte_order(term: Term) -> str:
    """A text compared by its bytes, whatever the database's collation; others as they are."""
    return f'({term.sql} COLLATE "C")' if term.told.kind is Kind.TEXT else term.sql


def joined(types: Sequence[Told]) -> Told:
    """The type of a CASE, COALESCE or LEAST over such branches, as PostgreSQL resolves it."""
    known = [one for one in types if one.kind is not Kind.NULL]
    if not known:
        return NOTHING
    kinds = {one.kind for one in known}
    if kinds == {Kind.INTEGER}:
        return (
            HUGE
            if any(one.huge for one in known)
            else Told(Kind.INTEGER, max(one.bits for one in known))
        )
    if len(kinds) == 1:
        first = known[0]
        return first if all(one == first for one in known) else replace(first, digits=None)
    if Kind.FLOAT in kinds:
        return FLOAT
    return DECIMAL


# ---- constants -------------------------------------------------------------------------------

_DIGITS = re.compile(r"[0-9]+\Z")


def number(digits: str) -> Term:
    """A numeric literal of the normal form: integers, decimals with a point, floats with an e."""
    if _DIGITS.match(digits):
        value = int(digits)
        bits = 32 if value < 2**31 else 64 if value < 2**63 else 0
        return Term(digits, Told(Kind.INTEGER, bits))
    if "e" in digits.lower():
        return Term(double(float(digits)), FLOAT)
    whole, _, fraction = digits.partition(".")
    return Term(digits, Told(Kind.DECIMAL, 0, (len(whole) + len(fraction), len(fraction))))


def constant(node: exp.Expr) -> float | None:
    """The value of a number that stands in the text: a literal, its negative, one as DOUBLE."""
    node = node.unnest()
    if isinstance(node, exp.Neg):
        value = constant(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Nullif) and constant(node.args["expression"]) == 0:
        return constant(node.this) or None
    if isinstance(node, exp.Cast) and node.to.this is exp.DType.DOUBLE:
        inner = node.this.unnest()
        if isinstance(inner, exp.Literal):
            try:
                return float(inner.name)
            except ValueError:
                return None
        return constant(inner)
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.name)
    return None
