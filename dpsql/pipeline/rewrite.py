"""rewrite: each plan becomes one bounded statement, in the words of the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dpsql.core.catalog import Catalog
from dpsql.dialects.writing import SHORT_DECIMALS, written
from dpsql.mechanisms import entropy
from dpsql.pipeline.stages import FromCells, Planned, Rewritten
from dpsql.planning.kept import KeptCells, Offer
from dpsql.planning.types import Plan
from dpsql.policy.catalog import table_keys
from dpsql.policy.schema import Policy
from dpsql.rules import distinct, histogram, kept, rewrite

Offers = Callable[[Plan], Offer | None]
"""The kept cells that serve a plan."""


def run(
    planned: Planned,
    *,
    policy: Policy,
    dialect: str = "duckdb",
    offers: Offers = lambda plan: None,
) -> Rewritten:
    """A fresh salt decides, for each statement, which groups of a unit are kept.

    Where kept cells serve the plan, it is the one that they were made with: whether cells are read
    or rows, the sums are then the same.
    """
    catalog = planned.bound.catalog
    tables = table_keys(policy, catalog)
    texts, counted, paired = [], [], []
    instead: list[FromCells | None] = []
    for plan in planned.plans:
        salt, offer = int(entropy.words(1)[0]), offers(plan)
        wanted = plan.sums or not plan.apart
        if offer is None:
            texts.append(text(plan, catalog, tables, salt, dialect) if wanted else "")
            instead.append(None)
        else:
            salt = offer.salt
            texts.append(text(plan, catalog, tables, salt, dialect, offer.ranked))
            instead.append(FromCells(kept_text(plan, offer, catalog), offer))
        places = range(len(plan.histograms))
        counted.append(
            tuple(histogram_text(plan, at, catalog, tables, salt, dialect) for at in places)
        )
        places = range(len(plan.distincts))
        paired.append(
            tuple(distinct_text(plan, at, catalog, tables, salt, dialect) for at in places)
        )
    return Rewritten(planned, tuple(texts), tuple(counted), tuple(paired), tuple(instead))


def text(
    plan: Plan,
    catalog: Catalog,
    tables: Mapping[str, str],
    salt: int,
    dialect: str = "duckdb",
    ranked: Sequence[int] | None = None,
) -> str:
    """The statement of sums as it will be sent."""
    narrow = dialect in SHORT_DECIMALS
    statement = rewrite(plan, catalog, tables, salt, ranked, narrow=narrow)
    return written(statement, dialect, catalog)


def kept_text(plan: Plan, offer: Offer, catalog: Catalog) -> str:
    """The same sums over kept cells, which lie in a DuckDB of their own."""
    return written(kept.read(plan, offer), "duckdb", catalog)


def cells_text(cells: KeptCells, catalog: Catalog, tables: Mapping[str, str], salt: int) -> str:
    """The statement whose rows a table of kept cells holds."""
    return written(kept.made(cells, catalog, tables, salt), "duckdb", catalog)


def histogram_text(
    plan: Plan,
    index: int,
    catalog: Catalog,
    tables: Mapping[str, str],
    salt: int,
    dialect: str = "duckdb",
) -> str:
    """The statement of a histogram as it will be sent."""
    return written(histogram(plan, index, catalog, tables, salt), dialect, catalog)


def distinct_text(
    plan: Plan,
    index: int,
    catalog: Catalog,
    tables: Mapping[str, str],
    salt: int,
    dialect: str = "duckdb",
) -> str:
    """The statement of distinct values as it will be sent."""
    return written(distinct(plan, index, catalog, tables, salt), dialect, catalog)
