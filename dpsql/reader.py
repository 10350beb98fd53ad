"""Looking without paying: the session behind `dpsql explain`, and an analyst's budget.

Nothing is written: no ledger is created, no budget opened, and a ledger that this user may only
read is enough. An analyst whom the ledger has not met has the whole budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.guard import guarded
from dpsql.policy import canonical_name, refuse_not_built
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.preparation import Preparation
from dpsql.report import BudgetReport, budget_report

if TYPE_CHECKING:
    from dpsql.ledger import Account, View


class Reader(Preparation):
    """Takes queries as far as `certify` and reads budgets; it has no way to charge."""

    def __init__(self, policy: Policy | str | Path | Mapping[str, Any], analyst: str) -> None:
        super().__init__(policy, analyst)
        try:
            self._view = _view(self.policy)
        except BaseException:  # even an interrupt must not leave it open
            super().close()
            raise

    def close(self) -> None:
        super().close()
        self._view.close()

    def account(self, spec: BudgetSpec) -> Account:
        return _account(self._view, self.policy, spec)


def budget_of(policy: Policy, analyst: str) -> BudgetReport:
    """The analyst's budget as it stands, from policy and ledger alone. Raises `Error`s alone."""
    with guarded():
        refuse_not_built(policy)
        spec = policy.budget_of(analyst)
        view = _view(policy)
        try:
            account = _account(view, policy, spec)
        finally:
            view.close()
        return budget_report(account, policy, spec, canonical_name(analyst))


def _view(policy: Policy) -> View:
    from dpsql.ledger import View

    return View(policy.ledger_url)


def _account(view: View, policy: Policy, spec: BudgetSpec) -> Account:
    amounts = spec.epsilon, spec.delta
    return view.account(spec.key, spec.kind, *amounts, spec.refresh, *policy.team_of(spec))
