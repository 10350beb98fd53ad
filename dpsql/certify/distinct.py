"""The statement of distinct values: who has which, by pseudonyms, and of how many groups.

    SELECT keys, HASH(HASH(u, salt)) AS unit, HASH(HASH(salt, v)) AS item FROM ranked
    WHERE c <= L [AND rn <= k]
    ranked     SELECT *, ROW_NUMBER() OVER (PARTITION BY u, keys ORDER BY hashes of u, keys and v,
                                            keys, v) AS c
               [, DENSE_RANK() OVER (PARTITION BY u ORDER BY hashes of u and keys, keys) AS rn]
               FROM pairs
    pairs      SELECT u, keys, v FROM rows GROUP BY u, keys, v

The rows of a unit are computed from its rows alone, and all have its pseudonym; L of them are in
one group at the most, and k groups. What is counted in them needs no more.

Precondition: the text parses, and the catalog's keys are enforced. Postcondition: a unit has rows
in at most the claimed groups, at most the claimed number in each, none twice; which they are is a
function of its own rows; pseudonyms are hashes of the unit alone and of the value alone.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.cells import check_ranking, hashed
from dpsql.certify.claim import DistinctClaim, refuse, require
from dpsql.certify.facts import Column, Relation, Unit
from dpsql.certify.levels import (
    APART,
    Level,
    below,
    called,
    column_of,
    group_cap,
    level,
    partitioned,
    rank_test,
)
from dpsql.certify.reader import bare, conjuncts, fold
from dpsql.certify.relations import Reader
from dpsql.certify.scope import Scope


def check_distinct(root: exp.Select, claim: DistinctClaim, reader: Reader) -> None:
    """Refuse unless the outputs are those claimed and the claim follows from the text."""
    plain = root.args.get("group") is None and root.args.get("having") is None
    require(plain, "pairs are given as they are")
    top = level(root)
    names = [fold(key) for key in claim.keys]
    owner, item = fold(claim.unit), fold(claim.value)
    require(list(top.outputs) == [*names, owner, item], "pairs are keys, unit and value")
    require(len(set(top.outputs)) == len(names) + 2, "every output is claimed once")
    ranked_node = below(root)
    scope, base = reader.sources(ranked_node)
    require(ranked_node.args.get("where") is None, "all values of a unit are ranked")
    ranked = level(ranked_node, base)
    columns = [column_of(base, ranked.plain(top.plain(name))) for name in names]
    unit = _hashed(top.outputs[owner], ranked, base)
    require(isinstance(unit.fact, Unit), "a unit's pseudonym is made of the unit")
    value = _hashed(top.outputs[item], ranked, base)
    for column in (*columns, value):
        require(column.exact and not column.barred, "equal keys and values are the same bytes")
    keys = {column.serial for column in columns}
    require(base.keys == frozenset({*keys, value.serial}), "each pair is there once")
    most, groups = _caps(root, ranked, scope, keys, value)
    if groups is None and all(column.by_unit for column in columns):
        groups = 1
    found = [n for n in (groups, claim.cells) if n is not None]
    require(most <= claim.most, "a unit has at most the values claimed in a group")
    require(bool(found) and min(found) <= claim.groups, "a unit is in at most the groups claimed")


def _hashed(node: exp.Expr, ranked: Level, base: Relation) -> Column:
    """The one column of which a salted hash is made."""
    node = bare(node)
    require(isinstance(node, exp.Anonymous), "a pseudonym is a hash")
    parts = [called(part) for part in hashed(node)]
    if len(parts) != 1 or parts[0] not in ranked.outputs:
        refuse("a pseudonym is a hash of one column")
    return column_of(base, ranked.plain(parts[0]))


def _caps(
    root: exp.Select, ranked: Level, scope: Scope, keys: set[int], value: Column
) -> tuple[int, int | None]:
    """L and k of WHERE c <= L AND rn <= k. No other rows are dropped there."""
    where = root.args.get("where")
    most: int | None = None
    groups: int | None = None
    for test in () if where is None else conjuncts(where.this):
        limit, window = rank_test(test, ranked)
        if type(window.this) is not exp.RowNumber:
            require(groups is None, "groups are capped once")
            groups = group_cap(limit, window, scope, keys)
            continue
        require(most is None, "values are capped once")
        require(partitioned(window, scope) == keys, "values are ranked within unit and group")
        check_ranking(window.args["order"], scope, {*keys, value.serial}, APART)
        most = limit
    if most is None:
        refuse("values are capped by rank")
    return most, groups
