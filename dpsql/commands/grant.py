"""`dpsql budget grant`: an owner adds to a budget, and the ledger keeps who, how much and why."""

from __future__ import annotations

import getpass
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from dpsql.commands.options import policy_option, wrong_option
from dpsql.commands.output import Output
from dpsql.errors import InvalidQuery

if TYPE_CHECKING:
    from dpsql.ledger import Account, Ledger
    from dpsql.ledger.remembered import Remembered
    from dpsql.policy import Policy
    from dpsql.policy.schema import BudgetSpec


@click.command("grant")
@click.argument("name", required=False)
@click.option("--team", metavar="NAME", help="Grant to a team's budget.")
@click.option("--total", is_flag=True, help="Grant to the total of all analysts together.")
@click.option("--epsilon", metavar="E", help="What is added to its ε.")
@click.option("--delta", metavar="D", help="What is added to its δ, half of it for private keys.")
@click.option("--why", metavar="TEXT", help="The reason, for the ledger.")
@click.option("--by", metavar="WHO", help="Who grants it. [the user's login name]")
@policy_option
def command(
    name: str | None,
    team: str | None,
    total: bool,
    epsilon: str | None,
    delta: str | None,
    why: str | None,
    by: str | None,
    policy: str,
) -> None:
    """Add to what the policy says of a budget, for good.

    The ledger keeps who granted how much and why. Policy and grants add up: the
    grant stands when the policy changes. A budget that refreshes has it in every
    window. Given twice, it is two grants.

    \b
    Example:
      dpsql budget grant alice --epsilon 2 --why "second study"
      dpsql budget grant --total --epsilon 1 --delta 1e-7 --why "a year more"
    """
    from dpsql.guard import guarded
    from dpsql.opening import open_ledger, remembered
    from dpsql.policy import load

    if (name is not None) + (team is not None) + total != 1:
        raise click.UsageError("say whose budget: NAME, --team NAME or --total")
    if why is None or not why.strip():
        raise click.UsageError("say why: --why TEXT; the ledger keeps it")
    adds = _amount("epsilon", epsilon), _amount("delta", delta)
    if not any(adds):
        raise click.UsageError("say how much: --epsilon E, --delta D or both")
    who = _text("--by", _login() if by is None else by)
    reason = _text("--why", why)
    with guarded():
        loaded = load(policy)
        seen = remembered(loaded)
        with closing(open_ledger(loaded, seen)) as ledger:
            spec = _whose(loaded, ledger, name, team)
            account = _granted(ledger, loaded, spec, adds, who, reason, seen)
    output = Output(None, binary=False)
    output.text(output.style.symbols(line) for line in _in_words(account, adds))


def _whose(policy: Policy, ledger: Ledger, name: str | None, team: str | None) -> BudgetSpec:
    from dpsql.policy.whose import of_all, of_analyst, of_team

    if team is not None:
        return of_team(policy, team)
    if name is None:
        return of_all(policy)
    known = [account.name.partition(":") for account in ledger.budgets()]
    return of_analyst(policy, name, {who for kind, _, who in known if kind == "analyst"})


def _granted(
    ledger: Ledger,
    policy: Policy,
    spec: BudgetSpec,
    adds: tuple[Fraction, Fraction],
    by: str,
    why: str,
    seen: Remembered,
) -> Account:
    """The policy's word first, so that a budget nobody used yet is there to be raised.

    What it is going to hold is remembered before it is given: were the ledger lost after it, an
    acceptance would count it (ledger/acceptance.py).
    """
    from dpsql.opening import open_budget

    open_budget(ledger, policy, spec)
    account = ledger.grant(
        spec.key, epsilon=adds[0], delta=adds[1], by=by, why=why, promise=seen.promise
    )
    seen.keep(ledger.anchor(whole=True))
    return account


def _in_words(account: Account, adds: tuple[Fraction, Fraction]) -> list[str]:
    from dpsql.render.numbers import amount

    epsilon, delta = adds
    parts = [f"ε {amount(epsilon)}"] if epsilon else []
    parts += [f"δ {amount(delta)}"] if delta else []
    terms = account.terms
    every = "" if account.window.end is None else f", in every window ({account.window.refresh})"
    return [
        f"granted {', '.join(parts)} to {account.name}",
        f"it is now ε = {amount(terms.epsilon)}, δ = {amount(terms.delta)}{every}",
    ]


def _amount(option: str, value: str | None) -> Fraction:
    from dpsql.core.numbers import read_delta, read_epsilon

    if value is None:
        return Fraction(0)
    try:
        return read_epsilon(value) if option == "epsilon" else read_delta(value)
    except InvalidQuery as problem:
        example = "2" if option == "epsilon" else "1e-7"
        hint = f"write a positive decimal number such as {example}"
        raise wrong_option(f"--{option}", problem, hint) from None


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without a name: what is raised varies
        raise click.UsageError("say who grants it: --by WHO") from None


def _text(option: str, value: str) -> str:
    """One line of what can be shown: it is printed on the terminals of auditors."""
    text = " ".join(value.split())
    if not text or not text.isprintable() or len(text) > 1000:
        raise click.UsageError(f"{option}: write up to 1,000 printable characters")
    return text
