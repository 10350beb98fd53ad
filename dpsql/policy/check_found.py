"""What a query finds for itself where the owner declares nothing, and how many people it takes.

From the policy's usual price alone: nobody's row is read.
"""

from __future__ import annotations

from fractions import Fraction

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.core.numbers import two_digits
from dpsql.mechanisms.bound_size import SHARE, enough
from dpsql.policy.catalog import one_row_per_unit
from dpsql.policy.check_columns import without_range
from dpsql.policy.findings import Finding, Level
from dpsql.policy.schema import AUTO, Policy, Table

_MANY = 5_000
"""Units of which a database is likely to hold fewer: the owner should look at it."""


def check_found(
    policy: Policy, table: Table, entry: CatalogTable, catalog: Catalog
) -> list[Finding]:
    """A finding where the usual price finds ranges or rows, with the number of people it takes."""
    price = policy.budgets.per_query.epsilon
    if table.unit is None or price is None or not policy.bounds.automatic:
        return []
    rows = policy.bounds.max_rows_per_group
    one = one_row_per_unit(policy.tables, catalog, table.name, table.unit)
    open_rows = not one and (rows is AUTO or (rows is None and table.max_rows_per_unit is None))
    found = []
    where, usual = f"tables.{table.name}", f"at the usual price (ε = {float(price):g})"
    if open_rows:
        found.append(
            Finding(
                _weight(people(price)),
                where,
                f"rows of a {policy.unit} in a group are found by each query, {usual} well for"
                f" about {people(price):,} {policy.unit}s and more; with fewer, answers have no"
                " error bar",
                "set bounds.max_rows_per_group, or a larger budgets.per_query",
            )
        )
    names = without_range(table, entry)
    if names:
        mean = people(price, others=int(open_rows), ends=2)
        found.append(
            Finding(
                _weight(mean),
                f"{where}.columns",
                f"the range of {', '.join(names)} is found by each query, {usual} well for about"
                f" {people(price):,} {policy.unit}s and more for a sum, {mean:,} for a mean; with"
                " fewer, answers have no error bar",
                "write min and max, or a larger budgets.per_query; `bounds: {undeclared: refuse}`"
                " refuses such queries",
            )
        )
    return found


def _weight(units: int) -> Level:
    return "warning" if units > _MANY else "note"


def people(price: Fraction, *, others: int = 0, ends: int = 1) -> int:
    """About how many units it takes to find both ends of a range, or one other bound.

    `price`: the ε of a query that finds `others` besides. In two digits.
    """
    return two_digits(enough([price * SHARE / (others + ends)] * ends))
