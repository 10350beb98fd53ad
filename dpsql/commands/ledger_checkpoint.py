"""`dpsql ledger checkpoint`: the head, signed, to a place apart."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dpsql.commands.ledger_file import load_kept
from dpsql.commands.options import policy_option
from dpsql.commands.output import note, write_stdout
from dpsql.errors import LedgerError

if TYPE_CHECKING:
    from dpsql.ledger.anchor import Anchor
    from dpsql.ledger.checkpoints import Checkpoint
    from dpsql.ledger.signing import SigningKey
    from dpsql.policy import Policy


@click.command("checkpoint")
@click.option(
    "--to",
    metavar="FOLDER",
    help="Where to; the policy's `checkpoints` if left out. Best on another volume.",
)
@click.option(
    "--signing-key",
    metavar="FILE",
    help="The private key (PEM, 0600); made where there is none. In the user's state directory"
    " (DPSQL_STATE_DIR) if left out.",
)
@click.option(
    "--rotate",
    is_flag=True,
    help="Sign with the old key that a new one follows, and put that in its place.",
)
@policy_option
def checkpoint(to: str | None, signing_key: str | None, rotate: bool, policy: str) -> int:
    """Sign the ledger's head with Ed25519 and store it in a place apart.

    The ledger is verified first, against all checkpoints that are there, too; nothing is signed
    on one that fails (exit 1). Prints the file's name. Give the public key, which is shown, to
    whoever verifies.

    \b
    Example:
      dpsql ledger checkpoint --to checkpoints
      dpsql ledger checkpoint --to checkpoints --rotate
    """
    from dpsql.ledger.checkpoints import Checkpoint, write
    from dpsql.ledger.signing import default_key_file, load, load_or_create

    loaded = load_kept(policy)
    place = _place(loaded, to)
    file = default_key_file() if signing_key is None else Path(signing_key)
    fresh = load(file) is None
    if fresh and rotate:
        raise LedgerError(
            f"the checkpoints' key: there is none in {file} to be followed by a new one",
            code="checkpoint-key",
            hint="leave --rotate out: the first checkpoint makes a key",
        )
    anchor = _sound_head(loaded, place, file)
    if anchor is None:
        return 1
    key = load_or_create(file)
    said = Checkpoint(anchor, int(time.time()), key.public)
    if rotate:
        path = _rotate(place, said, key, file)
    else:
        path = write(place, said, key)
        note(f"entry {anchor.seq} is signed by {key.public}")
    if fresh:
        note(f"the key was made now, in {file}; give its public half, above, to who verifies")
    write_stdout(f"{path}\n")
    return 0


def _place(policy: Policy, to: str | None) -> Path:
    if to is not None:
        return Path(to)
    if policy.checkpoints is None:
        raise click.UsageError("say where to: --to FOLDER, or `checkpoints:` in the policy")
    return Path(policy.checkpoints)


def _sound_head(policy: Policy, place: Path, key_file: Path) -> Anchor | None:
    """The head, if ledger, checkpoints and receipts agree; None, and what is wrong on stderr."""
    from dpsql.ledger import Ledger
    from dpsql.ledger.checkpoints import heads_of, read_all, trusted_keys
    from dpsql.ledger.heads import Head
    from dpsql.ledger.signing import own_keys
    from dpsql.opening import remembered

    found = read_all(place) if place.is_dir() and any(place.glob("*.json")) else []
    heads, wrong = heads_of(found, trusted_keys(own_keys(key_file), found))
    seen = remembered(policy)
    seen.require_ledger()
    with Ledger.audit(policy.ledger_url) as ledger:
        heads += seen.heads(ledger.name())
        anchor = None
        with contextlib.suppress(LedgerError):  # verify says what is wrong
            ledger.head()
            anchor = ledger.anchor(whole=True)
            heads.append(Head.of("the head to be signed", anchor))
        report = ledger.verify(heads=heads).and_also(wrong)
    if report.ok and anchor is not None:
        return anchor
    note(str(report))
    note("nothing was signed")
    return None


def _rotate(place: Path, said: Checkpoint, key: SigningKey, file: Path) -> Path:
    """A checkpoint by the old key that names the new one; then the new one is put in its place."""
    from dpsql.ledger.checkpoints import write
    from dpsql.ledger.signing import generate, retire

    following = generate()
    path = write(place, replace(said, next_key=following.public), key)
    retire(file, key, following)
    note(
        f"entry {said.anchor.seq} is signed by {key.public}; from now on {following.public} signs, "
        "which that checkpoint says"
    )
    return path
