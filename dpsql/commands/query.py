"""`dpsql query`: one question, one private answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dpsql.commands.accuracy import accuracy_options, refuse_idle
from dpsql.commands.options import (
    ALIGNED_FORMATS,
    BINARY_FORMATS,
    analyst_option,
    bars_option,
    form_of,
    format_option,
    options_at_fault,
    output_option,
    policy_option,
    post_process_option,
    price_options,
    read_sql,
    request_id_option,
    sql_options,
)
from dpsql.commands.output import Output, grid_lines, note
from dpsql.commands.parameters import read_params
from dpsql.commands.waiting import cancellable, waiting

if TYPE_CHECKING:
    from dpsql.answer import Answer
    from dpsql.core.targets import Aims


@click.command("query")
@sql_options
@accuracy_options
@price_options
@post_process_option
@format_option(*BINARY_FORMATS)
@output_option
@bars_option
@request_id_option
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
    output: str | None,
    bars: bool | None,
    request_id: str | None,
    analyst: str,
    policy: str,
) -> int:
    """Ask one question and print its private answer.

    The budget is charged before the data is touched; a repeat of a paid question is free. The
    table and markdown show value ± half-width of the 95 % error bar, or value [low, high] where it
    is not even (means, variances, small private groups); csv, jsonl, parquet and arrow hold the
    values alone unless you say --bars, json adds the whole privacy report. Arrow is an
    IPC stream, in FILE.arrow and FILE.feather an IPC file. What it cost and what is left goes to
    stderr. Where a percentage (--error 5%) cannot be met after its first look, the first look's
    answer is printed, which was paid for, and the exit code is that of the refusal.

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
    refuse_idle(aims, text)
    form = form_of(form, output)
    target = Output(output, binary=form in BINARY_FORMATS)

    from dpsql.policy import load
    from dpsql.render.answers import footer
    from dpsql.session import Session

    found = load(policy)
    target.spare(found)
    session = Session(found, analyst)
    try:
        with cancellable(), options_at_fault(), waiting() as progress:
            answer = session.query(
                text,
                values,
                epsilon=epsilon,
                delta=delta,
                aims=aims,
                dialect=dialect,
                request_id=request_id,
                progress=progress,
                post_process=post_process,
            )
        write_answer(answer, form, target, bars=bars)
        shown = form in ALIGNED_FORMATS and bars is not False
        note(footer(answer, session.policy, shown=shown))
        first = answer.privacy.first
        return 0 if first is None else first.exit_code
    finally:
        session.close()


def write_answer(answer: Answer, form: str, target: Output, *, bars: bool | None = None) -> None:
    """The answer in one of all formats, a batch of rows at a time.

    `bars`: `--bars`, `--no-bars` or neither. OperationalError where it cannot be written.
    """
    from dpsql.render.answers import answer_grid, record_grid

    if form in ALIGNED_FORMATS:
        grid = answer_grid(answer, bars=bars is not False)
        target.text(grid_lines(grid, form, target.style))
        return
    table, types, report = answer.table, answer.types, answer.privacy.to_json()
    if bars:
        from dpsql.error_bars import with_ends

        table, types = with_ends(table, types, answer.privacy.columns)
    if form in BINARY_FORMATS:
        from dpsql.render.binary import write_table

        kind = "arrows" if form == "arrow" and not target.arrow_file else form
        target.binary(lambda file: write_table(table, types, report, kind, file))
    else:
        grid = record_grid(table, types)
        target.text(grid_lines(grid, form, target.style, {"privacy": report}))
