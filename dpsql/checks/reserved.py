"""Names that dpsql itself gives to releases, their columns and public tables."""

from __future__ import annotations

import re

from sqlglot import exp

from dpsql.binding.context import Context

_OURS = re.compile(r"dpsql_(release|public|bar|unnamed)_")


def refuse_reserved(root: exp.Expr, context: Context) -> None:
    """Refuses a query that uses one, for whatever: it might be taken for the thing itself."""
    for name in root.find_all(exp.Identifier):
        if _OURS.match(name.name.casefold()):
            context.refuse(
                name,
                "reserved-name",
                f"names such as {name.name} are dpsql's own",
                "choose a name that does not begin with dpsql_",
            )
