"""CHECK constraints as PostgreSQL prints them, in DuckDB's words for whoever reads them next."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

_MOMENTS = frozenset({exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ})


def in_duckdb(text: str) -> str | None:
    """`status = ANY (ARRAY['a'::text])` as `status IN ('a')`; None for what cannot be read."""
    try:
        tree = parse_one(text, read="postgres")
    except SqlglotError:
        return None
    return tree.transform(_plain).sql("duckdb", comments=False)


def _plain(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Cast) and node.to.this not in _MOMENTS:
        inner = node.this.unnest()
        simple = isinstance(inner, (exp.Literal, exp.Column, exp.Neg))
        if isinstance(inner, exp.Literal) and inner.is_string and not _is_text(node.to):
            return exp.Literal.number(inner.name) if _number(inner.name) else node
        return _plain(inner) if simple else node
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        listed = node.expression.this.unnest()
        while isinstance(listed, exp.Cast):
            listed = listed.this.unnest()
        if isinstance(listed, exp.Array):
            items = [_plain(item) for item in listed.expressions]
            return exp.In(this=_plain(node.this.unnest()), expressions=items)
    return node


def _is_text(to: exp.DataType) -> bool:
    return to.this in (exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.CHAR, exp.DType.BPCHAR)


def _number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
