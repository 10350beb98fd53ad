"""OPTIONS(clip_estimate = true): counts of the rows that clipping moves, beside the aggregates.

Of every value that is aggregated within a range, `COUNT_IF(x < lo OR x > hi)` and `COUNT(x)` are
asked along: ordinary counts of the same rows, bounded, priced, certified and noised like those that
an analyst writes. Conditions read values as they are; only what is aggregated is clipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from sqlglot import exp

from dpsql import aggregates
from dpsql.core.ir import Aggregate, ClipCount, Expr
from dpsql.sql.remade import remade


def clip_counts(
    asked: Sequence[Aggregate],
    spelled: Mapping[str, Sequence[exp.Expr]],
    register: Callable[[exp.Expr], str],
) -> tuple[ClipCount, ...]:
    """The counts for what is `asked`; `spelled` as the query writes it.

    `register`: what adds a call to the release and gives its column. Values that cannot leave their
    range by their own arithmetic, and moments, have none.
    """
    found: dict[str, ClipCount] = {}
    for call in asked:
        nodes = spelled.get(call.name, ())
        if not nodes or call.moment:
            continue
        node = nodes[0].unalias()
        inner = aggregates.plain(node.this if isinstance(node, exp.Filter) else node)
        for value, written in _values(call, inner):
            outside = _outside(value, written)
            if outside is None:
                continue
            test, said = outside
            out = register(_filtered(node, exp.CountIf(this=test)))
            rows = register(_filtered(node, exp.Count(this=written.copy(), big_int=True)))
            where = node.expression.sql("duckdb") if isinstance(node, exp.Filter) else ""
            label = " ".join(filter(None, (f"{written.sql('duckdb')} {said}", where)))
            found.setdefault(label, ClipCount(label, out, rows))
    return tuple(found.values())


def _values(call: Aggregate, node: exp.Expr) -> list[tuple[Expr, exp.Expr]]:
    """The values that are clipped, each with its expression."""
    if call.other is not None:
        nodes = aggregates.arguments(node)
        if call.arg is None or len(nodes) != 2:
            return []
        return [(call.arg, nodes[0]), (call.other, nodes[1])]
    counts = call.fn in ("count", "count_star", "count_units")
    return [] if counts or call.arg is None else [(call.arg, node.this)]


def _outside(value: Expr, written: exp.Expr) -> tuple[exp.Expr, str] | None:
    """The test for rows outside, and it in words; None where there can be none."""
    (lo, hi), certain = (value.domain.bounds.lo, value.domain.bounds.hi), value.domain.certain
    least, most = certain.lo, certain.hi
    tests: list[exp.Expr] = []
    if isinstance(lo, Fraction) and not (isinstance(least, Fraction) and least >= lo):
        tests.append(exp.LT(this=exp.paren(written.copy()), expression=_number(lo)))
    if isinstance(hi, Fraction) and not (isinstance(most, Fraction) and most <= hi):
        tests.append(exp.GT(this=exp.paren(written.copy()), expression=_number(hi)))
    if not tests:
        return None
    return exp.or_(*tests), _in_words(lo, hi)


def _in_words(lo: object, hi: object) -> str:
    if isinstance(lo, Fraction) and isinstance(hi, Fraction):
        return f"outside {_text(lo)} to {_text(hi)}"
    return f"above {_text(hi)}" if isinstance(hi, Fraction) else f"below {_text(lo)}"


def _number(value: Fraction) -> exp.Expr:
    literal: exp.Expr = exp.Literal.number(_text(abs(value)))
    return exp.Neg(this=literal) if value < 0 else literal


def _text(value: object) -> str:
    """Decimal digits where they end within 12 places, else the nearest double."""
    assert isinstance(value, Fraction)
    scaled = value * 10**12
    if scaled.denominator == 1 and abs(value) < 10**18:
        return (
            f"{float(value):.12f}".rstrip("0").rstrip(".") if scaled % 10**12 else str(int(value))
        )
    return repr(float(value))


def _filtered(node: exp.Expr, call: exp.Expr) -> exp.Expr:
    """The call under the aggregate's own FILTER."""
    return remade(node, {**node.args, "this": call}) if isinstance(node, exp.Filter) else call
