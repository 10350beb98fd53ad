"""Accuracy as it is asked for: how wide a column's error bar may be, in place of a price.

    100                     every column within ± 100
    5%                      within 5 % of its magnitude
    income=500, n=5%        of these columns; others need meet nothing
    100, income=500         every column, and one of them otherwise

What is here are words and numbers; `dpsql.accuracy` finds the ε that meets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

from dpsql.core.numbers import read_epsilon, read_number
from dpsql.errors import InvalidQuery

CONFIDENCE = Fraction(19, 20)
ROWS = 1_000
"""Rows of the group for which a bar that falls with the rows is held to its target."""
MOST_ROWS = 10**15
_LEAST, _MOST = Fraction(1, 10**300), Fraction(10**300)
_LEAST_CONFIDENCE, _MOST_CONFIDENCE = Fraction(1, 2), Fraction(999_999, 10**6)
MOST_NAMED = 100
HINT = "write 100 (the column's units), 5% (of its magnitude), or of one column income=5%"
_SIZE_HINT = "write a positive number, 20000, or of one column income=20000"


@dataclass(frozen=True, slots=True)
class Amount:
    """A half-width in the column's units, or (`percent`) in hundredths of its magnitude."""

    value: Fraction
    percent: bool = False

    def __str__(self) -> str:
        return f"{float(self.value):.6g}" + (" %" if self.percent else "")


Amounts = tuple[tuple[str | None, Amount], ...]
"""Columns by name, None for every other one; each name once."""
Magnitudes = tuple[tuple[str | None, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Aims:
    """What was said of accuracy at one place (OPTIONS, a call, a connection); None is 'not said'.

    `rows`: of the group for which bars are told that fall with the rows. `max_epsilon`: the most
    that may be spent, whether or not an error is asked for.
    """

    error: Amounts | None = None
    confidence: Fraction | None = None
    magnitude: Magnitudes | None = None
    rows: int | None = None
    max_epsilon: Fraction | None = None
    clips: bool | None = None
    """Whether to estimate, from the same ε, how many rows clipping moves."""

    def over(self, usual: Aims) -> Aims:
        """These, and the usual ones where these say nothing."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(usual, **{name: said for name, said in mine.items() if said is not None})

    @property
    def target(self) -> Target | None:
        """What is to be met; None where no error is asked for."""
        if self.error is None:
            return None
        return Target(
            self.error,
            CONFIDENCE if self.confidence is None else self.confidence,
            self.magnitude or (),
            ROWS if self.rows is None else self.rows,
        )


NOTHING = Aims()


def written(error: Amounts) -> str:
    """`± 100`, `income ± 5 %`, as a person reads it."""
    return ", ".join(f"± {one}" if name is None else f"{name} ± {one}" for name, one in error)


@dataclass(frozen=True, slots=True)
class Target:
    """An error that is asked for, complete."""

    error: Amounts
    confidence: Fraction
    magnitude: Magnitudes
    rows: int


@dataclass(frozen=True, slots=True)
class Met:
    """One column of a release and its target.

    `limit`: the half-width asked for in the column's units, None where a percentage waits for a
    magnitude. `expected`: at the price that was found, of a group of `rows` rows if they count.
    """

    place: int
    name: str
    asked: Amount
    limit: float | None
    expected: float | None
    rows: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "column": self.name,
            "asked": str(self.asked).replace(" ", ""),
            "half_width_asked": self.limit,
            "half_width_expected": self.expected,
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class Reached:
    """The price of one private aggregate, found from its target.

    `law`: the noise law for which it was found. `exempt`: columns without error bars. `first`: it
    is the small paid look that a percentage without a magnitude takes first; `most`: what the
    answer after it may cost, which depends on what the look releases, at the most.
    """

    epsilon: Fraction
    law: str
    confidence: Fraction
    columns: tuple[Met, ...]
    exempt: tuple[str, ...]
    first: bool = False
    most: Fraction | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "confidence": float(self.confidence),
            "columns": [one.to_json() for one in self.columns],
            "without_error_bars": list(self.exempt),
            "first_look": self.first,
            "then_at_most": None if self.most is None else float(self.most),
        }


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The small paid look before an answer within a percentage: what it cost and told.

    `magnitudes`: by column, no more than it is with 97.5 % probability. `refused`: why nothing was
    asked after it, so that the target is not met and its own answer is shown; `code`: of that
    refusal, `exit_code`: what a command that shows the answer ends with.
    """

    epsilon: Fraction
    delta: Fraction
    magnitudes: tuple[tuple[str, float], ...]
    refused: str | None = None
    code: str | None = None
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "magnitudes": dict(self.magnitudes),
            "refused": self.refused,
            "code": self.code,
        }


# ---- reading ---------------------------------------------------------------------------------


def read_aims(
    error: object = None,
    confidence: object = None,
    magnitude: object = None,
    error_rows: object = None,
    max_epsilon: object = None,
) -> Aims:
    """What a caller says. InvalidQuery `bad-target`, `bad-number` or `bad-epsilon`."""
    return Aims(
        None if error is None else read_error(error),
        None if confidence is None else read_confidence(confidence),
        None if magnitude is None else read_magnitude(magnitude),
        None if error_rows is None else read_rows(error_rows),
        None if max_epsilon is None else read_epsilon(max_epsilon),
    )


def one_price(epsilon: object, aims: Aims) -> Aims:
    """The aims. InvalidQuery `bad-target` where a price is named beside an error."""
    if epsilon is not None and aims.error is not None:
        raise InvalidQuery(
            "a query names its price or its error, not both",
            code="bad-target",
            hint="leave epsilon out; max_epsilon says what it may cost at the most",
        )
    return aims


def read_error(value: object) -> Amounts:
    """A number, a percentage, or these by column: a mapping, or text `a=1, b=5%`."""
    return tuple((name, _amount(one)) for name, one in _entries(value, "error"))


def read_magnitude(value: object) -> Magnitudes:
    """A number, or these by column."""
    return tuple((name, _positive(one, "magnitude")) for name, one in _entries(value, "magnitude"))


def read_confidence(value: object) -> Fraction:
    """The probability that the true value lies within the bar, from 0.5 to 0.999999."""
    if isinstance(value, str) and (percent := _percent(value)) is not None:
        found = read_number(percent, "confidence") / 100
    else:
        found = read_number(value, "confidence")
    if not _LEAST_CONFIDENCE <= found <= _MOST_CONFIDENCE:
        raise InvalidQuery(
            "confidence must lie between 0.5 and 0.999999",
            code="bad-target",
            hint="0.95 is usual, and what is meant where nothing is said",
        )
    return found


def read_rows(value: object) -> int:
    """Rows of a group: a whole number."""
    found = read_number(value, "error_rows")
    if found.denominator != 1 or not 1 <= found <= MOST_ROWS:
        raise InvalidQuery(
            "error_rows must be a whole number of rows, at least 1",
            code="bad-target",
            hint="the size of the groups that matter: 1000, say",
        )
    return int(found)


def _entries(value: object, what: str) -> list[tuple[str | None, object]]:
    """(column, amount) in the order in which they are given; no column twice."""
    pairs: list[tuple[object, object]]
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, str):
        pairs = [*_split(value)] if len(value) <= 10_000 else []
    else:
        pairs = [(None, value)]
    found: dict[str | None, object] = {}
    for name, one in pairs:
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise _bad(what, "a column is named by text")
        key = None if name is None else str.__str__(name).strip()
        if any(plain(key) == plain(other) for other in found):
            raise _bad(what, "every column" if key is None else key, twice=True)
        found[key] = one
    if not found or len(found) > MOST_NAMED:
        raise _bad(what, "nothing is said" if not found else "too many columns are named")
    return list(found.items())


