"""The hash that chooses groups and values: fair over salts, and for each salt another choice.

Chance: two chi-square tests at 1e-9 and a few pairs that may meet at 1e-7: salts are fixed by a
seed, so that a run is like the last.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from scipy.stats import chi2
from sqlglot import exp, parse_one

from dpsql.dialects.spark_hashes import hashed
from dpsql.dialects.spark_terms import Term
from dpsql.dialects.told import BIG, TEXT

pytestmark = pytest.mark.xdist_group("spark")

SALTS, KEYS = 4_000, 6


def write(node: exp.Expr) -> Term:
    """Columns `u` and `k` as they are."""
    return Term(f"`{node.name}`", BIG if node.name == "u" else TEXT)


def hash_of(text: str) -> str:
    tree = parse_one(text, read="duckdb")
    inner = tree.expressions[0]
    return hashed(exp.Anonymous(this="HASH", expressions=[inner]), write).sql


def form(salt: int, first: bool = False) -> str:
    shown = f"CAST('{salt}' AS UBIGINT)"
    parts = f"{shown}, k" if first else f"u, k, {shown}"
    return hash_of(f"HASH(HASH({parts}))")


@pytest.fixture(scope="module")
def ranks(spark_session):
    """For each salt, the order in which the keys of each of two units are kept."""
    draw = random.Random(11)
    salts = [draw.getrandbits(64) for _ in range(SALTS)]
    keys = ", ".join(f"('key {at}')" for at in range(KEYS))
    signed = ", ".join(f"({salt - 2**64 if salt >= 2**63 else salt}L)" for salt in salts)
    hash_ = form(0).replace("CAST('0' AS BIGINT)", "`s`")
    sql = (
        f"SELECT `s`, `u`, `k`, {hash_} AS `h` FROM VALUES {signed} AS a(`s`) CROSS JOIN"
        f" (VALUES (1L), (2L)) AS b(`u`) CROSS JOIN (VALUES {keys}) AS c(`k`)"
    )
    found: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for row in spark_session.sql(sql).toArrow().to_pylist():
        found.setdefault((row["s"], row["u"]), []).append((row["h"], row["k"]))
    return {place: [key for _, key in sorted(pairs)] for place, pairs in found.items()}


def surprise(counts, cells):
    """The chance of counts as uneven as these, were all cells alike."""
    mean = sum(counts.values()) / cells
    squares = sum((counts.get(at, 0) - mean) ** 2 for at in list(counts)) / mean
    squares += (cells - len(counts)) * mean
    return chi2.sf(squares, cells - 1)


@pytest.mark.slow
def test_every_order_of_a_units_keys_is_as_likely(ranks):
    orders = Counter(tuple(order[:3]) for order in ranks.values())
    assert len(ranks) == 2 * SALTS
    assert surprise(orders, KEYS * (KEYS - 1) * (KEYS - 2)) > 1e-9


@pytest.mark.slow
def test_two_units_choose_apart(ranks):
    pairs = Counter((ranks[salt, 1][0], ranks[salt, 2][0]) for salt, unit in ranks if unit == 1)
    assert surprise(pairs, KEYS * KEYS) > 1e-9


@pytest.mark.slow
def test_an_uneven_choice_is_seen(ranks):
    """Where one order in ten is another one."""
    orders = Counter(tuple(order[:3]) for order in ranks.values())
    (one, _), (other, _) = orders.most_common(1)[0], orders.most_common()[-1]
    orders[one] += sum(orders.values()) // 10
    orders[other] = 0
    assert surprise(orders, KEYS * (KEYS - 1) * (KEYS - 2)) < 1e-9


def test_a_salt_that_stands_first_is_hashed_itself():
    """So a unit's pseudonym and a value's differ, be they one text."""
    assert (
        form(5)
        == "xxhash64(CAST('5' AS BIGINT), coalesce(`u`, 0), coalesce(CAST(`k` AS STRING), ''))"
    )
    assert form(2**64 - 1, first=True) == (
        "xxhash64(xxhash64(CAST('-1' AS BIGINT)), coalesce(CAST(`k` AS STRING), ''))"
    )
