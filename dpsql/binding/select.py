"""Reading one SELECT over people's rows: FROM, WHERE, and what kind of relation it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from dpsql.binding.conditions import bound, split
from dpsql.binding.context import Context
from dpsql.binding.full_joins import Side, read_full
from dpsql.binding.interval_ends import end_of, is_aggregate
from dpsql.binding.listed import ListedRelation
from dpsql.binding.relations import BlockBuilder, GivenTable, PrivateRelation
from dpsql.binding.rewritings import across
from dpsql.binding.scalar_subqueries import PREFIX
from dpsql.binding.scope import Exposed, Narrowing, Scope
from dpsql.binding.semi_joins import Subqueries, add_condition, add_join
from dpsql.binding.units import SourceFacts, place
from dpsql.core import nearest
from dpsql.core.domain import Domain
from dpsql.core.ir import (
    Block,
    Call,
    Col,
    Expr,
    Given,
    Listed,
    Lit,
    PerUnit,
    Scan,
    Union,
    transform,
)
from dpsql.functions.narrow import narrow
from dpsql.policy.schema import Table
from dpsql.sql.remade import remade

Item = PrivateRelation | ListedRelation | Table | GivenTable
"""What a FROM item of a private SELECT may be: rows of units, a public table or list, releases."""

ALLOWED_CLAUSES = {
    "kind", "expressions", "hint", "distinct", "from_", "joins", "where", "group", "having",
    "qualify", "windows", "order", "limit", "offset", "with_",
}  # fmt: skip


@dataclass
class PrivateSelect:
    """A SELECT whose FROM holds private rows, up to WHERE: what follows decides its kind."""

    node: exp.Select
    context: Context
    scope: Scope
    block: Block
    facts: tuple[SourceFacts, ...]
    padded: frozenset[int] = frozenset()
    """Public sources whose rows a LEFT JOIN with people keeps (`binding.padding`)."""

    def is_unit(self, expr: Expr) -> bool:
        """Is the expression a unit column of one of the private sources?"""
        return isinstance(expr, Col) and any(
            fact.unit is not None and place(fact.unit) == place(expr) for fact in self.facts
        )


def read(
    node: exp.Select,
    context: Context,
    item: Callable[[exp.Expr], Item],
    subqueries: Subqueries,
) -> PrivateSelect:
    """Bind FROM, joins and WHERE. `item` binds FROM items, `subqueries` nested SELECTs."""
    check_clauses(node, context)
    node = _turned(node, context)
    builder = BlockBuilder(context)
    if _is_full(node):

        def side(select: exp.Select) -> Side:
            found = read(select, context, item, subqueries)
            relation = PrivateRelation(found.block, {}, found.facts)
            return Side(relation, tuple(found.scope.exposed))

        node, relation, exposed = read_full(node, context, side)
        builder.units.append((0, builder.add_relation(relation), node))
        scope = Scope(context, exposed, aliases=_aliases(node), value=subqueries.value)
    else:
        scope = Scope(context, aliases=_aliases(node), value=subqueries.value)
        _from_item(node.args["from_"].this, "inner", None, builder, scope, item)
    for join in node.args.get("joins") or []:
        _join(join, builder, scope, item, subqueries)
    where = node.args.get("where")
    for part in split(where.this if where is not None else None):
        add_condition(part, builder, scope, subqueries)
    block, facts = builder.finish()
    told = [*block.where, *(c for join in block.joins if join.kind == "inner" for c in join.on)]
    scope = scope.narrowed(_never_null(builder)).narrowed(narrow(told))
    return PrivateSelect(node, context, scope, block, facts, frozenset(builder.padded))


def _is_full(node: exp.Select) -> bool:
    """Is `a FULL JOIN b` what FROM begins with?"""
    joins = node.args.get("joins") or []
    first = (joins[0].side or "").upper() if joins else ""
    return first == "FULL" and not joins[0].method


def _turned(node: exp.Select, context: Context) -> exp.Select:
    """`a RIGHT JOIN b` read as `b LEFT JOIN a`."""
    joins = node.args.get("joins") or []
    if not any((join.side or "").upper() == "RIGHT" for join in joins):
        return node
    first, *rest = joins
    if (first.side or "").upper() != "RIGHT" or first.args.get("using") or first.method:
        context.refuse(
            first,
            "unsupported-join",
            "RIGHT JOIN is available as the first join, with ON",
            "begin with the table whose rows are all kept: FROM b LEFT JOIN a ON ...",
        )
    if any(p.find(exp.Star) and not p.find(exp.Count) for p in node.expressions):
        context.refuse(first, "star-here", "* over a RIGHT JOIN", "name the columns")
    turned = remade(first, {**first.args, "side": "LEFT", "this": node.args["from_"].this})
    from_ = remade(node.args["from_"], {**node.args["from_"].args, "this": first.this})
    made = remade(node, {**node.args, "from_": from_, "joins": [turned, *rest]})
    assert isinstance(made, exp.Select)
    return made


def _never_null(builder: BlockBuilder) -> Narrowing:
    """Columns the policy calls `nullable: false` although the schema allows NULL."""
    found: dict[tuple[int, str], Callable[[Domain], Domain]] = {}
    policy = builder.context.policy
    for join in builder.joins:
        if isinstance(join.source, Scan) and join.kind == "inner":
            for name, rule in policy.tables[join.source.table].columns.items():
                if rule.nullable is False:
                    found[join.source.id, name] = lambda domain: domain.with_(nullable=False)
    return found


def check_clauses(node: exp.Select, context: Context) -> None:
    """Default deny: a clause that is not on the list is refused by name."""
    for name, value in node.args.items():
        if value and name not in ALLOWED_CLAUSES:
            word = name.strip("_").upper()
            context.refuse(
                value if isinstance(value, exp.Expr) else node,
                "unsupported-clause",
                f"{word} is not available in a query over people's rows",
                "filter with WHERE, aggregate with GROUP BY",
            )
    if node.args.get("kind"):
        context.refuse(node, "unsupported-clause", "SELECT AS STRUCT/VALUE is not available")


def _aliases(node: exp.Select) -> dict[str, exp.Expr]:
    return {p.alias.casefold(): p.this for p in node.expressions if isinstance(p, exp.Alias)}


# ---- FROM and JOIN ---------------------------------------------------------------------------


def _from_item(
    node: exp.Expr,
    kind: str,
    join: exp.Join | None,
    builder: BlockBuilder,
    scope: Scope,
    item: Callable[[exp.Expr], Item],
) -> None:
    _check_from(node, builder.context)
    found = item(node)
    alias = node.alias_or_name
    if any(other.alias.casefold() == alias.casefold() for other in scope.exposed):
        scope.invalid(node, "ambiguous-table", f"two tables here are called {alias}")
    at, filters = len(builder.joins), len(builder.where)
    if isinstance(found, PrivateRelation):
        unit: Col | None = builder.add_relation(found)
        columns = dict(found.outputs)
    elif isinstance(found, ListedRelation):
        columns, unit = builder.add_listed(found), None
    elif isinstance(found, GivenTable):
        columns, unit = builder.add_given(found), None
    else:
        columns, unit = builder.add_table(found, node)
    builder.check_size(node)
    columns = _renamed(node, columns, scope)
    hidden = frozenset(columns) if alias.startswith(PREFIX) else frozenset()
    scope.exposed.append(Exposed(alias, columns, hidden))
    if kind == "left" and unit is not None and not builder.units:
        _check_padded(node, builder)
        builder.padded += [one.source.id for one in builder.joins[:at]]
        kind = "inner"
    if kind == "left":
        _check_left(node, found, builder, at, scope)
    if unit is not None:
        builder.units.append((at, unit, join or node))
    if join is None:
        return
    on = _join_conditions(join, scope)
    if kind == "left":  # the subquery's own filter decides what matches, not what is kept
        on += builder.where[filters:]
        del builder.where[filters:]
        last = scope.exposed[-1]
        nullable = {name: _nullable(expr) for name, expr in last.columns.items()}
        scope.exposed[-1] = replace(last, columns=nullable)
    target = builder.joins[at]
    builder.joins[at] = replace(target, kind=kind, on=(*target.on, *on))


def _check_padded(node: exp.Expr, builder: BlockBuilder) -> None:
    """The kept rows make groups that are all shown: they are to be known beforehand."""
    if any(isinstance(join.source, Given) for join in builder.joins):
        builder.context.refuse(
            node,
            "outer-join",
            "which rows a released table has is not known before it is made, so those that nobody"
            " matches cannot be kept",
            "use an inner JOIN, or put the people first: FROM people LEFT JOIN (SELECT ...)",
        )


def _check_from(node: exp.Expr, context: Context) -> None:
    allowed = {"this", "alias", "db", "catalog", "with_", "joins"}
    if isinstance(node, (exp.Values, exp.Unnest)):
        allowed.add("expressions")
    for name, value in node.args.items():
        if value and name == "pivots":
            context.refuse(node, "unsupported-clause", *across(name, context.policy.unit))
        if value and name not in allowed:
            context.refuse(
                node,
                "unsupported-clause",
                f"{name.strip('_').upper()} on a table is not available",
                "samples and time travel of people's rows have no private meaning here",
            )
    if node.args.get("joins"):
        context.refuse(node, "unsupported-clause", "parenthesised joins are not available")


def _renamed(node: exp.Expr, columns: dict[str, Expr], scope: Scope) -> dict[str, Expr]:
    """`AS t(a, b)`: the first columns get new names."""
    alias = node.args.get("alias")
    names = [column.name for column in alias.columns] if alias is not None else []
    if not names:
        return columns
    if len(names) > len(columns):
        scope.invalid(node, "alias-columns", f"{node.alias_or_name} has fewer columns than names")
    old = list(columns)
    return {(names[i] if i < len(names) else old[i]): columns[old[i]] for i in range(len(old))}


def _check_left(node: exp.Expr, found: Item, builder: BlockBuilder, at: int, scope: Scope) -> None:
    if at == 0 or not any(unit for _, unit, _ in builder.units):
        scope.refuse(
            node,
            "outer-join",
            "the preserved side of an outer join must hold people's rows",
            "put the private table first: FROM people LEFT JOIN public ...",
        )
    plain = len(builder.joins) == at + 1 and isinstance(
        builder.joins[at].source, (Scan, Given, PerUnit, Union, Listed)
    )
    if isinstance(found, PrivateRelation) and (found.block.semijoins or found.block.lookups):
        plain = False  # its IN would become a condition on all rows
    outputs = () if isinstance(found, (Table, GivenTable)) else found.outputs.values()
    if not plain or not all(map(strict, outputs)):
        scope.refuse(
            node,
            "outer-join",
            "the right side of a LEFT JOIN must be one table that holds its unit itself",
            "join it with an inner JOIN, or join the tables on its path explicitly",
        )


_STRICT = frozenset({"add", "sub", "mul", "div", "neg", "cast"})


def strict(expr: Expr, apart: frozenset[int] = frozenset()) -> bool:
    """Is it NULL where all columns are, those of sources `apart` aside: as without a match?"""
    if isinstance(expr, Call):
        return expr.fn in _STRICT and any(strict(arg, apart) for arg in expr.args)
    return isinstance(expr, Col) and expr.source not in apart


def _nullable(expr: Expr) -> Expr:
    def change(node: Expr) -> Expr:
        known = isinstance(node, Lit)
        return node if known else replace(node, domain=node.domain.with_(nullable=True))

    return transform(expr, change)


def _join(
    join: exp.Join,
    builder: BlockBuilder,
    scope: Scope,
    item: Callable[[exp.Expr], Item],
    subqueries: Subqueries,
) -> None:
    side, kind = (join.side or "").upper(), (join.kind or "").upper()
    for name, value in join.args.items():
        natural = name == "method" and str(value).upper() == "NATURAL"
        if value and name not in {"this", "on", "side", "kind", "using"} and not natural:
            word = name.strip("_").upper() + " in a join" if name != "method" else f"{value} JOIN"
            scope.refuse(join, "unsupported-join", f"{word} is not available", "write JOIN ... ON")
    if kind in ("SEMI", "ANTI") and side in ("", "LEFT"):
        add_join(join, kind, builder, scope, subqueries)
        return
    if side not in ("", "LEFT") or kind not in ("", "INNER", "CROSS", "OUTER"):
        scope.refuse(
            join,
            "unsupported-join",
            f"{f'{side} {kind}'.strip()} JOIN is not available over people's rows",
            "INNER, LEFT, RIGHT, SEMI and ANTI joins are, and FULL as the first join",
        )
    _from_item(join.this, "left" if side == "LEFT" else "inner", join, builder, scope, item)


def _join_conditions(join: exp.Join, scope: Scope) -> list[Expr]:
    using = join.args.get("using")
    if join.method:
        left = scope.exposed[:-1]
        names = [n for n in scope.exposed[-1].columns if any(i.visible(n) for i in left)]
        if not names:
            scope.invalid(
                join,
                "unknown-column",
                "the tables of NATURAL JOIN share no column",
                "write JOIN ... ON",
            )
        using = [exp.to_identifier(name, quoted=True) for name in names]
    if using:
        return [part for name in using for part in bound(_using(name, join, scope), scope)]
    on = join.args.get("on")
    return [part for node in split(on) for part in bound(node, scope)]


def _using(name: exp.Expr, join: exp.Join, scope: Scope) -> exp.Expr:
    """`USING (c)`: an equality; afterwards a bare `c` means the left one."""
    right = scope.exposed[-1]
    left = [item for item in scope.exposed[:-1] if item.visible(name.name) is not None]
    if len(left) != 1 or right.find(name.name) is None:
        known = [n for n in right.columns if any(i.visible(n) for i in scope.exposed[:-1])]
        otherwise = f"both sides have: {', '.join(known[:20])}" if known else "write JOIN ... ON"
        scope.invalid(
            join,
            "unknown-column",
            f"USING ({name.name}) needs it once on each side",
            nearest.hint(name.name, known, otherwise),
        )
    scope.exposed[-1] = replace(right, hidden=right.hidden | {name.name.casefold()})
    return exp.EQ(
        this=exp.column(exp.to_identifier(name.name), table=left[0].alias),
        expression=exp.column(exp.to_identifier(name.name), table=right.alias),
    )


# ---- what the SELECT list holds --------------------------------------------------------------


def has_aggregates(node: exp.Select) -> bool:
    """Does the SELECT aggregate over its rows (window functions over aggregates included)?"""
    parts = [*node.expressions]
    parts += [node.args[name] for name in ("having", "order", "qualify") if node.args.get(name)]
    return any(True for part in parts for _ in aggregate_nodes(part))


def aggregate_nodes(node: exp.Expr) -> Iterator[exp.Expr]:
    """Aggregate calls over rows under `node`: not window functions, not those of subqueries.

    DP_LOW and DP_HIGH count as such: they stand for an aggregate.
    """
    if isinstance(node, (exp.Subquery, exp.Select, exp.SetOperation)):
        return
    if isinstance(node, exp.Window):
        for name, value in node.args.items():
            for child in _children(node.this if name == "this" else None, value, name):
                yield from aggregate_nodes(child)
        return
    if is_aggregate(node) or end_of(node) is not None:
        yield node
        return
    for child in node.iter_expressions():
        yield from aggregate_nodes(child)


def _children(function: exp.Expr | None, value: object, name: str) -> Iterator[exp.Expr]:
    if function is not None:
        around = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls)
        inner = function.this if isinstance(function, around) else function
        yield from inner.iter_expressions()
    elif name != "this":
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expr):
                yield child
