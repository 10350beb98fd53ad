"""The owner's policy: one file to frozen types, and what `dpsql check` says about it.

`load` reads a file or a dict, `not_built` names what parses but is not carried out, `check` holds
the policy against the engine's schema, `query_price` says what one query costs.
"""

from dpsql.policy.analysts import canonical_name
from dpsql.policy.catalog import find_column, find_table, one_row_per_unit
from dpsql.policy.check import check, refuse_unfit
from dpsql.policy.findings import Finding
from dpsql.policy.kinds import fit_value
from dpsql.policy.load import load, load_text
from dpsql.policy.not_built import not_built, refuse_not_built
from dpsql.policy.price import query_price
from dpsql.policy.schema import (
    AUTO,
    Auto,
    Bounds,
    Budgets,
    BudgetSpec,
    ColumnRule,
    Hop,
    Limits,
    Policy,
    Price,
    Table,
    TeamSpec,
    UnitPath,
)
from dpsql.policy.urls import Database

__all__ = [
    "load",
    "load_text",
    "check",
    "not_built",
    "refuse_not_built",
    "refuse_unfit",
    "query_price",
    "Policy",
    "Table",
    "ColumnRule",
    "UnitPath",
    "Hop",
    "Database",
    "Budgets",
    "BudgetSpec",
    "TeamSpec",
    "Price",
    "Bounds",
    "Limits",
    "AUTO",
    "Auto",
    "Finding",
    "find_table",
    "fit_value",
    "find_column",
    "one_row_per_unit",
    "canonical_name",
]
