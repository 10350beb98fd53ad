"""The releases of a statement as they are shown: made to add up, with stored ones, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dpsql.consistency.earlier import joined, margins
from dpsql.consistency.families import Mode
from dpsql.consistency.reconcile import reconciled
from dpsql.pipeline.stages import Planned, Release
from dpsql.policy.schema import Policy
from dpsql.public import PublicData
from dpsql.reconciled import Reconciled

if TYPE_CHECKING:
    from dpsql.ledger.releases import Found

Kept = Callable[[Sequence[str]], "Mapping[str, Sequence[Found]]"]
"""What a budget has paid for already of some questions."""


def shown(
    planned: Planned,
    tables: Sequence[Release],
    drawn: Sequence[Release],
    newest: int | None,
    mode: Mode,
    policy: Policy,
    public: PublicData,
    kept: Kept,
) -> tuple[list[Release], tuple[Reconciled, ...]]:
    """The statement's tables, with what was done to them. Call within a snapshot.

    `drawn`: the same with their coordinates, in their forms' order. `newest`: the last charge that
    they rest on; margins that were paid for before it are reconciled with them, where answers are
    kept.
    """
    count, tables, drawn = len(tables), list(tables), list(drawn)
    if policy.releases_reuse and newest is not None:
        more = margins(planned, policy, mode, public.values, public.rows)
        if more:
            found = kept([margin.form.question for margin in more])
            planned, drawn, tables = joined(planned, drawn, tables, more, found, newest)
    made, told = reconciled(planned, policy, drawn, tables, mode)
    return made[:count], tuple(one for one in told if one.release < count)
