"""`dpsql ledger verify`: the ledger recomputed, and compared with what was kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dpsql.commands.ledger_file import load_kept
from dpsql.commands.ledger_head import head_option
from dpsql.commands.options import policy_option, wrong_option
from dpsql.commands.output import Output, note
from dpsql.commands.words import Word
from dpsql.render.records import json_text
from dpsql.render.terminal import Style
from dpsql.render.text import wrapped

if TYPE_CHECKING:
    from dpsql.commands.ledger_kept import Kept
    from dpsql.ledger.heads import Head
    from dpsql.ledger.report import Report


@click.command("verify")
@head_option
@click.option(
    "--checkpoint",
    metavar="PLACE",
    help="A signed checkpoint, or a folder of them, which the ledger must show.",
)
@click.option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    help="The public key that signs them: its 64 digits or its file; this user's own if left out."
    " Repeatable.",
)
@click.option("--format", "form", type=Word(["table", "json"]), default="table")
@policy_option
def verify(
    expect_head: str | None,
    checkpoint: str | None,
    keys: tuple[str, ...],
    form: str,
    policy: str,
) -> int:
    """Recompute every link, price and decision from the entries alone.

    What this user remembers of the ledger, and what you name, it must show too: only so can
    newest entries that were cut off, or a ledger rewritten as a whole, be noticed. Of each
    checkpoint it says the entry, its head, when it was signed and by whose key, and whether the
    ledger shows it.

    Exit 0: it verifies. 1: it does not, and every problem is listed. 5: it cannot be read.

    \b
    Example:
      dpsql ledger verify
      dpsql ledger verify --expect-head 12:9f86d081884c7d65...
      dpsql ledger verify --checkpoint checkpoints
    """
    from dpsql.ledger import Ledger
    from dpsql.opening import remembered

    output = Output(None, binary=False)
    loaded = load_kept(policy)
    none: tuple[list[Head], list[str], Kept | None] = ([], [], None)
    heads, wrong, kept = none if checkpoint is None else _checkpoints(Path(checkpoint), keys)
    seen = remembered(loaded)
    seen.require_ledger()
    with Ledger.audit(loaded.ledger_url) as ledger:
        heads = [*heads, *seen.heads(ledger.name())]
        report = ledger.verify(expect_head, heads=heads).and_also(wrong)
    if form == "table":
        verdict, *rest = str(report).splitlines()
        compared = [] if kept is None else kept.lines(report)
        output.text(_wrapped("\n".join([verdict, *compared, *rest]), output.style))
    else:
        compared_too = {} if kept is None else {"checkpoints": kept.records(report)}
        output.text([json_text({**_record(report), **compared_too})])
    if expect_head is None and checkpoint is None and report.ok:
        note(f"to notice a cut-off later: dpsql ledger verify --expect-head {_anchor(report)}")
    if checkpoint is None and loaded.checkpoints is not None:
        note(f"the policy keeps checkpoints: dpsql ledger verify --checkpoint {loaded.checkpoints}")
    return 0 if report.ok else 1


def _checkpoints(place: Path, keys: Sequence[str]) -> tuple[list[Head], list[str], Kept]:
    """What checkpoints demand, what is wrong with them, and what they are. Some key is trusted."""
    from dpsql.commands.ledger_kept import Kept
    from dpsql.errors import LedgerError
    from dpsql.ledger.checkpoints import heads_of, read_all, trusted_keys
    from dpsql.ledger.signing import default_key_file, own_keys, read_public

    try:
        known = {read_public(key) for key in keys}
    except LedgerError as problem:
        raise wrong_option("--key", problem) from None
    found, whose = read_all(place), "named by --key"
    if not known:
        whose = "this user's own key"
        known = own_keys(default_key_file())
        if not known:
            named = sorted({one.checkpoint.key for one in found if one.checkpoint is not None})
            raise LedgerError(
                "say whose signature is to be trusted: this user has no key of its own",
                code="checkpoint-key",
                hint=f"the checkpoints name {', '.join(named) or 'no key'}: compare with what the "
                "owner told you, then give it as --key",
            )
    around = [*found, *(read_all(place.parent) if place.is_file() else [])]
    trusted = trusted_keys(known, around)
    return *heads_of(found, trusted), Kept(found, trusted, known, whose)


def _record(report: Report) -> dict[str, object]:
    fields = ("ok", "entries", "problems", "first_bad", "notes", "open_entries", "seq", "head")
    return {name: getattr(report, name) for name in (*fields, "limit")}


def _anchor(report: Report) -> str:
    return f"{report.seq}:{report.head}"


def _wrapped(text: str, style: Style) -> Iterator[str]:
    """A report's lines, broken to a terminal's width."""
    for line in style.symbols(text).splitlines():
        indent = "  " if line.startswith(" ") else ""
        yield wrapped(line, style.width, indent=indent) if style.interactive else line
