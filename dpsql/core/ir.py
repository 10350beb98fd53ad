"""Private relations and aggregates after binding: what will be asked, free of SQL spelling.

Every name has been resolved and every expression carries its `Domain`. Subqueries over private rows
are inlined into one flat block of joined sources, but for those that make other rows, which are
sources of the block with blocks of their own: `PerUnit`, `Union`, `Windowed`. Columns are
(source id, name), so no alias can pose as a privacy unit. All nodes are frozen and hashable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from dpsql.core.domain import Domain, Scalar, SqlType
from dpsql.core.targets import NOTHING, Aims


@dataclass(frozen=True, slots=True)
class Col:
    """A column of one source of the enclosing block."""

    source: int
    name: str
    domain: Domain


@dataclass(frozen=True, slots=True)
class Lit:
    value: Scalar | None
    domain: Domain


@dataclass(frozen=True, slots=True)
class Call:
    """An allow-listed scalar function; `options` are its constant words (a date part, a type)."""

    fn: str
    args: tuple[Expr, ...]
    domain: Domain
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A released value that the query reads: one public value, known when the statement runs.

    `step` is its place among the statement's steps, `kind` the engine's type. Its `domain` is what
    the type says, nothing more. `name` tells what it is wherever it is asked; '' until planned.
    """

    step: int
    kind: str
    domain: Domain
    name: str = ""


Expr = Col | Lit | Unknown | Call


@dataclass(frozen=True, slots=True)
class Scan:
    """A declared base table. `private` tells whether its rows belong to units."""

    id: int
    table: str
    private: bool


MAX_GIVEN_ROWS = 10_000
"""Rows of a `Given` that may repeat its keys: seen to when it is made."""


@dataclass(frozen=True, slots=True)
class Given:
    """A table made of releases by a chain's step: public rows, known when the statement runs.

    `columns`: (name, the engine's type). `keys`: columns that name at most one row, none of them
    for a table of at most one row, None where rows may repeat; the rewriter enforces it.
    `step` and `name` as of `Unknown`.
    """

    id: int
    step: int
    columns: tuple[tuple[str, str], ...]
    keys: tuple[str, ...] | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A public grid on which one unit's rows are summed: x becomes x / unit, within lo..hi."""

    unit: Fraction
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class InnerAggregate:
    """An aggregate inside one unit's rows: integers, counts, extremes, never float sums.

    `sum_fixed` and `count_fixed` read `arg` on `grid`.
    """

    name: str
    fn: str
    arg: Expr | None
    where: Expr | None
    domain: Domain
    grid: FixedPoint | None = None


