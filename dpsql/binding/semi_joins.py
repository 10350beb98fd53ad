"""[NOT] IN (SELECT ...), [NOT] EXISTS, SEMI and ANTI JOIN: does the unit occur elsewhere?

Over people's rows the subquery must be tied to the unit alone, so that which rows of a unit stay
depends on that unit's rows. NULL units are nobody's rows: the subquery has none, so NOT IN never
meets the NULL that would make plain SQL's answer empty. Over a public or released table any column
will do (`lookups`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from sqlglot import exp

from dpsql.binding.conditions import bound, split, unnegated
from dpsql.binding.context import Context
from dpsql.binding.listed import ListedRelation
from dpsql.binding.lookups import look_up_given, look_up_public
from dpsql.binding.relations import BlockBuilder, GivenTable, PrivateRelation
from dpsql.binding.scope import Scope
from dpsql.binding.units import place
from dpsql.core.ir import Col, Expr, SemiJoin, Unknown
from dpsql.functions.literals import emit_literal
from dpsql.policy.schema import Table

_EXISTS_CLAUSES = {
    "expressions", "from_", "joins", "where", "group", "having", "distinct", "order", "limit",
}  # fmt: skip


@dataclass(frozen=True)
class Subqueries:
    """How nested SELECTs are read. `private`: one over people's rows, else None.

    `public`: the public table that a FROM item names, else None. `listed`: the list of constants
    that a query is, else None. `given`: a query over releases as a table; `value`: as one value.
    """

    private: Callable[[exp.Expr], PrivateRelation | None]
    public: Callable[[exp.Expr], Table | None]
    listed: Callable[[exp.Expr], ListedRelation | None]
    given: Callable[[exp.Expr], GivenTable]
    value: Callable[[exp.Expr, Scope], Unknown]


def add_condition(
    node: exp.Expr, builder: BlockBuilder, scope: Scope, subqueries: Subqueries
) -> None:
    """One conjunct of WHERE."""
    negated, inner = unnegated(node)
    if isinstance(inner, exp.Exists) and isinstance(inner.this, exp.Select):
        _exists(inner.this, inner, negated, builder, scope, subqueries)
        return
    query = inner.args.get("query")
    if not isinstance(inner, exp.In) or query is None:
        builder.where.extend(bound(node, scope))
        return
    select = query.unnest()
    if isinstance(select, exp.Select) and (table := _public_table(select, subqueries)):
        look_up_public(inner, select, table, negated, builder, scope)
        return
    if (listed := subqueries.listed(select)) is not None and len(listed.outputs) == 1:
        (output,) = listed.outputs.values()
        if isinstance(output, Col):
            place_ = int(output.name[1:])
            values = [emit_literal(row[place_]) for row in listed.source.rows]
            builder.where.extend(bound(_among(node, inner, values), scope))
            return
    relation = subqueries.private(query)
    if relation is None:
        look_up_given(inner, subqueries.given(query), negated, builder, scope)
        return
    if not _is_unit(scope.expr(inner.this), builder):
        _refuse_other(inner, scope)
    _keep(relation, inner, negated, builder, scope)


def _among(node: exp.Expr, test: exp.In, values: list[exp.Expr]) -> exp.Expr:
    """`x [NOT] IN (1, 2)` for the condition with a list of constants in its subquery."""
    if node is test:
        return exp.In(this=test.this.copy(), expressions=values)
    made = node.copy()
    found = next(made.find_all(exp.In))
    found.replace(exp.In(this=test.this.copy(), expressions=values))
    return made


def add_join(
    join: exp.Join, kind: str, builder: BlockBuilder, scope: Scope, subqueries: Subqueries
) -> None:
    """`SEMI JOIN t ON ...` is EXISTS (SELECT 1 FROM t WHERE ...), ANTI JOIN is NOT EXISTS."""
    on = join.args.get("on")
    for name in join.args.get("using") or []:
        left = [item.alias for item in scope.exposed if item.visible(name.name) is not None]
        if len(left) != 1:
            scope.invalid(join, "unknown-column", f"USING ({name.name}) needs it once on each side")
        same = exp.EQ(
            this=exp.column(exp.to_identifier(name.name), table=join.this.alias_or_name),
            expression=exp.column(exp.to_identifier(name.name), table=left[0]),
        )
        on = same if on is None else exp.And(this=on, expression=same)
    select = exp.Select(expressions=[exp.Literal.number(1)], from_=exp.From(this=join.this.copy()))
    if on is not None:
        select.set("where", exp.Where(this=on.copy()))
    _exists(select, join, kind == "ANTI", builder, scope, subqueries)


# ---- people's rows -----------------------------------------------------------------------


def _keep(
    relation: PrivateRelation, node: exp.Expr, negated: bool, builder: BlockBuilder, scope: Scope
) -> None:
    outputs = list(relation.outputs.values())
    left = {join.source.id for join in relation.block.joins if join.kind == "left"}
    output = outputs[0] if len(outputs) == 1 else None
    if (
        not isinstance(output, Col)
        or output.source in left  # NULL where nothing matched
        or not any(f.unit is not None and place(f.unit) == place(output) for f in relation.facts)
    ):
        _refuse_other(node, scope)
    builder.semijoins.append(SemiJoin(relation.block, negated))


def _is_unit(target: Expr, builder: BlockBuilder) -> bool:
    units = [place(unit) for at, unit, _ in builder.units if builder.joins[at].kind != "left"]
    return isinstance(target, Col) and place(target) in units


def _refuse_other(node: exp.Expr, scope: Scope) -> NoReturn:
    word = scope.context.policy.unit
    scope.refuse(
        node,
        "subquery",
        f"IN with a subquery over people's rows is available for the {word} alone:"
        f" {word} IN (SELECT {word} FROM ...)",
        f"write the {word}'s column on both sides; other columns of a public table may stand in"
        " IN (SELECT column FROM it)",
    )


def _exists(
    select: exp.Select,
    node: exp.Expr,
    negated: bool,
    builder: BlockBuilder,
    scope: Scope,
    subqueries: Subqueries,
) -> None:
    """The equality with the outer unit is cut out; what is left must speak of the inside alone."""
    _check_exists(select, node, scope)
    inside = {item.alias_or_name.casefold() for item in _items(select)}
    outside = {item.alias.casefold() for item in scope.exposed} - inside
    ties: list[tuple[exp.Column, exp.Column]] = []
    kept: list[exp.Expr] = []
    where = select.args.get("where")
    for part in split(where.this if where is not None else None):
        tie = tie_of(part, outside)
        if tie is not None:
            ties.append(tie)
            continue
        refuse_outside(part, outside, scope.context)
        kept.append(part)
    table = _public_table(select, subqueries)
    if len(ties) != 1:
        _refuse_untied(ties[-1][1] if ties else node, scope)
    mine, theirs = ties[0]
    decorrelated = _decorrelated(select, mine, kept)
    if table is not None:
        found = exp.In(this=theirs.copy(), query=exp.Subquery(this=decorrelated))
        look_up_public(found, decorrelated, table, negated, builder, scope, exists=True)
        return
    relation = subqueries.private(decorrelated)
    if relation is None:
        within = exp.In(this=theirs.copy())
        look_up_given(within, subqueries.given(decorrelated), negated, builder, scope, exists=True)
        return
    if not _is_unit(scope.expr(theirs), builder):
        _refuse_untied(theirs, scope)
    _keep(relation, mine, negated, builder, scope)


def _check_exists(select: exp.Select, node: exp.Expr, scope: Scope) -> None:
    unfit = {name for name, value in select.args.items() if value} - _EXISTS_CLAUSES
    limit = select.args.get("limit")
    if limit is not None and not (
        isinstance(limit.expression, exp.Literal) and str(limit.expression.this).strip("0")
    ):
        unfit.add("limit")
    if select.args.get("from_") is None:
        unfit.add("a missing FROM")
    if not select.args.get("group") and (
        select.args.get("having") or any(p.find(exp.AggFunc) for p in select.expressions)
    ):
        unfit.add("an aggregate without GROUP BY, which always has a row,")
    if unfit:
        word = sorted(unfit)[0].strip("_")
        scope.refuse(
            node,
            "subquery",
            f"{word.upper() if word in select.args else word} is not available in EXISTS",
            "filter the subquery with WHERE, or with GROUP BY and HAVING",
        )


def _items(select: exp.Select) -> list[exp.Expr]:
    return [select.args["from_"].this, *(join.this for join in select.args.get("joins") or [])]


def tie_of(part: exp.Expr, outside: set[str]) -> tuple[exp.Column, exp.Column] | None:
    """(inner column, outer column) of `inner = outer`."""
    if not isinstance(part, exp.EQ):
        return None
    left, right = part.this.unnest(), part.expression.unnest()
    if not isinstance(left, exp.Column) or not isinstance(right, exp.Column):
        return None
    there = [side.table.casefold() in outside for side in (left, right)]
    if there == [True, False]:
        return right, left
    return (left, right) if there == [False, True] else None


def refuse_outside(part: exp.Expr, outside: set[str], context: Context) -> None:
    """What is left of a tied subquery may not read the rows outside it."""
    for column in part.find_all(exp.Column):
        if column.table.casefold() in outside:
            context.refuse(
                column,
                "subquery",
                f"within this subquery only the {context.policy.unit} may come from outside, in an"
                " equality of its own",
                "move conditions on outer columns into the outer WHERE, or join the tables",
            )


def _refuse_untied(node: exp.Expr, scope: Scope) -> NoReturn:
    word = scope.context.policy.unit
    scope.refuse(
        node,
        "subquery",
        f"EXISTS over people's rows must be tied to the outer {word}, once and by equality",
        f"EXISTS (SELECT 1 FROM t WHERE t.{word} = outer.{word} AND ...), with the {word}'s columns"
        " of the two tables",
    )


def _decorrelated(select: exp.Select, mine: exp.Column, kept: list[exp.Expr]) -> exp.Select:
    result = select.copy()
    for clause in ("order", "limit", "distinct", "where"):
        result.set(clause, None)
    result.set("expressions", [mine.copy()])
    if kept:
        result.set("where", exp.Where(this=exp.and_(*kept, copy=True)))
    if group := result.args.get("group"):
        group.set("expressions", [mine.copy(), *group.expressions])
    return result


# ---- other tables ------------------------------------------------------------------------


def _public_table(select: exp.Select, subqueries: Subqueries) -> Table | None:
    first = select.args.get("from_")
    if first is None or select.args.get("joins") or select.args.get("with_"):
        return None
    return subqueries.public(first.this)
