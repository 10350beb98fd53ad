"""`a FULL JOIN b` on the unit: `a LEFT JOIN b`, and below it b's rows whose unit has none in a.

Both parts are people's rows by themselves, so their UNION ALL is, under one unit that is never
NULL: what COALESCE(a.unit, b.unit) says. `a.unit` and `b.unit` are that unit where the side has a
row, else NULL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.binding.relations import PrivateRelation
from dpsql.binding.scope import Exposed
from dpsql.binding.unions import bind_union
from dpsql.binding.units import place
from dpsql.core.domain import of_literal
from dpsql.core.ir import Call, Col, Expr, Lit
from dpsql.functions.forms import truth
from dpsql.sql.remade import remade

BOTH = "dpsql both"
"""The alias of what is known of both sides: the unit, and whether each side has a row."""
UNIT, LEFT, RIGHT = "dpsql unit", "dpsql left", "dpsql right"
_NOTHING = Lit(None, of_literal(None))


@dataclass(frozen=True)
class Side:
    """What one of the two SELECTs reads: its block, facts and columns in sight."""

    relation: PrivateRelation
    exposed: tuple[Exposed, ...]


Read = Callable[[exp.Select], Side]


def read_full(
    node: exp.Select, context: Context, read: Read
) -> tuple[exp.Select, PrivateRelation, list[Exposed]]:
    """The SELECT with its FROM and first join taken out: the rows of these, and their columns."""
    first, *rest = node.args["joins"]
    if any(p.find(exp.Star) and not p.find(exp.Count) for p in node.expressions):
        context.refuse(first, "star-here", "* over a FULL JOIN", "name the columns")
    item = node.args["from_"].this
    left, right = item.alias_or_name, first.this.alias_or_name
    mine, theirs = _keys(first, left, right, context)
    both = read(_matched(item, first, mine, theirs))
    _check_units(first, both, (mine, theirs), context)
    alone = read(_unmatched(item, first.this, mine, theirs))
    used = {column.name.casefold() for column in node.find_all(exp.Column)}
    used |= {mine.name.casefold(), theirs.name.casefold()}
    relation, exposed = _united(node, both, alone, used, (mine.name, theirs.name), context)
    outputs = relation.outputs
    known: dict[str, Expr] = {UNIT: relation.block.unit, LEFT: outputs[LEFT], RIGHT: outputs[RIGHT]}
    hidden = frozenset(known)
    if first.args.get("using"):
        exposed = [replace(one, hidden=frozenset({mine.name.casefold()})) for one in exposed]
        known, hidden = {mine.name: relation.block.unit, **known}, hidden - {mine.name}
    exposed.append(Exposed(BOTH, known, hidden))
    made = remade(node, {**node.args, "joins": rest})
    assert isinstance(made, exp.Select)
    return _with_unit(made, mine, theirs), relation, exposed


def _check_units(
    join: exp.Join, both: Side, keys: tuple[exp.Column, exp.Column], context: Context
) -> None:
    units = {place(f.unit) for f in both.relation.facts if f.unit is not None}
    for exposed, key in zip(both.exposed, keys, strict=True):
        found = exposed.find(key.name)
        if not isinstance(found, Col) or place(found) not in units:
            _refuse(join, context)


def _keys(join: exp.Join, left: str, right: str, context: Context) -> tuple[exp.Column, exp.Column]:
    """The columns that the condition sets equal, of the left and of the right table."""
    using, on = join.args.get("using") or [], join.args.get("on")
    if len(using) == 1:
        name = using[0].name
        return _column(name, left), _column(name, right)
    on = on.unnest() if on is not None else None
    if isinstance(on, exp.EQ):
        one, other = on.this.unnest(), on.expression.unnest()
        if isinstance(one, exp.Column) and isinstance(other, exp.Column):
            tables = (one.table.casefold(), other.table.casefold())
            if tables == (right.casefold(), left.casefold()):
                return other, one
            if tables == (left.casefold(), right.casefold()):
                return one, other
    _refuse(join, context)


def _refuse(join: exp.Join, context: Context) -> NoReturn:
    word = context.policy.unit
    context.refuse(
        join,
        "unsupported-join",
        f"FULL JOIN is available between two tables of {word}s, by one equality of the {word}",
        f"ON a.{word} = b.{word} or USING ({word}), with their columns of the {word}; filter the"
        " tables in subqueries before",
    )


def _column(name: str, table: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), table=table)


def _matched(item: exp.Expr, join: exp.Join, mine: exp.Column, theirs: exp.Column) -> exp.Select:
    on = exp.EQ(this=mine.copy(), expression=theirs.copy())
    args = {"this": join.this.copy(), "side": "LEFT", "on": on}
    made = exp.Select(expressions=[exp.Literal.number(1)], from_=exp.From(this=item.copy()))
    made.set("joins", [remade(join, args)])
    return made


def _unmatched(item: exp.Expr, other: exp.Expr, mine: exp.Column, theirs: exp.Column) -> exp.Select:
    inside = exp.Select(expressions=[mine.copy()], from_=exp.From(this=item.copy()))
    among = exp.In(this=theirs.copy(), query=exp.Subquery(this=inside))
    made = exp.Select(expressions=[exp.Literal.number(1)], from_=exp.From(this=other.copy()))
    made.set("where", exp.Where(this=exp.Not(this=among)))
    return made


def _united(
    node: exp.Select,
    both: Side,
    alone: Side,
    used: set[str],
    keys: tuple[str, str],
    context: Context,
) -> tuple[PrivateRelation, list[Exposed]]:
    first, second = both.exposed
    (only,) = alone.exposed
    there = _there(second.find(keys[1]))
    upper: dict[str, Expr] = {UNIT: both.relation.block.unit, RIGHT: there}
    lower: dict[str, Expr] = {UNIT: alone.relation.block.unit, RIGHT: Lit(True, of_literal(True))}
    upper[LEFT], lower[LEFT] = Lit(True, of_literal(True)), Lit(False, of_literal(False))
    for at, exposed in enumerate((first, second)):
        for name, expr in exposed.columns.items():
            if name.casefold() in used and name.casefold() != keys[at].casefold():
                upper[f"{at} {name}"] = expr
                lower[f"{at} {name}"] = only.columns[name] if at else _NOTHING
    parts = [
        PrivateRelation(side.relation.block, columns, side.relation.facts)
        for side, columns in ((both, upper), (alone, lower))
    ]
    made = bind_union(node, parts, context)
    found = []
    for at, exposed in enumerate((first, second)):
        columns: dict[str, Expr] = {}
        for name in exposed.columns:
            if name.casefold() == keys[at].casefold():
                columns[name] = _where(made.outputs[(LEFT, RIGHT)[at]], made.block.unit)
            elif (known := made.outputs.get(f"{at} {name}")) is not None:
                columns[name] = known
        found.append(Exposed(exposed.alias, columns))
    return made, found


def _there(unit: Expr | None) -> Expr:
    """Has the LEFT JOINed side a row?"""
    assert unit is not None
    missing = Call("is_null", (unit,), truth((unit,), nullable=False))
    return Call("not", (missing,), truth((missing,)))


def _where(flag: Expr, unit: Col) -> Expr:
    """CASE WHEN flag THEN unit END."""
    return Call("case", (flag, unit, _NOTHING), unit.domain.with_(nullable=True))


def _with_unit(node: exp.Select, mine: exp.Column, theirs: exp.Column) -> exp.Select:
    """COALESCE of the two keys, in either order, is the unit; one IS NULL where its side is not."""
    flags = {_spelling(mine): LEFT, _spelling(theirs): RIGHT}

    def change(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Is) and isinstance(part.expression, exp.Null):
            flag = flags.get(_spelling(part.this.unnest()))
            return part if flag is None else exp.Not(this=_column(flag, BOTH))
        if isinstance(part, exp.Coalesce) and len(part.expressions) == 1:
            sides = [part.this.unnest(), part.expressions[0].unnest()]
            if {_spelling(side) for side in sides} == flags.keys():
                return _column(UNIT, BOTH)
        return part

    found = node.transform(change)
    assert isinstance(found, exp.Select)
    return found


def _spelling(column: exp.Expr) -> tuple[str, str]:
    if not isinstance(column, exp.Column):
        return "", ""
    return column.table.casefold(), column.name.casefold()
