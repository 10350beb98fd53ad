"""Bars of ratios of two noisy answers: two-sided coverage, shared noise, divisors that may be 0.

Fixed generator. 20,000 draws of a true 95 %: one standard error is 0.15 points, so a band of
±1 point is 6 of them; a bar 10 % too narrow or too wide moves the coverage by 2 points or more.
"""

from __future__ import annotations

import numpy as np
import pytest

from dpsql.mechanisms import open_ratio
from dpsql.mechanisms.interval import half_width
from dpsql.mechanisms.open_ratio import open_ratio_interval

DRAWS = 20_000
CASES = {
    "apart": ((1, 0), (0, 1), (900, 30), 30_000, 2_000),
    "negative divisor": ((1, 0), (0, 1), (900, 30), 30_000, -2_000),
    "shared": ((0, 1), (1, 1), (30, 30), 700, 2_000),
    "difference over sum": ((1, -1, 0), (1, 1, 1), (20, 20, 20), -300, 4_000),
    "nothing above": ((1, 0), (0, 1), (50, 10), 0, 1_000),
}


def drawn(law: str, case: str) -> tuple[np.ndarray, np.ndarray, dict[str, object], float]:
    c, d, scales, top, bottom = CASES[case]
    rng = np.random.default_rng(3)
    draw = rng.laplace if law == "laplace" else rng.normal
    noise = np.rint(draw(size=(len(scales), DRAWS)) * np.array(scales)[:, None])
    seen = top + np.array(c) @ noise, bottom + np.array(d) @ noise
    return *seen, {"numerator": c, "denominator": d, "scales": scales}, top / bottom


def coverage(law: str, case: str) -> float:
    top, bottom, fixed, truth = drawn(law, case)
    low, high = open_ratio_interval(top, bottom, law=law, **fixed)  # type: ignore[arg-type]
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
@pytest.mark.parametrize("case", CASES)
def test_the_bar_holds_the_ratio_as_often_as_it_says(law: str, case: str) -> None:
    assert 0.94 <= coverage(law, case) <= 0.96


@pytest.mark.parametrize("wrong", [0.9, 1.1])
@pytest.mark.parametrize("case", CASES)
def test_a_bar_a_tenth_too_short_or_too_long_is_seen(
    case: str, wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = open_ratio.pivot_widths
    monkeypatch.setattr(open_ratio, "pivot_widths", lambda *given: wrong * right(*given))
    open_ratio._table.cache_clear()
    try:
        assert not 0.94 <= coverage("gaussian", case) <= 0.96
    finally:
        open_ratio._table.cache_clear()


def test_shared_noise_taken_for_independent_is_seen() -> None:
    top, bottom, _, truth = drawn("gaussian", "shared")
    apart = {"numerator": (1, 0, 0), "denominator": (0, 1, 1), "scales": (30, 30, 30)}
    low, high = open_ratio_interval(top, bottom, law="gaussian", **apart)  # type: ignore[arg-type]
    assert not 0.94 <= float(((low <= truth) & (truth <= high)).mean()) <= 0.96


def test_a_divisor_that_may_be_nothing_leaves_no_interval() -> None:
    fixed = {"numerator": (1, 0), "denominator": (0, 1), "scales": (5, 5)}
    low, high = open_ratio_interval([40, 40], [3, 400], law="laplace", **fixed)  # type: ignore[arg-type]
    assert (low[0], high[0]) == (-np.inf, np.inf)
    assert 0 < low[1] < 0.1 < high[1] < 0.2


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
def test_next_to_no_noise_below_much_above_leaves_no_interval(law: str) -> None:
    """What lies between is beyond a double."""
    given = {"numerator": (1, 0), "denominator": (0, 1e-300), "scales": (1e9, 5)}
    low, high = open_ratio_interval([5.0], [1.0], law=law, **given)  # type: ignore[arg-type]
    assert (low[0], high[0]) == (-np.inf, np.inf)


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
@pytest.mark.parametrize("top", [10.0**power for power in range(3, 40, 3)])
@pytest.mark.parametrize("bottom", [-20.0, 50.0])
def test_a_ratio_far_beyond_its_noise_is_between_what_its_divisor_may_be(
    law: str, top: float, bottom: float
) -> None:
    """A rare part of very many: the noise of what is divided is nothing beside it."""
    noise = {"numerator": (1, 0), "denominator": (0, 1), "scales": (1, 1)}
    low, high = open_ratio_interval([top], [bottom], law=law, **noise)  # type: ignore[arg-type]
    width = half_width(law, [1], [1])
    ends = sorted((top / (bottom - width), top / (bottom + width)))
    assert low[0] == pytest.approx(ends[0], rel=3e-3)
    assert high[0] == pytest.approx(ends[1], rel=3e-3)


def test_other_confidences() -> None:
    top, bottom, fixed, truth = drawn("laplace", "apart")
    for wanted in (0.8, 0.99):
        low, high = open_ratio_interval(top, bottom, law="laplace", confidence=wanted, **fixed)  # type: ignore[arg-type]
        held = float(((low <= truth) & (truth <= high)).mean())
        assert abs(held - wanted) < 0.012  # 4 standard errors at 80 %, 17 at 99 %


def test_no_noise_is_the_ratio_itself_and_slack_widens() -> None:
    fixed = {"numerator": (1, 0), "denominator": (0, 1), "scales": (0, 0)}
    low, high = open_ratio_interval([6], [3], law="gaussian", **fixed)  # type: ignore[arg-type]
    assert (low[0], high[0]) == pytest.approx((2, 2), rel=1e-6)
    low, high = open_ratio_interval([6], [3], law="gaussian", slack=(0.5, 0.0), **fixed)  # type: ignore[arg-type]
    assert (low[0], high[0]) == pytest.approx((5.5 / 3, 6.5 / 3), rel=1e-3)
