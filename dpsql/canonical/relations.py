"""A block as canonical text: the order of its joins and conditions does not show.

Every inner condition, wherever it stands, filters the product of the inner sources and what the
left joins add to it, so a block is its sources, one filter, and the ON of each left join, which
itself says what it hangs on (docs/proofs/repeats.md, 2). Columns that the filter equates hold one
value in every row that is left, and share a name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

from dpsql.binding.units import Classes, Place, conjuncts, equalities, place
from dpsql.canonical.constants import type_text, value_text
from dpsql.canonical.expressions import Named, Writer, same_value_type
from dpsql.canonical.formulas import Formula, junction
from dpsql.canonical.labels import SELF, Colours, digest, labels
from dpsql.core.ir import (
    Block,
    Call,
    Col,
    Expr,
    Given,
    InnerAggregate,
    Listed,
    PerUnit,
    PublicIn,
    Scan,
    SemiJoin,
    Source,
    Union,
    Window,
    Windowed,
    columns,
)

NameOf = Callable[[str], str]
"""The name of a source's column within that source."""


class BlockForm:
    """A block with names for its sources; `writer` writes what is computed from its rows."""

    def __init__(self, block: Block, uses: Sequence[Expr]) -> None:
        """`uses` are the expressions over the block: they may tell like sources apart."""
        self._block = block
        self._looks, self._columns = _sources(block)
        self._filter = [part for on in _filters(block) for part in conjuncts(on)]
        self._left = {join.source.id: join.on for join in block.joins if join.kind == "left"}
        self._classes = self._equated()
        self._uses = uses
        self._semis = sorted(map(_semi, block.semijoins))
        found = labels(self._looks, self._facts)
        self.name = self._named(found)
        self.writer = Writer(self.name)
        self.text = self._written(found)

    def _equated(self) -> dict[Place, tuple[Place, ...]]:
        """The columns of inner sources that the filter equates, each with all of its class."""
        classes, members = Classes(), dict[Place, None]()
        for a, b in equalities(self._filter):
            if self._same_value(a, b):
                classes.union(place(a), place(b))
                members |= {place(a): None, place(b): None}
        found: dict[Place, list[Place]] = {}
        for member in members:
            found.setdefault(classes.find(member), []).append(member)
        return {member: tuple(group) for group in found.values() for member in group}

    def _same_value(self, a: Col, b: Col) -> bool:
        inner = a.source not in self._left and b.source not in self._left
        return inner and a.domain.type == b.domain.type and same_value_type(a.domain.type)

    # ---- names -------------------------------------------------------------------------

    def _named(self, names: Colours) -> Named:
        """Columns by their sources' names; equated ones by the first of their class."""
        known: dict[Place, str] = {}

        def name(column: Col) -> str:
            here = place(column)
            if here not in known:
                known[here] = min(self._class_names(here, names))
            return known[here]

        return name

    def _class_names(self, here: Place, names: Colours) -> list[str]:
        members = self._classes.get(here, (here,))
        return [f"{names[source]}.{self._columns[source](name)}" for source, name in members]

    def _facts(self, colours: Colours, source: int) -> Iterable[str]:
        """What is said of one source, while all others are known by their colours."""
        marked = {**colours, source: SELF}

        def name(column: Col) -> str:
            names = self._class_names(place(column), marked)
            return "~".join(sorted(names))

        writer = Writer(name)
        yield f"unit {name(self._block.unit)}"
        for group in set(self._classes.values()):
            yield f"equal {'~'.join(sorted(self._class_names(group[0], marked)))}"
        for part in self._rest():
            yield f"filter {writer.text(part)}"
        for left, on in self._left.items():
            if left == source or any(c.source == source for part in on for c in columns(part)):
                yield f"left {marked[left]} {_all(writer, on)}"
        for lookup in self._block.lookups:
            yield f"lookup {_lookup(lookup, name)}"
        for use in self._uses:
            yield f"use {writer.text(use)}"

    # ---- text --------------------------------------------------------------------------

    def _rest(self) -> list[Expr]:
        """The filter's conditions less the equalities that the classes stand for."""
        return [part for part in self._filter if not self._is_equality(part)]

    def _is_equality(self, part: Expr) -> bool:
        match part:
            case Call(fn="eq", args=(Col() as a, Col() as b)):
                return self._same_value(a, b)
        return False

    def _written(self, names: Colours) -> str:
        looks = sorted(f"{names[source]} {look}" for source, look in self._looks.items())
        equal = sorted(
            " = ".join(sorted(self._class_names(group[0], names)))
            for group in set(self._classes.values())
        )
        left = sorted(
            f"{names[source]} {_all(self.writer, on)}" for source, on in self._left.items()
        )
        unit = self.name(self._block.unit)  # never NULL, whatever the schema says of the column
        where = _all(self.writer, self._rest())
        lookups = sorted({_lookup(one, self.name) for one in self._block.lookups})
        return (
            f"(rows {looks} equal {equal} left {left} where {where}"
            f" unit {unit} {sorted(set(self._semis))} {lookups})"
        )


