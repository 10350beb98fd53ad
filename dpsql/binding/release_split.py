"""The expressions of a SELECT over all units, rewritten to speak of its release.

Keys and aggregate calls become columns of the released table; all else stays as it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from dpsql.binding import given_groups
from dpsql.binding.aggregate_calls import read_aggregate
from dpsql.binding.clip_counts import clip_counts
from dpsql.binding.grouping_sets import bits, leaves, total_column
from dpsql.binding.interval_ends import (
    aggregate_of,
    asks_for_ends,
    computed_end,
    end_of,
    is_aggregate,
    report,
    wants_report,
)
from dpsql.binding.padding import check_call
from dpsql.binding.quantiles import elements, made_list
from dpsql.binding.release_names import (
    RELEASE,
    UNNAMED,
    aggregate_column,
    key_column,
    release_table,
)
from dpsql.binding.select import PrivateSelect, aggregate_nodes
from dpsql.binding.weighted_means import weighted_mean
from dpsql.core.ir import Aggregate, ClipCount, Col, Expr, columns
from dpsql.errors import Error
from dpsql.sql.remade import remade

MAX_VISITED = 8_000  # parts of one SELECT, aliases written out: a plain one has 5,000 at most


class Splitter:
    """Rewrites the expressions of one SELECT so that they speak of the release."""

    def __init__(
        self,
        select: PrivateSelect,
        keys: list[Expr],
        index: int,
        above: Callable[[exp.Expr], exp.Expr],
    ) -> None:
        self.select = select
        self.keys = keys
        self.aggregates: list[Aggregate] = []
        self.clips: tuple[ClipCount, ...] = ()
        self.above = above
        self.table = release_table(index)
        self._key_kinds = {type(part) for part in self._key_nodes()}
        self._opening: set[str] = set()
        self._visited = 0
        self._spelled: dict[str, list[exp.Expr]] = {}
        self.sets = False

    def spelled(self, keys: list[Expr]) -> dict[str, tuple[exp.Expr, ...]]:
        """Release columns to the expressions read as them; `keys` as GROUP BY lists them.

        An ordinal or alias in GROUP BY is left out: it follows the SELECT list.
        """
        terms = leaves(self.select.node.args.get("group"))
        for term, key in zip(terms, keys, strict=False):
            term = term.unnest()
            alias = isinstance(term, exp.Column) and not (
                isinstance(key, Col) and key.name.casefold() == term.name.casefold()
            )
            if not alias and not isinstance(term, exp.Literal):
                self._note(key_column(self.keys.index(key)), term)
        return {name: tuple(nodes) for name, nodes in self._spelled.items()}

    def count_clipped(self) -> None:
        """Count along what lies beyond the ranges of all that is asked so far."""
        asked = list(self.aggregates)
        self.clips = clip_counts(asked, self._spelled, self._registered)

    def _note(self, column: str, node: exp.Expr) -> None:
        nodes = self._spelled.setdefault(column, [])
        if not any(known is node for known in nodes):
            nodes.append(node)

    def _key_nodes(self) -> list[exp.Expr]:
        """Spellings a key may have: what GROUP BY says, and what the SELECT list says."""
        terms = leaves(self.select.node.args.get("group"))
        nodes = [*terms, *self.select.node.expressions]
        return [part.unnest() for node in nodes for part in (node.unalias(),)]

    def remainder(self) -> exp.Select:
        node = self.select.node
        if asks_for_ends(node):
            self._number(node)
        result = exp.Select(
            expressions=[self._projection(p, at) for at, p in enumerate(node.expressions)],
            from_=exp.From(this=exp.to_table(self.table)),
        )
        if node.args.get("distinct"):
            result.set("distinct", node.args["distinct"].copy())
        kept = [] if self.sets else self._ruled_in()
        if having := node.args.get("having"):
            kept.append(self.visit(having.this))
        if kept:
            result.set("where", exp.Where(this=exp.and_(*kept, copy=False)))
        if qualify := node.args.get("qualify"):
            result.set("qualify", exp.Qualify(this=self.visit(qualify.this)))
        if windows := node.args.get("windows"):
            result.set("windows", [self.visit(window) for window in windows])
        if order := node.args.get("order"):
            result.set("order", self._order(order))
            if node.args.get("limit") and not node.args.get("distinct"):
                _spell_all(result.args["order"], len(node.expressions))
                for place in range(len(self.keys)):  # the same groups wherever it is read
                    tie = exp.Ordered(this=self._ref(key_column(place)))
                    result.args["order"].append("expressions", tie)
        for clause in ("limit", "offset"):
            if node.args.get(clause):
                result.set(clause, self.above(node.args[clause]))
        return result

    def _number(self, node: exp.Select) -> None:
        """Aggregates are numbered as without DP_LOW, which is to change nothing of the release."""
        parts = [*node.expressions, node.args.get("having"), node.args.get("qualify")]
        parts += [*(node.args.get("windows") or ()), node.args.get("order")]
        for part in filter(None, parts):
            for call in aggregate_nodes(part):
                if end_of(call) is None:
                    for part in elements(call, self.select.scope) or [call]:
                        self._registered(part)

    def _projection(self, node: exp.Expr, at: int) -> exp.Expr:
        if isinstance(node, exp.Star) or (
            isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
        ):
            self.select.context.refuse(
                node,
                "row-output",
                "* would give out rows; only aggregates and group keys are released",
                "name the group keys and the aggregates",
            )
        if isinstance(node, exp.Alias):
            return exp.alias_(self.visit(node.this), node.args["alias"].copy())
        inner = self.visit(node)
        name = node.name if isinstance(node, exp.Column) else ""
        if end_of(node) is not None:
            name = node.sql("duckdb", normalize_functions="lower")
        # An outer query must not see the release's own names: `SELECT a0 FROM (SELECT SUM(n) ...)`.
        name = name or f"{UNNAMED}{at}"
        return exp.alias_(inner, exp.to_identifier(name, quoted=True))

    def _ruled_in(self) -> list[exp.Expr]:
        """Groups that a released table says are empty are left out."""
        return given_groups.tests(
            self.select, self.keys, lambda place: self._ref(key_column(place)), RELEASE
        )

    def _order(self, order: exp.Expr) -> exp.Expr:
        """ORDER BY prefers output names and ordinals; other terms are rewritten."""
        names = {p.alias_or_name.casefold() for p in self.select.node.expressions}
        result = order.copy()
        if order.args.get("siblings"):
            self.select.context.refuse(order, "unsupported-clause", "ORDER SIBLINGS BY")
        for old, new in zip(order.expressions, result.expressions, strict=True):
            term = old.this if isinstance(old, exp.Ordered) else old
            plain = isinstance(term, exp.Column) and not term.table
            if (plain and term.name.casefold() in names) or isinstance(term, exp.Literal):
                continue
            (new.this if isinstance(new, exp.Ordered) else new).replace(self.visit(term))
        return result

    # ---- expressions -------------------------------------------------------------------

    def visit(self, node: exp.Expr) -> exp.Expr:
        self._visited += 1
        if self._visited > MAX_VISITED:
            self.select.context.refuse(
                node,
                "too-complex",
                "columns named in this SELECT use each other too often",
                "compute the inner ones in a subquery",
            )
        if isinstance(node, (exp.Subquery, exp.Select, exp.SetOperation, exp.Exists)):
            return self.above(node)
        if isinstance(node, exp.Window):
            return self._window(node)
        if (end := end_of(node)) is not None:
            projections = self.select.node.expressions
            call = aggregate_of(node, projections, self.select.context)
            if not is_aggregate(call):
                return computed_end(self.visit(call), end, node, self.select.context)
            return self._listed(call, end) or self._ref(self._registered(call) + end)
        if isinstance(node, (exp.Grouping, exp.GroupingId)):
            return self._grouping(node)
        if is_aggregate(node):
            if (listed := self._listed(node)) is not None:
                return listed
            value = self._ref(self._registered(node))
            return report(value) if wants_report(node, self.select.context) else value
        if isinstance(node, exp.Column):
            return self._column(node)
        if (mean := weighted_mean(node, self.select)) is not None:
            return self._ref(self._registered(mean))
        if type(node) in self._key_kinds and not isinstance(node, exp.Literal):
            found = self._key(node)
            if found is not None:
                return found
        return self._children(node)

    def _listed(self, node: exp.Expr, end: str = "") -> exp.Expr | None:
        """The list of an aggregate that is one; None for all others."""
        parts = elements(node, self.select.scope)
        if parts is None:
            return None
        return made_list([self._ref(self._registered(part) + end) for part in parts])

    def _children(self, node: exp.Expr, **given: exp.Expr) -> exp.Expr:
        """The node over visited children; `given` are those already made."""
        args: dict[str, object] = {}
        for name, value in node.args.items():
            if name in given:
                args[name] = given[name]
            elif isinstance(value, exp.Expr):
                args[name] = self.visit(value)
            elif isinstance(value, list):
                args[name] = [self.visit(v) if isinstance(v, exp.Expr) else v for v in value]
            else:
                args[name] = value
        return remade(node, args)

    def _window(self, node: exp.Window) -> exp.Expr:
        """`SUM(COUNT(*)) OVER (...)`: the window's own function is not an aggregate over rows."""
        function = node.this
        if isinstance(function, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls)):
            made = self._children(function, this=self._children(function.this))
        else:
            made = self._children(function)
        return self._children(node, this=made)

    def _registered(self, node: exp.Expr) -> str:
        """The release's column of an aggregate call."""
        if self.select.padded:
            check_call(node, self.select)
        call = read_aggregate(node, self.select)
        for index, known in enumerate(self.aggregates):
            if replace(call, name=known.name) == known:  # equal calls share one draw
                self._note(aggregate_column(index), node)
                return aggregate_column(index)
        name = aggregate_column(len(self.aggregates))
        self._note(name, node)
        self.aggregates.append(replace(call, name=name))
        return name

    def _grouping(self, node: exp.Expr) -> exp.Expr:
        """GROUPING(a, b): one bit a key; 1 where the row is not by the key."""
        context, totals = self.select.context, []
        for part in node.expressions:
            bound = self.select.scope.key(part)
            if bound not in self.keys:
                context.invalid(
                    part, "not-grouped", "GROUPING takes keys of GROUP BY", "name one of them"
                )
            column = self._ref(total_column(self.keys.index(bound)))
            totals.append(column if self.sets else exp.Literal.number(0))
        if not totals:
            context.invalid(node, "wrong-arguments", "GROUPING takes keys of GROUP BY")
        return bits(totals)

    def _key(self, node: exp.Expr) -> exp.Expr | None:
        context = self.select.context
        mark = context.mark()
        try:
            bound = self.select.scope.key(node)
        except Error:
            context.take_back(mark)
            return None
        if bound not in self.keys:
            context.take_back(mark)
            return None
        name = key_column(self.keys.index(bound))
        self._note(name, node)
        return self._ref(name)

    def _column(self, node: exp.Column) -> exp.Expr:
        found = self._key(node)
        if found is not None:
            return found
        target = None if node.table else self.select.scope.aliases.get(node.name.casefold())
        if target is not None and node.name.casefold() not in self._opening:
            self._opening.add(node.name.casefold())
            try:
                return self.visit(target)
            finally:
                self._opening.discard(node.name.casefold())
        bound = self.select.scope.expr(node)  # raises for unknown columns
        context = self.select.context
        if any(self.select.is_unit(column) for column in columns(bound)):
            word = context.policy.unit  # GROUP BY would be refused, too
            context.refuse(
                node,
                "row-output",
                f"column {node.name} would give out the {word}s themselves",
                f"leave it out, or count {word}s: COUNT(DISTINCT {node.name})",
            )
        if not self.keys and not self.select.node.args.get("group"):
            context.refuse(
                node,
                "row-output",
                f"column {node.name} would give out rows; only aggregates are released",
                "aggregate it (COUNT, SUM, AVG, ...) or GROUP BY it",
            )
        context.invalid(
            node,
            "not-grouped",
            f"column {node.name} must appear in GROUP BY or inside an aggregate",
            f"add {node.name} to GROUP BY, or aggregate it",
        )

    def _ref(self, name: str) -> exp.Column:
        return exp.column(name, table=self.table)


def _spell_all(order: exp.Order, listed: int) -> None:
    """ORDER BY ALL as the places of the SELECT list: ALL takes no other term behind it."""
    terms = order.expressions
    if len(terms) == 1 and isinstance(terms[0].this, exp.Var) and terms[0].name.upper() == "ALL":
        places = [terms[0].copy() for _ in range(listed)]
        for at, place in enumerate(places, 1):
            place.set("this", exp.Literal.number(at))
        order.set("expressions", places)
