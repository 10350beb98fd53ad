"""Ranges found by asking dpsql itself: an ordinary private query a column and end, paid for.

For an end of a column x the query is

    SELECT b, COUNT(*) FROM (SELECT u, MAX(bucket(x)) AS b FROM (SELECT unit AS u, x FROM t)
                             GROUP BY u)
    WHERE b IN (all buckets) GROUP BY b

(MIN for the lower end), where bucket() is a CASE over fixed powers of two, or a year. It does not
decrease in x, so the bucket of a unit's largest value is its largest bucket.

Guarantee. It goes through parse, plan, certify, charge and perturb like an analyst's, in the name
of the owner's own budget, under `total`. The inner SELECT has one row a unit, so adding or
removing a unit moves one bucket's count by one: the histogram has L1 sensitivity 1 and rounded
Laplace noise of scale 1/ε makes it ε-DP. The buckets are literals, so all are shown, empty ones
too, and no threshold or δ is needed. A scan of n ends gives each ε/n (rounded down to 2^-20), so by
composition the whole scan is ε-DP, and the ledger charges just that. Everything below is
post-processing of the noisy counts.

Which end (Wilson et al. 2020, "Differentially Private SQL with Bounded User Contribution",
5.1.1): the outermost bucket whose noisy count reaches t = ⌈ln(B/2β)/ε + 1/2⌉. A bucket without
units reaches it with probability at most e^(-ε(t-1/2))/2 = β/B (rounding passes it half a unit
early), so none of the B buckets does with probability 1-β. t only decides how useful the range is,
never its privacy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, log
from typing import TYPE_CHECKING

from dpsql.core.catalog import Catalog, CatalogColumn
from dpsql.core.domain import TEMPORAL, Kind
from dpsql.core.numbers import MIN_EPSILON
from dpsql.errors import InterfaceError
from dpsql.policy.catalog import find_table, one_row_per_unit
from dpsql.policy.schema import Policy, Price, Table
from dpsql.setup.buckets import YEARS, Buckets, buckets_of
from dpsql.setup.draft import End
from dpsql.setup.names import sql_name
from dpsql.setup.typed import in_order

if TYPE_CHECKING:
    from dpsql.session import Session

BETA = 1e-3
"""How likely a scan may take noise in an empty bucket for people."""

STEP = 2**20


@dataclass(frozen=True, slots=True)
class Target:
    """A column to find a range for: names as in the policy and in the database."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Found:
    """`range` None: none that enough people share.

    `people`: about how many must lie in the outermost bucket. `dates`: it is in whole years.
    """

    range: tuple[End, End] | None
    people: int
    dates: bool


def scan(policy: Policy, owner: str, epsilon: Fraction, targets: Sequence[Target]) -> list[Found]:
    """A range for each target, for ε in all, charged to `owner` in the policy's ledger.

    `policy` must name that owner's budget. Every refusal of a private query can be raised, most
    likely BudgetExceeded where an earlier scan has spent it: asked again with the same ε and
    columns, the scan is free.
    """
    from dpsql.session import Session

    bare = {name: replace(table, columns={}) for name, table in policy.tables.items()}
    uncapped = replace(policy.budgets, max_per_query=Price(), max_per_statement=Price())
    session = Session(replace(policy, tables=bare, budgets=uncapped), owner)
    try:
        catalog = session.engine.catalog()
        ways = [_ends(policy, catalog, target) for target in targets]
        each = _share(epsilon, sum(map(len, ways)))
        return [
            _find(session, catalog, target, way, each)
            for target, way in zip(targets, ways, strict=True)
        ]
    finally:
        session.close()


def _share(epsilon: Fraction, scans: int) -> Fraction:
    each = Fraction(floor(epsilon / scans * STEP), STEP) if scans else epsilon
    if each < MIN_EPSILON:
        raise InterfaceError(
            f"--private-ranges: too little for {scans} scans",
            code="init-budget",
            hint="name more, or give some of the ranges yourself (--range)",
        )
    return each


