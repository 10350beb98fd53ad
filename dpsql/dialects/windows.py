"""Windows as both writers put them together; how a word, a term and a frame are said is theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlglot import exp

from dpsql.dialects.told import FLOAT, INT, Told

RANKS: dict[type[exp.Expr], str] = {
    exp.RowNumber: "ROW_NUMBER",
    exp.Rank: "RANK",
    exp.DenseRank: "DENSE_RANK",
    exp.PercentRank: "PERCENT_RANK",
    exp.CumeDist: "CUME_DIST",
}
_SHARES = (exp.PercentRank, exp.CumeDist)
_PICKS: dict[type[exp.Expr], str] = {
    exp.Lag: "LAG",
    exp.Lead: "LEAD",
    exp.FirstValue: "FIRST_VALUE",
    exp.LastValue: "LAST_VALUE",
    exp.NthValue: "NTH_VALUE",
}


class Written(Protocol):
    @property
    def sql(self) -> str: ...

    @property
    def told(self) -> Told: ...


Write = Callable[[exp.Expr], Written]


def called(
    node: exp.Expr, write: Write, call: Callable[..., str], rank: Told
) -> tuple[str, Told] | None:
    """A function of windows alone, and its type; None for an aggregate. `rank`: the type of one."""
    kind = type(node)
    if kind in RANKS:
        return call(RANKS[kind]), FLOAT if kind in _SHARES else rank
    if kind is exp.Ntile:
        return call("NTILE", write(node.this).sql), INT
    if kind not in _PICKS:
        return None
    value = write(node.this)
    rest = [node.args.get(part) for part in ("offset", "default")]
    others = [write(part).sql for part in rest if part is not None]
    return call(_PICKS[kind], value.sql, *others), value.told


def over(
    node: exp.Window,
    write: Write,
    ordered: Callable[[exp.Expr], str],
    frame: Callable[[exp.Expr], str] | None,
) -> str:
    """`ordered`: a term of ORDER BY. `frame`: how one is said; None: the function has its own."""
    parts = []
    if keys := node.args.get("partition_by"):
        parts.append(f"PARTITION BY {', '.join(write(key).sql for key in keys)}")
    if (order := node.args.get("order")) is not None:
        parts.append(f"ORDER BY {', '.join(map(ordered, order.expressions))}")
    if (spec := node.args.get("spec")) is not None and frame is not None:
        parts.append(frame(spec))
    return f"OVER ({' '.join(parts)})"


def ends_of(spec: exp.Expr) -> tuple[str, str]:
    """Where a frame begins and ends; the row itself where nothing is said of its end."""
    ends = []
    for end in ("start", "end"):
        value, side = spec.args.get(end), spec.args.get(f"{end}_side")
        shown = value if isinstance(value, str) else str(value.name) if value is not None else ""
        ends.append(f"{shown} {side}" if side else shown)
    return ends[0], ends[1] or "CURRENT ROW"
