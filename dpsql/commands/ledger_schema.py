"""`dpsql ledger schema`: the tables of a ledger in PostgreSQL, for whoever owns the database."""

from __future__ import annotations

import time
from pathlib import Path

import click

from dpsql.commands.options import policy_option
from dpsql.commands.output import write_stdout


@click.command("schema")
@click.option("--role", metavar="ROLE", required=True, help="The role that dpsql charges with.")
@click.option("--reader", metavar="ROLE", help="A role that may only read: an auditor's.")
@click.option(
    "--schema",
    metavar="NAME",
    help="The schema; that of the policy's ledger if left out, else dpsql.",
)
@policy_option
def schema(role: str, reader: str | None, schema: str | None, policy: str) -> None:
    """Print the SQL that makes a ledger in PostgreSQL, with the least rights that are needed.

    Run it once, as the owner of the database: tables, first entry and rights, in one transaction.
    The role that charges gets SELECT and INSERT, and UPDATE on no more than counts of refusals and
    notes for retries: it can neither change nor delete an entry. The roles must be there.

    \b
    Example:
      dpsql ledger schema --role dpsql_gate --reader auditor
    """
    from dpsql.ledger.postgres_schema import script
    from dpsql.ledger.postgres_target import checked_schema

    name = checked_schema(schema if schema is not None else _of_policy(policy))
    write_stdout(script(name, role, reader, int(time.time())))


def _of_policy(policy: str) -> str:
    """The schema that the policy's ledger lies in; the usual one without such a policy."""
    from dpsql.ledger.database import is_server
    from dpsql.ledger.postgres_target import SCHEMA, read_target
    from dpsql.policy import load

    if not Path(policy).exists():
        return SCHEMA
    url = load(policy).ledger_url
    return read_target(url).schema if is_server(url) else SCHEMA
