"""Salted hashes: HASH(HASH(a, b, ..., salt)) and HASH(HASH(salt, a)), as chains of seeds.

Each part is hashed, its seed the hash of those before it. A salt that stands last is the first
seed; one that stands first is itself hashed, with seed 0, so that the two differ for one value.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.postgres_terms import Term, Write, call, cast
from dpsql.dialects.told import BIG


def hashed(node: exp.Anonymous, write: Write) -> Term:
    parts = list(node.expressions[0].expressions)
    if isinstance(parts[0], exp.Cast) and parts[0].to.this is exp.DType.UBIGINT:
        found = call("HASHINT8EXTENDED", _salt(parts.pop(0)), cast("'0'", "BIGINT"))
    else:
        found = _salt(parts.pop())
    for part in parts:
        value = write(part)
        if value.told.kind is Kind.INTEGER and not value.told.huge:
            found = call("HASHINT8EXTENDED", f"COALESCE({value.sql}, 0)", found)
        else:
            shown = f"(COALESCE(CAST({value.sql} AS TEXT), '') COLLATE \"C\")"
            found = call("HASHTEXTEXTENDED", shown, found)
    return Term(found, BIG)


def _salt(node: exp.Expr) -> str:
    """64 bits, of which PostgreSQL has signed ones only."""
    seed = int(node.this.name)
    return cast(f"'{seed - 2**64 if seed >= 2**63 else seed}'", "BIGINT")
