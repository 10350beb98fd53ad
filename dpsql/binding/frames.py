"""Frames and named windows: which of a unit's rows a window looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.core.ir import Frame

MAX_FRAME = 1_000_000
WHOLE = Frame(rows=False, start=None, end=None)

_PARTS = ("partition_by", "order", "spec")
_SIDES = {"PRECEDING": -1, "FOLLOWING": 1}


def read_frame(node: exp.Window, context: Context) -> Frame | None:
    """The frame of OVER (...); None where SQL's own is meant, written or not."""
    spec = node.args.get("spec")
    if spec is None:
        return None
    kind = str(spec.args.get("kind") or "").upper()
    if kind not in ("ROWS", "RANGE") or spec.args.get("exclude"):
        word = "EXCLUDE" if spec.args.get("exclude") else kind
        _refuse(node, context, f"{word} in a frame is not available within a unit's rows")
    if kind == "RANGE" and any(isinstance(spec.args.get(n), exp.Expr) for n in ("start", "end")):
        _refuse(
            node,
            context,
            "RANGE with a distance is not available within a unit's rows: only UNBOUNDED and"
            " CURRENT ROW are",
        )
    start = _bound(node, spec, "start", context)
    end = _bound(node, spec, "end", context) if spec.args.get("end") else 0
    if start == "UNBOUNDED FOLLOWING" or end == "UNBOUNDED PRECEDING":
        _refuse(node, context, "a frame begins before it ends")
    first = start if isinstance(start, int) else None
    last = end if isinstance(end, int) else None
    if first is not None and last is not None and first > last:
        _refuse(node, context, "a frame begins before it ends")
    if first is None and last is None:
        return WHOLE
    if kind == "RANGE" and first is None and last == 0:
        return None
    return Frame(kind == "ROWS", first, last)


def _bound(node: exp.Window, spec: exp.Expr, name: str, context: Context) -> int | str:
    value, side = spec.args.get(name), str(spec.args.get(f"{name}_side") or "").upper()
    if value == "CURRENT ROW":
        return 0
    if value == "UNBOUNDED" and side in _SIDES:
        return f"UNBOUNDED {side}"
    number = str(value.this) if isinstance(value, exp.Literal) and not value.is_string else ""
    if side not in _SIDES or not number.isdigit() or int(number) > MAX_FRAME:
        _refuse(node, context, f"a frame's ends are constants up to {MAX_FRAME:,} rows away")
    return _SIDES[side] * int(number)


def _refuse(node: exp.Window, context: Context, message: str) -> NoReturn:
    context.refuse(
        node,
        "window-over-rows",
        message.replace("a unit's", f"a {context.policy.unit}'s"),
        "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW, with constants, UNBOUNDED or CURRENT ROW",
    )


def length(frame: Frame | None) -> int | None:
    """How many rows the frame has at the most; None if nothing says."""
    if frame is None or not frame.rows or frame.start is None or frame.end is None:
        return None
    return frame.end - frame.start + 1


def may_be_empty(frame: Frame | None) -> bool:
    """Is the row itself not in it?"""
    if frame is None:
        return False
    after = frame.start is not None and frame.start > 0
    return after or (frame.end is not None and frame.end < 0)


# ---- WINDOW w AS (...) -----------------------------------------------------------------------


def named_windows(select: exp.Select, context: Context) -> Mapping[str, exp.Window]:
    """The windows of the WINDOW clause, those made of others written out."""
    found: dict[str, exp.Window] = {}
    for node in select.args.get("windows") or []:
        found[node.this.name.casefold()] = written_out(node, found, context)
    return found


def written_out(node: exp.Window, known: Mapping[str, exp.Window], context: Context) -> exp.Window:
    """`OVER w` and `OVER (w ORDER BY ...)` with what w stands for."""
    name = node.args.get("alias")
    if name is None:
        return node
    base = known.get(name.name.casefold())
    if base is None or any(_both(node, base, part) for part in _PARTS):
        context.refuse(
            node,
            "window-over-rows",
            f"there is no window {name.name} here"
            if base is None
            else f"what window {name.name} says cannot be said again",
            "write the whole window: OVER (PARTITION BY ... ORDER BY ...)",
        )
    made = node.copy()
    made.set("alias", None)
    for part in _PARTS:
        if base.args.get(part) and not made.args.get(part):
            value = base.args[part]
            made.set(part, [v.copy() for v in value] if isinstance(value, list) else value.copy())
    return made


def _both(node: exp.Window, base: exp.Window, part: str) -> bool:
    return bool(node.args.get(part)) and bool(base.args.get(part))
