"""Two statements for one answer: after a small paid look, the answer within a percentage of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction

from dpsql.accuracy import measured
from dpsql.answer import Answer, Released, Text
from dpsql.core.targets import Reached
from dpsql.errors import BudgetExceeded, InvalidQuery
from dpsql.pipeline.plan import Asked
from dpsql.pipeline.stages import Planned
from dpsql.preparation import Preparation


@dataclass(frozen=True)
class Looking:
    """The first of the two: its plan, what was released, and the answer that it gives itself."""

    planned: Planned
    released: Released
    answer: Answer


Ask = Callable[[Asked, object], Answer]
"""Asks the statement again: at what price, under which request id."""


def after_first(
    session: Preparation,
    text: Text,
    asked: Asked,
    request_id: object,
    before: Looking,
    ask: Ask,
    counted: AbstractContextManager[None],
) -> Answer:
    """The answer within the percentage that was asked for.

    Where it is refused, the first look's own answer, which was paid for, and why. `counted`: in
    which a refusal is told to the owner.
    """
    planned, looked = before.planned, before.released
    found: Mapping[tuple[int, int], Fraction] = {}
    try:
        with counted:
            then = measured.after(asked, planned, looked.tables)
            assert then.looked is not None
            found = then.looked.magnitudes
            if not session.policy.releases_reuse and (met := _met(session, text, then, planned)):
                told = measured.first_look(planned, looked.paid, found)
                return before.answer.told(first=told, targets=met)
            answer = ask(then, measured.second_id(request_id))
    except (BudgetExceeded, InvalidQuery) as problem:
        told = measured.first_look(planned, looked.paid, found, problem)
        return before.answer.told(first=told, targets=())
    epsilon, delta = looked.paid
    privacy = answer.privacy
    return answer.told(
        first=measured.first_look(planned, looked.paid, found),
        epsilon=privacy.epsilon + epsilon,
        delta=privacy.delta + delta,
    )


def _met(session: Preparation, text: Text, asked: Asked, first: Planned) -> tuple[Reached, ...]:
    """The targets that a first look has met itself, where nothing would be found stored."""
    with session.engine.snapshot():
        clips = asked.aims.clips
        bound = session.bind(text.sql, text.parameters, dialect=text.dialect, clips=clips)
        planned = session.plan(bound, asked=asked)
    return (*planned.reached.values(),) if measured.enough(first, planned) else ()
