"""A process killed between the choice of a bound and the answer; the law of a whole query."""

from __future__ import annotations

from fractions import Fraction

import duckdb
import numpy as np
import pytest
from charging_worker import AUTOMATIC
from charging_world import charges, outcomes, start
from e2e_world import memory_session
from scipy import stats

from dpsql.errors import BudgetExceeded
from dpsql.mechanisms import entropy
from dpsql.mechanisms.bound_choice import read
from dpsql.mechanisms.bound_size import COUNTED, SHARE, STEP
from dpsql.pipeline import execute, perturb
from dpsql.planning.resolved import resolved


def test_killed_between_the_bounds_and_the_answer(place, opened):
    """The choice ran, the answer did not: the one charge stands for both, and nothing is kept."""
    path = place(epsilon="1.1")
    worker = start("die-at-bounds", path)
    out, err = worker.communicate(timeout=120)
    assert worker.returncode == -9, err
    assert out == "ready\nfound\n"
    assert len(charges(path)) == 1  # and the chain verifies
    assert outcomes(path) == []
    session = opened(path)
    assert outcomes(path) == ["forfeited"]
    first = session.query(AUTOMATIC)  # drawn anew, the choice too: no choice was stored
    assert first.privacy.epsilon == Fraction(1, 2)
    assert len(charges(path)) == 2
    again = session.query(AUTOMATIC)
    assert again.privacy.free
    assert again.table.equals(first.table)
    assert len(charges(path)) == 2
    with pytest.raises(BudgetExceeded):
        session.query("SELECT COUNT(*) FROM orders")
    assert len(charges(path)) == 2


# ---- the law of a whole query ------------------------------------------------------------------

UNITS, ROWS, EPSILON, SIZE = 100, 3, Fraction(1, 5), 14_000
POLICY = {
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": "0.2", "delta": "1e-9"},
        "default": {"epsilon": "1e9", "delta": "0.1"},
    },
    "tables": {"visits": {"unit": "id"}},
}


@pytest.fixture(scope="module")
def drawn():
    """Of many draws the place that was chosen, and the answer's noise over the bound's scale.

    The plans and certified statements are the session's; what they give exactly is read once.
    """
    numbers = np.random.Generator(np.random.PCG64(20261129))
    with duckdb.connect() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            entropy, "words", lambda count: numbers.integers(0, 2**64, count, dtype=np.uint64)
        )
        connection.execute("CREATE TABLE visits(nr INTEGER PRIMARY KEY, id INTEGER)")
        connection.execute(
            f"INSERT INTO visits SELECT v, v % {UNITS} FROM range({UNITS * ROWS}) t(v)"
        )
        session = memory_session(connection, POLICY)
        with session.engine.snapshot():
            prepared = session.prepare(
                "SELECT COUNT(*) FROM visits", None, dialect="duckdb", asked=session.asked
            )
            answer, choice = prepared.planned.plans
            cells = execute.run(prepared.certified[1], session.engine, timeout=None)
        exact, noise, places = {}, [], []
        for _ in range(SIZE):
            place = read(perturb.run(choice, cells).table.column("a0").to_pylist()).place
            if place not in exact:
                plan = resolved(answer, [place])
                with session.engine.snapshot():
                    certified = session.certified(prepared.planned, plan)
                    exact[place] = plan, execute.run(certified, session.engine, timeout=None)
            (count,) = perturb.run(*exact[place]).table.column("a0").to_pylist()
            bound = choice.choice.candidates[place]
            noise.append((count - min(ROWS, bound) * UNITS) / bound)
            places.append(place)
        session.close()
    return np.array(noise), np.array(places), choice.choice.candidates


def p_of_scale(noise, scale):
    """Two-sided: Σ|x|/scale of n Laplace draws is Gamma(n). Rounding moves it by 0.2 % at most."""
    law, total = stats.gamma(len(noise)), float(np.abs(noise).sum()) / scale
    return 2 * min(law.cdf(total), law.sf(total))


def test_the_noise_of_a_whole_query_follows_the_bound_that_was_found(drawn):
    """Scale bound/(9ε/10) whatever is found; 5 % more or less is refused. False alarm 1e-5."""
    noise, places, _ = drawn
    scale = float(1 / (EPSILON * (1 - SHARE)))
    assert len(set(places)) > 3
    assert p_of_scale(noise, scale) > 1e-5
    assert p_of_scale(noise, scale * 1.05) < 1e-5
    assert p_of_scale(noise, scale * 0.95) < 1e-5
    assert stats.binomtest(int((noise > 0).sum()), int((noise != 0).sum())).pvalue > 1e-5
    for place in (0, 2):  # the noise is as large beside small bounds as beside large ones
        assert p_of_scale(noise[places == place], scale) > 1e-5


def test_the_choice_in_a_whole_query_follows_its_law(drawn):
    """Given the data: by how many units each candidate cuts. False alarm 1e-5."""
    _, places, candidates = drawn
    price = float(EPSILON * SHARE * (1 - COUNTED))

    def p_at(epsilon):
        cut = np.array([UNITS if end < ROWS else 0 for end in candidates])
        weights = np.exp(-epsilon * cut - float(STEP) * np.arange(len(candidates)))
        expected = weights / weights.sum() * SIZE
        last = int((np.cumsum(expected[::-1])[::-1] >= 5).sum()) - 1  # the rest together
        found = np.bincount(places, minlength=len(candidates))
        pair = [[*x[:last], x[last:].sum()] for x in (found, expected)]
        return stats.chisquare(*pair).pvalue

    assert p_at(price) > 1e-5
    assert p_at(price * 1.3) < 1e-5
    assert p_at(price / 1.3) < 1e-5
