"""UNION ALL: rows of units beside rows of units, column by column."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.facts import Column, Relation, Unit
from dpsql.certify.scope import Serials
from dpsql.certify.tables import identifies
from dpsql.core.domain import Kind


def selects(node: exp.Expr) -> list[exp.Expr]:
    """The SELECTs from left to right."""
    found: list[exp.Expr] = []
    while type(node) is exp.Union:
        found.append(node.args["expression"])
        node = node.this
    return [node, *reversed(found)]


def united(relations: Sequence[Relation], serials: Serials) -> Relation:
    """Columns by position, under the first one's names. A unit may have rows in each part."""
    first = relations[0]
    require(
        all(len(other.columns) == len(first.columns) for other in relations),
        "united relations have the same columns",
    )
    columns = {
        name: _column([list(r.columns.values())[at] for r in relations], serials())
        for at, name in enumerate(first.columns)
    }
    return Relation(columns, None, None)


def _column(parts: Sequence[Column], serial: int) -> Column:
    unit = all(isinstance(part.fact, Unit) for part in parts)
    kinds = {part.kind for part in parts} - {Kind.NULL}
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    require(kind is not None, "united columns are of one type")
    require(not unit or identifies(kind), "equality of units is identity")
    spans = [part.span for part in parts if part.kind is not Kind.NULL]
    known = [span for span in spans if span is not None]
    lies = (min(lo for lo, _ in known), max(hi for _, hi in known)) if known else None
    return Column(
        serial,
        Unit() if unit else None,
        kind,
        by_unit=unit,
        barred=next((part.barred for part in parts if part.barred), ""),
        normal=all(part.normal for part in parts),
        span=lies if len(known) == len(spans) else None,
        present=all(part.present for part in parts),
    )
