"""Salted hashes: HASH(HASH(a, b, ..., salt)) and HASH(HASH(salt, a)), by Spark's XXHASH64.

It hashes its arguments one after the other, the hash of those before being the seed of the next,
and passes over NULL, which is why none is let in. The salt is what it begins with; one that stands
first in the normal form is hashed by itself before, so that the two differ for one value.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.spark_terms import Term, Write, call, cast
from dpsql.dialects.told import BIG


def hashed(node: exp.Anonymous, write: Write) -> Term:
    parts = list(node.expressions[0].expressions)
    if isinstance(parts[0], exp.Cast) and parts[0].to.this is exp.DType.UBIGINT:
        first = call("xxhash64", _salt(parts.pop(0)))
    else:
        first = _salt(parts.pop())
    return Term(call("xxhash64", first, *(_part(write(part)) for part in parts)), BIG)


def _part(value: Term) -> str:
    if value.told.kind is Kind.INTEGER and not value.told.huge:
        return f"coalesce({value.sql}, 0)"
    return f"coalesce({cast(value.sql, 'STRING')}, '')"


def _salt(node: exp.Expr) -> str:
    """64 bits, of which Spark has signed ones only."""
    seed = int(node.this.name)
    return cast(f"'{seed - 2**64 if seed >= 2**63 else seed}'", "BIGINT")
