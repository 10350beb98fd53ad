"""rewrite: each plan becomes one bounded statement, in the words of the engine that runs it."""

from __future__ import annotations

from dpsql.core.catalog import Catalog
from dpsql.dialects.writing import SHORT_DECIMALS, written
from dpsql.mechanisms import entropy
from dpsql.pipeline.stages import Planned, Rewritten
from dpsql.planning.types import Plan
from dpsql.policy.catalog import table_keys
from dpsql.policy.schema import Policy
from dpsql.rules import distinct, histogram, rewrite


def run(planned: Planned, *, policy: Policy, dialect: str = "duckdb") -> Rewritten:
    """A fresh salt decides, for each statement, which groups of a unit are kept."""
    catalog = planned.bound.catalog
    tables = table_keys(policy, catalog)
    texts, counted, paired = [], [], []
    for plan in planned.plans:
        salt = int(entropy.words(1)[0])
        wanted = plan.sums or not plan.apart
        texts.append(text(plan, catalog, tables, salt, dialect) if wanted else "")
        places = range(len(plan.histograms))
        counted.append(
            tuple(histogram_text(plan, at, catalog, tables, salt, dialect) for at in places)
        )
        places = range(len(plan.distincts))
        paired.append(
            tuple(distinct_text(plan, at, catalog, tables, salt, dialect) for at in places)
        )
    return Rewritten(planned, tuple(texts), tuple(counted), tuple(paired))


def text(
    plan: Plan, catalog: Catalog, tables: dict[str, str], salt: int, dialect: str = "duckdb"
) -> str:
    """The statement of sums as it will be sent."""
    narrow = dialect in SHORT_DECIMALS
    return written(rewrite(plan, catalog, tables, salt, narrow=narrow), dialect, catalog)


def histogram_text(
    plan: Plan,
    index: int,
    catalog: Catalog,
    tables: dict[str, str],
    salt: int,
    dialect: str = "duckdb",
) -> str:
    """The statement of a histogram as it will be sent."""
    return written(histogram(plan, index, catalog, tables, salt), dialect, catalog)


def distinct_text(
    plan: Plan,
    index: int,
    catalog: Catalog,
    tables: dict[str, str],
    salt: int,
    dialect: str = "duckdb",
) -> str:
    """The statement of distinct values as it will be sent."""
    return written(distinct(plan, index, catalog, tables, salt), dialect, catalog)
