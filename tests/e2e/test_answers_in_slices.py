"""Answers are made slice by slice, in the order of their keys: what is shown does not tell."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pyarrow as pa
import pytest
from test_support_and_bias import plan_of

from dpsql.core.exact import Exact
from dpsql.mechanisms import entropy
from dpsql.pipeline import perturb, release_table, storage
from dpsql.pipeline.stages import ExactCells

LIST = "COUNT(*), SUM(x), AVG(x), VAR_POP(x), COVAR_POP(x, n), COUNT(DISTINCT pid)"
PRIVATE = f"SELECT kind, {LIST} FROM events GROUP BY kind"
WHOLE = f"SELECT {LIST} FROM events"
GROUPS = 50


@pytest.fixture
def drawn(monkeypatch):
    """Releases of one stream of bits, whatever the slices."""

    def draw(plan, cells, size):
        bits = np.random.PCG64(7)
        monkeypatch.setattr(entropy, "words", lambda n: bits.random_raw(n).astype(np.uint64))
        monkeypatch.setattr(release_table, "SLICE", size)
        return perturb.run(plan, cells)

    return draw


def cells(plan, groups):
    """Groups in no order, some far beyond 64 bits; one key is NULL."""
    rng = random.Random(3)
    names = [None, *(f"k{number:03}" for number in range(groups - 1))]
    rng.shuffle(names)
    keys = tuple(pa.chunked_array([pa.array(names)]) for _ in plan.keys)
    blocks = []
    for part in plan.blocks:
        size = (part.block.coordinates, groups if plan.keys else 1)
        exact = np.array([rng.randrange(10**6) for _ in range(size[0] * size[1])], dtype=object)
        blocks.append(Exact(exact.reshape(size)))
    units = Exact(np.full(groups, 10**6, dtype=np.int64)) if plan.keys else None
    return ExactCells(Exact(keys), units, tuple(blocks)), names


@pytest.mark.parametrize("sql", [PRIVATE, WHOLE])
def test_slices_change_nothing(drawn, sql):
    plan = plan_of(sql, epsilon=5.0, max_groups=2, max_rows=3)
    exact, _ = cells(plan, GROUPS)
    whole, sliced = (drawn(plan, exact, size).table for size in (GROUPS, 7))
    assert whole.combine_chunks().equals(sliced.combine_chunks())


def test_each_group_keeps_its_answers(drawn):
    """Sums this far apart are told from one another whatever the noise is."""
    plan = plan_of("SELECT kind, COUNT(*) FROM events GROUP BY kind", max_groups=2, max_rows=3)
    exact, names = cells(plan, GROUPS)
    true = np.array([[number * 10**6 for number in range(GROUPS)]], dtype=np.int64)
    exact = ExactCells(exact.keys, exact.units, (Exact(true),))
    table = drawn(plan, exact, 7).table
    shown = table.column(0).to_pylist()
    assert shown == sorted(shown, key=lambda key: (key is None, key))
    found = dict(zip(shown, table.column("a0").to_pylist(), strict=True))
    for name, counted in zip(names, true[0].tolist(), strict=True):
        assert abs(found[name] - counted) < 10**4


def test_integers_beyond_64_bits_in_one_slice_alone():
    plan = plan_of("SELECT kind, SUM(n) FROM events GROUP BY kind", max_groups=2, max_rows=3)
    values = [1, 2, 3, 2**70, 5]

    def answered(_, places):
        listed = [values[place] for place in places]
        ends = np.array(listed, dtype=float)
        return release_table.Answer(listed, ends, ends)

    keys = [pa.chunked_array([pa.array(list("abcde"))])]
    before, release_table.SLICE = release_table.SLICE, 2
    try:
        table = release_table.build(plan, keys, 5, answered).table
    finally:
        release_table.SLICE = before
    column = table.column("a0")
    assert [int(one) for one in column.to_pylist()] == values


def test_the_hash_is_that_of_the_bytes(drawn):
    plan = plan_of(PRIVATE, epsilon=5.0, max_groups=2, max_rows=3)
    release = drawn(plan, cells(plan, GROUPS)[0], 7)
    about = storage.About(
        plan.epsilon, plan.delta, plan.law, (), 3, (), ("a",), release.types, None
    )
    packed = storage.pack(about, release)
    assert storage.digest(about, release) == hashlib.sha256(packed).hexdigest()
    assert storage.unpack(packed).table.equals(release.table)
