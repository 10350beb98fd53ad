"""GROUPING SETS, ROLLUP and CUBE: the sets they stand for, and their releases as one table.

Each set is a private aggregate of its own, with its own price: one row moves all of them. Above
the noise line they are stacked: keys that a set does not group by are NULL, and a column for each
key says so, which tells a total from a group whose key is NULL (`GROUPING(key)`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from sqlglot import exp

from dpsql.binding.interval_ends import HIGH, LOW
from dpsql.binding.select import PrivateSelect

SETS: dict[type[exp.Expr], str] = {
    exp.Rollup: "ROLLUP",
    exp.Cube: "CUBE",
    exp.GroupingSets: "GROUPING SETS",
}
MAX_SETS = 64
"""A CUBE of six keys; each set is charged."""

Terms = tuple[exp.Expr, ...]


def set_terms(group: exp.Group, select: PrivateSelect) -> list[Terms] | None:
    """The terms of each set in order, None where GROUP BY is one plain list."""
    whole = {"rollup": exp.Rollup, "cube": exp.Cube}
    trailing = [kind for name, kind in whole.items() if group.args.get(name)]
    if trailing:  # GROUP BY a, b WITH ROLLUP
        parts = [_expanded(kind(expressions=group.expressions), select) for kind in trailing]
    elif any(type(term) in (*SETS, exp.Tuple) for term in group.expressions):
        parts = [_expanded(term, select) for term in group.expressions]
    else:
        return None
    count = 1
    for part in parts:
        count *= len(part)
        _check(count, select, group)
    return [sum(chosen, ()) for chosen in product(*parts)]


def leaves(group: exp.Expr | None) -> Iterator[exp.Expr]:
    """Every term that GROUP BY names, however deep in sets."""
    for term in group.expressions if group is not None else ():
        if type(term) in (*SETS, exp.Tuple):
            yield from leaves(term)
        else:
            yield term


def _expanded(term: exp.Expr, select: PrivateSelect) -> list[Terms]:
    if isinstance(term, exp.Tuple):
        return [tuple(term.expressions)]
    if type(term) not in SETS:
        return [(term,)]
    if isinstance(term, exp.GroupingSets):
        return [found for part in term.expressions for found in _expanded(part, select)]
    parts = [_expanded(part, select)[0] for part in term.expressions]
    if isinstance(term, exp.Rollup):
        return [sum(parts[:size], ()) for size in range(len(parts), -1, -1)]
    _check(2 ** len(parts), select, term)
    chosen = product((True, False), repeat=len(parts))
    return [sum((p for p, kept in zip(parts, mask, strict=True) if kept), ()) for mask in chosen]


def _check(count: int, select: PrivateSelect, node: exp.Expr) -> None:
    if count > MAX_SETS:
        select.context.refuse(
            node,
            "grouping-sets",
            f"GROUP BY stands for more than {MAX_SETS} sets, each a release with its own price",
            "name the ones you need: GROUPING SETS ((a, b), (a), ())",
        )


# ---- above the noise line --------------------------------------------------------------------


def total_column(index: int) -> str:
    """1 where the row does not group by key `index`."""
    return f"kt{index}"


def bits(totals: Sequence[exp.Expr]) -> exp.Expr:
    """GROUPING(a, b) of what it says of each key: the last is the lowest bit."""
    value = totals[0]
    for bit in totals[1:]:
        doubled = exp.Mul(this=exp.Paren(this=value), expression=exp.Literal.number(2))
        value = exp.Add(this=doubled, expression=bit)
    return value


def stacked(
    sets: Sequence[tuple[str | None, Sequence[int]]],
    keys: int,
    aggregates: Sequence[str],
    alias: str,
) -> exp.Subquery:
    """The releases of all sets as one table.

    `sets`: the release's table (None: a set without keys and aggregates, which is one row) and,
    for each of its keys in order, which of all `keys` it is.
    """
    arms = [_arm(table, places, keys, aggregates) for table, places in sets]
    query: exp.Expr = arms[0]
    for arm in arms[1:]:
        query = exp.Union(this=query, expression=arm, distinct=False)
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(alias)))


def _arm(
    table: str | None, places: Sequence[int], keys: int, aggregates: Sequence[str]
) -> exp.Select:
    columns: list[exp.Expr] = []
    for key in range(keys):
        here = key in places
        value = exp.column(f"k{places.index(key)}", table=table) if here else exp.Null()
        columns.append(exp.alias_(value, f"k{key}"))
        columns.append(exp.alias_(exp.Literal.number(0 if here else 1), total_column(key)))
    for name in aggregates:
        columns += [exp.column(name + end, table=table) for end in ("", LOW, HIGH)]
    source = None if table is None else exp.From(this=exp.to_table(table))
    return exp.Select(expressions=columns, from_=source)