@dataclass(frozen=True, slots=True)
class PerUnit:
    """GROUP BY the unit and `keys`, inside a block: one row per (unit, keys), still private."""

    id: int
    block: Block
    keys: tuple[tuple[str, Expr], ...]
    aggregates: tuple[InnerAggregate, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One SELECT of a UNION ALL: its rows and, by position, its columns beside the unit."""

    block: Block
    outputs: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """UNION ALL of people's rows: columns u (the unit), c0, c1, ..."""

    id: int
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """ROWS (else RANGE) from `start` to `end`, counted from the row; None: as far as there are."""

    rows: bool
    start: int | None
    end: int | None

    @property
    def whole(self) -> bool:
        return self.start is None and self.end is None


PICKS = frozenset({"lag", "lead", "first_value", "last_value", "nth_value"})
"""Windows that give the value of another row."""


@dataclass(frozen=True, slots=True)
class Window:
    """One call over the unit's rows with equal `partition` columns.

    `order`: (column, descending, NULLs first). The argument of an aggregate is an expression over
    the block, that of LAG and the like a column of the windowed relation. `steps`: rows away, the
    number of NTH_VALUE, the parts of NTILE. `default`: LAG's and LEAD's, where there is no row.
    `frame`: None is SQL's own, the rows up to this one and its peers, or all without an order.
    """

    name: str
    partition: tuple[str, ...]
    order: tuple[tuple[str, bool, bool], ...]
    call: InnerAggregate
    steps: int
    frame: Frame | None = None
    default: Lit | None = None

    @property
    def by_place(self) -> bool:
        """Does it depend on where a row stands among its peers?"""
        if self.call.fn in PICKS or self.call.fn in ("row_number", "ntile"):
            return True
        return self.frame is not None and self.frame.rows and not self.frame.whole


@dataclass(frozen=True, slots=True)
class Windowed:
    """The block's rows: u (the unit), `columns`, and one column for each window."""

    id: int
    block: Block
    columns: tuple[tuple[str, Expr], ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows of constants, written in the statement: about nobody. Columns c0, c1, ... of `types`."""

    id: int
    types: tuple[SqlType, ...]
    rows: tuple[tuple[Scalar | None, ...], ...]


Source = Scan | Given | PerUnit | Union | Windowed | Listed


@dataclass(frozen=True, slots=True)
class Join:
    """`source` joined to all before it. For `left` the preserved side is what came before."""

    kind: str
    source: Source
    on: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """Keeps rows whose unit occurs in `block`; if `negated`, those whose unit does not."""

    block: Block
    negated: bool = False


@dataclass(frozen=True, slots=True)
class PublicIn:
    """Keeps rows whose `target` is among `output` of a public table's, or of released, rows.

    `exists`: as [NOT] EXISTS, false where IN would be NULL.
    """

    target: Expr
    source: Scan | Given
    where: tuple[Expr, ...]
    output: Expr
    negated: bool
    exists: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A unit-separable relation: R(D) is the disjoint union over units of R_u(rows of u).

    Holds by construction: `unit` is the unit column of a private source, and every private
    source's own unit column is equated with it in `joins[*].on` (the binder refuses otherwise).
    Rows with a NULL unit are nobody's and are dropped by the rewriter.
    By enforced keys alone: `determined` are sources with at most one row per unit in this block,
    `constant` those of them whose columns are functions of the unit (a LEFT JOINed source whose ON
    also reads the row is NULL in some of a unit's rows and a value in others). `fanning` are
    sources that may meet one row of the others more than once (which bounds work alone, so a hop
    onto a promised key is none). `owners`: of each private source
    that holds its unit in a column, by id, that column; scans of a unit path alone have none.
    """

    first: Source
    joins: tuple[Join, ...]
    where: tuple[Expr, ...]
    semijoins: tuple[SemiJoin, ...]
    unit: Col
    determined: frozenset[int]
    constant: frozenset[int]
    fanning: frozenset[int]
    lookups: tuple[PublicIn, ...] = ()
    owners: tuple[tuple[int, Col], ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        return (self.first, *(join.source for join in self.joins))

    @property
    def one_row_per_unit(self) -> bool:
        return all(source.id in self.determined for source in self.sources)


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call over rows of all units: `fn` names a file in aggregates/.

    `other` is the second argument of an aggregate of two: CORR(arg, other), REGR_SLOPE(y, x).
    `quantile`: which one, of an aggregate that is one; `moment`: its integers are days (DATE) or
    seconds (TIMESTAMP) since 1970.
    """

    name: str
    fn: str
    arg: Expr | None
    where: Expr | None
    other: Expr | None = None
    quantile: Fraction | None = None
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What the query asked for in OPTIONS(...) and per-row bounds; None is 'not said'."""

    epsilon: Fraction | None = None
    delta: Fraction | None = None
    max_groups: int | None = None
    max_rows: int | None = None
    min_units: int | None = None
    public_groups: bool = False
    clip_estimate: bool = False
    aims: Aims = NOTHING
    post_process: str | None = None
    bounds: Literal["", "auto", "declared"] = ""
    """auto: found privately though declared. declared: refused where nothing declares them."""


@dataclass(frozen=True, slots=True)
class ClipCount:
    """What was asked along to estimate how much clipping moves.

    `label` says of what; the release's columns `outside` and `rows` count the rows beyond the range
    and all that are read.
    """

    label: str
    outside: str
    rows: str


@dataclass(frozen=True, slots=True)
class PrivateAggregate:
    """A SELECT that aggregates private rows over all units: the thing that is released."""

    block: Block
    keys: tuple[Key, ...]
    aggregates: tuple[Aggregate, ...]
    options: Options
    clips: tuple[ClipCount, ...] = ()


def children(expr: Expr) -> tuple[Expr, ...]:
    return expr.args if isinstance(expr, Call) else ()


def walk(expr: Expr) -> Iterator[Expr]:
    yield expr
    for child in children(expr):
        yield from walk(child)


def columns(expr: Expr) -> Iterator[Col]:
    return (node for node in walk(expr) if isinstance(node, Col))


def value_parameter(step: int) -> str:
    """The parameter by which a statement is given a step's one value."""
    return f"given_{step}"


def column_parameter(step: int, column: str) -> str:
    """The parameter by which a statement is given a column of a step's table, as a list."""
    return f"given_{step}_{column}"


def transform(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Bottom-up rewriting; `change` sees nodes whose arguments are already changed."""
    if isinstance(expr, Call):
        args = tuple(transform(arg, change) for arg in expr.args)
        expr = expr if args == expr.args else replace(expr, args=args)
    return change(expr)
