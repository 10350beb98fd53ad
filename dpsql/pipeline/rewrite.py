"""rewrite: each plan becomes one bounded statement in the engine's dialect."""

from __future__ import annotations

from dpsql.core.catalog import Catalog
from dpsql.mechanisms import entropy
from dpsql.pipeline.stages import Planned, Rewritten
from dpsql.planning.types import Plan
from dpsql.policy.schema import Policy
from dpsql.rules import rewrite


def run(planned: Planned, *, policy: Policy) -> Rewritten:
    """A fresh salt decides, for each statement, which groups of a unit are kept."""
    catalog = planned.bound.catalog
    tables = {  # '' for a table that the database lacks
        name: catalog.key_of(".".join(table.parts)) or "" for name, table in policy.tables.items()
    }
    texts = []
    for plan in planned.plans:
        texts.append(text(plan, catalog, tables, int(entropy.words(1)[0])))
    return Rewritten(planned, tuple(texts))


def text(plan: Plan, catalog: Catalog, tables: dict[str, str], salt: int) -> str:
    """The statement as it will be sent."""
    return rewrite(plan, catalog, tables, salt).sql("duckdb", comments=False, copy=False)
