"""The outermost SELECT: sums over units, compared with the claim, block by block."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from dpsql.certify.bounds import Atom, RowSum, sensitivity
from dpsql.certify.cells import fact_of
from dpsql.certify.claim import BlockClaim, Claim, refuse, require
from dpsql.certify.facts import (
    ONE,
    Capped,
    Clamped,
    Column,
    Relation,
    Weighted,
    WeightedSum,
)
from dpsql.certify.reader import bare, fold, whole
from dpsql.certify.relations import Reader, name_of
from dpsql.certify.rows import check_condition
from dpsql.certify.scope import Scope
from dpsql.certify.values import as_row_poly


@dataclass(frozen=True, slots=True)
class Totals:
    """Output columns of the outermost SELECT by folded name, and the relation they sum over."""

    outputs: dict[str, exp.Expr]
    scope: Scope
    base: Relation


def check_totals(root: exp.Select, claim: Claim, reader: Reader) -> None:
    """Refuse unless every output is claimed, and every claim follows from the text."""
    _check_shape(root, claim)
    scope, base = reader.sources(root)
    outputs: dict[str, exp.Expr] = {}
    for item in root.expressions:
        name = name_of(item)
        require(name not in outputs, "output names differ")
        outputs[name] = item.unalias()
    totals = Totals(outputs, scope, base)
    _check_outputs(outputs, claim)
    keys = _keys(root, claim, totals)
    if root.args.get("having") is not None:
        _check_having(root.args["having"].this, claim, totals)
    touched = _touched(keys, claim, base)
    if claim.units is not None:
        _check_units(claim, totals, touched)
    for block in claim.blocks:
        _check_block(block, totals, touched)


def _check_shape(root: exp.Select, claim: Claim) -> None:
    require(root.args.get("where") is None, "the totals are over all bounded rows")
    require(not root.args.get("joins"), "the totals are over one relation")
    require(claim.cells is None or claim.cells >= 1, "public keys have cells")
    if claim.keys and claim.cells is None:
        require(claim.units is not None, "private keys are selected by their units")


def _check_outputs(outputs: dict[str, exp.Expr], claim: Claim) -> None:
    """Nothing leaves the database that is neither a key nor noised."""
    claimed = [*claim.keys, *([claim.units] if claim.units is not None else [])]
    claimed += [name for block in claim.blocks for name in block.columns]
    folded = [fold(name) for name in claimed]
    require(len(set(folded)) == len(folded), "every output is claimed once")
    require(set(folded) == set(outputs), "the outputs are those claimed")


def _keys(root: exp.Select, claim: Claim, totals: Totals) -> list[Column]:
    """The group keys: bare columns, the first outputs, and all of GROUP BY."""
    group = root.args.get("group")
    ordinals = [whole(term) for term in group.expressions] if group is not None else []
    names = list(totals.outputs)[: len(claim.keys)]
    require(ordinals == list(range(1, len(claim.keys) + 1)), "GROUP BY names the keys by place")
    require(names == [fold(name) for name in claim.keys], "GROUP BY names the keys by place")
    found = []
    for name in names:
        column = totals.scope.column(bare(totals.outputs[name]))
        if column is None:
            refuse("keys are columns of the bounded rows")
        require(column.exact and not column.barred, "equal keys are the same bytes")
        found.append(column)
    return found


def _check_having(condition: exp.Expr, claim: Claim, totals: Totals) -> None:
    """Groups are dropped by their keys alone, which moves no other group and no unit's reach.

    `OR COUNT(*) < 1` may stand beside it: no group is without rows.
    """
    rule = "groups are dropped by their keys alone"
    require(bool(claim.keys), rule)
    condition = bare(condition)
    if isinstance(condition, exp.Or) and _no_rows(bare(condition.args["expression"])):
        condition = bare(condition.this)
    named = {fold(name) for name in claim.keys}
    for node in condition.find_all(exp.Column):
        key = totals.outputs[fold(node.name)] if fold(node.name) in named else None
        # An output's name and a column's may both be meant: they are one.
        require(key is not None and not node.table and bare(key) == node, rule)
    check_condition(condition, totals.scope)


def _no_rows(node: exp.Expr) -> bool:
    """COUNT(*) < 1."""
    return (
        type(node) is exp.LT
        and type(node.this) is exp.Count
        and isinstance(node.this.this, exp.Star)
        and whole(node.args["expression"]) == 1
    )


def _touched(keys: list[Column], claim: Claim, base: Relation) -> int | None:
    """How many groups one unit can touch, None if nothing says. At most one row in each."""
    serials = {column.serial for column in keys}
    if base.rows != 1 and (base.keys is None or not base.keys <= serials):
        refuse("a unit has at most one bounded row in a group")
    if base.rows == 1 or all(column.by_unit for column in keys):
        return 1
    known = [n for n in (base.rows, claim.cells) if n is not None]
    return min(known) if known else None


def _check_units(claim: Claim, totals: Totals, touched: int | None) -> None:
    assert claim.units is not None
    node = bare(totals.outputs[fold(claim.units)])
    require(
        type(node) is exp.Count and isinstance(node.this, exp.Star),
        "units are counted one a bounded row",
    )
    most = claim.max_groups_for_units
    if most is None or touched is None or touched > most:
        refuse("a unit is counted in at most the groups claimed")


def _check_block(block: BlockClaim, totals: Totals, touched: int | None) -> None:
    if not block.columns:
        refuse("a block has coordinates")
    forms = [_form(totals.outputs[fold(name)], totals.scope) for name in block.columns]
    found = sensitivity(forms, touched)
    require(found.linf <= block.linf, "a unit moves one group by at most the claim (Linf)")
    require(found.l0 <= block.l0, "a unit moves at most the groups claimed (L0)")
    require(found.l1 <= block.l1, "a unit moves the block by at most the claim (L1)")
    require(
        found.l2_squared <= block.l2_squared, "a unit moves the block by at most the claim (L2)"
    )


# ---- linear forms ----------------------------------------------------------------------------


def _form(node: exp.Expr, scope: Scope) -> dict[Atom, int]:
    """A coordinate as integers times sums over the bounded rows."""
    form: dict[Atom, int] = {}
    _gather(node, 1, scope, form)
    return {atom: factor for atom, factor in form.items() if factor}


def _gather(node: exp.Expr, factor: int, scope: Scope, form: dict[Atom, int]) -> None:
    node = bare(node)
    if isinstance(node, (exp.Add, exp.Sub)):
        _gather(node.this, factor, scope, form)
        sign = 1 if isinstance(node, exp.Add) else -1
        _gather(node.args["expression"], sign * factor, scope, form)
        return
    if isinstance(node, exp.Mul):
        constant = whole(node.this)
        if constant is None:
            refuse("a coordinate is linear in sums")
        _gather(node.args["expression"], factor * constant, scope, form)
        return
    atom = _atom(node, scope)
    form[atom] = form.get(atom, 0) + factor


def _atom(node: exp.Expr, scope: Scope) -> Atom:
    if isinstance(node, exp.Coalesce):
        inner = bare(node.this)
        if isinstance(inner, exp.Sum) and [whole(other) for other in node.expressions] == [0]:
            return _summed(inner.this, scope)
    if isinstance(node, exp.Count) and isinstance(node.this, (exp.Column, exp.Mul)):
        row = as_row_poly(fact_of(node.this, scope))
        if row is not None:
            return RowSum(row.of, ONE)
    refuse("a coordinate is COALESCE(SUM(bounded), 0) or COUNT(value)")


def _summed(node: exp.Expr, scope: Scope) -> Atom:
    fact = fact_of(node, scope)
    if isinstance(fact, (Capped, Weighted, WeightedSum, Clamped)):
        return fact
    row = as_row_poly(fact)
    if row is None:
        refuse("only bounded integers are summed over units")
    return RowSum(row.of, row.poly)
