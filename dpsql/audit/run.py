"""The audit itself: worlds with and without canaries, asked through the whole engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from dpsql.audit.answers import Array, answers, coins, shown
from dpsql.audit.canaries import MANY_ROWS, Canary, all_groups, canaries, many_rows
from dpsql.audit.estimates import (
    block_bound,
    coin_guesses,
    one_run_bound,
    proportion_above,
    scores,
)
from dpsql.audit.found import runs
from dpsql.audit.made_up import CannotInvent
from dpsql.audit.questions import Question, of_found_bounds, questions
from dpsql.audit.visible import block_epsilon, keys_delta, one_run_epsilon
from dpsql.audit.world import World
from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.errors import Error
from dpsql.policy.catalog import find_table, one_row_per_unit
from dpsql.policy.schema import Budgets, BudgetSpec, Policy, Price, Table

Method = Literal["blocks", "one-run"]

MAX_KEYS = 100_000
"""A larger product of listed keys would not be public."""

LEAST_BLOCKS = 40
"""With fewer nothing could be told apart, and so many groups for each would take all memory."""

SLOWER = 8
"""A question whose error bars cost much is asked of so many times fewer blocks."""

KEYS_DELTA = Fraction(1, 100)
"""The δ at which private selection is tried: at a δ of 1e-6 nobody could see an error."""

_ENOUGH = BudgetSpec("default", "default", Fraction(10**12), Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Claim:
    """What one private query is said to cost, and how sure the audit's verdict is to be."""

    epsilon: Fraction
    delta: Fraction
    alpha: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What was claimed and what is measured at least, of `of`: ε, or δ for private selection.

    `canary`: the one that told most. `problem`: why it could not be tried; `measured` is None then.
    """

    table: str
    question: str
    of: Literal["epsilon", "delta"]
    claimed: float
    measured: float | None
    canary: str | None
    blocks: int
    problem: str | None = None
    visible: float | None = None
    """The least true ε (or δ) that so many experiments show above the claim, at best."""

    @property
    def broken(self) -> bool:
        return self.measured is not None and self.measured > self.claimed


@dataclass(frozen=True, slots=True)
class Trial:
    """One question to one made-up table, with the canaries to try."""

    question: Question
    world: World
    canaries: tuple[Canary, ...]
    runs: int = 0
    """Answers to draw; 0 where one holds as many experiments as there are blocks."""


@dataclass(frozen=True)
class Audit:
    """An owner's policy and schema, and what is to be tried on them: questions that hold `ask`.

    All verdicts `broken` together are wrong with probability at most `claim.alpha`.
    """

    policy: Policy
    catalog: Catalog
    claim: Claim
    blocks: int
    method: Method = "blocks"
    ask: str = ""

    def run(self, tables: Sequence[str], tell: Callable[[str], None]) -> Iterator[Finding]:
        """A Finding for each table and question, as they are done; `tell` shows progress."""
        every = (trial for name in tables for trial in self._trials(name))
        wanted = self.ask.casefold()
        trials = [trial for trial in every if wanted in trial.question.shown.casefold()]
        alpha = self.claim.alpha / max(1, sum(len(trial.canaries) for trial in trials))
        for number, trial in enumerate(trials, 1):
            tell(f"{number} of {len(trials)}: {trial.world.table}, {trial.question.shown}")
            yield self._finding(trial, alpha)

    # ---- what to try ---------------------------------------------------------------------------

    def _trials(self, name: str) -> Iterator[Trial]:
        table = self.policy.tables[name]
        entry = find_table(self.catalog, table)
        if entry is None or table.unit is None:
            return
        groups, rows = self._bounds()
        one_row = one_row_per_unit(self.policy.tables, self.catalog, name, table.unit)
        most = max(1, min(self.blocks, MAX_KEYS // all_groups(groups) - 1))
        for question in questions(table, entry, rows=1 if one_row else rows):
            blocks = min(most, max(LEAST_BLOCKS, most // SLOWER)) if question.slow else most
            world = World(
                self._policy(), self.catalog, name, question.column, blocks, all_groups(groups)
            )
            yield Trial(question, world, tuple(canaries(groups, rows, blocks, one_row=one_row)))
        if self.policy.bounds.automatic and not one_row:
            yield from self._found_bounds(name, table, entry)
        yield self._selection(name, table, entry, 1 if one_row else groups, one_row)

    def _found_bounds(self, name: str, table: Table, entry: CatalogTable) -> Iterator[Trial]:
        """One block, asked many times: its groups share what is found."""
        groups, rows = self._bounds()
        most = many_rows(groups, rows)
        told = [
            Canary(touched, min(most, max(1, MANY_ROWS // touched)), beyond=True)
            for touched in (1, groups)
        ]
        runs = max(1, min(max(LEAST_BLOCKS, self.blocks), MAX_KEYS // all_groups(groups) - 1))
        for question in of_found_bounds(table, entry):
            world = World(self._policy(), self.catalog, name, question.column, 1, groups)
            yield Trial(question, world, tuple(dict.fromkeys(told)), runs)

    def _selection(
        self, name: str, table: Table, entry: CatalogTable, groups: int, one_row: bool
    ) -> Trial:
        """Keys that only the canary has: each block's are shown with probability at most δ."""
        question = next(iter(questions(table, entry)))
        policy = replace(self._policy(), budgets=_budgets(self.claim.epsilon, KEYS_DELTA))
        blocks = max(1, min(self.blocks, MANY_ROWS // groups))
        world = World(policy, self.catalog, name, None, blocks, groups, 0, listed=False)
        most = max(1, MANY_ROWS // (blocks * groups))
        rows = 1 if one_row else min(most, many_rows(*self._bounds()))
        return Trial(
            replace(question, shown="keys of one unit shown"),
            world,
            (Canary(groups, rows, beyond=False),),
        )

    def _bounds(self) -> tuple[int, int]:
        bounds = self.policy.bounds
        rows = bounds.max_rows_per_group
        return bounds.max_groups or 3, rows if isinstance(rows, int) else 4

    def _policy(self) -> Policy:
        """The owner's bounds, ranges and caps; a budget without end, and nothing kept."""
        groups, rows = self._bounds()
        return replace(
            self.policy,
            tables={name: replace(table, files=None) for name, table in self.policy.tables.items()},
            attached={},
            ledger=None,
            releases_reuse=False,
            analysts_only=False,
            limits=replace(self.policy.limits, reply_quantum_ms=0),
            budgets=_budgets(self.claim.epsilon, self.claim.delta),
            bounds=replace(
                self.policy.bounds,
                max_groups=groups,
                max_rows_per_group=rows,
                min_units_per_group=0,
            ),
        )

    # ---- trying it -----------------------------------------------------------------------------

    def _finding(self, trial: Trial, alpha: float) -> Finding:
        world, listed = trial.world, trial.world.listed
        finding = Finding(
            world.table,
            trial.question.shown,
            "epsilon" if listed else "delta",
            float(self.claim.epsilon if listed else KEYS_DELTA),
            None,
            None,
            trial.runs or world.blocks,
        )
        if finding.blocks < LEAST_BLOCKS:
            return replace(finding, problem="one unit has too many groups to try: lower max_groups")
        if trial.runs:
            measure = self._by_runs
        elif not listed:
            measure = self._keys
        else:
            measure = self._in_one_run if self.method == "one-run" else self._by_blocks
        try:
            told, canary = measure(trial, alpha)
        except (CannotInvent, Error) as problem:
            text = problem.message if isinstance(problem, Error) else str(problem)
            return replace(finding, problem=text)
        visible = self._visible(trial, finding, alpha)
        return replace(finding, measured=told, canary=str(canary), visible=visible)

    def _visible(self, trial: Trial, finding: Finding, alpha: float) -> float:
        """From numbers alone that were known before."""
        claimed, delta = finding.claimed, float(self.claim.delta)
        if finding.of == "delta":
            return keys_delta(claimed, finding.blocks, alpha=alpha)
        one_run = self.method == "one-run" and not trial.runs
        least = one_run_epsilon if one_run else block_epsilon
        return least(claimed, finding.blocks, delta=delta, alpha=alpha)

    def _by_blocks(self, trial: Trial, alpha: float) -> tuple[float, Canary]:
        """The largest bound over the kinds of canary, each against the world without any."""
        blocks, delta = trial.world.blocks, float(self.claim.delta)
        without = answers(trial.world, trial.question, np.zeros(blocks, bool), trial.canaries[0])
        found: list[tuple[float, Canary]] = []
        for canary in trial.canaries:
            within = answers(trial.world, trial.question, np.ones(blocks, bool), canary)
            found.append((block_bound(without, within, delta=delta, alpha=alpha), canary))
        return max(found, key=lambda pair: pair[0])

    def _by_runs(self, trial: Trial, alpha: float) -> tuple[float, Canary]:
        """The same of answers drawn again and again, with a canary and without."""
        delta, found = float(self.claim.delta), []
        for canary in trial.canaries:
            without, within = runs(trial.world, trial.question, canary, count=trial.runs)
            found.append((block_bound(without, within, delta=delta, alpha=alpha), canary))
        return max(found, key=lambda pair: pair[0])

    def _in_one_run(self, trial: Trial, alpha: float) -> tuple[float, Canary]:
        """The largest bound over the kinds, each in one answer whose canaries' coins are guessed.

        The attacker is told a quarter of the coins, to learn what to look for, and guesses where
        the rest is clearest.
        """
        blocks, found = trial.world.blocks, []
        for canary in trial.canaries:
            tossed = coins(blocks)
            seen = answers(trial.world, trial.question, tossed, canary)
            found.append((self._guessed(seen, tossed, alpha), canary))
        return max(found, key=lambda pair: pair[0])

    def _guessed(self, seen: Array, tossed: Array, alpha: float) -> float:
        """Guesses come from the first score that told more of the quarter's own coins."""
        guesses, canaries = coin_guesses(len(seen))
        cut = len(seen) - canaries
        told, rest, delta = tossed[:cut], tossed[cut:], float(self.claim.delta)
        known = seen[:cut]
        score = max(scores(known[~told], known[told]), key=lambda score: _right(score(known), told))
        right = _right(score(seen[cut:]), rest)
        return one_run_bound(right, guesses, canaries, delta=delta, alpha=alpha)

    def _keys(self, trial: Trial, alpha: float) -> tuple[float, Canary]:
        (canary,) = trial.canaries
        seen = shown(trial.world, trial.question, canary)
        return proportion_above(int(seen.sum()), len(seen), alpha), canary


def _right(scores: Array, tossed: Array) -> int:
    """How many coins are guessed right where the scores are clearest: a fifth of them each way."""
    order, guesses = np.argsort(scores), len(scores) // 5
    out, within = tossed[order[:guesses]], tossed[order[-guesses:]]
    return int(np.count_nonzero(~out) + np.count_nonzero(within))


def _budgets(epsilon: Fraction, delta: Fraction) -> Budgets:
    return Budgets(per_query=Price(epsilon, delta), default=_ENOUGH)
