"""UNION ALL of people's rows: each row keeps its unit, so the union is people's rows again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.binding.relations import MAX_SOURCES, PrivateRelation
from dpsql.binding.rewritings import ask_in, merged
from dpsql.binding.units import SourceFacts, place
from dpsql.core.domain import FLOAT, NUMERIC, Domain, Interval, Kind
from dpsql.core.ir import Block, Branch, Call, Col, Expr, Union

UNIT = "u"

_WAYS: dict[type[exp.Expr], str] = {
    exp.Union: "UNION ALL keeps every row; SELECT DISTINCT over it, with the {word} among its"
    " columns, drops doubles",
    exp.Except: "the {word}s of one and not of the other: NOT IN with a subquery",
    exp.Intersect: "the {word}s of both: IN with a subquery",
}


def branches_of(node: exp.SetOperation) -> list[exp.Expr]:
    """`a UNION ALL b UNION ALL c` from left to right."""
    found: list[exp.Expr] = []
    here: exp.Expr = node
    while type(here) is type(node) and not here.args.get("with_"):
        found.append(here.args["expression"])
        here = here.this
    return [here, *reversed(found)]


def check_union(node: exp.SetOperation, context: Context) -> None:
    """Over people's rows: UNION ALL, by position, as it is."""
    word = context.policy.unit
    if not isinstance(node, exp.Union) or node.args.get("distinct"):
        context.refuse(
            node.args["expression"],
            "set-operation",
            f"{node.key.upper()} of people's rows would merge rows of different {word}s",
            _WAYS[type(node)].format(word=word) + ask_in(merged(node, context.policy)),
        )
    for name, value in node.args.items():
        if value and name not in ("this", "expression", "with_"):
            context.refuse(
                value if isinstance(value, exp.Expr) else node,
                "unsupported-clause",
                f"{name.strip('_').upper().replace('_', ' ')} on people's rows is not available",
                "write UNION ALL by position, and use ORDER BY and LIMIT on the aggregated result",
            )


def bind_union(
    node: exp.Expr, relations: Sequence[PrivateRelation], context: Context
) -> PrivateRelation:
    """Columns by position, named by the first branch."""
    first = relations[0]
    if len(relations) > MAX_SOURCES:
        context.refuse(node, "too-complex", f"more than {MAX_SOURCES} SELECTs are united here")
    if any(len(other.outputs) != len(first.outputs) for other in relations):
        context.invalid(node, "union-columns", "the SELECTs of UNION ALL differ in their columns")
    source = next(context.ids)
    units = [relation.block.unit for relation in relations]
    if len({unit.domain.type for unit in units}) > 1:
        context.refuse(
            node,
            "union-columns",
            f"the {context.policy.unit}'s columns of these tables differ in their types",
            "ask about one table at a time",
        )
    unit = Col(source, UNIT, units[0].domain)
    outputs: dict[str, Expr] = {}
    columns: list[Sequence[Expr]] = []
    for index, name in enumerate(first.outputs):
        cells = [list(relation.outputs.values())[index] for relation in relations]
        told = [_is_unit(cell, relation) for cell, relation in zip(cells, relations, strict=True)]
        if all(told):
            outputs[name] = unit
            continue
        if any(told):
            context.refuse(
                node,
                "union-columns",
                f"column {name} is the {context.policy.unit} in some of the SELECTs only",
                f"put the {context.policy.unit} at the same place in each, or leave it out",
            )
        domain, cells = _common(name, cells, node, context)
        outputs[name] = Col(source, f"c{len(columns)}", domain)
        columns.append(cells)
    made = Union(
        source,
        tuple(
            Branch(relation.block, tuple(column[at] for column in columns))
            for at, relation in enumerate(relations)
        ),
    )
    none: frozenset[int] = frozenset()
    block = Block(made, (), (), (), unit, none, none, frozenset({source}))
    return PrivateRelation(block, outputs, (SourceFacts(made, None, unit, ()),))


def _is_unit(cell: Expr, relation: PrivateRelation) -> bool:
    left = {join.source.id for join in relation.block.joins if join.kind == "left"}
    return (
        isinstance(cell, Col)
        and cell.source not in left
        and any(f.unit is not None and place(f.unit) == place(cell) for f in relation.facts)
    )


def _common(
    name: str, cells: list[Expr], node: exp.Expr, context: Context
) -> tuple[Domain, list[Expr]]:
    """One type for the column, and what each SELECT gives of it."""
    types = {cell.domain.type for cell in cells if cell.domain.type.kind is not Kind.NULL}
    if len(types) > 1 and FLOAT in types and all(one.kind in NUMERIC for one in types):
        cells = [_as_double(cell) for cell in cells]
        types = {FLOAT}
    kinds = {one.kind for one in types}
    if len(types) != 1 or Kind.OPAQUE in kinds:
        context.invalid(
            node,
            "union-columns",
            f"column {name} has no common type:"
            f" {', '.join(sorted(map(str, types))) or 'NULL alone'}",
            "CAST it to one type in each SELECT",
        )
    known = [cell.domain for cell in cells if cell.domain.type.kind is not Kind.NULL]
    values = None
    if all(domain.values is not None for domain in known):
        values = tuple(dict.fromkeys(v for domain in known for v in domain.values or ()))
    return Domain(
        next(iter(types)),
        reduce(Interval.join, (domain.certain for domain in known)),
        reduce(Interval.join, (domain.bounds for domain in known)),
        len(known) < len(cells) or any(domain.nullable for domain in known),
        values,
    ), cells


def _as_double(cell: Expr) -> Expr:
    if cell.domain.type.kind not in (Kind.INTEGER, Kind.DECIMAL):
        return cell
    return Call("cast", (cell,), cell.domain.with_(type=FLOAT, values=None), ("DOUBLE",))
