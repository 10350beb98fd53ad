"""`dpsql ledger accept`: the owner goes on without entries that are lost for good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from dpsql.commands.ledger_file import load_kept
from dpsql.commands.options import policy_option, wrong_option
from dpsql.commands.output import note, somebody_there
from dpsql.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dpsql.ledger import Account, Ledger
    from dpsql.ledger.ceilings import Ceiling, Held
    from dpsql.policy import Policy
    from dpsql.policy.schema import BudgetSpec


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
@click.option("--yes", is_flag=True, help="Do it without asking.")
@policy_option
def accept(lost: str, said: tuple[str, ...], no_other_grants: bool, yes: bool, policy: str) -> int:
    """Go on without entries that were seen and are lost for good, at the price of every budget.

    For a ledger that was restored from an older copy, or begun anew after a loss. What the lost
    entries spent is not known, so each budget of the policy and of the ledger is charged all that
    it ever held: nothing more is answered until you raise it in the policy, above what is shown as
    spent. The act stands in the chain, and whoever has seen the lost entries is served again.

    Grants that you gave from this account are known, and so are those in the policy's checkpoints.
    Name a budget that was granted more by somebody else, and then say --no-other-grants.

    It lists the budgets and asks first; without a terminal --yes is needed. Exit 1: you said no.

    If the data are others, no budget need be lost: name another file under `ledger:`.

    \b
    Example:
      dpsql ledger accept --lost 7f3c...:30:9f86d081884c7d65... --no-other-grants --yes
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
    known = merged(stated, seen.known(whose), _checkpointed(loaded, whose))
    if not yes:
        burnt = _to_burn(loaded, whose, seq, head, dict(known))
        if not somebody_there():
            raise click.UsageError(
                f"it would take as spent, whole: {', '.join(name for name, _ in burnt)}; say --yes"
                " (there is no terminal to ask on)"
            )
        if not _agreed(seq, burnt):
            note("nothing was written")
            return 1
    with Ledger.open(loaded.ledger_url) as ledger:
        ledger.losses.require_lost(seq, head, whose)
        _open_budgets(loaded, ledger, dict(known))
        burned = ledger.losses.accept(seq, head, whose, known).burned
        seen.keep(ledger.anchor(whole=True))
    note(
        f"entry {seq} is given up: it stands in the ledger. Taken as spent, whole: "
        f"{', '.join(burned)}. To go on, raise them in the policy (docs/owner.md)"
    )
    return 0


def _to_burn(
    policy: Policy, whose: str, seq: int, head: str, held: dict[str, Ceiling]
) -> list[tuple[str, str]]:
    """Each budget and its terms; writes nothing. LedgerError `nothing-to-accept`."""
    from dpsql.ledger import Ledger
    from dpsql.render.numbers import amount

    known: dict[str, Account] = {}
    ledger = Ledger.view(policy.ledger_url)
    if ledger is not None:
        with ledger:
            ledger.losses.require_lost(seq, head, whose)
            known = {account.name: account for account in ledger.budgets()}
    terms = {name: (one.terms.epsilon, one.terms.delta) for name, one in known.items()}
    for spec in _raised(policy, known.values(), held):
        granted = known[spec.key].granted if spec.key in known else None
        more = (granted.epsilon, granted.delta) if granted is not None else (0, 0)
        terms[spec.key] = (spec.epsilon + more[0], spec.delta + more[1])
    for name, ceiling in held.items():
        epsilon, delta = terms.get(name, (ceiling.epsilon, ceiling.delta))
        terms[name] = (max(epsilon, ceiling.epsilon), max(delta, ceiling.delta))
    return [(name, f"ε = {amount(e)}, δ = {amount(d)}") for name, (e, d) in terms.items()]


def _agreed(seq: int, burnt: list[tuple[str, str]]) -> bool:
    """What it costs, and the question."""
    from dpsql.render.text import pairs

    note(f"To go on without entry {seq}, these budgets are taken as spent, whole, for good:")
    for line in pairs(burnt):
        note(f"  {line}")
    note("Nothing is answered from them until you raise them in the policy.")
    return click.confirm("Go on?", err=True)


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

    for spec in _raised(policy, ledger.budgets(), held):
        open_budget(ledger, policy, spec)


def _raised(
    policy: Policy, accounts: Iterable[Account], held: dict[str, Ceiling]
) -> list[BudgetSpec]:
    """The policy's budgets, each at what the ledger says where that is more; grants apart.

    After them those of `held` that neither knows.
    """
    from dpsql.policy.check_budgets import named_budgets
    from dpsql.policy.schema import BudgetSpec

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
    for name in sorted(held.keys() - known.keys() - {spec.key for spec in found}):
        kind, _, who = name.partition(":")
        spec = BudgetSpec(who or name, _KINDS[kind], held[name].epsilon, held[name].delta)
        if kind == "analyst" and policy.budgets.default is not None:
            spec = replace(policy.budgets.default, name=who)
        found.append(spec)
    return found
