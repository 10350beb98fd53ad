"""`dpsql query`: one question, one private answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dpsql.commands.options import (
    BINARY_FORMATS,
    analyst_option,
    form_of,
    format_option,
    options_at_fault,
    output_option,
    policy_option,
    price_options,
    read_sql,
    sql_options,
)
from dpsql.commands.output import Output, grid_lines, note
from dpsql.commands.parameters import read_params

if TYPE_CHECKING:
    from dpsql.session import Answer


@click.command("query")
@sql_options
@price_options
@format_option(*BINARY_FORMATS)
@output_option
@analyst_option
@policy_option
def command(
    sql: str | None,
    file: str | None,
    dialect: str,
    params: tuple[str, ...],
    epsilon: str | None,
    delta: str | None,
    form: str,
    output: str | None,
    analyst: str,
    policy: str,
) -> None:
    """Ask one question and print its private answer.

    The budget is charged before the data is touched; a repeat of a paid question is free. The
    table shows value ± half-width of the 95 % error bar; csv, jsonl, parquet and arrow hold the
    values alone (arrow is an IPC stream), json adds the whole privacy report. What it cost and
    what is left goes to stderr.

    \b
    Example:
      dpsql query --analyst grace --epsilon 0.5 \\
        "SELECT sex, COUNT(*), AVG(income) FROM persons GROUP BY sex"
      dpsql query --analyst grace --format parquet -o health.parquet \\
        "SELECT health, COUNT(*) AS people FROM persons GROUP BY health"
      dpsql query --analyst grace --param health=poor \\
        "SELECT COUNT(*) FROM persons WHERE health = :health"
    """
    text, values = read_sql(sql, file), read_params(params)
    form = form_of(form, output)
    target = Output(output, binary=form in BINARY_FORMATS)

    from dpsql.policy import load
    from dpsql.render.answers import footer
    from dpsql.session import Session

    found = load(policy)
    target.spare(found)
    session = Session(found, analyst)
    try:
        with options_at_fault():
            answer = session.query(text, values, epsilon=epsilon, delta=delta, dialect=dialect)
        write_answer(answer, form, target)
        note(footer(answer, session.policy))
    finally:
        session.close()


def write_answer(answer: Answer, form: str, target: Output) -> None:
    """The answer in one of all formats. OperationalError where it cannot be written."""
    if form in BINARY_FORMATS:
        from dpsql.render.binary import table_bytes
        from dpsql.rows import narrow_integers

        table = narrow_integers(answer.table, answer.types)
        target.binary(table_bytes(table, answer.privacy.to_json(), form))
        return
    from dpsql.render.answers import answer_grid

    grid, report = answer_grid(answer), {"privacy": answer.privacy.to_json()}
    target.text(grid_lines(grid, form, target.style, report))
