"""The way from a row to its unit: `patient_id`, or `visit_id -> visits.visit_id` and on from there.

A path may be written whole, `order_id -> orders.id, orders.customer_id -> customers.id`; then it
must be the way that the tables on it declare themselves: a policy has one unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dpsql.errors import PolicyError
from dpsql.policy.identifiers import dotted, split_outside_quotes
from dpsql.policy.nodes import Where, printable
from dpsql.policy.schema import Hop, UnitPath
from dpsql.policy.suggest import suggest

_FORM = "write `column`, or `column -> table.key` over a foreign key"


@dataclass(frozen=True, slots=True)
class Reference:
    """`column -> table.target`, the table's name still as written in the path."""

    source: tuple[str, ...]
    column: str
    table: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Written:
    """A table's `unit` as parsed: a column, or references."""

    where: Where
    column: str
    references: tuple[Reference, ...]


def parse_unit(text: str, where: Where) -> Written:
    """The grammar alone; names are looked up by `resolve_units`."""
    segments = split_outside_quotes(text, ",")
    ends = [split_outside_quotes(segment, "->") for segment in segments]
    if len(ends) == 1 and len(ends[0]) == 1:
        name = dotted(text)
        if name is None or len(name) != 1:
            raise _malformed(text, where)
        return Written(where, name[0], ())
    return Written(where, "", tuple(_reference(pair, text, where) for pair in ends))


def resolve_units(
    written: Mapping[str, Written], parts: Mapping[str, tuple[str, ...]]
) -> dict[str, UnitPath]:
    """Every private table's whole path.

    `written`: the private tables by name; `parts`: all tables. Unknown and public targets, loops
    and paths that contradict each other are PolicyErrors `dangling-path`.
    """
    names = _Names(parts)
    first = {name: _first_hop(names, unit, written) for name, unit in written.items()}
    resolved = {name: _follow(name, first, written) for name in written}
    for name, unit in written.items():
        _agrees(names, name, unit, resolved[name])
    return resolved


class _Names:
    """Tables by their parts, exactly or, where only one fits, by another case."""

    def __init__(self, parts: Mapping[str, tuple[str, ...]]) -> None:
        self.all = tuple(parts)
        self.exact = {value: name for name, value in parts.items()}
        self.folded = {_fold(value): name for name, value in parts.items()}

    def find(self, parts: tuple[str, ...]) -> str | None:
        return self.exact.get(parts) or self.folded.get(_fold(parts))


def _fold(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in parts)


def _reference(pair: list[str], text: str, where: Where) -> Reference:
    left = dotted(pair[0])
    right = dotted(pair[1]) if len(pair) == 2 else None
    if left is None or right is None or not 2 <= len(right) <= 3 or len(left) > 3:
        raise _malformed(text, where)
    return Reference(left[:-1], left[-1], right[:-1], right[-1])


def _malformed(text: str, where: Where) -> PolicyError:
    return where.error(
        f"{printable(text)!r} is not a path to the unit",
        code="bad-value",
        hint=f"{_FORM}; a name with blanks or dots in SQL quotes: '\"odd name\"'",
    )


def _first_hop(names: _Names, unit: Written, private: Mapping[str, Written]) -> Hop | None:
    if not unit.references:
        return None
    reference = unit.references[0]
    return Hop(reference.column, _target(names, reference, unit.where, private), reference.target)


def _target(
    names: _Names, reference: Reference, where: Where, private: Mapping[str, Written]
) -> str:
    found = names.find(reference.table)
    shown = ".".join(reference.table)
    if found is None:
        raise where.error(
            f"the path leads to `{printable(shown)}`, which is not a declared table",
            code="dangling-path",
            hint=suggest(shown, names.all, what="table"),
        )
    if found not in private:
        raise where.error(
            f"the path leads to `{printable(found)}`, which is public and about no one",
            code="dangling-path",
            hint="lead it to a table that has a `unit`",
        )
    return found


def _follow(name: str, first: Mapping[str, Hop | None], written: Mapping[str, Written]) -> UnitPath:
    hops: list[Hop] = []
    seen = [name]
    while (hop := first[seen[-1]]) is not None:
        hops.append(hop)
        if hop.target_table in seen:
            loop = " -> ".join([*seen[:8], hop.target_table])
            raise written[name].where.error(
                f"the path never reaches a unit: {printable(loop)}",
                code="dangling-path",
                hint="one table on it must name the column that holds the unit's id",
            )
        seen.append(hop.target_table)
    return UnitPath(tuple(hops), written[seen[-1]].column)


def _agrees(names: _Names, name: str, unit: Written, path: UnitPath) -> None:
    """A path written whole must be the one that the tables on it declare, step by step."""
    for i, reference in enumerate(unit.references):
        if i == 0 and not reference.source:
            continue
        hop = path.hops[i] if i < len(path.hops) else None
        before = path.hops[i - 1].target_table if i else name
        fits = (
            hop is not None
            and (reference.column, reference.target) == (hop.column, hop.target_column)
            and names.find(reference.table) == hop.target_table
            and names.find(reference.source) == before
        )
        if not fits:
            raise unit.where.error(
                f"step {i + 1} of the path is not the way that table declares under `unit`",
                code="dangling-path",
                hint="write the first step only; the rest follows from the next table's `unit`",
            )
