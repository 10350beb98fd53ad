"""What is right: coverage answers against plain DuckDB's, and the error figures of noisy runs."""

from __future__ import annotations

import datetime
import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RELATIVE = 0.01
"""A coverage answer's numbers may be off by this: the noise is all but off, sampling is not."""

ZERO = 50.0
"""What a true 0 may be off by: the last noise of the widest sum (60 rows of up to 5,000)."""

MANY_UNITS = 100
"""A group of as many people must be there at the coverage queries' ε; a smaller one may be lost."""

FEW = 30
"""Draws below which an error figure is shown, but not ranked."""

Cells = Sequence[Any]


def right(
    got: Sequence[Cells],
    want: Sequence[Cells],
    *,
    units: Sequence[int] | None = None,
    ordered: bool = False,
    keys: Sequence[int] = (),
) -> bool:
    """Whether `got` is the answer: every row of many people found, nothing invented, in order.

    Column names are not compared. `keys`: columns that hold no number of people or of money, and so
    must be equal. A group that the plain query lacks is allowed if it is empty
    (0 or NULL): a public key that nobody has.
    """
    free = list(range(len(got)))
    places: list[int] = []
    for index, row in enumerate(want):
        near = [i for i in free if _same_row(got[i], row, keys)]
        if near:
            match = min(near, key=lambda i: _distance(got[i], row))
            free.remove(match)
            places.append(match)
        elif units is None or units[index] >= MANY_UNITS:
            return False
    if want and not places:
        return False
    if any(not _empty(got[i]) for i in free):
        return False
    return not ordered or places == sorted(places)


def _same_row(got: Cells, want: Cells, keys: Sequence[int]) -> bool:
    return len(got) == len(want) and all(
        same(a, b, exact=column in keys)
        for column, (a, b) in enumerate(zip(got, want, strict=True))
    )


def _distance(got: Cells, want: Cells) -> float:
    numbers = [(float(a), b) for a, b in zip(got, want, strict=True) if _number(b)]
    return sum(abs(a - b) / max(abs(b), 1.0) for a, b in numbers)


def _empty(row: Cells) -> bool:
    """A measure in it is NULL, a count of none, or a sum that is 0 but for its last noise."""
    return any(
        v is None or (_number(v) and abs(v) <= (0.5 if isinstance(v, int) else ZERO)) for v in row
    )


def same(got: Any, want: Any, *, exact: bool = False) -> bool:
    if got is None or want is None:
        return got is want
    if isinstance(want, bool) or isinstance(got, bool):
        return str(got).lower()[:1] == str(want).lower()[:1]
    if _number(want):
        try:
            found = float(got)
        except (TypeError, ValueError):
            return False
        if exact:
            return bool(found == want)
        if want == 0:
            return abs(found) <= ZERO
        slack = max(RELATIVE * abs(want), 1.0 if isinstance(want, int) else 0.0)
        return abs(found - want) <= slack
    return _text(got) == _text(want)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: Any) -> str:
    """Moments in one spelling; 40.0 and 40 alike, for engines print numbers differently."""
    text = re.sub(r"(\d)\.0\b", r"\1", str(value))
    try:
        return datetime.datetime.fromisoformat(text).isoformat()
    except ValueError:
        return text


@dataclass(frozen=True)
class Errors:
    """Of one peer's runs of one question, over all groups of the plain answer."""

    runs: int
    draws: int
    median: float
    relative: float
    bias: float
    bias_error: float
    lost: float

    @property
    def few(self) -> bool:
        """Too few draws to rank by: the median's own error is then above a quarter of it."""
        return self.draws < FEW

    def as_good_as(self, median: float) -> bool:
        """Within two standard errors: the median of n |Laplace| draws has 1.44 median / √n."""
        return self.median * (1 - 2 * 1.44 / math.sqrt(self.draws)) <= median


def errors(runs: Sequence[Sequence[Cells]], truth: Sequence[Cells]) -> Errors | None:
    """None if no group was ever shown. `bias`: mean signed error over the mean true value."""
    exact = {_key(key): float(value) for key, value in truth}
    signed: list[float] = []
    relative: list[float] = []
    shown = 0
    for run in runs:
        for key, value in run:
            true = exact.get(_key(key))
            if true is None:
                continue
            shown += 1
            if not _number(value) or not math.isfinite(value):
                continue
            signed.append(value - true)
            relative.append(abs(value - true) / abs(true) if true else math.inf)
    if not signed:
        return None
    scale = statistics.fmean(map(abs, exact.values()))
    spread = statistics.stdev(signed) if len(signed) > 1 else 0.0
    return Errors(
        runs=len(runs),
        draws=len(signed),
        median=statistics.median(map(abs, signed)),
        relative=statistics.median(relative),
        bias=statistics.fmean(signed) / scale,
        bias_error=spread / math.sqrt(len(signed)) / scale,
        lost=1 - shown / (len(exact) * len(runs)),
    )


def _key(key: Any) -> Any:
    return int(key) if isinstance(key, float) and key.is_integer() else key


def rmse(values: Sequence[float], truth: float) -> float:
    return math.sqrt(statistics.fmean((v - truth) ** 2 for v in values))
