"""`dpsql demo`: the tour."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dpsql.commands.output import write_stdout
from dpsql.render.terminal import style_of


@click.command("demo")
@click.option("--keep", metavar="DIR", help="Leave database, policy and ledger in DIR to play on.")
@click.option("--sql", is_flag=True, help="Show the bounded SQL of each question.")
@click.option("--step", is_flag=True, help="Wait for Enter between the steps (on a terminal).")
def command(keep: str | None, sql: bool, step: bool) -> None:
    """Take the tour: private answers about real people.

    Loads the RAND Health Insurance Experiment (5,912 people, shipped with dpsql) into a DuckDB
    file, asks, shows the private answers beside the true ones, and spends a budget until it is
    gone. Takes a few seconds and needs no network.

    \b
    Example:
      dpsql demo
      dpsql demo --keep rand --sql
    """
    from dpsql.demo.tour import Tour
    from dpsql.demo.workspace import workspace

    def pause() -> None:
        if step and sys.stdin.isatty() and sys.stdout.isatty():
            click.prompt("-- Enter --", default="", show_default=False, err=True)

    style = style_of(sys.stdout)
    with workspace(None if keep is None else Path(keep)) as place:
        tour = Tour(place, style, say=lambda line: write_stdout(f"{line}\n"), pause=pause, sql=sql)
        tour.run()