def _ends(policy: Policy, catalog: Catalog, target: Target) -> tuple[str, ...]:
    """One scan serves both ends where a unit has one row, whose MIN is its MAX."""
    unit = policy.tables[target.table].unit
    assert unit is not None
    one = one_row_per_unit(policy.tables, catalog, target.table, unit)
    return ("MAX",) if one else ("MIN", "MAX")


def _find(
    session: Session, catalog: Catalog, target: Target, ends: Sequence[str], epsilon: Fraction
) -> Found:
    table = session.policy.tables[target.table]
    entry = find_table(catalog, table)
    assert entry is not None
    column = entry.columns[target.column]
    buckets = buckets_of(column)
    people = threshold(len(buckets.ends), epsilon)
    reached = []
    for end in ends:
        sql = query(session.policy, table, column, buckets, end)
        counts = session.query(sql, epsilon=epsilon).table.to_pylist()
        reached.append([row["b"] for row in counts if row["n"] >= people and row["b"] is not None])
    dates = column.type.kind in TEMPORAL
    if not all(reached):
        return Found(None, people, dates)
    low, high = buckets.ends[min(reached[0])][0], buckets.ends[max(reached[-1])][1]
    return Found(_useful(low, high), people, dates)


def said_of(found: Found) -> str:
    """The comment beside a column: what its range is, or what to do without one."""
    if found.range is None:
        span = "year" if found.dates else "span between powers of two"
        return (
            f"private scan: found no range, for lack of a {span} with about {found.people} people"
            " in it; write min and max from what you know, or scan again at a larger ε"
        )
    if found.dates:
        return "private scan: whole years that hold nearly everybody's dates"
    return (
        "private scan: 0 or the least power of two that holds nearly everybody; nobody need reach"
        " it"
    )


def _useful(low: End, high: End) -> tuple[End, End] | None:
    """Numbers of one sign get 0 as their other end: it costs no sum and cuts nobody off.

    None for what is no range: ends that noise has crossed, or zeros alone.
    """
    if isinstance(low, Fraction) and isinstance(high, Fraction):
        low, high = min(low, Fraction(0)), max(high, Fraction(0))
        return None if low == high else (low, high)
    return (low, high) if in_order(low, high) else None


def threshold(buckets: int, epsilon: Fraction) -> int:
    """t of the module's docstring."""
    return ceil(log(buckets / (2 * BETA)) / float(epsilon) + 0.5)


def query(policy: Policy, table: Table, column: CatalogColumn, buckets: Buckets, end: str) -> str:
    """The private query of one end; the unit's path is joined in as the policy declares it."""
    assert table.unit is not None
    own = table.unit.own_column
    joins, at, unit = "", "t", own
    if own is None:
        for number, hop in enumerate(table.unit.hops):
            name = f"h{number}"
            there = ".".join(map(sql_name, policy.tables[hop.target_table].parts))
            on = f"{at}.{sql_name(hop.column)} = {name}.{sql_name(hop.target_column)}"
            joins, at = f"{joins} JOIN {there} {name} ON {on}", name
        unit = table.unit.column
    source = ".".join(map(sql_name, table.parts))
    person = f"{at}.{sql_name(str(unit))}"
    value = f"t.{sql_name(column.name)}"
    rows = (
        f"SELECT {person} AS u, {value} AS x FROM {source} t{joins} WHERE {_usual(value, column)}"
    )
    units = f"SELECT u, {end}({buckets.case}) AS b FROM ({rows}) GROUP BY u"
    codes = ", ".join(map(str, sorted(buckets.ends)))
    return f"SELECT b, COUNT(*) AS n FROM ({units}) WHERE b IN ({codes}) GROUP BY b"


def _usual(value: str, column: CatalogColumn) -> str:
    """Leaves NULL, NaN, infinities and years beyond the grid out."""
    kind = column.type.kind
    if kind in TEMPORAL:
        low, high = YEARS
        return f"{value} >= DATE '{low}-01-01' AND {value} < DATE '{high + 1}-01-01'"
    if kind is Kind.FLOAT:
        return f"{value} > -1e300 AND {value} < 1e300"
    return f"{value} IS NOT NULL"
