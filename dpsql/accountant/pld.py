"""epsilon and delta of a fixed list by its privacy loss distribution: an upper bound, and tight.

For lists that did not depend on answers, as in `convert`, and for reports only: the privacy loss
distribution is no admission rule either (docs/proofs/filter.md, 5). Rényi curves overstate
epsilon by some 5 %; this does not. Theorem and error bound: docs/proofs/pld.md.

Both are upper bounds whatever the grid. With k releases that are not Gaussian, grid step h and
any beta > 0 they are at most the true epsilon at delta - beta, plus
2 h sqrt(k log(1/beta) / 2) + k h^2 / 2; h is about 2^-13 standard deviations of the summed loss at
the default number of points. Needs numpy and scipy; costs one FFT for each different event, all
Gaussians counting as one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

from dpsql.accountant import convert
from dpsql.accountant.compose import Composition, Item
from dpsql.accountant.events import Gaussian, PoissonGaussian
from dpsql.accountant.loss_cells import Cells, Direction, cells, gaussian_cells, repeats
from dpsql.accountant.loss_grid import on_grid
from dpsql.accountant.loss_sum import LossSum
from dpsql.accountant.parameters import natural, non_negative
from dpsql.accountant.rounding import float_down, float_up

# Grid points of the window; a grid step follows from the spread of the summed loss.
POINTS = 2**18
_MOST_POINTS = 2**24
# The longest grid of one event's losses, in steps.
_LONGEST = 2**22
# The window, in standard deviations of the summed loss to each side.
_REACH = 14.0
# Cells are finer than the grid, so that few of them straddle a grid point.
_CELLS_PER_STEP = 2
# The strongest tilt, in units of one over the standard deviation: enough for delta = 1e-30,
# at the end of a bounded law too.
_STRONGEST = 60.0
_DELTA_UNIT = 10**80
_DIRECTIONS: tuple[Direction, ...] = ("remove", "add")


def epsilon(events: Iterable[Item], *, delta: object, points: int = POINTS) -> float:
    """The epsilon of all events together at `delta`, in nats, rounded up; inf if there is none.

    Never more than `accountant.epsilon`. `points`: grid points, rounded up to a power of two.
    Errors: ValueError for an invalid item, for delta outside [0, 1], and for events whose loss
    distribution is not known (ZCDP, DiscreteGaussian with sensitivity above 1).
    """
    whole = Composition.of(events)
    _check_supported(whole)
    rough = convert.epsilon(whole.parts, delta=delta)
    chance = float_down(non_negative(delta, "delta") - _selection(whole))
    if not 0 < rough < math.inf or not 0 < chance < 1:
        return rough
    found = [_least_epsilon(s, chance, rough) for s in _sums(whole, rough, points)]
    return min(rough, max(found, default=rough))


def delta(events: Iterable[Item], *, epsilon: object, points: int = POINTS) -> float:
    """The delta of all events together at `epsilon`, rounded up, at most 1.

    Never more than `accountant.delta`. Errors: as for `epsilon`, and ValueError for an epsilon
    that is negative or not finite.
    """
    whole = Composition.of(events)
    _check_supported(whole)
    rough = convert.delta(whole.parts, epsilon=epsilon)
    target, selection = float_down(non_negative(epsilon, "epsilon")), _selection(whole)
    if rough <= float_up(selection):
        return rough
    found = max((s.delta_from_above(target) for s in _sums(whole, target, points)), default=1.0)
    return min(rough, float_up(Fraction(found) + selection))


def _selection(whole: Composition) -> Fraction:
    return Fraction(whole.delta_units(_DELTA_UNIT), _DELTA_UNIT)


def _check_supported(whole: Composition) -> None:
    """Ask every event for cells on the coarsest grid: an unknown one raises."""
    for event, _ in whole.parts:
        cells(event, math.inf, "remove")


def _sums(whole: Composition, centre: float, points: int) -> Iterator[LossSum]:
    """The summed loss around `centre`, in both directions, or once if they are the same.

    Nothing if a loss is larger than any grid: Rényi's bound stands then.
    """
    size = 2 ** max(10, (min(natural(points, "points"), _MOST_POINTS) - 1).bit_length())
    exponent, low, high = _window(whole, centre)
    step = 2.0 ** math.ceil(math.log2((high - low) / size))
    one_sided = any(isinstance(event, PoissonGaussian) for event, _ in whole.parts)
    for direction in _DIRECTIONS if one_sided else _DIRECTIONS[:1]:
        pieces = list(_pieces(whole, step / _CELLS_PER_STEP, direction))
        if any(piece.high.max() - piece.low.min() > _LONGEST * step for piece, _ in pieces):
            return
        parts = [(on_grid(piece, step), count) for piece, count in pieces]
        yield LossSum.of(parts, exponent, math.floor(low / step), size)


def _window(whole: Composition, centre: float) -> tuple[float, float, float]:
    """The tilt for epsilons near `centre`, and the losses to look at: neither affects soundness.

    From K(t) = t D_{1+t}, the logarithmic moments of the summed loss: the tilt minimises
    K(t) - t centre, where the tilted mean K' is `centre`, kept within reach of floats.
    """

    def moment(t: float) -> float:
        return t * whole.renyi(1 + t)

    spread = math.sqrt(2 * whole.renyi(1.0)) or 2.0**-100
    tilts = [_STRONGEST / spread * 1.2**-k for k in range(30)]
    tilt = min(tilts, key=lambda t: moment(t) - t * centre)
    near = [moment(tilt * (1 + d)) for d in (-0.05, 0.0, 0.05)]
    mean = (near[2] - near[0]) / (0.1 * tilt)
    curvature = (near[2] - 2 * near[1] + near[0]) / (0.05 * tilt) ** 2
    if not (math.isfinite(mean) and math.isfinite(curvature)):
        mean, curvature = centre, 0.0
    reach = _REACH * max(spread, math.sqrt(max(curvature, 0.0)))
    return tilt, min(mean, centre) - reach, max(mean, centre) + reach


def _pieces(whole: Composition, width: float, direction: Direction) -> Iterator[tuple[Cells, int]]:
    """Each different event's cells; Gaussians of mu_i together are one of (sum mu_i^2)^1/2."""
    squares = Fraction(0)
    for event, count in whole.parts:
        if isinstance(event, Gaussian):
            squares += count / event.noise_multiplier**2
        else:
            yield cells(event, width, direction), count * repeats(event)
    if squares:
        mu = math.nextafter(math.sqrt(float_up(squares)), math.inf)
        yield gaussian_cells(mu, width), 1


def _least_epsilon(losses: LossSum, delta: float, highest: float) -> float:
    """The least epsilon that certainly has `delta`, to a 2^-40 of the way to `highest`."""
    low, high = 0.0, highest
    if losses.delta_from_above(high) > delta:
        return math.inf
    for _ in range(40):
        middle = (low + high) / 2
        if losses.delta_from_above(middle) <= delta:
            high = middle
        else:
            low = middle
    return high
