"""Rules about what analysts see, taken out of the engine one by one."""

from __future__ import annotations

import e2e_neighbours as neighbours
import numpy as np
from sqlglot import exp

from dpsql.dialects import duckdb as dialect
from dpsql.errors import EngineFailed
from dpsql.functions import cast
from dpsql.mechanisms import bound_choice, gaussian, laplace, threshold
from dpsql.pipeline import release_table, rewrite


def silent(patch):
    """No noise, and each key of two people or more: what is left is exact and decides all."""

    def exact(self, value):
        return value.open_for_noise()

    def release(self, value):
        counts = value.open_for_noise()
        return counts > 1, counts

    for law in (gaussian.GaussianMechanism, laplace.LaplaceMechanism):
        patch.setattr(law, "release", exact)
    for law in (threshold.Cut, threshold.GaussianThreshold):
        patch.setattr(law, "release", release)
    patch.setattr(rewrite.entropy, "words", lambda count: [neighbours.SALT] * count)


def bound_told(patch, place=45):
    """Every bound that is found is the one at this place, whatever the data; lists the choices."""
    told = []

    def release(self, value):
        value.open_for_noise()
        marked = np.zeros((1, self.candidates), dtype=np.int64)
        marked[0, min(place, self.candidates - 1)] = 1
        told.append(self)
        return marked

    patch.setattr(bound_choice.BoundChoice, "release", release)
    return told


def order_not_sorted(patch):
    patch.setattr(release_table, "_key_order", lambda names, arrays: None)


def error_text_forwarded(patch):
    """CAST as written, which can fail on one row, and the engine's own words of it."""
    patch.setattr(dialect.DuckDBEngine, "_failed", lambda self, problem: EngineFailed(str(problem)))
    patch.setattr(type(cast.FAMILY), "emit", _raw(type(cast.FAMILY).emit))


def _raw(real):
    def raw(self, call, args):
        node = real(self, call, args)
        for trying in [*node.find_all(exp.TryCast)]:
            plain = exp.Cast(this=trying.this.copy(), to=trying.args["to"].copy())
            if trying is node:
                return plain
            trying.replace(plain)
        return node

    return raw
