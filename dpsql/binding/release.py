"""The split: one SELECT over all units becomes a private aggregate and a SELECT over its release.

Keys and aggregate calls are cut out and bound; everything around them (HAVING, ORDER BY, windows,
arithmetic, LIMIT) stays as it was written, now over the released table.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dpsql.binding.context import Site
from dpsql.binding.grouping_sets import stacked
from dpsql.binding.options import read_options
from dpsql.binding.release_keys import check_keys
from dpsql.binding.release_names import key_column, release_table
from dpsql.binding.release_split import Splitter
from dpsql.binding.select import PrivateSelect
from dpsql.core.ir import Expr, Key, Options, PrivateAggregate


def bind_release(
    select: PrivateSelect,
    keys: list[Expr],
    above: Callable[[exp.Expr], exp.Expr],
    sets: list[list[Expr]] | None = None,
) -> exp.Select:
    """Register the private aggregate with the context; return the remainder over its release.

    `above` binds nested queries (scalar subqueries), which must be public or released themselves.
    `sets`: the keys of each grouping set, each a private aggregate of its own.
    """
    context = select.context
    check_keys(select, keys)
    index = context.reserve()  # before nested queries are bound: they take the numbers after it
    splitter = Splitter(select, list(dict.fromkeys(keys)), index, above)
    splitter.sets = sets is not None
    remainder = splitter.remainder()
    if not splitter.keys and not splitter.aggregates:
        context.refuse(select.node, "row-output", "nothing is aggregated here", "SELECT COUNT(*)")
    options = read_options(
        select.node, context, lambda column: select.is_unit(select.scope.expr(column))
    )
    if options.clip_estimate or context.clips:
        splitter.count_clipped()
    if sets is None:
        _register(splitter, splitter.keys, index, options)
        context.sites[index] = Site(select.node, splitter.spelled(keys))
    else:
        remainder.set("from_", exp.From(this=_united(splitter, keys, sets, index, options)))
    return remainder


def _register(splitter: Splitter, keys: list[Expr], index: int, options: Options) -> None:
    splitter.select.context.released[index] = PrivateAggregate(
        splitter.select.block,
        tuple(Key(key_column(i), key) for i, key in enumerate(keys)),
        tuple(splitter.aggregates),
        options,
        splitter.clips,
    )


def _united(
    splitter: Splitter, keys: list[Expr], sets: list[list[Expr]], first: int, options: Options
) -> exp.Expr:
    """One release for each different set, numbered from `first`; the table made of them."""
    context, spelled = splitter.select.context, splitter.spelled(keys)
    numbers: dict[tuple[Expr, ...], int] = {}
    arms: list[tuple[str | None, list[int]]] = []
    for chosen in sets:
        places = [splitter.keys.index(key) for key in chosen]
        if not chosen and not splitter.aggregates:
            arms.append((None, places))  # no key and no aggregate: one row, whatever the data
            continue
        index = numbers.get(tuple(chosen))
        if index is None:
            index = numbers[tuple(chosen)] = context.reserve() if numbers else first
            _register(splitter, chosen, index, options)
            names = {key_column(at): key_column(place) for at, place in enumerate(places)}
            columns = {key: spelled[name] for key, name in names.items() if name in spelled}
            columns |= {n: nodes for n, nodes in spelled.items() if not n.startswith("k")}
            context.sites[index] = Site(splitter.select.node, columns)
        arms.append((release_table(index), places))
    names_ = [aggregate.name for aggregate in splitter.aggregates]
    return stacked(arms, len(splitter.keys), names_, splitter.table)
