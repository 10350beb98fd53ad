"""The least violation that is said to be visible: what lies below is not seen, what is above is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from test_audit_command import dpsql as dpsql  # the fixture: a policy and its database

from dpsql.audit.estimates import (
    block_bound,
    coin_guesses,
    epsilon_bound,
    held_out,
    one_run_bound,
    proportion_above,
)
from dpsql.audit.visible import block_epsilon, keys_delta, one_run_epsilon

ALPHA, DELTA, AUDITS = 1e-4, 1e-6, 60


def share(shown: Callable[[np.random.Generator], bool]) -> float:
    """Of audits that show it; with 60 of them a half is within 0.25 and 0.75 (1 - 1e-4)."""
    random = np.random.default_rng(7)
    return sum(shown(random) for _ in range(AUDITS)) / AUDITS


@pytest.mark.parametrize("claimed", [0.1, 1.0])
@pytest.mark.parametrize("blocks", [500, 5000])
def test_randomized_response_shows_from_there_on(claimed: float, blocks: int) -> None:
    """At its best event: half of all audits at the number itself; few below, most above."""
    n, least = held_out(blocks), block_epsilon(claimed, blocks, delta=DELTA, alpha=ALPHA)

    def audited(epsilon: float) -> float:
        p = 1 / (1 + math.exp(-epsilon))
        return share(
            lambda random: (
                epsilon_bound(
                    random.binomial(n, p),
                    n,
                    random.binomial(n, 1 - p),
                    n,
                    delta=DELTA,
                    alpha=ALPHA,
                )
                > claimed
            )
        )

    excess = least - claimed
    assert audited(least) <= 0.75  # the best event may be another one, of which more is seen
    assert audited(claimed + excess / 2) < 0.15
    assert audited(claimed + 2 * excess) > 0.85


@pytest.mark.parametrize("claimed", [0.1, 1.0])
def test_no_laplace_below_it_is_seen(claimed: float) -> None:
    """The whole estimate, thresholds and all, on a mechanism that is no randomized response."""
    blocks = 4000
    least = block_epsilon(claimed, blocks, delta=DELTA, alpha=ALPHA)

    def audited(epsilon: float) -> float:
        def shown(random: np.random.Generator) -> bool:
            noise = random.laplace(0, 1 / epsilon, (2, blocks, 1))
            return block_bound(noise[0], noise[1] + 1, delta=DELTA, alpha=ALPHA) > claimed

        return share(shown)

    assert audited(least) <= 0.75
    assert audited(claimed + 3 * (least - claimed)) > 0.85


def test_right_guesses_show_from_there_on() -> None:
    blocks, claimed = 2000, 0.5
    least = one_run_epsilon(claimed, blocks, delta=DELTA, alpha=ALPHA)
    guesses, canaries = coin_guesses(blocks)

    def audited(epsilon: float) -> float:
        p = 1 / (1 + math.exp(-epsilon))
        return share(
            lambda random: (
                one_run_bound(
                    random.binomial(guesses, p), guesses, canaries, delta=DELTA, alpha=ALPHA
                )
                > claimed
            )
        )

    assert 0.25 < audited(least) < 0.75
    assert audited(claimed + (least - claimed) / 2) < 0.15


@pytest.mark.parametrize("blocks", [40, 500, 5000])
def test_keys_show_from_there_on(blocks: int) -> None:
    seen = round(keys_delta(0.01, blocks, alpha=ALPHA) * blocks)
    assert proportion_above(seen, blocks, ALPHA) > 0.01 >= proportion_above(seen - 1, blocks, ALPHA)


def test_too_few_experiments_show_nothing() -> None:
    assert block_epsilon(5.0, 40, delta=DELTA, alpha=ALPHA) == math.inf
    assert one_run_epsilon(5.0, 40, delta=DELTA, alpha=ALPHA) == math.inf
    sizes = [block_epsilon(0.1, n, delta=DELTA, alpha=ALPHA) for n in (100, 1000, 10_000, 100_000)]
    assert sizes == sorted(sizes, reverse=True)


def test_the_command_says_what_it_could_see(dpsql) -> None:  # type: ignore[no-untyped-def]
    few = ("--blocks", "200", "--ask", "SUM(income)", "--epsilon", "0.1")
    told = " ".join(dpsql(*few).stdout.split())
    rows = json.loads(dpsql(*few, "--format", "json").stdout)
    (least,) = {row["visible"] for row in rows if row["blocks"] == max(r["blocks"] for r in rows)}
    assert f"of ε = 0.1 an excess shows, at best, from {least:.3g} on" in told
    assert "so few --blocks see a gross one alone" in told
    blind = ("--blocks", "40", "--ask", "SUM(income)", "--epsilon", "9", "--format", "json")
    assert all(row["visible"] is None for row in json.loads(dpsql(*blind).stdout))
    assert "gross" not in dpsql("--blocks", "1000", "--ask", "COUNT(*)", "--epsilon", "1").stdout
