"""Window functions within a unit's rows: PARTITION BY includes the unit.

What a window gives must be a function of the unit's rows as a multiset. ROW_NUMBER, NTILE, LAG,
LEAD, FIRST_VALUE and its like, and aggregates over a frame of ROWS depend on how ties fall, so the
rewriter goes on ordering by every column that is read; rows that still tie are alike. RANK,
DENSE_RANK, PERCENT_RANK, CUME_DIST and aggregates up to the row's peers treat ties alike by
definition; aggregates are those of `inner_aggregates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NoReturn

from sqlglot import exp

from dpsql.binding.defaults import constant, fits, with_default
from dpsql.binding.frames import length, may_be_empty, named_windows, read_frame, written_out
from dpsql.binding.inner_aggregates import FUNCTIONS, MAX_ROWS, InnerAggregates
from dpsql.binding.per_unit import rows_bound
from dpsql.binding.relations import PrivateRelation
from dpsql.binding.scope import Scope
from dpsql.binding.select import PrivateSelect
from dpsql.binding.units import SourceFacts, conjuncts
from dpsql.core.domain import FLOAT, INTEGER, Domain, Interval, Kind
from dpsql.core.ir import (
    Block,
    Col,
    Expr,
    Frame,
    InnerAggregate,
    Lit,
    Window,
    Windowed,
    transform,
)
from dpsql.sql.caret import title

UNIT = "u"
MAX_OFFSET = 1_000

NUMBERED: dict[type[exp.Expr], str] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
    exp.Ntile: "ntile",
    exp.PercentRank: "percent_rank",
    exp.CumeDist: "cume_dist",
}
PICKED: dict[type[exp.Expr], str] = {
    exp.Lag: "lag",
    exp.Lead: "lead",
    exp.FirstValue: "first_value",
    exp.LastValue: "last_value",
    exp.NthValue: "nth_value",
}
_SHIFTED = ("lag", "lead")


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
        value=select.scope.value,
        inner=select,
        source=source,
        named=named_windows(node, context),
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
    named: Mapping[str, exp.Window] = field(kw_only=True)
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

    def _window(self, written: exp.Window) -> Expr:
        word = self.context.policy.unit
        node = written_out(written, self.named, self.context)
        for name, value in node.args.items():
            if value and name not in ("this", "partition_by", "order", "over", "spec"):
                self.refuse(
                    node,
                    "window-over-rows",
                    f"{name.strip('_').upper()} is not available in a window within a {word}'s"
                    " rows",
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
        at = _Over(node, within, order, read_frame(node, self.context))
        call = node.this
        if type(call) in NUMBERED:
            return self._numbered(at, call)
        if type(call) in PICKED:
            return self._picked(at, call)
        if isinstance(call, (exp.IgnoreNulls, exp.RespectNulls)):
            self.refuse(
                node,
                "window-over-rows",
                "IGNORE NULLS and RESPECT NULLS are not available in a window within a"
                f" {word}'s rows",
                "leave rows with NULL out in a subquery: WHERE x IS NOT NULL",
            )
        if type(call) not in FUNCTIONS:
            name = call.sql_name() if isinstance(call, exp.Func) else title(call)
            self.refuse(
                node,
                "window-over-rows",
                f"{name} is not available as a window within a {word}'s rows",
                "ROW_NUMBER, RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST, NTILE, LAG, LEAD,"
                " FIRST_VALUE, LAST_VALUE, NTH_VALUE, COUNT, SUM, AVG, MIN and MAX are",
            )
        known = [n for n in (rows_bound(self.inner), length(at.frame)) if n is not None]
        sources = self.inner.block.sources
        calls = InnerAggregates(self.inner.scope, self.source, sources, min(known, default=None))
        found = calls.read(call)
        return self._placed(found, calls, at)

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

    def _numbered(self, at: _Over, call: exp.Expr) -> Col:
        """ROW_NUMBER and its like: where the row stands."""
        fn, steps = NUMBERED[type(call)], 1
        if at.frame is not None:
            self._refuse_frame(at.node, fn)
        if fn in ("percent_rank", "cume_dist"):
            share = Interval(Fraction(0), Fraction(1))
            return self._add(at, fn, None, Domain(FLOAT, share, share, nullable=False))
        limit = rows_bound(self.inner)
        top, most = None if limit is None else Fraction(limit), Fraction(MAX_ROWS)
        if fn == "ntile":
            steps = self._constant(at.node, call.this, "NTILE(4): a constant number of parts")
            top = most = Fraction(steps)
        span = Interval(Fraction(1), most)
        domain = Domain(INTEGER, span, Interval(Fraction(1), top), nullable=False)
        return self._add(at, fn, None, domain, steps)

    def _picked(self, at: _Over, call: exp.Expr) -> Expr:
        fn, steps = PICKED[type(call)], 1
        word = fn.upper()
        if fn in _SHIFTED and at.frame is not None:
            self._refuse_frame(at.node, fn)
        if fn != "first_value" and fn not in _SHIFTED and at.frame is None:
            self.refuse(
                at.node,
                "window-over-rows",
                f"{word} needs a frame here: SQL's own ends among rows that tie, in no order",
                "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
            )
        if at.frame is not None and not (at.frame.rows or at.frame.whole):
            self._refuse_frame(at.node, fn)
        if call.args.get("offset"):
            way = f"{word}(x, 2): a column and a constant from 1 to {MAX_OFFSET:,}"
            steps = self._constant(at.node, call.args["offset"], way)
        arg = self.inner.scope.expr(call.this)
        if self.inner.is_unit(arg):
            self.refuse(at.node, "window-over-rows", "the unit is the same in all of its rows")
        column = self._column(arg, call.this)
        default = self._default(call.args.get("default"), arg)
        domain = with_default(arg.domain, default)
        return self._add(at, fn, column, domain, steps, default)

    def _constant(self, node: exp.Expr, value: exp.Expr | None, way: str) -> int:
        steps = str(value.this) if isinstance(value, exp.Literal) and not value.is_string else ""
        if not steps.isdigit() or not 1 <= int(steps) <= MAX_OFFSET:
            self.refuse(
                node, "window-over-rows", f"it takes a constant from 1 to {MAX_OFFSET:,}", way
            )
        return int(steps)

    def _default(self, node: exp.Expr | None, arg: Expr) -> Lit | None:
        """LAG's third argument; None where it is NULL or not written."""
        if node is None:
            return None
        given = constant(self.inner.scope.expr(node))
        fitted = None if given is None else fits(given, arg.domain)
        if fitted is None:
            self.refuse(
                node,
                "window-over-rows",
                f"a default is a constant of the column's own type and range, {arg.domain.type}",
                "COALESCE(LAG(x) OVER (...), 0) gives one of any type",
            )
        return None if fitted.value is None else fitted

    def _placed(self, found: Expr, calls: InnerAggregates, at: _Over) -> Expr:
        """The aggregates of the call as windows, and what is computed from them."""
        made: dict[str, Col] = {}
        for one in calls.found:
            if one.where is not None or one.fn == "count_distinct":
                self.refuse(
                    at.node, "window-over-rows", "FILTER and DISTINCT are not available in a window"
                )
            if one.fn == "count_star" and may_be_empty(at.frame):
                none = Interval(Fraction(0), one.domain.certain.hi)
                most = Interval(Fraction(0), one.domain.declared.hi)
                one = replace(one, domain=one.domain.with_(certain=none, declared=most))
            window = Window(f"w{len(self.windows)}", at.within, at.order, one, 1, at.frame)
            if window.by_place and not at.order:
                self._refuse_unordered(at.node, "a ROWS frame")
            self.windows.append(window)
            made[one.name] = Col(self.source, window.name, one.domain)

        def change(part: Expr) -> Expr:
            mine = isinstance(part, Col) and part.source == self.source
            return made[part.name] if mine and isinstance(part, Col) else part

        return transform(found, change)

    def _add(
        self,
        at: _Over,
        fn: str,
        arg: Col | None,
        domain: Domain,
        steps: int = 1,
        default: Lit | None = None,
    ) -> Col:
        if not at.order:
            self._refuse_unordered(at.node, fn.upper())
        name = f"w{len(self.windows)}"
        call = InnerAggregate(name, fn, arg, None, domain)
        self.windows.append(Window(name, at.within, at.order, call, steps, at.frame, default))
        return Col(self.source, name, domain)

    def _refuse_unordered(self, node: exp.Expr, what: str) -> NoReturn:
        self.refuse(
            node,
            "window-over-rows",
            f"{what} needs an ORDER BY",
            "OVER (PARTITION BY ... ORDER BY ...)",
        )

    def _refuse_frame(self, node: exp.Expr, fn: str) -> NoReturn:
        self.refuse(
            node,
            "window-over-rows",
            f"{fn.upper()} takes no such frame here",
            "leave the frame out, or write ROWS for FIRST_VALUE, LAST_VALUE and NTH_VALUE",
        )


@dataclass(frozen=True)
class _Over:
    """OVER (...), read: columns of the partition beside the unit, order and frame."""

    node: exp.Window
    within: tuple[str, ...]
    order: tuple[tuple[str, bool, bool], ...]
    frame: Frame | None
