"""What `dpsql check` says of the ledger: can it be used, is it this policy's, does it verify?

Nothing is written. The chain is followed once, as opening it does; that stored answers are those
that were released is `dpsql ledger verify`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from dpsql.commands.check_checkpoints import check_checkpoints
from dpsql.commands.check_holders import check_holders
from dpsql.errors import LedgerError
from dpsql.policy import Finding
from dpsql.policy.check_budgets import named_budgets

if TYPE_CHECKING:
    from dpsql.ledger import Account, Ledger
    from dpsql.ledger.remembered import Remembered
    from dpsql.policy import Policy

WHERE = "ledger"
_SHOWN = 10


def check_ledger(policy: Policy) -> list[Finding]:
    """An `error` is what a query would meet."""
    return list(_findings(policy))


def _findings(policy: Policy) -> Iterator[Finding]:
    from dpsql.ledger import Ledger
    from dpsql.ledger.database import usable
    from dpsql.opening import remembered

    url, seen = policy.ledger_url, remembered(policy)
    try:
        if seen.place.key is None:
            message = "kept in memory: what is spent is forgotten when the process ends"
            yield Finding("warning", WHERE, message, "write ledger: sqlite:///ledger.db")
            return
        seen.require_ledger()
        ledger = Ledger.view(url)
    except LedgerError as problem:
        yield _error(problem)
        return
    try:
        for warning, way in usable(url):
            yield Finding("warning", WHERE, warning, way)
        if ledger is None:
            name = seen.place.name
            yield Finding("note", WHERE, f"there is none yet: the first query creates {name}")
    except LedgerError as problem:
        yield _error(problem)
    if ledger is not None:
        with closing(ledger):
            yield from _contents(policy, ledger, seen)


def _contents(policy: Policy, ledger: Ledger, seen: Remembered) -> Iterator[Finding]:
    try:
        seq, head = ledger.head()
        seen.require_shown(ledger)
        accounts = ledger.budgets()
    except LedgerError as problem:
        yield _error(problem)
        return
    yield from _strangers(policy, accounts)
    yield from check_checkpoints(policy, seq)
    yield from check_holders(policy, ledger, accounts)
    yield Finding(
        "note",
        WHERE,
        f"{seq:,} entries, the chain verifies; head {seq}:{head}",
        "keep the head elsewhere, and compare: dpsql ledger verify --expect-head",
    )


def _strangers(policy: Policy, accounts: Sequence[Account]) -> Iterator[Finding]:
    """Budgets that this policy does not name: of people who left, or of another policy."""
    mine = {spec.key for _, spec in named_budgets(policy)}
    if policy.budgets.total is not None:
        mine.add(policy.budgets.total.key)
    anybody = policy.budgets.default is not None and not policy.analysts_only
    strange = [
        account.name
        for account in accounts
        if account.name not in mine and not (anybody and account.name.startswith("analyst:"))
    ]
    if not strange:
        return
    more = len(strange) - _SHOWN
    shown = ", ".join(strange[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    if len(strange) == len(accounts):
        message = f"it holds none of this policy's budgets, but {shown}: is it another policy's?"
        yield Finding("warning", WHERE, message, "give each policy a ledger of its own")
    else:
        message = f"it holds budgets that the policy does not name: {shown}"
        yield Finding("note", WHERE, message, "what was spent on them stands")


def _error(problem: LedgerError) -> Finding:
    return Finding("error", WHERE, problem.message, problem.hint)
