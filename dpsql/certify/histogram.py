"""The statement of a histogram: how much one unit adds to the weights of one group.

    SELECT keys, bin, COUNT(*) FROM rows GROUP BY keys, bin           a unit has at most one row
    SELECT keys, bin, COALESCE(SUM(w), 0) FROM weighed GROUP BY keys, bin
    weighed    SELECT u, keys, bin, CASE WHEN n > m THEN A // n ELSE B END * c AS w
               FROM ranked [WHERE rn <= k]
    ranked     SELECT *, SUM(c) OVER (PARTITION BY u, keys) AS n
               [, DENSE_RANK() OVER (PARTITION BY u ORDER BY hashes of u and keys, keys) AS rn]
               FROM counts
    counts     SELECT u, keys, bin, COUNT(*) AS c FROM rows GROUP BY u, keys, bin

With n = Σ c over the bins of (u, keys): Σ w is B·n ≤ B·m where n ≤ m, else ⌊A/n⌋·n ≤ A. Rows of
one (u, keys) have one dense rank, those of another pair of this u another, so `rn <= k` leaves k
pairs of each u at the most.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.claim import HistogramClaim, refuse, require
from dpsql.certify.facts import ONE, CellSum, Column
from dpsql.certify.levels import (
    Level,
    below,
    called,
    column_of,
    grouped_by,
    groups_kept,
    level,
    partitioned,
)
from dpsql.certify.reader import bare, fold, whole
from dpsql.certify.relations import Reader
from dpsql.certify.scope import Scope


def check_histogram(root: exp.Select, claim: HistogramClaim, reader: Reader) -> None:
    """Refuse unless the outputs are those claimed and the claim follows from the text."""
    require(root.args.get("having") is None, "a histogram's bins are all given")
    top = level(root)
    keys = [fold(key) for key in claim.keys]
    bin_, weight = fold(claim.bin), fold(claim.weight)
    wanted = [*keys, bin_, weight]
    require(list(top.outputs) == wanted, "a histogram gives keys, bin and weight")
    require(len(set(wanted)) == len(wanted), "every output is claimed once")
    grouped_by(root, len(keys) + 1)
    total = bare(top.outputs[weight])
    names = [top.plain(name) for name in (*keys, bin_)]
    if type(total) is exp.Count and isinstance(total.this, exp.Star):
        require(root.args.get("where") is None, "the totals are over all bounded rows")
        _, base = reader.sources(root)
        require(base.rows == 1, "a unit has at most one row")
        columns = [column_of(base, name) for name in names]
        _check(claim, columns, most=1, groups=1)
        return
    _check_weighed(top, _summed(total), names, claim, reader)


def _check(claim: HistogramClaim, columns: list[Column], *, most: int, groups: int | None) -> None:
    for column in columns:
        require(column.exact and not column.barred, "equal keys are the same bytes")
    span = columns[-1].span
    require(span is not None, "bins lie on the grid")
    assert span is not None
    require(span[0] >= 0 and span[1] <= claim.bins - 1, "bins lie on the grid")
    require(most <= claim.most, "a unit adds at most the claim to a group")
    if groups is None or groups > claim.groups:
        refuse("a unit is in at most the groups claimed")


def _check_weighed(
    top: Level, summed: str, names: list[str], claim: HistogramClaim, reader: Reader
) -> None:
    require(top.node.args.get("where") is None, "the totals are over all bounded rows")
    weighed = level(below(top.node))
    ranked_node = below(weighed.node)
    scope, base = reader.sources(ranked_node)  # counts, as a relation
    ranked = level(ranked_node, base)
    require(ranked_node.args.get("where") is None, "all rows of a unit are counted")
    columns = [column_of(base, ranked.plain(weighed.plain(name))) for name in names]
    keys = {column.serial for column in columns[:-1]}
    counted = frozenset({*keys, columns[-1].serial})
    require(base.keys == counted, "a histogram counts by unit, keys and bin")
    most = _weight(weighed.outputs.get(summed), ranked, scope, keys)
    groups = groups_kept(weighed.node, ranked, scope, keys)
    if groups is None and all(column.by_unit for column in columns[:-1]):
        groups = 1
    found = [n for n in (groups, claim.cells) if n is not None]
    _check(claim, columns, most=most, groups=min(found) if found else None)


# ---- weights -----------------------------------------------------------------------------------


def _summed(node: exp.Expr) -> str:
    """w of COALESCE(SUM(w), 0)."""
    if isinstance(node, exp.Coalesce) and [whole(other) for other in node.expressions] == [0]:
        inner = bare(node.this)
        column = bare(inner.this) if type(inner) is exp.Sum else None
        if isinstance(column, exp.Column) and isinstance(column.this, exp.Identifier):
            return fold(str(column.this.this))
    refuse("a bin's weight is the sum of its rows' weights")


def _weight(node: exp.Expr | None, ranked: Level, scope: Scope, keys: set[int]) -> int:
    """What CASE WHEN n > m THEN A // n ELSE B END * c adds up to over a unit's bins in a group."""
    node = None if node is None else bare(node)
    share = bare(node.this) if isinstance(node, exp.Mul) else None
    if not isinstance(node, exp.Mul) or not isinstance(share, exp.Case) or share.this is not None:
        refuse("a row's weight falls with the rows of its unit in the group")
    branches, otherwise = share.args["ifs"], whole(share.args.get("default"))
    test = bare(branches[0].this) if len(branches) == 1 else None
    quotient = bare(branches[0].args["true"])
    if not isinstance(test, exp.GT) or not isinstance(quotient, exp.IntDiv) or otherwise is None:
        refuse("a row's weight falls with the rows of its unit in the group")
    m, numerator = whole(test.args["expression"]), whole(quotient.this)
    if m is None or numerator is None or min(m, numerator, otherwise) < 0:
        refuse("a row's weight falls with the rows of its unit in the group")
    rows = called(test.this)
    require(
        called(quotient.args["expression"]) == rows and _is_total(ranked, rows, scope, keys),
        "a weight divides by the rows of the unit in the group",
    )
    counted = ranked.outputs.get(called(node.args["expression"]))
    require(counted is not None and _is_count(counted, scope), "what is weighed are rows")
    return max(otherwise * m, numerator)


def _is_count(node: exp.Expr, scope: Scope) -> bool:
    """Is it the number of rows of (unit, keys, bin)?"""
    column = scope.column(bare(node))
    fact = None if column is None else column.fact
    return isinstance(fact, CellSum) and fact.of is None and fact.poly == ONE


def _is_total(ranked: Level, name: str, scope: Scope, keys: set[int]) -> bool:
    """Is it SUM(c) OVER (PARTITION BY u, keys)?"""
    node = bare(ranked.outputs[name]) if name in ranked.outputs else None
    if not isinstance(node, exp.Window) or node.args.get("order") is not None:
        return False
    if node.args.get("over") != "OVER" or type(node.this) is not exp.Sum:
        return False
    whole_ = partitioned(node, scope) == keys
    return whole_ and _is_count(node.this.this, scope)
