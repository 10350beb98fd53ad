"""`dpsql ledger accept`: the owner goes on without entries that are lost for good."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dpsql.commands.ledger_file import load_kept
from dpsql.commands.options import policy_option, wrong_option
from dpsql.commands.output import note, somebody_there

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dpsql.ledger import Account, Ledger
    from dpsql.policy import Policy
    from dpsql.policy.schema import BudgetSpec


@click.command("accept")
@click.option(
    "--lost",
    metavar="LEDGER:N:HASH",
    required=True,
    help="The receipt that the ledger no longer shows, as the refusal named it.",
)
@click.option("--yes", is_flag=True, help="Do it without asking.")
@policy_option
def accept(lost: str, yes: bool, policy: str) -> int:
    """Go on without entries that were seen and are lost for good, at the price of every budget.

    For a ledger that was restored from an older copy, or begun anew after a loss. What the lost
    entries spent is not known, so each budget of the policy and of the ledger is charged all that
    it held: nothing more is answered until you raise it in the policy, above what is shown as
    spent. The act stands in the chain, and whoever has seen the lost entries is served again.

    It lists the budgets and asks first; without a terminal --yes is needed. Exit 1: you said no.

    If the data are others, no budget need be lost: name another file under `ledger:`.

    \b
    Example:
      dpsql ledger accept --lost 7f3c...:30:9f86d081884c7d65... --yes
    """
    from dpsql.ledger import Ledger
    from dpsql.opening import remembered

    whose, seq, head = _read(lost)
    loaded = load_kept(policy)
    if not yes:
        burnt = _to_burn(loaded, whose, seq, head)
        if not somebody_there():
            raise click.UsageError(
                f"it would take as spent, whole: {', '.join(name for name, _ in burnt)}; say --yes"
                " (there is no terminal to ask on)"
            )
        if not _agreed(seq, burnt):
            note("nothing was written")
            return 1
    with Ledger.open(loaded.ledger_url) as ledger:
        _open_budgets(loaded, ledger)
        burned = ledger.accept(seq, head, whose).burned
        remembered(loaded).keep(ledger.anchor())
    note(
        f"entry {seq} is given up: it stands in the ledger. Taken as spent, whole: "
        f"{', '.join(burned)}. To go on, raise them in the policy (docs/owner.md)"
    )
    return 0


def _to_burn(policy: Policy, whose: str, seq: int, head: str) -> list[tuple[str, str]]:
    """Each budget and its terms; writes nothing. LedgerError `nothing-to-accept`."""
    from dpsql.ledger import Ledger
    from dpsql.ledger.acceptance import nothing_to_accept
    from dpsql.ledger.anchor import Anchor
    from dpsql.render.numbers import amount

    known: dict[str, Account] = {}
    ledger = Ledger.view(policy.ledger_url)
    if ledger is not None:
        with ledger:
            itself = Anchor(whose, seq, head, sys.maxsize)  # which no acceptance covers
            if whose == ledger.name() and ledger.shows(itself):
                raise nothing_to_accept()
            known = {account.name: account for account in ledger.budgets()}
    terms = {name: (one.terms.epsilon, one.terms.delta) for name, one in known.items()}
    for spec in _raised(policy, known.values()):
        granted = known[spec.key].granted if spec.key in known else None
        more = (granted.epsilon, granted.delta) if granted is not None else (0, 0)
        terms[spec.key] = (spec.epsilon + more[0], spec.delta + more[1])
    return [(name, f"ε = {amount(e)}, δ = {amount(d)}") for name, (e, d) in terms.items()]


def _agreed(seq: int, burnt: list[tuple[str, str]]) -> bool:
    """What it costs, and the question."""
    from dpsql.render.text import pairs

    note(f"To go on without entry {seq}, these budgets are taken as spent, whole, for good:")
    for line in pairs(burnt):
        note(f"  {line}")
    note("Nothing is answered from them until you raise them in the policy.")
    return click.confirm("Go on?", err=True)


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

    for spec in _raised(policy, ledger.budgets()):
        open_budget(ledger, policy, spec)


def _raised(policy: Policy, accounts: Iterable[Account]) -> list[BudgetSpec]:
    """The policy's budgets, each at what the ledger says where that is more; grants apart."""
    from dpsql.policy.check_budgets import named_budgets

    known = {account.name: account for account in accounts}
    total = policy.budgets.total
    specs = [spec for _, spec in named_budgets(policy)]
    found = []
    for spec in specs if total is None else [*specs, total]:
        account, epsilon, delta = known.get(spec.key), spec.epsilon, spec.delta
        if account is not None:
            epsilon = max(epsilon, account.terms.epsilon - account.granted.epsilon)
            delta = max(delta, account.terms.delta - account.granted.delta)
        found.append(replace(spec, epsilon=epsilon, delta=delta))
    return found
