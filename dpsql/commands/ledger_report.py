"""`dpsql ledger report`: the ledger as one page for people."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path

import click

from dpsql.commands.ledger_head import head_option
from dpsql.commands.options import policy_option
from dpsql.commands.output import Output, note


@click.command("report")
@click.option(
    "--html",
    "file",
    metavar="FILE",
    required=True,
    help="The page to write (/dev/stdout for standard output).",
)
@head_option
@policy_option
def report(file: str, expect_head: str | None, policy: str) -> int:
    """Write a page that shows what was spent: it opens in any browser, without a network.

    Whether the ledger verifies, the worst case if all analysts collude, spending of each budget
    over time, tables, refusals, the largest queries and how charges ended. Exit 1 where the ledger
    does not verify; the page says why.

    \b
    Example:
      dpsql ledger report --html report.html
    """
    from dpsql.commands.ledger_file import open_audit
    from dpsql.history.summary import summary_of
    from dpsql.ledger.database import where_is
    from dpsql.page.report import ledger_page
    from dpsql.policy import load

    loaded = load(policy)
    output = Output(file, binary=False)
    output.spare(loaded)
    with closing(open_audit(policy)) as ledger:
        verified = ledger.verify(expect_head)
        summary = summary_of(ledger, until=verified.seq)
    name = Path(where_is(loaded.ledger_url).name).name
    now = dt.datetime.now(dt.UTC)
    parts = ledger_page(summary, verified, name=name, now=now, against=expect_head)
    output.text(["".join(parts)])
    note(f"wrote {file}: the ledger {'verifies' if verified.ok else 'DOES NOT VERIFY'}")
    return 0 if verified.ok else 1