def block_text(block: Block) -> str:
    """The canonical text of a block of which the unit alone is used."""
    return digest(BlockForm(block, (block.unit,)).text)


def _semi(semi: SemiJoin) -> str:
    return f"(unit {'not in' if semi.negated else 'in'} {block_text(semi.block)})"


def _lookup(lookup: PublicIn, name: Named) -> str:
    """`x IN (SELECT y FROM public WHERE ...)`: the table's own columns by their names."""

    def either(column: Col) -> str:
        return json.dumps(column.name) if column.source == lookup.source.id else name(column)

    writer = Writer(either)
    how = f"{'not ' if lookup.negated else ''}{'exists' if lookup.exists else 'in'}"
    table, _ = _source(lookup.source)
    found = f"{writer.text(lookup.output)} of {table} where {_all(writer, lookup.where)}"
    return f"({writer.text(lookup.target)} {how} {found})"


def _all(writer: Writer, conditions: Iterable[Expr]) -> Formula:
    return junction("and", map(writer.formula, conditions))


def _filters(block: Block) -> list[Expr]:
    inner = [on for join in block.joins if join.kind != "left" for on in join.on]
    return [*block.where, *inner]


def _sources(block: Block) -> tuple[dict[int, str], dict[int, NameOf]]:
    """How each source looks by itself, and how its columns are called."""
    kinds = {join.source.id: join.kind for join in block.joins}
    looks, names = {}, {}
    for source in block.sources:
        look, name = _source(source)
        looks[source.id] = f"{kinds.get(source.id, 'inner')} {look}"
        names[source.id] = name
    return looks, names


def _source(source: Source) -> tuple[str, NameOf]:
    if isinstance(source, Scan):
        whose = "private" if source.private else "public"
        return f"(table {json.dumps(source.table)} {whose})", json.dumps
    if isinstance(source, Given):
        return f"(released {source.name} {source.columns} {source.keys})", json.dumps
    if isinstance(source, PerUnit):
        return _per_unit(source)
    if isinstance(source, Union):
        return _union(source), json.dumps
    if isinstance(source, Windowed):
        return _windowed(source), json.dumps
    if isinstance(source, Listed):
        rows = sorted(" ".join(map(value_text, row)) for row in source.rows)
        return f"(listed {list(map(type_text, source.types))} {rows})", json.dumps
    assert_never(source)


def _per_unit(source: PerUnit) -> tuple[str, NameOf]:
    """One row for each unit and keys: an aggregate that nobody reads changes none of them."""
    uses = [expr for _, expr in source.keys]
    uses += [p for call in source.aggregates for p in (call.arg, call.where) if p is not None]
    form = BlockForm(source.block, uses)
    names = {key: f"(key {form.writer.text(expr)})" for key, expr in source.keys}
    keys = sorted(names.values())
    for call in source.aggregates:
        names[call.name] = _inner(call, form.writer)
    short = {name: digest(text) for name, text in names.items()}
    return f"(each unit {digest(form.text)} {keys})", lambda name: short.get(name, name)


def _union(source: Union) -> str:
    """All rows of the branches, in no order; their columns go by place."""
    branches = []
    for branch in source.branches:
        form = BlockForm(branch.block, branch.outputs)
        outputs = [form.writer.text(expr) for expr in branch.outputs]
        branches.append(f"{digest(form.text)} {outputs}")
    return f"(all of {sorted(branches)})"


def _windowed(source: Windowed) -> str:
    """The block's rows with windows over each unit's; columns under the names they have."""
    inside = [expr for _, expr in source.columns]
    for window in source.windows:
        inside += [e for e in (window.call.arg, window.call.where) if e is not None]
    own = [expr for expr in inside if all(c.source != source.id for c in columns(expr))]
    form = BlockForm(source.block, own)

    def name(column: Col) -> str:
        return json.dumps(column.name) if column.source == source.id else form.name(column)

    writer = Writer(name)
    listed = [f"{json.dumps(n)} {writer.text(expr)}" for n, expr in source.columns]
    calls = [
        f"{json.dumps(one.name)} {_inner(one.call, writer)} {one.steps}"
        f" by {json.dumps(one.partition)} {json.dumps(one.order)}{_extent(one, writer)}"
        for one in source.windows
    ]
    return f"(windows {digest(form.text)} {sorted(listed)} {sorted(calls)})"


def _extent(window: Window, writer: Writer) -> str:
    """The frame and LAG's default; nothing for SQL's own."""
    frame, default = window.frame, window.default
    framed = "" if frame is None else f" rows {frame.rows} {frame.start} {frame.end}"
    return framed if default is None else f"{framed} else {writer.text(default)}"


def _inner(call: InnerAggregate, writer: Writer) -> str:
    arg = "" if call.arg is None else writer.text(call.arg)
    where = "" if call.where is None else str(writer.formula(call.where))
    grid = "" if call.grid is None else f" on {call.grid.unit} {call.grid.lo} {call.grid.hi}"
    return f"({call.fn} {json.dumps(str(call.domain.type))} of {arg} where {where}{grid})"
