"""Who has which value, as a plan's statements give it, and what one unit may change of it."""

from __future__ import annotations

from collections import defaultdict

import e2e_neighbours as neighbours
import numpy as np

from dpsql.core.exact import Exact
from dpsql.mechanisms.matching import Pairs, matched
from dpsql.pipeline import rewrite


def pairs(world, plan, tables):
    """Of each expression its rows (keys..., unit, value)."""
    found = []
    for index in range(len(plan.distincts)):
        text = rewrite.distinct_text(plan, index, world.catalog, dict(tables), neighbours.SALT)
        rows = world.connection.sql(text).fetchall()
        assert len(rows) == len(set(rows)), "a pair came twice"
        found.append(set(rows))
    return found


def counts(rows, caps):
    """The counts of every group at every cap: {keys: one number a cap}."""
    keys = sorted({row[:-2] for row in rows}, key=repr)
    place = {key: at for at, key in enumerate(keys)}
    listed = sorted(rows, key=repr)
    made = Pairs(
        len(keys),
        Exact(np.array([place[row[:-2]] for row in listed], dtype=np.int64)),
        *(Exact(np.array([row[at] for row in listed], dtype=np.uint64)) for at in (-2, -1)),
    )
    return dict(zip(keys, matched(made, caps).T, strict=True))


def problems(plan, part, whole, less):
    law = part.mechanism
    gone = defaultdict(set)
    if less - whole:
        yield "a unit took pairs away"
    for row in whole - less:
        gone[row[:-2]].add(row)
    if len({row[-2] for row in whole - less}) > 1:
        yield "a unit has two pseudonyms"
    if max(map(len, gone.values()), default=0) > part.bounds.max_rows_per_group:
        yield "a unit has more values than are let out"
    if plan.public_keys and any(key.coding == "self" for key in plan.keys):
        return  # rows outside the domain are dropped later
    if len(gone) > law.cells:
        yield f"{len(gone)} groups moved, declared {law.cells}"
    before, after = counts(whole, law.caps), counts(less, law.caps)
    for key, numbers in before.items():
        steps = numbers - after.get(key, 0)
        if (steps < 0).any() or (steps > law.caps).any():
            yield f"counts moved by {steps}, caps {law.caps}"
