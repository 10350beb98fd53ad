"""bind and split: names, types and units resolved; private aggregates cut from the remainder."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from dpsql.binding import metadata
from dpsql.binding.context import Context
from dpsql.binding.query import QueryBinder
from dpsql.checks.remainder import check_remainder
from dpsql.checks.reserved import refuse_reserved
from dpsql.checks.size import check_size
from dpsql.core.catalog import Catalog
from dpsql.pipeline.stages import Bound, Parsed
from dpsql.policy.schema import Policy


def run(
    parsed: Parsed, *, policy: Policy, catalog: Catalog, default_schema: str, analyst: str = ""
) -> Bound:
    """Raises InvalidQuery or RefusedQuery with a caret; reads schema only.

    `analyst`: what current_user says; nothing else depends on it.
    """
    context = Context(parsed.text, policy, catalog, default_schema)
    refuse_reserved(parsed.root, context)
    parsed = replace(parsed, root=metadata.prepared(parsed.root, context, analyst))
    public = metadata.answering(parsed.root, policy)
    if public is None:
        return _bound(parsed, parsed.root, context)
    metadata.refuse_mixed(parsed.root, context)
    if metadata.needs_check(parsed.root):
        _bound(parsed, parsed.root, context)
    about = Context(parsed.text, public, catalog, default_schema)
    return _bound(parsed, metadata.as_public(parsed.root), about)


def _bound(parsed: Parsed, root: exp.Expr, context: Context) -> Bound:
    remainder = QueryBinder(context).statement(root)
    check_remainder(remainder, context)
    check_size(remainder, context)
    private = [aggregate for aggregate in context.released if aggregate is not None]
    assert len(private) == len(context.released)
    sites = tuple(context.sites[index] for index in range(len(private)))
    return Bound(parsed, context.catalog, remainder, tuple(private), context.public_used, sites)
