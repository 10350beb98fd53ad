"""`dpsql check`: the policy held against the database's schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dpsql.commands.check_kept import check_kept
from dpsql.commands.check_ledger import check_ledger
from dpsql.commands.check_promises import check_promises, verify_promises
from dpsql.commands.options import format_option, policy_option
from dpsql.commands.output import Output, grid_lines, record_grid
from dpsql.errors import EngineFailed, LedgerError, PolicyError
from dpsql.render.numbers import count
from dpsql.render.records import json_text
from dpsql.render.terminal import Style
from dpsql.render.text import wrapped

if TYPE_CHECKING:
    from dpsql.dialects.engine import Engine
    from dpsql.policy import Finding, Policy

FIELDS = ("level", "where", "message", "hint")
NOT_SPARKS = "Spark reads no column of this type from files as DuckDB does"
LEVELS = (("error", "red"), ("warning", "yellow"), ("note", "bold"))


@click.command("check")
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings.")
@click.option(
    "--verify-keys",
    is_flag=True,
    help="Read the data: is each promised key one? Those that are, are recorded in the ledger.",
)
@format_option()
@policy_option
def command(strict: bool, verify_keys: bool, form: str, policy: str) -> int:
    """Check the policy file against the database (schema only, no data) and its ledger.

    Errors are what would keep dpsql from answering, warnings and notes say how it understands
    the file and whose guarantee holds. Nothing is written. Exit 0: it fits. 1: warnings, with
    --strict. 2: errors in the policy. 5: the database or the ledger cannot be used.

    With --verify-keys the tables whose keys are on your word (`promised: true`) are read, and what
    holds is written into the ledger, for this data_version. Where a key does not hold, it says how
    many rows are at fault: exact counts, for you alone.

    \b
    Example:
      dpsql check --policy dpsql.yaml --strict
      dpsql check --verify-keys
    """
    from dpsql.policy import load

    output = Output(None, binary=False)
    loaded = load(policy)
    of_policy, of_ledger = _findings(loaded, verify_keys), check_ledger(loaded)
    findings = [*of_policy, *of_ledger]
    number = {level: sum(f.level == level for f in findings) for level, _ in LEVELS}
    records = [{name: getattr(finding, name) for name in FIELDS} for finding in findings]
    code = 0
    if number["error"]:
        code = PolicyError.exit_code if _wrong(of_policy) else LedgerError.exit_code
    if form == "table":
        output.text(_in_words(policy, loaded, findings, code, output.style))
    elif form == "json":
        output.text([json_text({"ok": not number["error"], "findings": records})])
    else:
        output.text(grid_lines(record_grid(FIELDS, records), form, output.style))
    return code or (1 if strict and number["warning"] else 0)


def _wrong(findings: Sequence[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)


def _findings(policy: Policy, verify_keys: bool) -> list[Finding]:
    """What `check` finds; without a database this version can open, what the file alone shows.

    Promised keys are looked at where all else fits.
    """
    from dpsql.policy import check, not_built
    from dpsql.policy.check_budgets import check_budgets

    opened = policy.layout is not None or policy.database is not None
    if not opened:
        return [*not_built(policy), *check_budgets(policy)]
    from dpsql.opening import open_engine

    with _in_the_database_s_words():
        engine = open_engine(policy)
    try:
        found = [*check(policy, engine.catalog()), *_left_out(engine)]
        if not _wrong(found):
            found += check_kept(policy, engine)
            with _in_the_database_s_words():
                look = verify_promises if verify_keys else check_promises
                found += look(policy, engine)
        return found
    finally:
        engine.close()


@contextmanager
def _in_the_database_s_words() -> Iterator[None]:
    """The owner may know why it failed."""
    try:
        yield
    except EngineFailed as problem:
        if not problem.for_owner:
            raise
        raise EngineFailed(
            f"{problem.message}: {problem.for_owner}", code=problem.code, hint=problem.hint
        ) from None


def _left_out(engine: Engine) -> list[Finding]:
    """Columns of files that do not exist for analysts."""
    from dpsql.dialects.duckdb_files import FilesEngine
    from dpsql.dialects.spark_files import SparkFilesEngine
    from dpsql.policy import Finding

    if not isinstance(engine, FilesEngine | SparkFilesEngine):
        return []
    unread = engine.unread if isinstance(engine, SparkFilesEngine) else ()
    message = (
        "holds times in milliseconds and is left out: one that no TIMESTAMP can hold fails all"
    )
    hint = "write it in microseconds; or name the columns under `types`, and vouch for its values"
    return [
        *(
            Finding("note", f"tables.{table}.{column}", message, hint)
            for table, column in engine.left_out
        ),
        *(
            Finding("note", f"tables.{table}.{column}", "is left out: " + NOT_SPARKS, "")
            for table, column in unread
        ),
    ]


def _in_words(
    name: str, policy: Policy, findings: Sequence[Finding], code: int, style: Style
) -> Iterator[str]:
    for level, colour in LEVELS:
        found = [finding for finding in findings if finding.level == level]
        if not found:
            continue
        yield style.paint(count(len(found), level), colour)
        for finding in found:
            yield f"  {finding.where}"
            yield from _message(style.symbols(finding.message), style.width)
            if finding.hint:
                yield wrapped(style.symbols(f"→ {finding.hint}"), style.width - 4, indent="    ")
        yield ""
    yield _verdict(name, policy, code, style)


def _message(message: str, width: int) -> Iterator[str]:
    """A paragraph; below it may stand an excerpt with a caret, which is kept line by line."""
    sentence, _, excerpt = message.partition("\n")
    yield wrapped(sentence, width - 4, indent="    ")
    for line in excerpt.splitlines():
        yield f"    {line}"


def _verdict(name: str, policy: Policy, code: int, style: Style) -> str:
    private = sum(not table.public for table in policy.tables.values())
    if code == PolicyError.exit_code:
        return style.paint(f"{name}: wrong", "red")
    if code == LedgerError.exit_code:
        return style.paint(f"{name}: its ledger cannot be used", "red")
    if policy.database is None and policy.layout is None:
        return f"{name}: names no database, so its tables were not checked"
    tables = count(len(policy.tables), "table")
    return style.paint(f"{name}: fits ({tables}, {private} private by {policy.unit})", "green")
