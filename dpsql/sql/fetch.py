"""FETCH FIRST n ROWS ONLY, standard SQL's word for LIMIT n."""

from __future__ import annotations

from sqlglot import exp

from dpsql.errors import RefusedQuery


def as_limit(root: exp.Expr) -> None:
    """Write every FETCH of the tree as the LIMIT it stands for.

    RefusedQuery `unsupported-clause` for WITH TIES and PERCENT, which LIMIT cannot say.
    """
    for node in list(root.find_all(exp.Fetch)):
        options = node.args.get("limit_options")
        for name in ("with_ties", "percent"):
            if options is not None and options.args.get(name):
                raise RefusedQuery(
                    f"FETCH ... {name.replace('_', ' ').upper()} is not available",
                    code="unsupported-clause",
                    hint="FETCH FIRST 10 ROWS ONLY and LIMIT 10 are; for ties filter on"
                    " RANK() OVER (ORDER BY ...) in an outer query",
                )
        limit = exp.Limit(expression=node.args.get("count") or exp.Literal.number(1))
        limit.meta.update(node.meta)
        node.replace(limit)
