"""What an analyst is told of a made-up world: through a session, as everybody's queries go."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpsql.audit.canaries import Canary
from dpsql.audit.made_up import CannotInvent
from dpsql.audit.questions import Question
from dpsql.audit.world import World
from dpsql.mechanisms import entropy

if TYPE_CHECKING:
    from dpsql.session import Session

Array = NDArray[Any]


def answers(world: World, question: Question, present: Array, canary: Canary) -> Array:
    """(blocks, groups x aggregates), float64; NaN for a group about which nothing is said."""
    table = _ask(world, question, present, canary)
    columns = [column.cast("float64").to_numpy() for column in table.columns[1:]]
    found: Array = np.stack(columns, axis=1).reshape(world.blocks, -1)
    return found


def shown(world: World, question: Question, canary: Canary) -> Array:
    """(blocks,), bool: was any of the block's groups shown?"""
    table = _ask(world, question, np.ones(world.blocks, bool), canary)
    found = np.zeros(world.blocks, bool)
    found[table.column(0).to_numpy().astype(np.int64) // world.groups] = True
    return found


def coins(number: int) -> Array:
    """Fair ones, from where the noise comes from."""
    found: Array = (entropy.words(number) & np.uint64(1)).astype(bool)
    return found


def _ask(world: World, question: Question, present: Array, canary: Canary) -> Any:
    with opened(world, present, canary) as session:
        return session.query(question.sql(world.policy.tables[world.table])).table


@contextlib.contextmanager
def opened(world: World, present: Array, canary: Canary) -> Iterator[Session]:
    """A session over the made-up world. CannotInvent."""
    import duckdb

    from dpsql.policy.promises import all_promises
    from dpsql.promised import verify
    from dpsql.session import Session

    connection = duckdb.connect()
    try:
        world.fill(connection, present, canary)
        policy = world.audited()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a ledger in memory is what is wanted here
            session = Session(policy, "audit", engine=connection)
        try:
            for promise in all_promises(policy, session.engine.catalog()):
                verify(promise, policy, session.engine, session.ledger, session.data_version)
            yield session
        finally:
            session.close()
    except duckdb.Error as problem:
        raise CannotInvent(
            f"no rows could be made up that its keys and types take ({type(problem).__name__})"
        ) from None
    finally:
        connection.close()
