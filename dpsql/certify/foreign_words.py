"""Functions that both foreign engines have by one name and with one meaning, as nodes.

A word stands here if it means the same in both, and in Spark raises over no value whatever it is
given (docs/proofs/totality.md); all others are in their engine's own list.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

Build = Callable[[list[exp.Expr]], exp.Expr]


def one(kind: type[exp.Expr]) -> Build:
    return lambda a: kind(this=a[0])


def two(kind: type[exp.Expr]) -> Build:
    return lambda a: kind(this=a[0], expression=a[1])


def _pad(left: bool) -> Build:
    return lambda a: exp.Pad(this=a[0], expression=a[1], fill_pattern=a[2], is_left=left)


def concat_ws(most: int) -> dict[tuple[str, int], Build]:
    """Of two to `most` arguments, the separator among them."""
    return {
        ("concat_ws", n): lambda a: exp.ConcatWs(expressions=a, safe=True, coalesce=True)
        for n in range(2, most + 1)
    }


WORDS: dict[tuple[str, int], Build] = {
    # numbers
    ("abs", 1): one(exp.Abs),
    ("atan2", 2): two(exp.Atan2),
    ("power", 2): two(exp.Pow),
    # texts
    ("lower", 1): one(exp.Lower),
    ("upper", 1): one(exp.Upper),
    ("reverse", 1): one(exp.Reverse),
    ("length", 1): one(exp.Length),
    ("octet_length", 1): lambda a: exp.Anonymous(this="STRLEN", expressions=a),
    ("left", 2): two(exp.Left),
    ("right", 2): two(exp.Right),
    ("replace", 3): lambda a: exp.Replace(this=a[0], expression=a[1], replacement=a[2]),
    ("split_part", 3): lambda a: exp.SplitPart(this=a[0], delimiter=a[1], part_index=a[2]),
    ("translate", 3): lambda a: exp.Translate(this=a[0], from_=a[1], to=a[2]),
    ("lpad", 3): _pad(True),
    ("rpad", 3): _pad(False),
}
