"""Answers within bounds that are found first, drawn again and again.

All groups share one choice of a bound, so an answer holds no independent experiments: here each
run is one. The statements are the session's own, planned, certified and executed once (for each
place that is chosen); the choice, its counts and the answer's coordinates are drawn anew in every
run by the plans' mechanisms. The attacker sees all of it, and knows everybody but the canary: what
the numbers would be without it, at the place chosen, is taken off, and they are told in noise
scales.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dpsql.audit.answers import Array, opened
from dpsql.audit.canaries import Canary
from dpsql.audit.questions import Question
from dpsql.audit.world import World
from dpsql.core.exact import Exact
from dpsql.mechanisms.bound_choice import read
from dpsql.pipeline import execute
from dpsql.pipeline.perturb import laid_out
from dpsql.planning.answer_types import noise_scale
from dpsql.planning.held import choice_law
from dpsql.planning.resolved import resolved

if TYPE_CHECKING:
    from dpsql.planning.types import Plan
    from dpsql.preparation import Prepared
    from dpsql.session import Session


def runs(world: World, question: Question, canary: Canary, *, count: int) -> tuple[Array, Array]:
    """(count, numbers), float64, without the canary and with it: place, counts, coordinates."""
    with contextlib.ExitStack() as stack:
        rigs = []
        for present in (False, True):
            session = stack.enter_context(opened(world, np.array([present]), canary))
            stack.enter_context(session.engine.snapshot())
            sql = question.sql(world.policy.tables[world.table])
            prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
            rigs.append(_Rig(session, prepared))
        without, within = (np.stack([rig.draw(rigs[0]) for _ in range(count)]) for rig in rigs)
        return without, within


@dataclass
class _Rig:
    """What the statements give exactly: units by place, and the answer by the place chosen."""

    session: Session
    prepared: Prepared
    units: Any = field(init=False)
    _answers: dict[int, tuple[Plan, list[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._answer, self._choice = self.prepared.planned.plans
        (self.units,) = self._laid_out(self._choice, self.prepared.certified[1])

    def _laid_out(self, plan: Plan, certified: Any) -> list[Any]:
        cells = execute.run(certified, self.session.engine, timeout=None)
        return laid_out(plan, cells)[1]

    def at(self, place: int) -> tuple[Plan, list[Any]]:
        """The plan with this place, and the exact coordinates of its blocks."""
        if place not in self._answers:
            plan = resolved(self._answer, [place])
            certified = self.session.certified(self.prepared.planned, plan)
            self._answers[place] = plan, self._laid_out(plan, certified)
        return self._answers[place]

    def draw(self, known: _Rig) -> Array:
        """One run, less what is `known`: the same without the canary."""
        law = choice_law(self._choice)
        cut = read(law.release(Exact(self.units)).ravel().tolist())
        numbers = [float(cut.place)]
        counts = known.units.ravel()
        scale = float(law.counting.scale)
        numbers.append((cut.within - counts[law.first : cut.place + 1].sum()) / scale)
        numbers.append((cut.beyond - counts[cut.place + 1 :].sum()) / scale)
        plan, coords = self.at(cut.place)
        for part, exact, theirs in zip(plan.blocks, coords, known.at(cut.place)[1], strict=True):
            noisy = part.mechanism.release(Exact(exact)) - theirs
            numbers += (noisy.astype(float) / float(noise_scale(part))).ravel().tolist()
        return np.array(numbers)
