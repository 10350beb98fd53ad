"""`dpsql ledger accept`: the owner goes on without entries that are lost for good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from dpsql.commands.ledger_file import load_kept
from dpsql.commands.options import policy_option, wrong_option
from dpsql.commands.output import note
from dpsql.errors import LedgerError

if TYPE_CHECKING:
    from dpsql.ledger import Ledger
    from dpsql.ledger.ceilings import Ceiling, Held
    from dpsql.policy import Policy


_KINDS: dict[str, Literal["analyst", "team", "total"]] = {
    "analyst": "analyst",
    "team": "team",
    "total": "total",
}


@click.command("accept")
@click.option(
    "--lost",
    metavar="LEDGER:N:HASH",
    required=True,
    help="The receipt that the ledger no longer shows, as the refusal named it.",
)
@click.option(
    "--held",
    "said",
    metavar="BUDGET=E,D",
    multiple=True,
    help="The most that a budget held in the lost part, grants included, as in"
    " analyst:alice=7,1e-6; a third word names its calendar. Repeatable.",
)
@click.option(
    "--no-other-grants",
    is_flag=True,
    help="Say that every grant of the lost part is known here or named by --held.",
)
@policy_option
def accept(lost: str, said: tuple[str, ...], no_other_grants: bool, policy: str) -> None:
    """Go on without entries that were seen and are lost for good, at the price of every budget.

    For a ledger that was restored from an older copy, or begun anew after a loss. What the lost
    entries spent is not known, so each budget of the policy and of the ledger is charged all that
    it ever held: nothing more is answered until you raise it in the policy, above what is shown as
    spent. The act stands in the chain, and whoever has seen the lost entries is served again.

    Grants that you gave from this account are known, and so are those in the policy's checkpoints.
    Name a budget that was granted more by somebody else, and then say --no-other-grants.

    If the data are others, no budget need be lost: name another file under `ledger:`.

    \b
    Example:
      dpsql ledger accept --lost 7f3c...:30:9f86d081884c7d65... --no-other-grants
    """
    from dpsql.ledger import Ledger
    from dpsql.ledger.ceilings import held, merged
    from dpsql.opening import remembered

    whose, seq, head = _read(lost)
    stated = held(dict(map(_ceiling, said)))
    if not no_other_grants:
        raise click.UsageError(
            "grants of the lost part that were given from another account are not known here: name "
            "each budget that had one by --held BUDGET=E,D, and say --no-other-grants"
        )
    loaded = load_kept(policy)
    seen = remembered(loaded)
    with Ledger.open(loaded.ledger_url) as ledger:
        ledger.losses.require_lost(seq, head, whose)
        known = merged(stated, seen.known(whose), _checkpointed(loaded, whose))
        _open_budgets(loaded, ledger, dict(known))
        burned = ledger.losses.accept(seq, head, whose, known).burned
        seen.keep(ledger.anchor(whole=True))
    note(
        f"entry {seq} is given up: it stands in the ledger. Taken as spent, whole: "
        f"{', '.join(burned)}. To go on, raise them in the policy (docs/owner.md)"
    )


def _ceiling(text: str) -> tuple[str, Ceiling]:
    from dpsql.ledger.ceilings import read

    try:
        name, ceiling = read(text)
        if name == "total" or name.startswith(("analyst:", "team:")):
            return name, ceiling
    except (ValueError, ArithmeticError):
        pass
    problem = LedgerError(
        "this is no budget and what it held",
        code="bad-ceiling",
        hint="write analyst:alice=7,1e-6 (its ε and δ, grants included); total=..., team:...=...",
    )
    raise wrong_option("--held", problem)


def _checkpointed(policy: Policy, ledger: str) -> Held:
    """What the policy's checkpoints, signed by this user's keys, say of that ledger's budgets."""
    from dpsql.ledger.ceilings import merged
    from dpsql.ledger.checkpoints import ceilings_of, read_all, trusted_keys
    from dpsql.ledger.signing import default_key_file, own_keys

    place = None if policy.checkpoints is None else Path(policy.checkpoints)
    if place is None or not place.is_dir():
        return ()
    found = read_all(place) if any(place.glob("*.json")) else []
    keys = trusted_keys(own_keys(default_key_file()), found)
    return merged(*ceilings_of(found, keys, ledger))


def _read(text: str) -> tuple[str, int, str]:
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


def _open_budgets(policy: Policy, ledger: Ledger, held: dict[str, Ceiling]) -> None:
    """Every budget that the policy names, at the larger of the policy's and the ledger's terms.

    And every other one that held something in the lost part. Those opened or raised in it are then
    burned as they were; lowering comes later.
    """
    from dpsql.opening import open_budget
    from dpsql.policy.check_budgets import named_budgets
    from dpsql.policy.schema import BudgetSpec

    known = {account.name: account for account in ledger.budgets()}
    total = policy.budgets.total
    specs = [spec for _, spec in named_budgets(policy)]
    for spec in specs if total is None else [*specs, total]:
        account, epsilon, delta = known.get(spec.key), spec.epsilon, spec.delta
        if account is not None:
            epsilon = max(epsilon, account.terms.epsilon - account.granted.epsilon)
            delta = max(delta, account.terms.delta - account.granted.delta)
        open_budget(ledger, policy, replace(spec, epsilon=epsilon, delta=delta))
    for name in sorted(held.keys() - {account.name for account in ledger.budgets()}):
        kind, _, who = name.partition(":")
        spec = BudgetSpec(who or name, _KINDS[kind], held[name].epsilon, held[name].delta)
        if kind == "analyst" and policy.budgets.default is not None:
            spec = replace(policy.budgets.default, name=who)
        open_budget(ledger, policy, spec)
