"""Greedy matching: the one-by-one pass, what one unit moves (all small graphs), how good it is."""

from __future__ import annotations

import time
from itertools import combinations, product

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from dpsql.core.exact import Exact
from dpsql.mechanisms.matching import Graph, Pairs, matched


def pairs(rows: list[tuple[int, int, int]], count: int) -> Pairs:
    """(place, unit, value) → pairs; small numbers are made words, as an engine's hashes are."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    words = table.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return Pairs(count, Exact(table[:, 0]), Exact(words[:, 1]), Exact(words[:, 2]))


def graph(made: Pairs) -> Graph:
    parts = (made.places, made.units, made.values)
    return Graph.of(made.count, *(part.open_for_noise() for part in parts))


def one_by_one(made: Graph, cap: int) -> list[int]:
    """The definition: pairs in order, each matched where value and unit still have room."""
    left: dict[int, int] = {}
    taken: set[int] = set()
    for at in np.argsort(made.ranks).tolist():
        unit, value = int(made.units[at]), int(made.values[at])
        if value not in taken and left.get(unit, cap):
            taken.add(value)
            left[unit] = left.get(unit, cap) - 1
    found = [0] * made.count
    for value in taken:
        found[int(made.groups[value])] += 1
    return found


def random_rows(rng: np.random.Generator, groups: int) -> list[tuple[int, int, int]]:
    size = int(rng.integers(0, 70))
    return sorted(
        {tuple(int(rng.integers(0, top)) for top in (groups, 9, 16)) for _ in range(size)}
    )  # type: ignore[arg-type]


def test_rounds_give_what_one_pass_gives() -> None:
    rng = np.random.default_rng(5)
    for _ in range(400):
        groups = int(rng.integers(1, 4))
        made = graph(pairs(random_rows(rng, groups), groups))
        for cap in (1, 2, 3, 5, 100):
            assert made.matched(cap).tolist() == one_by_one(made, cap)


def moves(rows: list[tuple[int, int, int]], unit: int, cap: int, count: int = 1) -> np.ndarray:
    """What the unit adds to each group's number."""
    less = [row for row in rows if row[1] != unit]
    (whole,), (without,) = (matched(pairs(some, count), [cap]) for some in (rows, less))
    return whole - without


def test_one_unit_adds_between_nothing_and_the_cap_in_every_small_graph() -> None:
    """All graphs of three units and three values: each unit is taken out, at caps 1, 2 and 3."""
    some = [c for size in range(4) for c in combinations(range(3), size)]
    used = {1: 0, 2: 0, 3: 0}
    for lists in product(some, repeat=3):
        rows = [(0, unit, value) for unit, values in enumerate(lists) for value in values]
        for cap, unit in product((1, 2, 3), range(3)):
            (step,) = moves(rows, unit, cap)
            assert 0 <= step <= cap
            used[cap] = max(used[cap], int(step))
    assert used == {1: 1, 2: 2, 3: 3}  # and the bound is reached


def test_one_unit_moves_its_own_groups_alone() -> None:
    rng = np.random.default_rng(8)
    for _ in range(60):
        rows = random_rows(rng, 4)
        for unit in {row[1] for row in rows}:
            mine = {place for place, owner, _ in rows if owner == unit}
            for cap in (1, 2, 4):
                step = moves(rows, unit, cap, 4)
                assert step.min() >= 0
                assert step.max() <= cap
                assert set(np.flatnonzero(step).tolist()) <= mine


def test_units_of_one_pseudonym_move_it_no_further() -> None:
    """A collision is of two units counted as one: still at most the cap, in either direction."""
    rng = np.random.default_rng(11)
    down = up = 0
    for _ in range(800):
        rows = random_rows(rng, 1)
        apart = [row for row in rows if row[1] != 8]
        merged = [(place, 0 if unit == 8 else unit, value) for place, unit, value in rows]
        for cap in (1, 2, 3):
            (whole,), (less,) = (matched(pairs(some, 1), [cap]) for some in (merged, apart))
            step = int(whole[0] - less[0])
            assert abs(step) <= cap
            down, up = min(down, step), max(up, step)
    assert down < 0 < up  # so a law that trusts in one direction would be wrong


def test_it_is_at_least_half_of_the_largest_matching_and_mostly_far_more() -> None:
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(60):
        rows = sorted({(0, int(rng.integers(60)), int(rng.integers(80))) for _ in range(160)})
        for cap in (1, 2):
            copies = [(unit * cap + i, value) for _, unit, value in rows for i in range(cap)]
            left, right = zip(*copies, strict=True)
            best = maximum_bipartite_matching(
                csr_matrix((np.ones(len(left)), (left, right)), shape=(60 * cap, 80))
            )
            largest = int((best >= 0).sum())
            got = int(matched(pairs(rows, 1), [cap])[0, 0])
            assert largest / 2 <= got <= largest
            shares.append(got / largest)
    assert np.mean(shares) > 0.95


def test_caps_nobody_reaches_count_all_values() -> None:
    rows = [(0, unit, value) for unit in range(5) for value in range(unit, unit + 3)]
    found = matched(pairs(rows, 1), [1, 2, 3, 8, 1000])
    assert found[:, 0].tolist() == [5, 7, 7, 7, 7]


def test_no_pairs_and_no_groups() -> None:
    assert matched(pairs([], 3), [1, 4]).tolist() == [[0, 0, 0]] * 2
    assert matched(pairs([], 0), [1]).tolist() == [[]]


@pytest.mark.slow
def test_five_million_pairs_in_reasonable_time() -> None:
    """The hardest known kind (sparse, unshared) at all caps up to 64; measured 35 s on one core."""
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(50_000), rng.integers(1, 200, 50_000)).astype(np.uint64)
    values = rng.integers(0, 10**7, len(units)).astype(np.uint64)
    made = Pairs(1, Exact(np.zeros(len(units), np.int64)), Exact(units), Exact(values))
    start = time.monotonic()
    found = matched(made, [1, 2, 4, 8, 16, 32, 64])
    assert time.monotonic() - start < 200
    assert (np.diff(found[:, 0]) > 0).all()
