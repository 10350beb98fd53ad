"""GROUP BY the unit inside a subquery: one row per (unit, keys), computed within each unit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from sqlglot import exp

from dpsql.binding.relations import PrivateRelation
from dpsql.binding.scope import Scope
from dpsql.binding.select import PrivateSelect
from dpsql.binding.units import SourceFacts, conjuncts
from dpsql.core.domain import INTEGER, Domain, Interval, Kind
from dpsql.core.ir import Block, Col, Expr, InnerAggregate, PerUnit, Scan
from dpsql.functions.weight import joined_texts
from dpsql.policy.schema import Auto

UNIT = "u"
MAX_ROWS = 2**48  # the most rows a unit is taken to have, for overflow alone

_INNER: dict[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
}


def bind_per_unit(select: PrivateSelect, keys: list[Expr]) -> PrivateRelation:
    """`keys` are the GROUP BY expressions; at least one of them is the unit."""
    node, context = select.node, select.context
    others = [key for key in dict.fromkeys(keys) if not select.is_unit(key)]
    _refuse_unfit(select, others)
    source_id = next(context.ids)
    unit = replace(select.block.unit, source=source_id, name=UNIT)
    scope = PerUnitScope(
        context,
        select.scope.exposed,
        select.scope.narrowing,
        select.scope.aliases,
        inner=select,
        source=source_id,
        keys=tuple(others),
        rows=_rows_bound(select),
    )
    outputs = {_output_name(p): scope.expr(p.unalias()) for p in node.expressions}
    having = node.args.get("having")
    where = tuple(conjuncts(scope.condition(having.this))) if having is not None else ()
    source = PerUnit(
        source_id,
        select.block,
        tuple((f"k{i}", key) for i, key in enumerate(others)),
        tuple(scope.found),
    )
    one = frozenset() if source.keys else frozenset({source_id})
    facts = SourceFacts(source, None, unit, ())
    return PrivateRelation(
        Block(source, (), where, (), unit, one, one, frozenset({source_id}) - one),
        outputs,
        (facts,),
    )


def _refuse_unfit(select: PrivateSelect, others: list[Expr]) -> None:
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
    for clause in ("qualify", "windows", "order", "limit", "offset"):
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


def _rows_bound(select: PrivateSelect) -> int | None:
    """How many rows of one unit count here: C of its tables, else m (declared, then clamped)."""
    policy = select.context.policy
    product = 1
    for source in select.block.sources:
        if source.id in select.block.determined or not isinstance(source, Scan):
            continue
        cap = policy.tables[source.table].max_rows_per_unit if source.private else None
        if cap is None:
            m = policy.bounds.max_rows_per_group
            return None if isinstance(m, Auto) else m
        product *= cap
    return product


def _fits_bigint(certain: Interval) -> bool:
    """Is every value, whatever the data, one that CAST AS BIGINT takes?"""
    if not certain.bounded:
        return False
    lo, hi = certain.numbers()
    return lo >= -(2**63) and hi < 2**63


@dataclass
class PerUnitScope(Scope):
    """Expressions over one unit's groups: keys and inner aggregates become columns."""

    inner: PrivateSelect = field(kw_only=True)
    source: int = field(kw_only=True)
    keys: tuple[Expr, ...] = field(kw_only=True)
    rows: int | None = field(kw_only=True)
    found: list[InnerAggregate] = field(default_factory=list)

    def expr(self, node: exp.Expr) -> Expr:
        if type(node) in _INNER or isinstance(node, (exp.Filter, exp.AggFunc)):
            return self._aggregate(node)
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

    def _aggregate(self, node: exp.Expr) -> Col:
        call, where, scope = node, None, self.inner.scope
        if isinstance(node, exp.Filter):
            where = scope.condition(node.expression.this)
            call = node.this
        if call.meta.get("named"):
            self.refuse(
                node,
                "unsupported-option",
                f"bounds per row belong on what is released, not within a"
                f" {self.context.policy.unit}'s rows",
            )
        fn = _INNER.get(type(call))
        if fn is None or call.args.get("expressions"):
            self.refuse(
                node,
                "inner-aggregate",
                f"{call.key.upper()} is not available within a {self.context.policy.unit}'s rows",
                "COUNT, COUNT(DISTINCT x), MIN, MAX and SUM of integers are",
            )
        inner = self._named(fn, call, where, scope)
        for known in self.found:
            if replace(known, name=inner.name) == inner:
                return Col(self.source, known.name, known.domain)
        self.found.append(inner)
        return Col(self.source, inner.name, inner.domain)

    def _named(self, fn: str, call: exp.Expr, where: Expr | None, scope: Scope) -> InnerAggregate:
        name = f"a{len(self.found)}"
        arg_node = call.this
        if fn == "count" and (arg_node is None or isinstance(arg_node, exp.Star)):
            return InnerAggregate(name, "count_star", None, where, self._count_domain(where))
        if isinstance(arg_node, exp.Distinct):
            if fn != "count" or len(arg_node.expressions) != 1 or arg_node.args.get("on"):
                self.refuse(call, "inner-aggregate", "DISTINCT is available in COUNT alone")
            fn, arg_node = "count_distinct", arg_node.expressions[0]
        arg = scope.expr(arg_node)
        if fn in ("count", "count_distinct"):
            return InnerAggregate(name, fn, arg, where, self._count_domain(arg))
        domain = arg.domain.with_(nullable=True, values=None)
        if fn == "sum":
            domain = self._sum_domain(arg, call)
        elif arg.domain.type.kind not in (Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP, Kind.DECIMAL):
            self.refuse(
                call,
                "inner-aggregate",
                f"{fn.upper()} of {arg.domain.type} is not available within a unit's rows yet",
            )
        return InnerAggregate(name, fn, arg, where, domain)

    def _count_domain(self, conditional: Expr | None) -> Domain:
        low = Fraction(0 if conditional is not None else 1)
        top = Interval(low, None if self.rows is None else Fraction(self.rows))
        return Domain(INTEGER, Interval(low, Fraction(MAX_ROWS)), top, nullable=False)

    def _sum_domain(self, arg: Expr, call: exp.Expr) -> Domain:
        if arg.domain.type.kind is not Kind.INTEGER or not _fits_bigint(arg.domain.certain):
            self.refuse(
                call,
                "inner-aggregate",
                f"SUM of {arg.domain.type} within a unit's rows is not available yet",
                "SUM of integers of at most 64 bits is; sum fractions over all units instead",
            )
        span = Interval(Fraction(-(2**63) * MAX_ROWS), Fraction(2**63 * MAX_ROWS))
        declared = Interval()
        if arg.domain.bounds.bounded and self.rows is not None:
            lo, hi = arg.domain.bounds.numbers()
            declared = Interval(min(lo, self.rows * lo), max(hi, self.rows * hi))
        return Domain(INTEGER, span, declared, nullable=True)
