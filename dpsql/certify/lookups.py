"""x [NOT] IN (SELECT ... FROM a public table): a condition on one row, the same for everybody."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Column
from dpsql.certify.joins import Source
from dpsql.certify.kinds import kind_of
from dpsql.certify.reader import bare, conjuncts
from dpsql.certify.rows import check_condition, check_row
from dpsql.certify.scope import Scope
from dpsql.core.domain import Kind

_COMPARED = frozenset({Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN})


def lookup_of(part: exp.Expr) -> exp.In | None:
    """The IN of `x IN (SELECT ...)`, `NOT x IN (...)` and `x IS NULL OR NOT x IN (...)`."""
    part = bare(part)
    if isinstance(part, exp.Or):
        missing = bare(part.this)
        found = lookup_of(part.args["expression"])
        alike = isinstance(missing, exp.Is) and isinstance(missing.args["expression"], exp.Null)
        return found if alike and found is not None and missing.this == bare(found.this) else None
    if isinstance(part, exp.Not):
        part = bare(part.this)
    return part if isinstance(part, exp.In) and part.args.get("query") is not None else None


def reads_public(part: exp.In, source: Callable[[exp.Expr], Source]) -> Source | None:
    """The public table that the subquery reads; None where it reads something else."""
    query = part.args["query"]
    select = query.this if isinstance(query, exp.Subquery) else None
    if type(select) is not exp.Select or select.args.get("from_") is None:
        refuse("IN with a subquery is on the unit")
    first = select.args["from_"].this
    if select.args.get("joins") or not (isinstance(first, exp.Table) or _of_lists(first)):
        return None
    found = source(first)
    return None if found.private else found


def _of_lists(node: exp.Expr) -> bool:
    return isinstance(node, exp.Subquery) and node.this.find(exp.Explode) is not None


def check_lookup(part: exp.In, source: Source, columns: dict[str, Column], scope: Scope) -> None:
    """The subquery sees its own public table alone; both sides are of one exact type."""
    select = part.args["query"].this
    require(not select.args.get("group") and not part.expressions, "a look-up is a plain SELECT")
    require(len(select.expressions) == 1, "a look-up gives one column")
    inside = Scope({source.alias: columns}, scope.serials)
    where = select.args.get("where")
    for condition in conjuncts(where.this) if where else []:
        check_condition(condition, inside)
    output = select.expressions[0].unalias()
    check_row(output, inside)
    check_row(part.this, scope)
    kind = kind_of(part.this, scope)
    require(kind in _COMPARED and kind is kind_of(output, inside), "a look-up compares one type")
