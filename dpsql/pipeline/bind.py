"""bind and split: names, types and units resolved; private aggregates cut from the remainder."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from dpsql.binding import metadata
from dpsql.binding.context import Context, Describe, undescribed
from dpsql.binding.query import QueryBinder
from dpsql.checks.ordinals import check_ordinals
from dpsql.checks.remainder import check_remainder
from dpsql.checks.reserved import refuse_reserved
from dpsql.checks.row_limits import check_row_limits
from dpsql.checks.size import check_size
from dpsql.checks.subscripts import check_subscripts
from dpsql.checks.text_length import check_text_length
from dpsql.core.catalog import Catalog
from dpsql.pipeline.stages import Bound, Parsed
from dpsql.policy.schema import Policy


def run(
    parsed: Parsed,
    *,
    policy: Policy,
    catalog: Catalog,
    default_schema: str,
    describe: Describe = undescribed,
    analyst: str = "",
    clips: bool = False,
) -> Bound:
    """Raises InvalidQuery or RefusedQuery with a caret; reads schema and public tables only.

    `describe`: what a query above the noise line gives, for chains. `analyst`: what current_user
    says; nothing else depends on it. `clips`: every private SELECT estimates what clipping moves.
    """

    def described(context: Context, query: exp.Expr) -> tuple[tuple[str, ...], tuple[str, ...]]:
        check_remainder(query, context)
        check_size(query, context)
        return describe(context, query)

    context = Context(parsed.text, policy, catalog, default_schema, describe=described, clips=clips)
    refuse_reserved(parsed.root, context)
    check_ordinals(parsed.root, context)
    check_row_limits(parsed.root, context)
    check_subscripts(parsed.root, context)
    parsed = replace(parsed, root=metadata.prepared(parsed.root, context, analyst))
    public = metadata.answering(parsed.root, policy)
    if public is None:
        return _bound(parsed, parsed.root, context)
    metadata.refuse_mixed(parsed.root, context)
    if metadata.needs_check(parsed.root):
        _bound(parsed, parsed.root, context)
    about = Context(parsed.text, public, catalog, default_schema, describe=described)
    return _bound(parsed, metadata.as_public(parsed.root), about)


def _bound(parsed: Parsed, root: exp.Expr, context: Context) -> Bound:
    remainder = QueryBinder(context).statement(root)
    check_ordinals(remainder, context)
    check_remainder(remainder, context)
    check_size(remainder, context)
    check_text_length(remainder, context)
    private = [aggregate for aggregate in context.released if aggregate is not None]
    assert len(private) == len(context.released)
    sites = tuple(context.sites[index] for index in range(len(private)))
    return Bound(
        parsed,
        context.catalog,
        remainder,
        tuple(private),
        context.public_used,
        sites,
        tuple(context.steps),
    )
