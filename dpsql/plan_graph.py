"""The plan as a graph in Graphviz's language: text alone, nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dpsql.core.ir import (
    Block,
    Col,
    Expr,
    Given,
    Listed,
    PrivateAggregate,
    Scan,
    SemiJoin,
    Source,
    Union,
    Windowed,
    walk,
)
from dpsql.explanation import ReleaseExplanation
from dpsql.wording import span, words


class _Graph:
    """Nodes and edges in the order they were met; names are numbers, labels are quoted."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._count = 0

    def node(self, label: Sequence[str], *, shape: str = "box") -> str:
        name = f"n{self._count}"
        self._count += 1
        text = "\\n".join(_escaped(line) for line in label)
        self.lines.append(f'  {name} [shape={shape}, label="{text}"];')
        return name

    def edge(self, start: str, end: str, label: str = "") -> None:
        text = f' [label="{_escaped(label)}"]' if label else ""
        self.lines.append(f"  {start} -> {end}{text};")


def dot(
    private: Sequence[PrivateAggregate],
    releases: Sequence[ReleaseExplanation],
    names: Sequence[str],
    unit: str,
) -> str:
    """Tables with the ranges of what is read, filters, bounds, noise and price, and the result.

    `private`: the aggregates that `releases` explain, in the same order.
    """
    graph = _Graph()
    result = graph.node(["result", ", ".join(names)], shape="note")
    drawn: list[str] = []
    for aggregate, release in zip(private, releases, strict=True):
        rows = _block(graph, aggregate.block, unit, _read(aggregate))
        bounded = graph.node(_bounded(release, unit))
        graph.edge(rows, bounded)
        noisy = graph.node(_noisy(release, unit), shape="box3d")
        graph.edge(bounded, noisy, "exact integers")
        drawn.append(noisy)
        for number in release.reads:
            graph.edge(drawn[number - 1], rows, "noisy values")
        if release.shown:
            graph.edge(noisy, result, "noisy values")
    lines = ["digraph plan {", "  rankdir=BT;", '  node [fontname="sans-serif"];']
    return "\n".join([*lines, *graph.lines, "}"])


def _read(aggregate: PrivateAggregate) -> list[Expr]:
    found = [key.expr for key in aggregate.keys]
    for call in aggregate.aggregates:
        found += [part for part in (call.arg, call.other, call.where) if part is not None]
    return found


def _block(graph: _Graph, block: Block, unit: str, read: Sequence[Expr]) -> str:
    """The node of a block's rows, below it its sources."""
    conditions = [words(part) for part in block.where]
    text = ["rows" if not conditions else "rows where"]
    rows = graph.node(text + [_cut(part) for part in conditions])
    exprs = [*read, *block.where, *(part for join in block.joins for part in join.on)]
    exprs += [part.target for part in block.lookups]
    joins = {join.source.id: join for join in block.joins}
    for source in block.sources:
        join = joins.get(source.id)
        label = "" if join is None else " AND ".join(words(part) for part in join.on)
        kind = "" if join is None or join.kind == "inner" else f"{join.kind} "
        graph.edge(_source(graph, source, unit, exprs), rows, _cut(f"{kind}{label}"))
    for semi in block.semijoins:
        word = "NOT IN" if semi.negated else "IN"
        graph.edge(_semijoin(graph, semi, unit), rows, f"{unit} {word}")
    for part in block.lookups:
        looked_up = _source(graph, part.source, unit, [part.output, *part.where])
        word = "NOT IN" if part.negated else "IN"
        graph.edge(looked_up, rows, _cut(f"{words(part.target)} {word}"))
    return rows


def _source(graph: _Graph, source: Source, unit: str, read: Sequence[Expr]) -> str:
    columns = list(_columns(source.id, read))
    if isinstance(source, Scan):
        about = f"rows of {unit}s" if source.private else "public"
        return graph.node([f"{source.table} ({about})", *columns], shape="cylinder")
    if isinstance(source, Listed):
        return graph.node([f"{len(source.rows):,} rows listed in the query", *columns])
    if isinstance(source, Given):
        return graph.node(["rows made of releases", *columns], shape="cylinder")
    if isinstance(source, Union):
        node = graph.node(["all rows of", *columns])
        for branch in source.branches:
            graph.edge(_block(graph, branch.block, unit, branch.outputs), node)
        return node
    if isinstance(source, Windowed):
        node = graph.node([f"windows within a {unit}", *columns])
        graph.edge(_block(graph, source.block, unit, [e for _, e in source.columns]), node)
        return node
    inner = [key for _, key in source.keys]
    inner += [part for call in source.aggregates for part in (call.arg, call.where) if part]
    below = _block(graph, source.block, unit, inner)
    node = graph.node([f"one row for each {unit}", *columns])
    graph.edge(below, node)
    return node


def _semijoin(graph: _Graph, semi: SemiJoin, unit: str) -> str:
    return _block(graph, semi.block, unit, [])


def _columns(source: int, read: Sequence[Expr]) -> Iterator[str]:
    """Each column of the source that is read, with its range or its number of values."""
    seen = set()
    for expr in read:
        for part in walk(expr):
            if isinstance(part, Col) and part.source == source and part.name not in seen:
                seen.add(part.name)
                domain = part.domain
                if domain.values is not None:
                    yield f"{part.name}: {len(domain.values):,} values"
                elif domain.bounds.bounded:
                    yield f"{part.name}: {span(domain.bounds)}"
                else:
                    yield part.name


def _bounded(release: ReleaseExplanation, unit: str) -> list[str]:
    lines = [f"bounded for each {unit} ({release.strategy})"]
    return lines + [f"{bound.name}: {bound.shown}" for bound in release.bounds]


def _noisy(release: ReleaseExplanation, unit: str) -> list[str]:
    lines = [
        f"{release.mechanism}, ε = {float(release.epsilon):.6g}, δ = {float(release.delta):.3g}"
    ]
    if release.keys:
        groups = "private" if release.groups is None else f"{release.groups:,} public groups"
        lines.append(f"by {', '.join(key.name for key in release.keys)}: {groups}")
    for column in release.columns:
        rows, half = column.expected()
        told = "" if half is None else f" ± {half:.3g}" + (f" at {rows:,} rows" if rows else "")
        lines.append(f"{column.aggregate}{told}")
    if release.threshold is not None:
        lines += [f"shown from about {release.threshold.even:,} {unit}s"]
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
