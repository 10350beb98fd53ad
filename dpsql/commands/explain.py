"""`dpsql explain`: what a question would cost and do, without asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dpsql.commands.accuracy import accuracy_options, refuse_idle
from dpsql.commands.options import (
    analyst_option,
    options_at_fault,
    policy_option,
    post_process_option,
    price_options,
    read_sql,
    sql_options,
)
from dpsql.commands.output import Output
from dpsql.commands.parameters import read_params
from dpsql.commands.words import Word

if TYPE_CHECKING:
    from dpsql.core.targets import Aims


@click.command("explain")
@sql_options
@accuracy_options
@price_options
@post_process_option
@click.option("--format", "form", type=Word(["table", "json"]), default="table")
@click.option("--sql", "bounded", is_flag=True, help="Show the bounded SQL and privacy events too.")
@click.option("--dot", is_flag=True, help="Write the plan as a Graphviz graph instead.")
@analyst_option
@policy_option
def command(
    sql: str | None,
    file: str | None,
    dialect: str,
    params: tuple[str, ...],
    epsilon: str | None,
    delta: str | None,
    aims: Aims,
    post_process: str | None,
    form: str,
    bounded: bool,
    dot: bool,
    analyst: str,
    policy: str,
) -> None:
    """Say what a question would cost and how good its answer would be.

    Price and budget, the bounds on each unit and where they come from, the noise and the error to
    expect, and what would make the answer better, by how much. Charges nothing and reads no row
    about anyone.

    \b
    Example:
      dpsql explain --analyst grace "SELECT site, AVG(income) FROM persons GROUP BY site"
      dpsql explain --analyst grace --dot "SELECT COUNT(*) FROM persons"
    """
    if dot and (form == "json" or bounded):
        raise click.UsageError("--dot writes the graph alone: drop --sql and --format")
    text, values = read_sql(sql, file), read_params(params)
    refuse_idle(aims, text)
    output = Output(None, binary=False)

    from dpsql.explain import explain
    from dpsql.reader import Reader
    from dpsql.render.records import json_text

    session = Reader(policy, analyst)
    try:
        with options_at_fault():
            found = explain(
                session,
                text,
                values,
                epsilon=epsilon,
                delta=delta,
                aims=aims,
                dialect=dialect,
                post_process=post_process,
            )
    finally:
        session.close()
    if dot:
        output.text([found.dot])
    elif form == "json":
        output.text([json_text(found.to_dict())])
    else:
        output.text([output.style.symbols(found.to_text(sql=bounded))])
