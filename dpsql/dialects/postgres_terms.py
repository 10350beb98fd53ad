"""What the writer of PostgreSQL says of each expression: its text, and what type it has there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.told import FLOAT, Told
from dpsql.dialects.writing import NotThere

MAX_TEXT = 500_000
"""Characters of one statement: guards repeat what they guard."""


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
