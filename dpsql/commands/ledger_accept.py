"""`dpsql ledger accept`: the owner goes on without entries that are lost for good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dpsql.commands.ledger_file import load_kept
from dpsql.commands.options import policy_option, wrong_option
from dpsql.commands.output import note

if TYPE_CHECKING:
    from dpsql.ledger import Ledger
    from dpsql.policy import Policy


@click.command("accept")
@click.option(
    "--lost",
    metavar="LEDGER:N:HASH",
    required=True,
    help="The receipt that the ledger no longer shows, as the refusal named it.",
)
@policy_option
def accept(lost: str, policy: str) -> None:
    """Go on without entries that were seen and are lost for good, at the price of every budget.

    For a ledger that was restored from an older copy, or begun anew after a loss. What the lost
    entries spent is not known, so each budget of the policy and of the ledger is charged all that
    it held: nothing more is answered until you raise it in the policy, above what is shown as
    spent. The act stands in the chain, and whoever has seen the lost entries is served again.

    If the data are others, no budget need be lost: name another file under `ledger:`.

    \b
    Example:
      dpsql ledger accept --lost 7f3c...:30:9f86d081884c7d65...
    """
    from dpsql.ledger import Ledger
    from dpsql.opening import remembered

    whose, seq, head = _read(lost)
    loaded = load_kept(policy)
    with Ledger.open(loaded.ledger_url) as ledger:
        _open_budgets(loaded, ledger)
        burned = ledger.accept(seq, head, whose).burned
        remembered(loaded).keep(ledger.anchor())
    note(
        f"entry {seq} is given up: it stands in the ledger. Taken as spent, whole: "
        f"{', '.join(burned)}. To go on, raise them in the policy (docs/owner.md)"
    )


def _read(text: str) -> tuple[str, int, str]:
    from dpsql.errors import LedgerError
    from dpsql.ledger.heads import is_digest, read_head
    from dpsql.ledger.remembered import LEDGER_NAME

    name, _, head = text.strip().lower().partition(":")
    try:
        seq, digest = read_head(head)
        if seq is not None and is_digest(name, LEDGER_NAME):
            return name, seq, digest
    except LedgerError:
        pass
    problem = LedgerError(
        "this is no receipt",
        code="bad-head",
        hint="give LEDGER:N:HASH as the refusal showed it",
    )
    raise wrong_option("--lost", problem)


def _open_budgets(policy: Policy, ledger: Ledger) -> None:
    """Every budget that the policy names, at the larger of the policy's and the ledger's terms.

    Those opened or raised in the lost part are then burned as they were; lowering comes later.
    Grants are the ledger's own: what it still holds is added by itself, what it lost is not known.
    """
    from dpsql.opening import open_budget
    from dpsql.policy.check_budgets import named_budgets

    known = {account.name: account for account in ledger.budgets()}
    total = policy.budgets.total
    specs = [spec for _, spec in named_budgets(policy)]
    for spec in specs if total is None else [*specs, total]:
        account, epsilon, delta = known.get(spec.key), spec.epsilon, spec.delta
        if account is not None:
            epsilon = max(epsilon, account.terms.epsilon - account.granted.epsilon)
            delta = max(delta, account.terms.delta - account.granted.delta)
        open_budget(ledger, policy, replace(spec, epsilon=epsilon, delta=delta))
