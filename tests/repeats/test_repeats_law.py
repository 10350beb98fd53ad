"""The law of a mean of draws: its scale from both sides, its error bars, and its own order.

An empty table shows nothing but noise, and 10,000 public groups are 10,000 draws. The variance of
n draws has a relative standard deviation of √(2/n), 1.4 %: 4.5 of them (a false alarm below 1e-5)
are 6.4 %, while noise that is 5 % off is 10 % off in variance. Entropy is a fixed stream.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from dpsql.aggregates.noisy import NoisyBlock
from dpsql.mechanisms.gaussian import root_up
from dpsql.mechanisms.means import REFINED, Mean, average, complement, mean_of
from dpsql.mechanisms.samplers import rounded_gaussian
from dpsql.pipeline import perturb, storage
from dpsql.pipeline.stages import Drawn

CELLS = "SELECT a, b, COUNT(*) AS c FROM visits GROUP BY a, b"
TOLERATED = 0.064


def off(values, scale) -> float:
    """How far the variance about 0 is from scale²."""
    floats = np.asarray(values, dtype=float)
    return abs(float((floats * floats).mean()) / float(scale) ** 2 - 1)


def counts(session, epsilon):
    answer = session.query(CELLS, epsilon=epsilon)
    return np.array(answer.table.column("c").to_pylist(), dtype=float), answer


def scale_of(release) -> float:
    """σ in rows of what one Gaussian event drew: 10,000 groups of one row, L2 = √10,000."""
    ((event, _),) = release.events
    return float(Fraction(event["noise_multiplier"])) * 10_000**0.5


@pytest.fixture
def draws(place, opened):
    """Pure noise at ε = 0.5, at ε = 1 by averaging, and their releases."""
    session = opened(place(0, ("max_groups: 40", "max_groups: 10000")))
    coarse, first = counts(session, "0.5")
    fine, second = counts(session, "1")
    (a,), (b,) = first.privacy.releases, second.privacy.releases
    assert (a.answering.by, b.answering.by) == ("release", "mean")
    return coarse, fine, a, b, second


def test_the_scale_is_that_of_one_release(draws):
    """Right scales pass, 5 % more or less fail, from both sides."""
    coarse, fine, earlier, more, _ = draws
    s_a, s_new = scale_of(earlier), scale_of(more)
    wanted = (1 / (1 / s_a**2 + 1 / s_new**2)) ** 0.5
    assert off(coarse, s_a) < TOLERATED
    assert off(fine, wanted) < TOLERATED
    for wrong in (0.95 * wanted, 1.05 * wanted):
        assert off(fine, wrong) > TOLERATED


def test_the_scale_is_the_one_asked_for(draws):
    """That of a single release at ε = 1, δ = 1e-6, by the calibration itself."""
    from dpsql.accountant.calibrate import gaussian_multiplier

    _, fine, *_ = draws
    single = float(gaussian_multiplier(Fraction(1), Fraction(1, 10**6))) * 10_000**0.5
    assert off(fine, single) < TOLERATED


def test_the_mean_leans_on_both_draws(draws):
    """It is correlated with the earlier answer as the weights say, and so not a fresh release."""
    coarse, fine, earlier, more, _ = draws
    s_a, s_new = scale_of(earlier), scale_of(more)
    share = s_a**2 / (s_a**2 + s_new**2)
    slope = float((coarse * fine).mean() / (coarse * coarse).mean())
    # fine = share·new + (1 - share)·coarse: the slope's standard error is share·s_new/(s_a·100).
    assert abs(slope - (1 - share)) < 4.5 * share * s_new / s_a / 100
    assert 1 - share > 0.1


def test_error_bars_hold_what_they_say(draws):
    """95 % of the draws within the bar: 4.5 standard errors of 10,000 are 1 %."""
    *_, fine_answer = draws
    values = np.array(fine_answer.table.column("c").to_pylist(), dtype=float)
    (half,) = set(fine_answer.privacy.columns[2].half_widths)
    inside = float((np.abs(values) <= half).mean())
    assert 0.94 < inside < 0.965
    assert float((np.abs(values) <= 0.9 * half).mean()) < 0.94


@pytest.mark.parametrize("sigmas", [("8", "2"), ("1", "0.5"), ("0.6", "0.3"), ("1000", "999")])
def test_bars_of_small_and_large_noise(sigmas):
    """Never too short, where rounding shows most: S + the mean, rounded as COUNT is."""
    s_a, s_b = map(Fraction, sigmas)
    new = complement(s_a, s_b)
    mean, size = mean_of(s_a, new), 40_000
    shape = (1, size)
    drawn = rounded_gaussian(new, size).reshape(shape), rounded_gaussian(s_a, size).reshape(shape)
    coords = average(mean, drawn[0], drawn[1], 1)
    from dpsql.aggregates.basis import CountBlock, Rows
    from dpsql.aggregates.count import FAMILY
    from dpsql.core.ir import Aggregate
    from dpsql.mechanisms.means import SLACK

    block = NoisyBlock(
        CountBlock(Rows(None, None)), coords, REFINED, "gaussian", mean.scale * REFINED, SLACK
    )
    answer = FAMILY.combine(Aggregate("a0", "count_star", None, None), block)
    values = np.array(answer.values, dtype=float)
    half = float(answer.high[0] - answer.low[0]) / 2
    inside = float((np.abs(values) <= half).mean())
    assert inside > 0.95 - 4.5 * 0.0011  # the standard error at 95 % of 40,000
    assert half < 1.96 * float(s_b) + 1.1


def test_the_scale_is_rounded_up():
    for s_a, s_b in ((Fraction(7), Fraction(3)), (Fraction(10**12), Fraction(10**12 - 1))):
        new = complement(s_a, s_b)
        exact = 1 / (1 / s_b**2 - 1 / s_a**2)
        assert exact <= new**2 <= exact * (1 + Fraction(1, 2**58))
        mean = mean_of(s_a, new)
        assert s_b**2 <= mean.scale**2 <= s_b**2 * (1 + Fraction(1, 2**50))
        assert 1 / new**2 + 1 / s_a**2 <= 1 / s_b**2  # what both cost, at every order
    assert root_up(Fraction(4)) == 2


@pytest.mark.parametrize(("earlier", "wanted"), [("3", "3"), ("2", "3"), ("3", "0"), ("3", "-1")])
def test_only_a_smaller_scale_can_be_reached(earlier, wanted):
    with pytest.raises(ValueError, match="larger scale"):
        complement(Fraction(earlier), Fraction(wanted))


def test_an_average_is_exact():
    """Whole arithmetic, whatever the size; an earlier mean counts in its own unit."""
    mean = Mean(2**62, Fraction(1))  # a quarter of the new one
    new, old = np.array([[4, -(10**30)]], dtype=object), np.array([[8, 10**30]], dtype=object)
    assert average(mean, new, old, 1).tolist() == [[7 * REFINED, 5 * 10**29 * REFINED]]
    refined = old * REFINED
    assert average(mean, new, refined, REFINED).tolist() == average(mean, new, old, 1).tolist()
    with pytest.raises(ValueError, match="coordinates"):
        average(mean, new, old[:, :1], 1)
    with pytest.raises(ValueError, match="coordinates"):
        average(mean, new, old, 2)


def test_every_statement_finds_its_own_cells(place, opened):
    """Coordinates laid out by one statement, read by another that lists all in another order."""
    session = opened(place(0))
    one = (
        "SELECT k, b, COUNT(*), SUM(n), AVG(a) FROM visits"
        " WHERE k IN ('z', 'x') AND b IN (5, 1, 3) GROUP BY k, b"
    )
    other = (
        "SELECT AVG(a), b, SUM(n), k, COUNT(*) FROM visits"
        " WHERE b IN (3, 5, 1) AND k IN ('x', 'z') GROUP BY b, k"
    )

    def planned(sql):
        with session.engine.snapshot():
            found = session.plan(
                session.bind(sql, None, dialect="duckdb"), asked=session.asked_for(None, None)
            )
        return found.plans[0], found.forms[0]

    (plan, form), (plan2, form2) = planned(one), planned(other)
    assert form.question == form2.question
    assert form.keys != form2.keys or form.blocks != form2.blocks
    assert form.values != form2.values

    def marked(plan):
        """Coordinates that say which block, row and cell they are."""
        cells = list(product(*(key.values for key in plan.keys)))
        order = sorted(range(len(plan.keys)), key=lambda place: str(plan.keys[place].expr))
        names = [tuple(cell[place] for place in order) for cell in cells]
        coords = []
        for part in plan.blocks:
            rows = [
                [hash((part.block.row_total, row, name)) for name in names]
                for row in range(part.block.coordinates)
            ]
            coords.append(np.array(rows, dtype=object))
        return tuple(coords)

    scales = tuple(Fraction(part.block.row_total) for part in plan.blocks)
    drawn = Drawn(marked(plan), 1, scales)
    laid = storage._laid_coords(form, plan, drawn)
    itself = storage.restored_coords(form, plan, laid)
    assert [c.tolist() for c in itself.coords] == [c.tolist() for c in marked(plan)]
    assert itself.scales == scales
    back = storage.restored_coords(form2, plan2, laid)
    assert [c.tolist() for c in back.coords] == [c.tolist() for c in marked(plan2)]
    assert back.scales == tuple(Fraction(part.block.row_total) for part in plan2.blocks)


def test_a_repeat_in_other_words_shows_the_same_groups(place, opened):
    """Also of a mean, whose coordinates were restored for another order of keys and columns."""
    session = opened(place(3000))
    one = "SELECT k, b, COUNT(*) AS c, SUM(n) AS s FROM visits GROUP BY k, b"
    other = "SELECT SUM(n) AS s, b, k, COUNT(*) AS c FROM visits GROUP BY b, k"

    def groups(answer):
        return {(r["k"], r["b"]): (r["c"], r["s"]) for r in answer.table.to_pylist()}

    for first, second in ((one, other), (other, one)):
        for epsilon in ("0.5", "1", "2", "4", "8"):
            said = session.query(first, epsilon=epsilon)
            again = session.query(second, epsilon=epsilon)
            assert again.privacy.free
            assert groups(said) == groups(again)
            keys = [
                (r["b"], r["k"]) for r in session.query(other, epsilon=epsilon).table.to_pylist()
            ]
            assert keys == sorted(keys)


def test_two_like_aggregates_are_not_mixed_up(place, opened):
    """SUM(n + b) and SUM(b + n) are two draws: each column keeps its own."""
    session = opened(place(300))
    sql = "SELECT k, SUM(n + b) x, AVG(n + b) y, SUM(b + n) z, AVG(b + n) w FROM visits GROUP BY k"
    other = (
        "SELECT AVG(n + b) y, SUM(b + n) z, AVG(b + n) w, SUM(n + b) x, k FROM visits GROUP BY k"
    )
    first, again = session.query(sql), session.query(other)
    assert again.privacy.free
    rows = first.table.to_pylist()
    assert rows == [{name: row[name] for name in rows[0]} for row in again.table.to_pylist()]
    assert all(row["x"] != row["z"] for row in rows)


def test_what_is_stored_is_noisy(place, opened, monkeypatch):
    """No coordinate that is kept is an exact one."""
    session, seen, real = opened(place(3000)), [], perturb.run

    def watched(plan, cells, earlier=None):
        seen.append(real(plan, cells, earlier))
        return seen[-1]

    monkeypatch.setattr(perturb, "run", watched)
    session.query("SELECT b, k, COUNT(*) FROM visits GROUP BY b, k", epsilon="0.1")
    (coords,) = seen[0].drawn.coords
    exact = session.engine.fetch(
        "SELECT count(*) AS c FROM (SELECT DISTINCT id, b, k FROM visits) GROUP BY b, k",
        timeout=None,
    )
    assert not set(coords.ravel().tolist()) <= set(exact.column("c").to_pylist())
