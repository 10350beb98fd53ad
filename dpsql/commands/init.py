"""`dpsql init`: from a database or files to a first policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dpsql.commands.options import DEFAULT_POLICY
from dpsql.commands.output import note, somebody_there


@click.command("init")
@click.argument("sources", metavar="SOURCE...", nargs=-1)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=DEFAULT_POLICY,
    show_default=True,
    help="The policy file to write.",
)
@click.option("--unit", metavar="TABLE.COLUMN", help="Who is protected: the column of their id.")
@click.option("--unit-word", metavar="WORD", help="What one of them is called, such as patient.")
@click.option(
    "--table",
    "tables",
    metavar="TABLE=HOW",
    multiple=True,
    help="public, omit, the column of the unit's id, or 'COLUMN -> table.key'.",
)
@click.option(
    "--ranges",
    type=click.Choice(["ask", "from-types", "none"]),
    help="Where ranges come from. [ask on a terminal, else none]",
)
@click.option("--range", "range_", metavar="TABLE.COLUMN=MIN..MAX", multiple=True, help="A range.")
@click.option("--values", metavar="TABLE.COLUMN=A,B", multiple=True, help="Public groups.")
@click.option("--hide", metavar="TABLE.COLUMN", multiple=True, help="Not for analysts.")
@click.option(
    "--private-ranges",
    metavar="E",
    help="Find the other ranges by a private scan, for"
    " ε = E in all, charged to the owner's own entry of the ledger.",
)
@click.option(
    "--owner", metavar="NAME", default="owner", show_default=True, help="The name of that entry."
)
@click.option("--epsilon", metavar="E", help="The ε of each analyst. [1]")
@click.option("--delta", metavar="D", help="The δ of each analyst. [1e-6]")
@click.option("--total-epsilon", metavar="E", help="The ε of all analysts together. [3 analysts']")
@click.option(
    "--max-groups", type=click.IntRange(1), metavar="N", help="Groups one unit may touch."
)
@click.option(
    "--max-rows",
    type=click.IntRange(1),
    metavar="N",
    help="Rows of one unit that count in one group.",
)
@click.option("--max-rows-per-unit", metavar="TABLE=N", multiple=True, help="And in a table.")
@click.option("--header", is_flag=True, help="Of .csv files: the first line holds names.")
@click.option(
    "--key",
    "keys",
    metavar="TABLE=COLUMN,..",
    multiple=True,
    help="Of files: primary key, or -.",
)
@click.option("--foreign-key", metavar="T.COL=T.COL", multiple=True, help="Of files: foreign key.")
@click.option(
    "--in-place/--load",
    default=None,
    help="Of files: query them where they lie, or load them. [Parquet: in place]",
)
@click.option("--database", metavar="FILE", help="Of files: the DuckDB file to make.")
@click.option("--from-smartnoise", metavar="FILE", help="Take SmartNoise SQL's metadata YAML over.")
@click.option("--yes", is_flag=True, help="Ask nothing: take the flags, else what is proposed.")
@click.option("--force", is_flag=True, help="Replace files that are there (never a ledger).")
def command(sources: tuple[str, ...], **flags: Any) -> None:
    """Write a first policy for a database: a commented file to read, edit and check.

    SOURCE is duckdb:///file.duckdb, a DuckDB file, postgresql://host/name, sc://host:15002 (Spark),
    .parquet and .csv files, or a folder of them. Parquet is queried where it lies (--in-place: CSV
    too, its types pinned); other files, and those with --key or --database, are loaded into a
    DuckDB file that enforces the keys you confirm. Proposals come from the schema, its keys and
    CHECKs; no value read from the data is written, except ranges by --private-ranges.
    On a terminal it asks; elsewhere, or with --yes, flags decide and --unit is needed.
    Files: dpsql init data/*.parquet --unit data.patient_id --yes
    Files: dpsql init visits.csv --unit visits.patient_id --key visits=id --yes

    \b
    Example:
      dpsql init rand-hie.duckdb --unit persons.zper -o mine.yaml --yes
      dpsql init rand-hie.duckdb --unit persons.zper --private-ranges 0.5 \\
          --range persons.income=0..30000 -o ranged.yaml --yes
    """
    from dpsql.commands.init_run import Run
    from dpsql.setup.source import read_any

    if not sources:
        raise click.UsageError(
            "name the data: dpsql init duckdb:///file.duckdb, postgresql://host/name, sc://host, a"
            " .csv, a .parquet or a folder"
        )
    for source in sources:
        read_any(source)  # a file that is missing comes before what it would be asked about
    asks = not flags["yes"] and somebody_there()
    if not asks and flags["unit"] is None and flags["from_smartnoise"] is None:
        raise click.UsageError(
            "say who is protected: --unit TABLE.COLUMN"
            + ("" if flags["yes"] else " (there is no terminal to ask on)")
        )
    if not asks and flags["ranges"] == "ask":
        raise click.UsageError("--ranges ask needs a terminal: say none or from-types")
    run = Run(sources, Path(flags["output"]), flags, asks)
    for line in run.run():
        note(line)
