"""Which columns are certainly equal, which sources have one row per unit: proofs from keys.

Everything here rests on bare column equalities in join conditions and on keys the catalog shows
as enforced; nothing is read from the data. A key that the owner promises says whose a row is, and
how wide a join may grow, where a unit path lands on it; how many rows a unit has it never says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dpsql.core.catalog import CatalogTable
from dpsql.core.ir import Call, Col, Expr, Given, Lit, PerUnit, Scan, Source, columns

Place = tuple[int, str]


def place(column: Col) -> Place:
    return column.source, column.name


def equalities(conditions: Iterable[Expr]) -> list[tuple[Col, Col]]:
    """Conjuncts of the form column = column, AND taken apart."""
    found = []
    for condition in conditions:
        for part in conjuncts(condition):
            match part:
                case Call(fn="eq", args=(Col() as left, Col() as right)):
                    found.append((left, right))
    return found


def conjuncts(condition: Expr) -> list[Expr]:
    if isinstance(condition, Call) and condition.fn == "and":
        return [part for arg in condition.args for part in conjuncts(arg)]
    return [condition]


def pinned(conditions: Iterable[Expr]) -> set[Place]:
    """Columns a conjunct sets equal to a literal."""
    found = set()
    for condition in conditions:
        for part in conjuncts(condition):
            match part:
                case (
                    Call(fn="eq", args=(Col() as column, Lit()))
                    | Call(fn="eq", args=(Lit(), Col() as column))
                ):
                    found.add(place(column))
    return found


class Classes:
    """Equivalence classes of columns (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[Place, Place] = {}

    def find(self, item: Place) -> Place:
        root = item
        while (parent := self._parent.get(root, root)) != root:
            root = parent
        self._parent[item] = root
        return root

    def union(self, a: Place, b: Place) -> None:
        self._parent[self.find(a)] = self.find(b)

    def same(self, a: Place, b: Place) -> bool:
        return self.find(a) == self.find(b)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source with what the catalog enforces of it. `unit` is its own unit column, if private.

    `landed`: the promised key by which it was joined in, of a scan that a unit path alone makes.
    """

    source: Source
    catalog: CatalogTable | None
    unit: Col | None
    columns: tuple[str, ...]
    landed: str | None = None

    @property
    def keys(self) -> Sequence[Sequence[str]]:
        """Columns that name at most one row: as the catalog enforces, or the text to be run."""
        if isinstance(self.source, Given):
            return () if self.source.keys is None else (self.source.keys,)
        return () if self.catalog is None else self.catalog.keys


def merge_same_rows(classes: Classes, facts: Sequence[SourceFacts]) -> None:
    """Two scans of one table equated on a key are the same row: equate all columns.

    The key is enforced, or promised, if a unit path lands on it somewhere here: then the promise
    is one that the answer rests on in any case (docs/proofs/units.md, section 4).
    """
    scans = [f for f in facts if isinstance(f.source, Scan) and f.catalog is not None]
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(scans):
            for b in scans[i + 1 :]:
                if a.catalog is not b.catalog or a.catalog is None:
                    continue
                ids = (a.source.id, b.source.id)
                equal = any(
                    all(classes.same((ids[0], c), (ids[1], c)) for c in key)
                    for key in (*a.catalog.keys, *_landings(a, facts))
                )
                for c in a.catalog.columns if equal else ():
                    if not classes.same((ids[0], c), (ids[1], c)):
                        classes.union((ids[0], c), (ids[1], c))
                        changed = True


def _landings(fact: SourceFacts, facts: Sequence[SourceFacts]) -> list[tuple[str, ...]]:
    """The promised keys of a scan's table on which a unit path lands, somewhere among `facts`."""
    return [
        (other.landed,)
        for other in facts
        if other.landed is not None and other.catalog is fact.catalog
    ]


def determined(
    facts: Sequence[SourceFacts], inner: Sequence[Expr], left: Mapping[int, Sequence[Expr]]
) -> frozenset[int]:
    """Ids of sources that contribute at most one row per unit.

    Base: a private scan whose unit column is itself an enforced key, and a per-unit aggregate
    without further keys. Step: a source joined on an enforced key of its own, each key column
    equated with a column of a determined source, or with a literal. `inner` conditions hold for
    every row of the block; `left[id]` only tell which row of the left-joined source `id` is met.
    """
    known = {f.source.id for f in facts if _one_row(f)}
    grown = True
    while grown:
        grown = False
        for fact in facts:
            if fact.source.id in known or not fact.keys:
                continue
            conditions = [*inner, *left.get(fact.source.id, ())]
            pairs, fixed = equalities(conditions), pinned(conditions)
            if any(_looked_up(fact.source.id, key, pairs, fixed, known) for key in fact.keys):
                known.add(fact.source.id)
                grown = True
    return frozenset(known)


def fanning(
    facts: Sequence[SourceFacts], inner: Sequence[Expr], left: Mapping[int, Sequence[Expr]]
) -> frozenset[int]:
    """Ids of sources not joined on a key of their own: they can multiply rows.

    No bound rests on it but that of work, so it may be a promised key that a unit path lands on.
    """
    every = {fact.source.id for fact in facts}
    found = set()
    for fact in facts:
        source = fact.source.id
        conditions = [*inner, *left.get(source, ())]
        pairs, fixed, others = equalities(conditions), pinned(conditions), every - {source}
        keys = (*fact.keys, *_landings(fact, facts))
        if not any(_looked_up(source, key, pairs, fixed, others) for key in keys):
            found.add(source)
    return frozenset(found)


def constant(known: frozenset[int], left: Mapping[int, Sequence[Expr]]) -> frozenset[int]:
    """The determined sources whose columns are functions of the unit.

    An inner-joined one always is. A LEFT JOINed one is if its ON reads nothing but itself and
    sources that are: then either all of a unit's rows meet its row, or none does.
    """
    found = {source for source in known if source not in left}
    grown = True
    while grown:
        grown = False
        for source in known - found:
            read = {column.source for part in left[source] for column in columns(part)}
            if read <= found | {source}:
                found.add(source)
                grown = True
    return frozenset(found)


def _one_row(fact: SourceFacts) -> bool:
    if isinstance(fact.source, PerUnit):
        return not fact.source.keys
    return (
        fact.unit is not None
        and fact.catalog is not None
        and fact.unit.source == fact.source.id
        and fact.catalog.unique(fact.unit.name)
    )


def _looked_up(
    source: int,
    key: Sequence[str],
    pairs: Sequence[tuple[Col, Col]],
    fixed: set[Place],
    known: set[int],
) -> bool:
    def bound(name: str) -> bool:
        mine = (source, name)
        return mine in fixed or any(
            (place(a) == mine and b.source in known) or (place(b) == mine and a.source in known)
            for a, b in pairs
            if a.domain.type == b.domain.type  # a lossy cast could match several keys
        )

    return all(bound(name) for name in key)
