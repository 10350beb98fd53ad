"""Policy values that parse and that this version of dpsql does not carry out: refused by name."""

from __future__ import annotations

from dpsql.errors import PolicyError
from dpsql.policy.findings import Finding
from dpsql.policy.schema import Policy


def not_built(policy: Policy) -> list[Finding]:
    """One error a value; empty if everything the policy asks for is built."""
    return [
        *_database(policy),
        *_kept(policy),
    ]


def refuse_not_built(policy: Policy) -> None:
    """PolicyError `not-built` naming the first of them; for `connect`."""
    for finding in not_built(policy):
        prefix = f"{policy.source}, " if policy.source else ""
        raise PolicyError(
            f"{prefix}{finding.where}: {finding.message}", code="not-built", hint=finding.hint
        )


def _database(policy: Policy) -> list[Finding]:
    if policy.database is None or policy.database.engine == "duckdb":
        return []
    if policy.limits.memory is None or policy.database.url.startswith("spark:"):
        return []
    server = "PostgreSQL" if policy.database.engine == "postgresql" else "Spark Connect"
    message = f"a limit of memory is the server's own in {server}"
    return [_finding("limits.memory", message, "leave it out")]


def _kept(policy: Policy) -> list[Finding]:
    if policy.database is None or policy.database.engine == "duckdb":
        return []
    return [
        _finding(
            f"tables.{name}.kept",
            "cells are kept of DuckDB files, Parquet and CSV alone: a server does not tell whether"
            " rows have changed, and cells of what is gone must not answer",
            "leave `kept` out; repeated queries are free and quick where releases are kept",
        )
        for name, table in policy.tables.items()
        if table.kept
    ]


def _finding(where: str, message: str, hint: str) -> Finding:
    return Finding("error", where, message, hint)
