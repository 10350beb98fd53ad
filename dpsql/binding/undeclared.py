"""The refusal of a sum whose range nobody has said: which columns lack one, and the ways out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from sqlglot import exp

from dpsql import aggregates
from dpsql.binding.scope import Scope
from dpsql.core.domain import NUMERIC, TEMPORAL, Domain, Kind, SqlType
from dpsql.core.ir import (
    Block,
    Call,
    Col,
    Expr,
    InnerAggregate,
    PerUnit,
    Scan,
    Source,
    Union,
    Windowed,
    children,
)

BOUNDS_PER_ROW = "contribution_bounds_per_row"
ROWS = "bounds.max_rows_per_group"
"""What a count or a sum within a unit's rows has no high end without."""


def refuse(
    call: exp.Expr,
    node: exp.Expr,
    arg: Expr,
    scope: Scope,
    sources: Sequence[Source],
    *,
    inner: bool = False,
) -> NoReturn:
    """RefusedQuery `no-bounds` for an argument of `call` whose range has an open end.

    `node` is the argument as written, `arg` as bound over `sources`. `inner`: within a unit's rows.
    """
    lacking = list(dict.fromkeys(_lacking(arg, sources)))
    scope.refuse(
        node,
        "no-bounds",
        f"{_written(call)} needs a range, {_lack(arg, lacking)}",
        _ways(call, node, lacking, plain=isinstance(arg, Col), inner=inner),
    )


def _written(node: exp.Expr) -> str:
    text = str(node.sql("duckdb"))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _lack(arg: Expr, lacking: Sequence[str]) -> str:
    """Which ends are open, for want of what, and what noise would come of it."""
    known, exact = arg.domain.bounds, arg.domain.type.kind is not Kind.FLOAT
    parts = []
    if known.lo is not None or known.hi is not None:
        parts.append(f"but only its {'low' if known.lo is not None else 'high'} end is known")
    if lacking:
        has = "have" if len(lacking) > 1 else "has"
        parts.append(f"and {_listed(lacking)} {has} none in the policy")
    if not parts:
        parts.append("and only a type limits it" if exact else "and none follows from its parts")
    noise = "noise would be as wide as a type" if exact else "noise would have no limit"
    return f"{', '.join(parts)}; {noise}"


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:3])
    if len(names) > 3:
        shown.append(f"{len(names) - 3} more")
    *most, last = shown
    return f"{', '.join(most)} and {last}" if most else last


def _ways(
    call: exp.Expr, node: exp.Expr, lacking: Sequence[str], *, plain: bool, inner: bool
) -> str:
    """`plain`: the argument is a column itself, whose range a condition narrows."""
    text = str(node.sql("duckdb"))
    text = text if len(text) <= 30 else "x"
    ways = []
    if isinstance(node, exp.Column) and plain:
        ways.append(f"WHERE {text} BETWEEN 0 AND 100")
    if not inner and len(aggregates.arguments(call)) == 1:
        ways.append(f"{call.key.upper()}({text}, {BOUNDS_PER_ROW} => (0, 100))")
    ways.append(f"LEAST(GREATEST({text}, 0), 100)")
    *most, last = ways
    asked = f"{', '.join(most)} or {last}" if most else last
    columns = [name for name in lacking if name != ROWS]
    owner = f"; the owner can give {_listed(columns)} min and max in the policy" if columns else ""
    if ROWS in lacking:
        owner += f"; the owner can set {ROWS}"
    return f"with limits of your own: {asked}{owner}"


# ---- columns -----------------------------------------------------------------------------


def deciding(expr: Expr) -> Iterator[Col]:
    """Columns whose ranges decide the expression's, not those that conditions are about."""
    match expr:
        case Col():
            yield expr
            return
        case Call(domain=Domain(type=SqlType(kind=Kind.BOOLEAN))):
            return
        case Call(fn="case", args=args):
            parts = [*args[1:-1:2], args[-1]]
        case Call(fn="switch", args=args):
            parts = [*args[2:-1:2], args[-1]]
        case _:
            parts = [*children(expr)]
    for part in parts:
        yield from deciding(part)


def _lacking(expr: Expr, sources: Sequence[Source]) -> Iterator[str]:
    """`table.column` of those that decide the range, and have none themselves."""
    for column in deciding(expr):
        domain = column.domain
        if domain.bounds.bounded or domain.type.kind not in NUMERIC | TEMPORAL:
            continue
        for source in sources:
            if source.id == column.source:
                yield from _behind(column.name, source)


def _behind(name: str, source: Source) -> Iterator[str]:
    """The tables' columns that a column of a source is made of."""
    match source:
        case Scan(table=table):
            yield f"{table}.{name}"
        case PerUnit(block=block):
            yield from _made(dict(source.keys), name, block)
            for call in source.aggregates:
                if call.name == name:
                    yield from _within(call, block)
        case Union(branches=branches):
            for branch in branches:
                outputs = {f"c{index}": part for index, part in enumerate(branch.outputs)}
                yield from _made(outputs, name, branch.block)
        case Windowed(block=block):
            made = dict(source.columns)
            for window in source.windows:
                arg = window.call.arg
                if window.name != name:
                    continue
                if isinstance(arg, Col) and arg.source == source.id:  # LAG(x) names a column of it
                    yield from _made(made, arg.name, block)
                else:
                    yield from _within(window.call, block)
            yield from _made(made, name, block)


def _within(call: InnerAggregate, block: Block) -> Iterator[str]:
    """What an aggregate within a unit's rows lacks: its argument's range, else a limit on rows."""
    arg = None if call.fn.startswith("count") else call.arg
    if arg is not None and not arg.domain.bounds.bounded:
        yield from _lacking(arg, block.sources)
    else:
        yield ROWS


def _made(made: dict[str, Expr], name: str, block: Block) -> Iterator[str]:
    if name in made:
        yield from _lacking(made[name], block.sources)
