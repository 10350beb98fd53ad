"""Which keys may appear in an answer: thresholds on the noisy number of units that have a key."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms import entropy
from dpsql.mechanisms.addition import as_integers
from dpsql.mechanisms.exact_exp import exp_minus
from dpsql.mechanisms.gaussian import ratio_to_root
from dpsql.mechanisms.samplers import rounded_gaussian, truncated_geometric

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent

Kept = tuple[NDArray[np.bool_], NDArray[np.int64]]
Real = TypeVar("Real", Fraction, float)

MAX_SPREAD = 1 << 50
# The coin between two bounds is one word of entropy against a threshold in these units.
_COIN_BITS = 64
# Relative slack for libm's erfc and expm1/log1p, far above their error (a few 2^-53).
_FLOAT_SLACK = 2.0**-40


@dataclass(frozen=True, slots=True)
class Cut:
    """Noise on -bound..bound, and a key kept iff what it makes of the count exceeds the bound.

    What `TruncatedGeometricThreshold.draw` settles on for one release: it alone carries the price.
    """

    epsilon_per_key: Fraction
    bound: int
    min_units: int

    @property
    def shift(self) -> int:
        """What `min_units` adds to the threshold: min_units - 1, at least 0."""
        return max(self.min_units - 1, 0)

    @property
    def threshold(self) -> int:
        """The least noisy count that is released: bound + 1 + shift."""
        return self.bound + 1 + self.shift

    def pmf(self, count: int, ratio: Real) -> dict[int | None, Real]:
        """The law of one key's output; see `TruncatedGeometricThreshold.pmf`."""
        centre = max(count - self.shift, 0)
        bound = self.bound
        one = ratio / ratio
        unit = (one - ratio) / (one + ratio - 2 * ratio ** (bound + 1))
        law: dict[int | None, Real] = {None: one - one}
        for noise in range(-bound, bound + 1):
            noisy = centre + noise
            weight = unit * ratio ** abs(noise)
            key = noisy + self.shift if noisy > bound else None
            law[key] = law.get(key, one - one) + weight
        return law

    def release(self, exact: Exact[Any]) -> Kept:
        """(kept, noisy): bool and int64, one for each key; noisy is 0 where a key is withheld."""
        centre = np.maximum(_counts(exact) - self.shift, 0)
        noise = truncated_geometric(self.epsilon_per_key, self.bound, centre.size)
        noisy = centre + noise.astype(np.int64)
        kept = noisy > self.bound
        return kept, np.where(kept, noisy + self.shift, 0)


