"""What `dpsql check` says of keys on the owner's word: verified for this data, or how to be."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dpsql.dialects.engine import Engine
    from dpsql.policy import Finding, Policy
    from dpsql.policy.promises import Promise


def check_promises(policy: Policy, engine: Engine) -> list[Finding]:
    """From schema and ledger alone: an error where a query would be refused. Nothing is written."""
    from dpsql.errors import LedgerError
    from dpsql.ledger import Ledger
    from dpsql.policy.data_identity import stored_version
    from dpsql.policy.promises import all_promises

    found = all_promises(policy, engine.catalog())
    if not found:
        return []
    version = stored_version(policy, engine.identity)
    known: frozenset[tuple[str, str]] = frozenset()
    try:
        ledger = Ledger.view(policy.ledger_url)
        if ledger is not None:
            with closing(ledger):
                known = ledger.promises.verified(version)
    except LedgerError:
        return []  # `check_ledger` says what is wrong with it
    return [
        _stands(policy, one, version)
        if (one.table, one.key) in known
        else _waits(policy, engine, one, version)
        for one in found
    ]


def verify_promises(policy: Policy, engine: Engine) -> list[Finding]:
    """One statement over the data for each promise that waits; those that hold are recorded.

    A ledger is opened to write as a query's is: created where there is none yet. The messages hold
    exact counts, for the owner.
    """
    from dpsql.opening import open_ledger, remembered
    from dpsql.policy import Finding
    from dpsql.policy.data_identity import stored_version
    from dpsql.policy.promises import all_promises
    from dpsql.promised import verify

    promises = all_promises(policy, engine.catalog())
    version = stored_version(policy, engine.identity)
    if not promises:
        message = "there is none on the owner's word, so nothing was verified"
        return [Finding("note", "tables", f"promised keys: {message}")]
    if policy.in_memory:
        return [_waits(policy, engine, one, version) for one in promises]
    findings, seen = [], remembered(policy)
    with closing(open_ledger(policy, seen)) as ledger:
        known = ledger.promises.verified(version)
        for one in promises:
            if (one.table, one.key) in known:
                findings.append(_stands(policy, one, version))
                continue
            found = verify(one, policy, engine, ledger, version)
            if not found.holds:
                hint = "mend the data, or take `promised` out: a row could be several people's"

                findings.append(Finding("error", _where(one), found.words, hint))
                continue
            seen.keep(ledger.anchor())
            message = f"verified now, and recorded in the ledger for data version {version}"
            findings.append(Finding("note", _where(one), f"{one.column}: {message}"))
            findings.append(_stands(policy, one, version))
    return findings


def _where(one: Promise) -> str:
    return f"tables.{one.table}.key"


def _stands(policy: Policy, one: Promise, version: str) -> Finding:
    from dpsql.policy import Finding
    from dpsql.policy.promises import Resting

    tables = _tables(policy, one)
    if not tables:
        return _idle(one)
    message = f"the guarantee for {', '.join(tables)} {Resting(one, version)}"
    hint = "if it is false, rows there may be several people's, and nothing is promised for them"
    return Finding("note", _where(one), message, hint)


def _idle(one: Promise) -> Finding:
    from dpsql.policy import Finding

    message = f"no unit path lands on {one.column}: nothing rests on the promise"
    return Finding("note", _where(one), message)


def _waits(policy: Policy, engine: Engine, one: Promise, version: str) -> Finding:
    from dpsql.policy import Finding
    from dpsql.promised import COMMAND

    tables = _tables(policy, one)
    if not tables:
        return _idle(one)
    message = (
        f"that {one.column} is a key was not verified for data version {version}: queries of"
        f" {', '.join(tables)} are refused until it is"
    )
    hint = f"run `{COMMAND}`, once for each data_version"
    if policy.in_memory:
        hint = f"name a `ledger` to hold it, then {hint}"
    return Finding("error", _where(one), message, hint)


def _tables(policy: Policy, one: Promise) -> list[str]:
    """The private tables whose path lands on the promised key."""
    return [
        name
        for name, table in policy.tables.items()
        if table.unit is not None
        and any(
            (hop.target_table, hop.target_column.casefold()) == (one.table, one.key.casefold())
            for hop in table.unit.hops
        )
    ]
