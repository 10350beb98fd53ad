"""The derivative of what is shown by what is released, at public sizes: forward differentiation.

Of an expression over released columns: its size (positive: signs are not known before the data),
and its derivative by each column. A value read in another row (a window, an outer aggregate, a
subquery) has noise of its own, so its derivatives are told apart and never cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import hypot, log, sqrt

from sqlglot import exp

from dpsql.planning.division import DECIDES

Column = tuple[int, str]
"""A release, and its column."""
Part = tuple[int, str, int]
"""A column, and where it is read: 0 is the figure's own row."""

GROUPS = 10.0
"""Rows that an outer aggregate or a window adds up: not known, and of little weight."""

_elsewhere = count(1)


class Unclear(Exception):
    """The query is not followed here."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`size`: its magnitude at the middle of the public ranges. `slopes`: its derivatives by the
    *relative* error of each part."""

    size: float
    slopes: Mapping[Part, float]

    @classmethod
    def column(cls, which: Column, size: float) -> Figure:
        return cls(size, {(*which, 0): size})

    def elasticities(self) -> dict[Column, float]:
        """Relative variance of the figure per relative variance of each column."""
        found: dict[Column, float] = {}
        for (release, column, _), slope in self.slopes.items():
            part = (slope / self.size) ** 2
            found[release, column] = found.get((release, column), 0.0) + part
        return found

    def through(self, size: float, slope: float) -> Figure:
        """A function of it, of this value and derivative."""
        return Figure(size, {part: slope * own for part, own in self.slopes.items()})

    def apart(self, size: float = 1.0, slope: float = 1.0) -> Figure:
        """As read in other rows; its size and its noise so many times its own."""
        place, moved = next(_elsewhere), dict[Part, float]()
        for (release, column, _), own in self.slopes.items():
            part = (release, column, place)
            moved[part] = hypot(moved.get(part, 0.0), own * slope)
        return Figure(self.size * size, moved)


def constant(size: float = 1.0) -> Figure:
    return Figure(size, {})


def opaque(figures: Sequence[Figure], weight: float = 1.0) -> Figure:
    """Something made of them, nothing known of how: each relative error counts by itself."""
    slopes: dict[Part, float] = {}
    for figure in figures:
        for part, slope in figure.apart().slopes.items():
            slopes[part] = slope / figure.size * sqrt(weight)
    return Figure(1.0, slopes)


def either(figures: Sequence[Figure]) -> Figure:
    """Now one of them, now another: each in its share of the rows."""
    told = [figure for figure in figures if figure.slopes]
    if len(told) == 1:
        return told[0]
    return opaque(told, 1 / len(told)) if told else constant(max([1.0, *(f.size for f in figures)]))


_SAME = (exp.Alias, exp.Paren, exp.Cast, exp.TryCast, exp.Round, exp.Coalesce, exp.Nullif)
_STEPS = (exp.Floor, exp.Ceil, exp.Abs, exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.Ordered)
_MOVED = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Max, exp.Min)


@dataclass(frozen=True)
class Gradients:
    """Figures over relations in scope: `plain` columns by name, and those of `tables` by theirs.

    `nested`: the columns of a subquery.
    """

    plain: Mapping[str, Figure]
    tables: Mapping[str, Mapping[str, Figure]]
    nested: Callable[[exp.Expr], Sequence[Figure]]

    def figure(self, node: exp.Expr) -> Figure:
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Literal):
            return constant(_size_of(node))
        if isinstance(node, (*_SAME, *_STEPS)):
            return self.figure(node.this)
        if isinstance(node, exp.Neg):
            inner = self.figure(node.this)
            return inner.through(inner.size, -1.0)
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv)):
            return _arithmetic(node, self.figure(node.this), self.figure(node.expression))
        if isinstance(node, (exp.Sqrt, exp.Ln, exp.Pow)):
            return self._power(node)
        if isinstance(node, (exp.Greatest, exp.Least)):
            return either([self.figure(part) for part in (node.this, *node.expressions)])
        if isinstance(node, exp.Case):
            return self._case(node)
        if isinstance(node, exp.Window):
            return self._over_rows(node.this, node)
        if isinstance(node, exp.AggFunc):
            return self._over_rows(node, node)
        if isinstance(node, exp.Query):
            return opaque([one.apart() for one in self.nested(node)])
        return opaque([self.figure(part) for part in _children(node)])

    def _column(self, node: exp.Column) -> Figure:
        name = node.name.casefold()
        if node.table:
            return self.tables.get(node.table.casefold(), {}).get(name, constant())
        return self.plain.get(name, constant())

    def _power(self, node: exp.Expr) -> Figure:
        inner = self.figure(node.this)
        if isinstance(node, exp.Ln):
            return inner.through(max(abs(log(inner.size)), 1.0), 1 / inner.size)
        power = 0.5
        if isinstance(node, exp.Pow):
            if not isinstance(node.expression, exp.Literal):
                return opaque([inner, self.figure(node.expression)])
            power = _size_of(node.expression)
        return inner.through(inner.size**power, power * inner.size ** (power - 1))

    def _case(self, node: exp.Case) -> Figure:
        """Its branches; what is tested decides which."""
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        branches += [node.args["default"]] if node.args.get("default") is not None else []
        value = either([self.figure(branch) for branch in branches])
        tests = [branch.this for branch in node.args["ifs"]]
        tests += [node.this] if node.this is not None else []
        test = opaque([self.figure(part) for part in tests], DECIDES)
        return Figure(
            value.size,
            {**value.slopes, **{part: slope * value.size for part, slope in test.slopes.items()}},
        )

    def _over_rows(self, function: exp.Expr, whole: exp.Expr) -> Figure:
        """A window, or an aggregate above the noise line."""
        while isinstance(function, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls)):
            function = function.this
        inner = self.figure(function.this) if isinstance(function.this, exp.Expr) else constant()
        if isinstance(function, exp.Sum):
            return inner.apart(GROUPS, sqrt(GROUPS))
        if isinstance(function, exp.Avg):
            return inner.apart(1.0, sqrt(1 / GROUPS))
        if isinstance(function, _MOVED):
            return inner.apart()
        if isinstance(function, exp.Count):
            return constant(GROUPS)
        return opaque([self.figure(part) for part in _children(whole)])


def _arithmetic(node: exp.Expr, a: Figure, b: Figure) -> Figure:
    if isinstance(node, exp.Add):
        return _summed(a, b, 1.0, 1.0, a.size + b.size)
    if isinstance(node, exp.Sub):  # of parts of like size: as large as they are together
        apart, together = abs(a.size - b.size), hypot(a.size, b.size)
        return _summed(a, b, 1.0, -1.0, apart if apart > together / 2 else together)
    if isinstance(node, exp.Mul):
        return _summed(a, b, b.size, a.size, a.size * b.size)
    return _summed(a, b, 1 / b.size, -a.size / b.size / b.size, a.size / b.size)


def _summed(a: Figure, b: Figure, left: float, right: float, size: float) -> Figure:
    slopes = {part: left * slope for part, slope in a.slopes.items()}
    for part, slope in b.slopes.items():
        slopes[part] = slopes.get(part, 0.0) + right * slope
    return Figure(size, slopes)


def _size_of(node: exp.Literal) -> float:
    try:
        return abs(float(node.this))
    except ValueError:
        return 1.0


def _children(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nearest expressions below; identifiers, types and words are none."""
    for child in node.iter_expressions():
        if isinstance(child, (exp.Identifier, exp.DataType, exp.Var)):
            continue
        yield child