@dataclass(frozen=True, slots=True)
class TruncatedGeometricThreshold:
    """Release a key iff its count of units plus truncated geometric noise exceeds the bound.

    Guarantee:  Precondition: one unit adds at most 1 to the counts of at most `max_groups` keys,
                and counts are of distinct units after bounding; a key absent from the data has
                count 0. Postcondition: with e = epsilon / max_groups, d = delta / max_groups,
                m = max(n - shift, 0) and X on -K..K with P(x) proportional to exp(-e |x|),
                the pair (kept, noisy) is a function of m + X, which is (e, t_K)-DP for every pair
                n, n + 1 including 0, 1. One coin a release, blind to the data, takes K - 1
                instead of K just so often that the mean of t is at most d; with the coin shown
                the whole vector is (epsilon, delta)-DP. A key of count 0, or below min_units, is
                never kept. It is priced as max_groups pure-e events with delta kept apart.
    Source:     Desfontaines, Voss, Gipson, Mandayam 2020 (arXiv 2006.03684), k-TSGD, with K the
                least integer for which t_K = exp(-eK) P(0) <= d; the coin makes up for K being
                whole (docs/proofs/threshold.md, section 1: within d of their optimum); pricing
                by the decomposition of Kairouz, Oh, Viswanath 2015.
    Parameters: epsilon     price of the whole release, a rational > 0
                delta       chance bound of the whole release, a rational in (0, 1)
                max_groups  keys one unit can touch, integer >= 1
                min_units   keys of fewer units are never kept; 0 and 1 ask for nothing more
    Shape:      a 1-d vector of counts, one for each key; noise is independent across keys.
    Errors:     ValueError at construction only (also if K would exceed 2^62). `release` fails
                only for lack of entropy or for a dtype that is not integer.
    Numerics:   K and the coin by integer arithmetic with exp enclosed from both sides: a K that
                cannot be certified is not used (rounded up), the coin's chance is rounded down.
                Sampling is exact. d = delta / max_groups
                <= 1 - (1 - delta)^(1/max_groups), so the events' deltas sum to delta exactly.
    Cost:       about 0.5 us a key and 0.2 ms a call (benchmarks/mechanisms.py).
    """

    epsilon: Fraction
    delta: Fraction
    max_groups: int
    min_units: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.epsilon, (int, Fraction)) or self.epsilon <= 0:
            raise ValueError("epsilon is a rational above 0")
        _check_threshold(self.delta, self.max_groups, self.min_units)
        if self.bound >= 1 << 62:
            raise ValueError("the threshold at this epsilon and delta is beyond 2^62 units")

    @property
    def epsilon_per_key(self) -> Fraction:
        """epsilon / max_groups, exactly."""
        return Fraction(self.epsilon) / self.max_groups

    @property
    def delta_per_key(self) -> Fraction:
        """delta / max_groups, exactly."""
        return Fraction(self.delta) / self.max_groups

    @property
    def bound(self) -> int:
        """K: the noise lies in -K..K (or one less on either side, as `draw` decides)."""
        return least_bound(self.epsilon_per_key, self.delta_per_key)

    @property
    def shift(self) -> int:
        """What `min_units` adds to the threshold: min_units - 1, at least 0."""
        return max(self.min_units - 1, 0)

    @property
    def threshold(self) -> int:
        """The least noisy count that every draw releases: K + 1 + shift."""
        return self.bound + 1 + self.shift

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The events of one release, with counts."""
        from dpsql.accountant.events import Threshold

        return [(Threshold(self.epsilon_per_key, self.delta_per_key, 1), self.max_groups)]

    def pmf(self, count: int, ratio: Real) -> dict[int | None, Real]:
        """The law of one key's output at the true `count`, in the arithmetic of `ratio`.

        `ratio` stands for exp(-e), which is irrational: pass it in the precision you want (an
        mpmath number, a Fraction, a float). Maps each noisy count to its probability, and None
        to the probability that the key is withheld.
        """
        one = ratio / ratio
        law: dict[int | None, Real] = {None: one - one}
        for cut, chance in self.cuts:
            weight = one * chance.numerator / chance.denominator
            for noisy, p in cut.pmf(count, ratio).items():
                law[noisy] = law.get(noisy, one - one) + weight * p
        return law

    @property
    def cuts(self) -> list[tuple[Cut, Fraction]]:
        """What `draw` may settle on, with its chance: K, and K - 1 where that has any."""
        less = Fraction(often_less(self.epsilon_per_key, self.delta_per_key), 1 << _COIN_BITS)
        found = [(self._cut(self.bound), 1 - less), (self._cut(self.bound - 1), less)]
        return [(cut, chance) for cut, chance in found if chance > 0]

    def draw(self) -> Cut:
        """Toss the coin of one release. Never reads data; all keys of a release share it."""
        less = often_less(self.epsilon_per_key, self.delta_per_key)
        return self._cut(self.bound - (less > 0 and int(entropy.words(1)[0]) < less))

    def _cut(self, bound: int) -> Cut:
        return Cut(self.epsilon_per_key, bound, self.min_units)

    def release(self, exact: Exact[Any]) -> Kept:
        """(kept, noisy): bool and int64, one for each key; noisy is 0 where a key is withheld."""
        return self.draw().release(exact)


@dataclass(frozen=True, slots=True)
class GaussianThreshold:
    """Release a key iff its count of units plus rounded Gaussian noise reaches the threshold.

    Guarantee:  Precondition: one unit adds at most 1 to the counts of at most `max_groups` keys;
                a key absent from the data has count 0. Postcondition: with probability at least
                1 - delta no key held up by one unit alone is kept, and given that, the vector of
                noisy counts has the Renyi curve of a Gaussian mechanism with
                L2 = sqrt(max_groups): (kept, noisy) is priced as that Gaussian event plus delta
                kept apart. A key of count 0, or below min_units, is never kept.
    Source:     Gaussian thresholding as in Desfontaines et al. 2020 and Swanberg et al. 2023, with
                half a unit added because *rounded* noise passes half a unit early (delta was off
                by 1.4 to 36 times without); docs/proofs/threshold.md.
    Parameters: sigma       standard deviation of the noise, a rational in (0, 2^50]
                delta       chance bound of the whole release, a rational in (0, 1)
                max_groups  keys one unit can touch, integer >= 1
                min_units   keys of fewer units are never kept; 0 and 1 ask for nothing more
    Shape:      a 1-d vector of counts, one for each key; noise is independent across keys.
    Errors:     ValueError at construction only. `release` fails only for lack of entropy or for
                a dtype that is not integer.
    Numerics:   T = ceil(1 + sigma * quantile + 1/2), the quantile evaluated from above: it is a
                float z for which erfc(z/sqrt 2)/2, enlarged by a relative 2^-40, is still at most
                d, itself rounded down (libm's erfc is assumed right to a relative 2^-41). The
                last step is exact rational arithmetic. The noise multiplier rounds down.
    Cost:       about 0.2 us a key and 0.2 ms a call (benchmarks/mechanisms.py).
    """

    sigma: Fraction
    delta: Fraction
    max_groups: int
    min_units: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.sigma, (int, Fraction)) or not 0 < self.sigma <= MAX_SPREAD:
            raise ValueError("sigma is a rational above 0, at most 2^50")
        _check_threshold(self.delta, self.max_groups, self.min_units)

    @property
    def delta_per_key(self) -> Fraction:
        """1 - (1 - delta)^(1/max_groups), rounded down: the chance a lone unit's key may have."""
        return delta_per_key(Fraction(self.delta), self.max_groups)

    @property
    def shift(self) -> int:
        """What `min_units` adds to the threshold: min_units - 1, at least 0."""
        return max(self.min_units - 1, 0)

    @property
    def threshold(self) -> int:
        """The least noisy count that is released: ceil(1 + sigma * quantile + 1/2) + shift."""
        quantile = Fraction(upper_quantile(self.delta_per_key))
        return math.ceil(Fraction(3, 2) + Fraction(self.sigma) * quantile) + self.shift

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The events of one release, with counts."""
        from dpsql.accountant.events import Gaussian, Threshold

        multiplier = ratio_to_root(Fraction(self.sigma), self.max_groups)
        return [
            (Gaussian(noise_multiplier=multiplier), 1),
            (Threshold(Fraction(0), Fraction(self.delta), 1), 1),
        ]

    def draw(self) -> GaussianThreshold:
        """Nothing is left to chance before the noise: the threshold is real-valued."""
        return self

    def release(self, exact: Exact[Any]) -> Kept:
        """(kept, noisy): bool and int64, one for each key; noisy is 0 where a key is withheld."""
        counts = _counts(exact)
        noise = rounded_gaussian(Fraction(self.sigma), counts.size).astype(np.int64)
        noisy = counts + noise
        kept = (counts > self.shift) & (noisy >= self.threshold)
        return kept, np.where(kept, noisy, 0)


@lru_cache(maxsize=1024)
def least_bound(rate: Fraction, delta: Fraction) -> int:
    """The least integer K >= 1 certified to have P(X = K) = r^K (1-r)/(1+r-2r^(K+1)) <= delta.

    r = exp(-rate). Cleared of its denominator the condition reads r^K (1-r+2 delta r) <=
    delta (1+r), monotone in K; both sides are enclosed by integers and compared outward, so
    the K returned satisfies it whatever the rounding.
    """
    bits = 256 + delta.denominator.bit_length() + rate.denominator.bit_length()
    one = 1 << bits
    low, high = exp_minus(rate.numerator, rate.denominator, bits)
    slope = 2 * delta.numerator - delta.denominator
    # 1 - r + 2 delta r = 1 + (2 delta - 1) r, from above; over delta's denominator.
    factor = delta.denominator * one + slope * (high if slope > 0 else low)
    right = delta.numerator * (one + low) * one

    def certified(bound: int) -> bool:
        _, power = exp_minus(rate.numerator * bound, rate.denominator, bits)
        return power * factor <= right

    below, above = 0, 1
    while not certified(above):
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        if certified(middle):
            above = middle
        else:
            below = middle
    return above


@lru_cache(maxsize=1024)
def often_less(rate: Fraction, delta: Fraction) -> int:
    """How often, in 2^-64, K - 1 may stand in for K = least_bound: 0 where K is 1.

    The largest c with c t(K-1) + (1 - c) t(K) <= delta, t(K) = P(X = K) on -K..K taken from
    above: both enclosures round toward a smaller c.
    """
    bound = least_bound(rate, delta)
    if bound == 1:
        return 0  # without noise a lone unit's key would show
    wide, narrow = _edge_up(rate, bound, delta), _edge_up(rate, bound - 1, delta)
    if wide > delta or narrow <= delta:
        return 0  # only if enclosures are too coarse to tell
    return math.floor((delta - wide) / (narrow - wide) * (1 << _COIN_BITS))


def _edge_up(rate: Fraction, bound: int, delta: Fraction) -> Fraction:
    """t(bound) = r^bound (1 - r) / (1 + r - 2 r^(bound+1)), r = exp(-rate), from above."""
    bits = 256 + delta.denominator.bit_length() + rate.denominator.bit_length()
    one = 1 << bits
    low, _ = exp_minus(rate.numerator, rate.denominator, bits)
    _, power = exp_minus(rate.numerator * bound, rate.denominator, bits)
    _, next_power = exp_minus(rate.numerator * (bound + 1), rate.denominator, bits)
    return Fraction(power * (one - low), one * (one + low - 2 * next_power))


@lru_cache(maxsize=1024)
def delta_per_key(delta: Fraction, keys: int) -> Fraction:
    """A rational at most 1 - (1 - delta)^(1/keys) and at least delta / keys (Bernoulli)."""
    union = delta / keys
    if delta > Fraction(1, 2) or keys == 1:
        return union
    root = -math.expm1(math.log1p(-float(delta)) / keys)
    return max(union, Fraction(root * (1 - _FLOAT_SLACK)))


@lru_cache(maxsize=1024)
def upper_quantile(tail: Fraction) -> float:
    """A float z, from above, with 1 - Phi(z) <= tail; within a relative 1e-11 of the quantile."""
    target = float(tail) * (1 - _FLOAT_SLACK)
    low, high = -40.0, 40.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return high
        if math.erfc(middle / math.sqrt(2)) / 2 <= target:
            high = middle
        else:
            low = middle


def _check_threshold(delta: Fraction, max_groups: int, min_units: int) -> None:
    if not isinstance(delta, Fraction) or not 0 < delta < 1:
        raise ValueError("delta is a rational in (0, 1)")
    if not isinstance(max_groups, int) or max_groups < 1:
        raise ValueError("max_groups is an integer of at least 1")
    if not isinstance(min_units, int) or not 0 <= min_units < 1 << 62:
        raise ValueError("min_units is an integer of at least 0")


def _counts(exact: Exact[Any]) -> NDArray[np.int64]:
    return as_integers(exact.open_for_noise()).astype(np.int64)
