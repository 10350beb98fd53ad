"""The budget an owner speaks of by name: an analyst's own, a team's, or the total."""

from __future__ import annotations

from collections.abc import Collection

from dpsql.core.nearest import hint
from dpsql.errors import PolicyError
from dpsql.policy.analysts import canonical_name
from dpsql.policy.schema import BudgetSpec, Policy


def of_analyst(policy: Policy, name: str, known: Collection[str]) -> BudgetSpec:
    """An analyst's own budget. `known`: names that have one in the ledger, under `default`.

    PolicyError `unknown-analyst` for a name that neither the policy nor the ledger knows, although
    `default` would give it a budget: a misspelt name must not get a grant. `unknown-budget` for a
    member of a team, whose budget is the team's.
    """
    wanted = canonical_name(name)
    for team, members in policy.budgets.teams.items():
        if wanted in members.members:
            raise PolicyError(
                f"{wanted!r} has no budget of their own, but spends that of team {team!r}",
                code="unknown-budget",
                hint=f"name the team: --team {team}",
            )
    named = policy.budgets.analysts
    if wanted not in named and wanted not in known:
        everybody = [m for team in policy.budgets.teams.values() for m in team.members]
        raise PolicyError(
            f"no analyst {wanted!r}: neither the policy nor the ledger knows the name",
            code="unknown-analyst",
            hint=hint(
                wanted,
                [*named, *everybody, *policy.budgets.teams, *known],
                "name the analyst under budgets.analysts of the policy",
            ),
        )
    return policy.budget_of(wanted)


def of_team(policy: Policy, name: str) -> BudgetSpec:
    """A team's budget. PolicyError `unknown-budget`."""
    wanted, teams = canonical_name(name), policy.budgets.teams
    if wanted not in teams:
        raise PolicyError(
            f"the policy names no team {wanted!r}",
            code="unknown-budget",
            hint=hint(wanted, [*teams], "the policy names its teams under budgets.teams"),
        )
    return teams[wanted].budget


def of_all(policy: Policy) -> BudgetSpec:
    """The total. PolicyError `unknown-budget`."""
    if policy.budgets.total is None:
        raise PolicyError(
            "the policy has no budgets.total",
            code="unknown-budget",
            hint="add budgets.total: {epsilon: .., delta: ..}",
        )
    return policy.budgets.total
