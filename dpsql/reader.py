"""Looking without paying: the session behind `dpsql explain`, and an analyst's budget.

Nothing is written: no ledger is created, no budget opened, and a ledger that this user may only
read is enough. An analyst whom the ledger has not met has the whole budget.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.guard import guarded
from dpsql.opening import open_view
from dpsql.policy import canonical_name, refuse_not_built
from dpsql.policy.data_identity import stored_version
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.preparation import Preparation
from dpsql.report import MAX_QUERIES, BudgetReport, budget_report

if TYPE_CHECKING:
    from dpsql.history.spending import Spending
    from dpsql.ledger import Account, View


class Reader(Preparation):
    """Takes queries as far as `certify` and reads budgets; it has no way to charge."""

    def __init__(self, policy: Policy | str | Path | Mapping[str, Any], analyst: str) -> None:
        super().__init__(policy, analyst)
        try:
            self._view = open_view(self.policy)
        except BaseException:  # even an interrupt must not leave it open
            super().close()
            raise

    def close(self) -> None:
        super().close()
        self._view.close()

    def account(self, spec: BudgetSpec) -> Account:
        return _account(self._view, self.policy, spec)

    def verified(self) -> Collection[tuple[str, str]] | None:
        if self._view.ledger is None:
            return None if self.policy.in_memory else ()
        version = stored_version(self.policy, self.engine.identity)
        return self._view.ledger.promises.verified(version)


def budget_and_past(policy: Policy, analyst: str) -> tuple[BudgetReport, Spending]:
    """The analyst's budget as it stands, and its past, from policy and ledger alone.

    Raises `Error`s alone.
    """
    from dpsql.history.spending import NONE, spending

    with guarded():
        refuse_not_built(policy)
        spec, name, past = policy.budget_of(analyst), canonical_name(analyst), NONE
        view = open_view(policy)
        try:
            account = _account(view, policy, spec)
            whole = policy.budgets.total
            total = None if whole is None else _account(view, policy, whole)
            if view.ledger is not None:
                past = spending(view.ledger, account, name, MAX_QUERIES, total=total)
        finally:
            view.close()
        return budget_report(account, total, policy, spec, name), past


def _account(view: View, policy: Policy, spec: BudgetSpec) -> Account:
    amounts = spec.epsilon, spec.delta
    return view.account(spec.key, spec.kind, *amounts, spec.refresh, *policy.team_of(spec))
