"""GROUP BY the unit inside a subquery: one row per (unit, keys), computed within each unit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlglot import exp

from dpsql.binding.inner_aggregates import FUNCTIONS, InnerAggregates
from dpsql.binding.relations import PrivateRelation
from dpsql.binding.scope import Scope
from dpsql.binding.select import PrivateSelect
from dpsql.binding.units import SourceFacts, conjuncts
from dpsql.core.ir import Block, Col, Expr, PerUnit, Scan
from dpsql.functions.weight import joined_texts
from dpsql.policy.schema import Auto

UNIT = "u"


def bind_per_unit(
    select: PrivateSelect, keys: list[Expr], *, outermost: bool = False
) -> PrivateRelation:
    """`keys` are the GROUP BY expressions; at least one of them is the unit.

    `outermost`: the SELECT is the statement itself, whose rows will be refused.
    """
    node, context = select.node, select.context
    others = [key for key in dict.fromkeys(keys) if not select.is_unit(key)]
    _refuse_unfit(select, others, outermost)
    source_id = next(context.ids)
    unit = replace(select.block.unit, source=source_id, name=UNIT)
    scope = PerUnitScope(
        context,
        select.scope.exposed,
        select.scope.narrowing,
        select.scope.aliases,
        value=select.scope.value,
        inner=select,
        source=source_id,
        keys=tuple(others),
        calls=InnerAggregates(select.scope, source_id, select.block.sources, rows_bound(select)),
    )
    outputs = {_output_name(p): scope.expr(p.unalias()) for p in node.expressions}
    having = node.args.get("having")
    where = tuple(conjuncts(scope.condition(having.this))) if having is not None else ()
    source = PerUnit(
        source_id,
        select.block,
        tuple((f"k{i}", key) for i, key in enumerate(others)),
        tuple(scope.calls.found),
    )
    one = frozenset() if source.keys else frozenset({source_id})
    facts = SourceFacts(source, None, unit, ())
    return PrivateRelation(
        Block(source, (), where, (), unit, one, one, frozenset({source_id}) - one),
        outputs,
        (facts,),
    )


def _refuse_unfit(select: PrivateSelect, others: list[Expr], outermost: bool) -> None:
    """`others` are the GROUP BY expressions beside the unit."""
    node, context = select.node, select.context
    if node.args.get("hint"):
        context.refuse(
            node,
            "unsupported-option",
            "OPTIONS belong on the SELECT whose aggregates are released, not on a subquery of rows",
        )
    if node.args.get("distinct") and node.args.get("group"):
        context.refuse(
            node.args["distinct"],
            "distinct",
            f"DISTINCT after GROUP BY would merge different {context.policy.unit}s' rows",
            "drop DISTINCT: GROUP BY gives each group once",
        )
    for clause in ("qualify", "windows", "limit", "offset", "order"):
        if outermost and clause in ("limit", "offset", "order"):
            continue  # refused as what it is: rows of each unit
        if node.args.get(clause):
            context.refuse(
                node.args[clause] if isinstance(node.args[clause], exp.Expr) else node,
                "unsupported-clause",
                f"{clause.upper()} is not available within a {context.policy.unit}'s rows",
                "filter with HAVING",
            )
    if any(joined_texts(key) > 1 for key in others):  # nested, it would grow one row without end
        context.refuse(
            node.args.get("group") or node,
            "too-complex",
            "joined text cannot be a group key within a subquery",
            "group by the columns, and join the text outside",
        )


def _output_name(projection: exp.Expr) -> str:
    return projection.alias_or_name or projection.sql("duckdb").lower()


def rows_bound(select: PrivateSelect) -> int | None:
    """How many rows of one unit count here: C of its tables, else m (declared, then clamped)."""
    policy = select.context.policy
    product = 1
    for source in select.block.sources:
        if source.id in select.block.determined:
            continue
        cap = policy.tables[source.table].max_rows_per_unit if isinstance(source, Scan) else None
        if cap is None:
            m = policy.bounds.max_rows_per_group
            return None if isinstance(m, Auto) else m
        product *= cap
    return product


@dataclass
class PerUnitScope(Scope):
    """Expressions over one unit's groups: keys and inner aggregates become columns."""

    inner: PrivateSelect = field(kw_only=True)
    source: int = field(kw_only=True)
    keys: tuple[Expr, ...] = field(kw_only=True)
    calls: InnerAggregates = field(kw_only=True)

    def expr(self, node: exp.Expr) -> Expr:
        if type(node) in FUNCTIONS or isinstance(node, (exp.Filter, exp.AggFunc)):
            return self.calls.read(node)
        if isinstance(node, exp.Column):
            return self._grouped(self.inner.scope.expr(node), node)
        if not any(isinstance(part, (exp.AggFunc, exp.Filter)) for part in node.walk()):
            plain = self.inner.scope.expr(node)
            if self._key(node) in self.keys:
                return self._grouped(plain, node)
        return super().expr(node)

    def _key(self, node: exp.Expr) -> Expr:
        """As GROUP BY binds its terms: with what WHERE tells, which `expr` keeps from guards."""
        return self.inner.scope.informed(node)

    def _grouped(self, expr: Expr, node: exp.Expr) -> Expr:
        if self.inner.is_unit(expr):
            return Col(self.source, UNIT, expr.domain)
        if (key := self._key(node)) in self.keys:
            return Col(self.source, f"k{self.keys.index(key)}", expr.domain)
        self.invalid(
            node,
            "not-grouped",
            f"column {node.name} must appear in GROUP BY or inside an aggregate",
            f"add {node.name} to GROUP BY, or aggregate it",
        )
