"""What a statement shows of its releases: how much each released column matters to it.

The query above the noise line is read once more, symbolically: every expression becomes a *figure*,
its public size and its derivatives by the released columns (`gradients.py`). A column's importance
is Σ over the figures shown of (∂figure/∂column · size of the column / size of the figure)²: its
squared elasticities. What only decides which rows are shown, or in what order, counts DECIDES.

It chooses how a release divides what is paid, never what is paid or whether: so where the reading
does not follow the query it says so (None), and nothing depends on it. Public inputs only: the text
and the ranges of the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from dpsql import aggregates
from dpsql.binding.gradients import Figure, Gradients, Unclear, constant, either
from dpsql.binding.release_names import RELEASE, releases_of
from dpsql.core.ir import Aggregate, PrivateAggregate
from dpsql.planning.division import DECIDES, Importance, finite, typical

Outputs = dict[str, Figure]
"""A relation's columns, by folded name, in order."""


@dataclass(frozen=True)
class Uses:
    """By release: the importance of its columns. A release that is not there is not known."""

    importance: Mapping[int, Importance] = field(default_factory=dict)

    def of(self, release: int) -> Importance | None:
        return self.importance.get(release)


def uses(remainder: exp.Expr, private: Sequence[PrivateAggregate], fed: Sequence[int]) -> Uses:
    """`fed`: releases that other statements read, too: nothing is known of what becomes of them."""
    if not any(len(one.aggregates) > 1 for one in private):
        return Uses()  # one column has nothing to share with
    try:
        shown = _Reader(private).statement(remainder)
    except (Unclear, RecursionError, ArithmeticError, ValueError):
        return Uses()
    found: dict[int, Importance] = {}
    for index in releases_of(remainder):
        columns = shown.get(index)
        if columns and index not in fed and finite(columns):
            found[index] = columns
    return Uses(found)


class _Reader:
    def __init__(self, private: Sequence[PrivateAggregate]) -> None:
        self._private = private
        self._tally: dict[int, dict[str, float]] = {}
        self._opened = 0

    def statement(self, root: exp.Expr) -> dict[int, dict[str, float]]:
        for figure in self._query(root, {}).values():
            self._count(figure, 1.0)
        return self._tally

    def _count(self, figure: Figure, weight: float) -> None:
        for (release, column), square in figure.elasticities().items():
            columns = self._tally.setdefault(release, {})
            columns[column] = columns.get(column, 0.0) + weight * square

    # ---- relations -----------------------------------------------------------------------

    def _query(self, node: exp.Expr, ctes: Mapping[str, Outputs]) -> Outputs:
        node = node.unnest() if isinstance(node, (exp.Subquery, exp.Paren)) else node
        known = dict(ctes)
        with_ = node.args.get("with_")
        if with_ is not None:
            if with_.args.get("recursive"):
                raise Unclear
            for cte in with_.expressions:
                outputs = self._query(cte.this, known)
                known[cte.alias.casefold()] = _renamed(outputs, cte.args["alias"])
        if isinstance(node, exp.SetOperation):
            return self._united(node, known)
        if isinstance(node, exp.Select):
            return self._select(node, known)
        raise Unclear

    def _united(self, node: exp.SetOperation, ctes: Mapping[str, Outputs]) -> Outputs:
        left, right = self._query(node.this, ctes), self._query(node.expression, ctes)
        if len(left) != len(right):
            raise Unclear
        both = zip(left.items(), right.values(), strict=True)
        outputs = {name: either([a, b]) for (name, a), b in both}
        self._decide(node, Gradients(outputs, {}, self._nested(ctes)))
        return outputs

    def _select(self, node: exp.Select, ctes: Mapping[str, Outputs]) -> Outputs:
        tables: dict[str, Outputs] = {}
        source = node.args.get("from_")
        if source is not None:
            self._source(source.this, tables, ctes)
        for join in node.args.get("joins") or ():
            self._source(join.this, tables, ctes)
        plain: Outputs = {}
        for columns in tables.values():
            for name, figure in columns.items():
                plain.setdefault(name, figure)
        reader = Gradients(plain, tables, self._nested(ctes))
        outputs: Outputs = {}
        for place, item in enumerate(node.expressions):
            if isinstance(item, exp.Star) or (
                isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
            ):
                outputs.update(tables.get(item.text("table").casefold(), plain))
                continue
            name = (item.alias_or_name or f"column {place}").casefold()
            while name in outputs:
                name += "'"
            outputs[name] = reader.figure(item)
        plain.update({name: figure for name, figure in outputs.items() if name not in plain})
        self._decide(node, reader)
        for join in node.args.get("joins") or ():
            if (on := join.args.get("on")) is not None:
                self._count(reader.figure(on), DECIDES)
        return outputs

    def _decide(self, node: exp.Expr, reader: Gradients) -> None:
        """What WHERE, HAVING, QUALIFY and ORDER BY read; a place in ORDER BY is shown anyway."""
        parts = [node.args.get(name) for name in ("where", "having", "qualify")]
        found = [part.this for part in parts if part is not None]
        order = node.args.get("order")
        found += [] if order is None else [term.this for term in order.expressions]
        for part in found:
            if not isinstance(part, (exp.Literal, exp.Var)):
                self._count(reader.figure(part), DECIDES)

    def _source(
        self, node: exp.Expr, tables: dict[str, Outputs], ctes: Mapping[str, Outputs]
    ) -> None:
        alias = node.args.get("alias")
        if isinstance(node, exp.Subquery):
            outputs = self._query(node.this, ctes)
        elif isinstance(node, exp.Table):
            outputs = self._table(node, ctes)
        elif isinstance(node, (exp.Values, exp.Unnest, exp.Lateral)):
            outputs = {}
        else:
            raise Unclear
        self._opened += 1
        name = node.alias_or_name.casefold() or f"source {self._opened}"
        tables[name] = outputs if alias is None else _renamed(outputs, alias)
        for join in node.args.get("joins") or ():
            self._source(join.this, tables, ctes)

    def _table(self, node: exp.Table, ctes: Mapping[str, Outputs]) -> Outputs:
        if node.name.casefold() in ctes and not node.db:
            return dict(ctes[node.name.casefold()])
        if not node.name.startswith(RELEASE):
            return {}
        index = int(node.name.removeprefix(RELEASE))
        aggregate = self._private[index]
        columns = {key.name: constant() for key in aggregate.keys}
        for call in aggregate.aggregates:
            if call.quantile is None:
                if _size_unknown(call):
                    raise Unclear
                columns[call.name] = Figure.column((index, call.name), typical(call))
        return columns

    def _nested(self, ctes: Mapping[str, Outputs]) -> Callable[[exp.Expr], Sequence[Figure]]:
        return lambda query: [*self._query(query, ctes).values()]


def _size_unknown(call: Aggregate) -> bool:
    """Is its value's range yet to be found (`planning/automatic.py`)? A count has a size anyway."""
    need = aggregates.for_name(call.fn).need(call)
    value = need.value if need.kind == "moments" else None
    return value is not None and not value.domain.bounds.bounded


def _renamed(outputs: Outputs, alias: exp.Expr) -> Outputs:
    names = [column.name.casefold() for column in alias.args.get("columns") or ()]
    if not names:
        return outputs
    left = [*outputs.items()]
    return {
        (names[place] if place < len(names) else name): figure
        for place, (name, figure) in enumerate(left)
    }
