"""Rules about what analysts see, taken out of the engine one by one."""

from __future__ import annotations

from types import SimpleNamespace

import e2e_neighbours as neighbours
import numpy as np
from sqlglot import exp

from dpsql.dialects import duckdb as dialect
from dpsql.errors import EngineFailed
from dpsql.functions import cast
from dpsql.mechanisms import bound_choice, entropy, gaussian, laplace, threshold
from dpsql.pipeline import release_table, rewrite


def silent(patch):
    """No noise, and each key of two people or more: what is left is exact and decides all.

    What is chosen with chances, as a quantile is, is what lies in the middle of them.
    """

    def exact(self, value):
        return value.open_for_noise()

    def release(self, value):
        counts = value.open_for_noise()
        return counts > 1, counts

    for law in (gaussian.GaussianMechanism, laplace.LaplaceMechanism):
        patch.setattr(law, "release", exact)
    for law in (threshold.Cut, threshold.GaussianThreshold):
        patch.setattr(law, "release", release)
    salt = SimpleNamespace(words=lambda count: [neighbours.SALT] * count)
    patch.setattr(rewrite, "entropy", salt)
    middle = 2**63 - 1  # of all words, and below any bound that words are drawn below
    patch.setattr(entropy, "words", lambda count: np.full(count, middle, dtype=np.uint64))


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
