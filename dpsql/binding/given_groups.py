"""Groups that a released table rules out: known to be empty, they need not be shown.

`WHERE city IN (SELECT city ... LIMIT 5)` and a join on `city = t.city` leave no row of any other
city. Where the key is public its groups are all released, those others as noise around 0. Which
they are follows from the inner release, so dropping them from what is shown is post-processing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from dpsql.binding.context import Step
from dpsql.binding.select import PrivateSelect
from dpsql.binding.units import Classes, equalities, place
from dpsql.core.ir import Col, Expr, Given

_STEP = "dpsql_step"


def tests(
    select: PrivateSelect, keys: Sequence[Expr], column: Callable[[int], exp.Expr], release: str
) -> list[exp.Expr]:
    """Conditions on the release's keys; `column` names a key's column. `release`: tables' prefix.

    Only of steps that give the same rows each time they run, since here they run once more.
    """
    found: list[exp.Expr] = []
    for at, key in enumerate(keys):
        for source, name in dict.fromkeys(_ruling(select, key)):
            step = select.context.steps[source.step]
            if _settled(step.query, release):
                found.append(exp.In(this=column(at), query=_values(step, name)))
    return found


def _ruling(select: PrivateSelect, key: Expr) -> Iterator[tuple[Given, str]]:
    """Columns of released tables among whose values the key is in every row."""
    if not isinstance(key, Col):
        return
    block = select.block
    for part in block.lookups:
        if isinstance(part.source, Given) and not part.negated and isinstance(part.target, Col):
            assert isinstance(part.output, Col)
            if place(part.target) == place(key):
                yield part.source, part.output.name
    classes = Classes()
    inner = [on for join in block.joins if join.kind == "inner" for on in join.on]
    for a, b in equalities([*block.where, *inner]):
        if a.domain.type == b.domain.type:
            classes.union(place(a), place(b))
    left = {join.source.id for join in block.joins if join.kind == "left"}
    for source in block.sources:
        if isinstance(source, Given) and source.id not in left | {key.source}:
            for name, _ in source.columns:
                if classes.same(place(key), (source.id, name)):
                    yield source, name


def _settled(query: exp.Expr, release: str) -> bool:
    """Does every LIMIT in it pick groups of a release, whose ties are broken, and no window?"""
    if query.find(exp.Window, exp.AggFunc) is not None:
        return False
    for one in query.find_all(exp.Query):
        if not one.args.get("limit") and not one.args.get("offset"):
            continue
        source = one.args.get("from_")
        read = source.this if source is not None else None
        picks = isinstance(read, exp.Table) and read.name.startswith(release)
        if not picks or not one.args.get("order") or one.args.get("distinct"):
            return False
    return True


def _values(step: Step, name: str) -> exp.Subquery:
    """(SELECT name FROM (the step) AS dpsql_step(c0, c1, ...))"""
    names = [exp.to_identifier(f"c{at}") for at in range(len(step.types))]
    alias = exp.TableAlias(this=exp.to_identifier(_STEP), columns=names)
    rows = exp.Subquery(this=step.query.copy(), alias=alias)
    picked = exp.Select(expressions=[exp.column(name)], from_=exp.From(this=rows))
    return exp.Subquery(this=picked)