def plain(name: str | None) -> str | None:
    """A column's name as names are compared: no case, no spaces."""
    return None if name is None else "".join(name.casefold().split())


def _split(text: str) -> Iterator[tuple[str | None, str]]:
    """`a=1, b=5%`: commas outside parentheses and quotes part the entries, the last = the name."""
    start = depth = 0
    quote = ""
    for place, char in enumerate(f"{text},"):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "," and depth <= 0:
            name, _, amount = text[start:place].rpartition("=")
            yield (name.strip().strip('"') if _ else None), amount.strip()
            start = place + 1
        else:
            depth += (char == "(") - (char == ")")
    if start <= len(text):
        yield None, ""


def _percent(text: str) -> str | None:
    """What stands before `%` or PERCENT."""
    for word in ("%", "percent"):
        if text.casefold().rstrip().endswith(word):
            return text.rstrip()[: -len(word)].strip()
    return None


def _amount(value: object) -> Amount:
    if isinstance(value, Amount):
        return value
    if isinstance(value, str) and (percent := _percent(value)) is not None:
        return Amount(_positive(percent, "error"), percent=True)
    return Amount(_positive(value, "error"))


def _positive(value: object, what: str) -> Fraction:
    try:
        found = read_number(value.strip() if isinstance(value, str) else value, what)
    except InvalidQuery as problem:
        raise InvalidQuery(problem.message, code=problem.code, hint=_hint(what)) from None
    if not _LEAST <= found <= _MOST:
        told = f"{what} must be above 0 and no larger than 1e300"
        raise InvalidQuery(told, code="bad-target", hint=_hint(what))
    return found


def _bad(what: str, why: str, *, twice: bool = False) -> InvalidQuery:
    told = f"{what} is given twice for {why[:60]}" if twice else f"{what}: {why}"
    return InvalidQuery(told, code="bad-target", hint=_hint(what))


def _hint(what: str) -> str:
    return HINT if what == "error" else _SIZE_HINT
