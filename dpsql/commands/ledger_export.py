"""`dpsql ledger export`: entries whole, for programs, as they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from dpsql.commands.ledger_filters import filter_options, read_filter
from dpsql.commands.options import form_of, output_option, policy_option
from dpsql.commands.output import Output
from dpsql.commands.words import Word

if TYPE_CHECKING:
    from dpsql.history.filters import Days

FORMATS = ("jsonl", "csv", "parquet")
BATCH = 2_000
"""Rows of a Parquet row group: what is held at once."""


@click.command("export")
@filter_options()
@click.option(
    "--format", "form", type=Word(FORMATS), default="jsonl", show_default=True, help="The format."
)
@output_option
@policy_option
def export(
    analyst: str | None,
    table: str | None,
    days: Days | None,
    outcome: str | None,
    form: str,
    output: str | None,
    policy: str,
) -> None:
    """Write entries whole, exact and under stable names, as they are read.

    Columns: entry, time, kind, analyst, budget, total, tables, epsilon, delta, sql, data_version,
    outcome, settled_by, charge, prev, hash, body. Amounts are exact text (1/10); body is the
    entry's canonical text, from which prev and hash can be recomputed: docs/auditor.md says how.
    In csv several tables are separated by blanks.

    \b
    Example:
      dpsql ledger export --day 2026-11 -o ledger.parquet
      dpsql ledger export --analyst grace --format csv
    """
    from dpsql.commands.ledger_file import open_audit
    from dpsql.history.export import COLUMNS, records
    from dpsql.policy import load
    from dpsql.render.records import csv_lines, json_text

    form = form_of(form, output)
    if form not in FORMATS:
        raise click.UsageError(f"export writes {', '.join(FORMATS)}, not {form}")
    target = Output(output, binary=form == "parquet")
    target.spare(load(policy))
    wanted = read_filter(analyst, table, days, outcome)
    with closing(open_audit(policy)) as ledger:
        rows = records(ledger, wanted)
        if form == "parquet":
            target.binary(lambda file: write_parquet(rows, file))
        elif form == "csv":
            target.text(csv_lines(COLUMNS, (_flat(row) for row in rows)))
        else:
            target.text(map(json_text, rows))


def _flat(row: dict[str, Any]) -> Iterator[object]:
    for value in row.values():
        yield " ".join(value) if isinstance(value, list) else value


def write_parquet(rows: Iterable[dict[str, Any]], target: BinaryIO) -> None:
    """One Parquet file, a row group at a time: int64, times in UTC, lists of tables, text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dpsql.history.export import COLUMNS, NUMBERS
    from dpsql.render.binary import Counted

    types = {
        **dict.fromkeys(NUMBERS, pa.int64()),
        "time": pa.timestamp("s", "UTC"),
        "tables": pa.list_(pa.string()),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rows = iter(rows)
    with pq.ParquetWriter(pa.PythonFile(Counted(target), mode="w"), schema) as writer:
        while batch := list(islice(rows, BATCH)):
            for row in batch:
                row["time"] = dt.datetime.fromisoformat(row["time"])
            writer.write_table(pa.Table.from_pylist(batch, schema))
