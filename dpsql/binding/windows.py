"""Window functions within a unit's rows: PARTITION BY includes the unit.

What a window gives must be a function of the unit's rows as a multiset. ROW_NUMBER, LAG, LEAD and
FIRST_VALUE depend on how ties fall, so the rewriter goes on ordering by every column that is
read; rows that still tie are alike. RANK, DENSE_RANK and aggregates treat ties alike by
definition; aggregates are those of `inner_aggregates`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from sqlglot import exp

from dpsql.binding.inner_aggregates import FUNCTIONS, MAX_ROWS, InnerAggregates
from dpsql.binding.per_unit import rows_bound
from dpsql.binding.relations import PrivateRelation
from dpsql.binding.scope import Scope
from dpsql.binding.select import PrivateSelect
from dpsql.binding.units import SourceFacts, conjuncts
from dpsql.core.domain import INTEGER, Domain, Interval, Kind
from dpsql.core.ir import Block, Col, Expr, InnerAggregate, Window, Windowed, transform

UNIT = "u"
MAX_OFFSET = 1_000

_NUMBERED: dict[type[exp.Expr], str] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
}
_PICKED: dict[type[exp.Expr], str] = {
    exp.Lag: "lag",
    exp.Lead: "lead",
    exp.FirstValue: "first_value",
}


def has_windows(node: exp.Select) -> bool:
    """Does the SELECT list or QUALIFY hold a window function, nested SELECTs apart?"""
    qualify = node.args.get("qualify")
    parts = [*node.expressions, *([qualify] if qualify is not None else [])]
    return any(part.find(exp.Window) for part in parts)


def bind_windows(select: PrivateSelect, projections: list[exp.Expr]) -> PrivateRelation:
    """The SELECT's rows with their windows computed: as many rows, still people's."""
    node, context = select.node, select.context
    if select.block.one_row_per_unit:
        context.refuse(
            node,
            "window-over-rows",
            f"the {context.policy.unit} has one row here, so a window has nothing to look at",
            "join a table with several rows, or use windows on the aggregated result",
        )
    source = next(context.ids)
    unit = replace(select.block.unit, source=source, name=UNIT)
    scope = WindowScope(
        context,
        select.scope.exposed,
        select.scope.narrowing,
        select.scope.aliases,
        inner=select,
        source=source,
    )
    outputs: dict[str, Expr] = {}
    for projection in projections:
        name = projection.alias_or_name or projection.sql("duckdb").lower()
        if name.casefold() in {known.casefold() for known in outputs}:
            context.invalid(projection, "ambiguous-column", f"two columns are called {name}")
        outputs[name] = scope.expr(projection.unalias())
    qualify = node.args.get("qualify")
    where = tuple(conjuncts(scope.condition(qualify.this))) if qualify is not None else ()
    made = Windowed(
        source,
        select.block,
        tuple((f"c{i}", column) for i, column in enumerate(scope.columns)),
        tuple(scope.windows),
    )
    none: frozenset[int] = frozenset()
    block = Block(made, (), where, (), unit, none, none, frozenset({source}))
    return PrivateRelation(block, outputs, (SourceFacts(made, None, unit, ()),))


@dataclass
class WindowScope(Scope):
    """Expressions over rows with their windows: both become columns of the windowed relation."""

    inner: PrivateSelect = field(kw_only=True)
    source: int = field(kw_only=True)
    columns: list[Expr] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)

    def expr(self, node: exp.Expr) -> Expr:
        if isinstance(node, exp.Window):
            return self._window(node)
        if isinstance(node, exp.Column) and not self._is_alias(node):
            return self._column(self.inner.scope.expr(node), node)
        return super().expr(node)

    def _is_alias(self, node: exp.Column) -> bool:
        known = any(item.visible(node.name) is not None for item in self.exposed)
        return not node.table and not known

    def _column(self, expr: Expr, node: exp.Expr) -> Col:
        if self.inner.is_unit(expr):
            return Col(self.source, UNIT, expr.domain)
        if expr.domain.type.kind is Kind.OPAQUE:
            self.refuse(
                node,
                "window-over-rows",
                "a column of this type has no order for ties",
                "leave it out",
            )
        if expr not in self.columns:
            self.columns.append(expr)
        return Col(self.source, f"c{self.columns.index(expr)}", expr.domain)

    # ---- one window --------------------------------------------------------------------

    def _window(self, node: exp.Window) -> Expr:
        word = self.context.policy.unit
        for name, value in node.args.items():
            if value and name not in ("this", "partition_by", "order", "over"):
                self.refuse(
                    node,
                    "window-over-rows",
                    f"{'a named window' if name == 'alias' else 'a frame'} is not available"
                    f" within a {word}'s rows",
                    "write OVER (PARTITION BY ... ORDER BY ...)",
                )
        terms = node.args.get("partition_by") or []
        partition = [self.inner.scope.expr(term) for term in terms]
        if not any(self.inner.is_unit(part) for part in partition):
            self.refuse(
                node,
                "window-over-rows",
                f"a window over people's rows would mix {word}s",
                f"PARTITION BY the {word}, and what else you like; windows over the released groups"
                " are free: use them on the outer SELECT",
            )
        within = tuple(
            self._column(part, term).name
            for part, term in zip(partition, terms, strict=True)
            if not self.inner.is_unit(part)
        )
        order = self._order(node.args.get("order"))
        call = node.this
        if type(call) in _NUMBERED:
            limit = rows_bound(self.inner)
            top = None if limit is None else Fraction(limit)
            span = Interval(Fraction(1), Fraction(MAX_ROWS))
            domain = Domain(INTEGER, span, Interval(Fraction(1), top), nullable=False)
            return self._add(within, order, _NUMBERED[type(call)], None, domain, node)
        if type(call) in _PICKED:
            return self._picked(within, order, call, node)
        if type(call) not in FUNCTIONS:
            self.refuse(
                node,
                "window-over-rows",
                f"{call.key.upper()} is not available as a window within a {word}'s rows",
                "ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, FIRST_VALUE, COUNT, SUM, AVG, MIN and"
                " MAX are",
            )
        sources, rows = self.inner.block.sources, rows_bound(self.inner)
        calls = InnerAggregates(self.inner.scope, self.source, sources, rows)
        found = calls.read(call)
        return self._placed(found, calls, within, order, node)

    def _order(self, order: exp.Expr | None) -> tuple[tuple[str, bool, bool], ...]:
        """(column, descending, NULLs first) of each term."""
        found = []
        for term in order.expressions if order is not None else []:
            key = self.inner.scope.expr(term.this)
            if self.inner.is_unit(key):
                continue
            name = self._column(key, term.this).name
            found.append((name, bool(term.args.get("desc")), bool(term.args.get("nulls_first"))))
        return tuple(found)

    def _picked(
        self,
        within: tuple[str, ...],
        order: tuple[tuple[str, bool, bool], ...],
        call: exp.Expr,
        node: exp.Window,
    ) -> Expr:
        offset = call.args.get("offset")
        steps = int(str(offset.this)) if isinstance(offset, exp.Literal) else 1 if not offset else 0
        if call.args.get("default") or not 1 <= steps <= MAX_OFFSET:
            self.refuse(
                node,
                "window-over-rows",
                f"{call.key.upper()} takes a column and a constant from 1 to {MAX_OFFSET:,} here",
                "COALESCE(LAG(x) OVER (...), 0) gives a default",
            )
        arg = self.inner.scope.expr(call.this)
        if self.inner.is_unit(arg):
            self.refuse(node, "window-over-rows", "the unit is the same in all of its rows")
        column = self._column(arg, call.this)
        domain = arg.domain.with_(nullable=True)
        return self._add(within, order, _PICKED[type(call)], column, domain, node, steps)

    def _placed(
        self,
        found: Expr,
        calls: InnerAggregates,
        within: tuple[str, ...],
        order: tuple[tuple[str, bool, bool], ...],
        node: exp.Window,
    ) -> Expr:
        """The aggregates of the call as windows, and what is computed from them."""
        made: dict[str, Col] = {}
        for one in calls.found:
            if one.where is not None or one.fn == "count_distinct":
                self.refuse(
                    node, "window-over-rows", "FILTER and DISTINCT are not available in a window"
                )
            window = Window(f"w{len(self.windows)}", within, order, one, 1)
            self.windows.append(window)
            made[one.name] = Col(self.source, window.name, one.domain)

        def change(part: Expr) -> Expr:
            mine = isinstance(part, Col) and part.source == self.source
            return made[part.name] if mine and isinstance(part, Col) else part

        return transform(found, change)

    def _add(
        self,
        within: tuple[str, ...],
        order: tuple[tuple[str, bool, bool], ...],
        fn: str,
        arg: Col | None,
        domain: Domain,
        node: exp.Window,
        steps: int = 1,
    ) -> Col:
        if not order:
            self.refuse(
                node,
                "window-over-rows",
                f"{fn.upper()} needs an ORDER BY",
                "OVER (PARTITION BY ... ORDER BY ...)",
            )
        name = f"w{len(self.windows)}"
        call = InnerAggregate(name, fn, arg, None, domain)
        self.windows.append(Window(name, within, order, call, steps))
        return Col(self.source, name, domain)
