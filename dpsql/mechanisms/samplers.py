"""Exact, vectorised samples of rounded Laplace and rounded Gaussian noise, and of geometrics.

Postcondition of every sampler: the integers returned are independent and have *exactly* the
stated law, given independent uniform words from `entropy` and three facts about floating point:
IEEE 754 double arithmetic (+, -, *, correctly rounded), numpy's exp within 2^-41 of the truth on
[-1, 0], and floor and rint exact. A float decides only where it is surely right (the filters
below); an undecided draw is finished by integer arithmetic on the *same* bits, extended lazily.
Proof: docs/proofs/rounded_noise.md.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.mechanisms import entropy
from dpsql.mechanisms.bernoulli import bernoulli_exp
from dpsql.mechanisms.laws import (
    CELLS_PER_UNIT,
    EXPONENTIAL,
    HALF_GAUSSIAN,
    TABLE_BITS,
    Law,
    exact_accept,
    exact_cell,
    table,
)
from dpsql.mechanisms.lazy import LazyUniform, scaled_floor

Integers = NDArray[Any]  # int64, or Python ints (dtype object) above INT64_SCALE

INT64_SCALE = 1 << 40
BLOCK = 1 << 14
POSITION_BITS = 53
# Half-widths of the filters: a float comparison closer than this is decided by exact arithmetic.
# Tests raise them to force every draw through the exact path.
ACCEPT_MARGIN = 2.0**-40
FLOOR_MARGIN = 2.0**-50

_HALF = Fraction(1, 2)


def rounded_laplace(scale: Fraction, size: int) -> Integers:
    """`size` draws of round(L), L continuous Laplace with density exp(-|x|/scale) / (2 scale).

    scale: any positive rational. int64 up to scale 2^40, Python ints (dtype object) above.
    ValueError unless scale > 0 and size >= 0.
    """
    magnitude, negative = _draw(EXPONENTIAL, scale, _HALF, size)
    return _signed(magnitude, negative)


def rounded_gaussian(sigma: Fraction, size: int) -> Integers:
    """`size` draws of round(N), N continuous Gaussian with mean 0 and standard deviation sigma.

    sigma: any positive rational. int64 up to sigma 2^40, Python ints (dtype object) above.
    ValueError unless sigma > 0 and size >= 0.
    """
    magnitude, negative = _draw(HALF_GAUSSIAN, sigma, _HALF, size)
    return _signed(magnitude, negative)


def truncated_geometric(rate: Fraction, bound: int, size: int) -> Integers:
    """`size` draws of X on -bound..bound with P(X = x) proportional to exp(-rate |x|).

    rate: any positive rational. int64 where bound and 1/rate are at most 2^40, else maybe object.
    ValueError unless rate > 0, 1 <= bound < 2^62, size >= 0.
    Two rejection samplers, both exact: from a geometric with a sign, accepted half the time where
    rate * bound is not small; else from the uniform law, accepted at least exp(-1) of the time.
    """
    if rate <= 0 or not 1 <= bound < 1 << 62 or size < 0:
        raise ValueError("a truncated geometric needs rate > 0 and 1 <= bound < 2^62")
    propose = _signed_geometric if rate * bound > 1 else _tilted_uniform
    parts: list[Integers] = []
    found = 0
    while not parts or found < size:
        draws = propose(Fraction(rate), bound, min(2 * (size - found) + 8, BLOCK))
        parts.append(draws[: size - found])
        found += len(parts[-1])
    return np.concatenate(parts)


def _signed_geometric(rate: Fraction, bound: int, tries: int) -> Integers:
    """floor(E / rate), E exponential, has P(g) proportional to exp(-rate g); give it a fair sign
    and reject (minus, 0), which would count 0 twice, and magnitudes above `bound`."""
    magnitude, negative = _draw(EXPONENTIAL, 1 / rate, Fraction(0), tries)
    keep = (magnitude <= bound) & ~((magnitude == 0) & negative)
    kept: Integers = _signed(magnitude, negative)[keep]
    return kept


def _tilted_uniform(rate: Fraction, bound: int, tries: int) -> Integers:
    """X uniform on -bound..bound (masked rejection), accepted with probability exp(-rate |X|)."""
    mask = (1 << (2 * bound).bit_length()) - 1
    draws = entropy.words(tries) & np.uint64(mask)
    values = draws[draws <= np.uint64(2 * bound)].astype(np.int64) - bound
    return values[bernoulli_exp(rate, np.abs(values))]


def _signed(magnitude: Integers, negative: NDArray[np.bool_]) -> Integers:
    np.negative(magnitude, out=magnitude, where=negative)
    return magnitude


def _draw(
    law: Law, scale: Fraction, offset: Fraction, size: int
) -> tuple[Integers, NDArray[np.bool_]]:
    """`size` draws of floor(scale * x + offset), x of the law, and as many fair signs."""
    if scale <= 0 or size < 0:
        raise ValueError("a sampler needs a scale above 0 and a size of at least 0")
    step = Fraction(scale) / CELLS_PER_UNIT
    magnitudes: list[Integers] = []
    signs: list[NDArray[np.bool_]] = []
    missing = size
    while missing or not magnitudes:
        cell, prefix, negative, extended = _positions(law, min(missing + missing // 16 + 8, BLOCK))
        # Candidates are independent, so the first `missing` accepted ones are a fair sample.
        cell, prefix = cell[:missing], prefix[:missing]
        magnitudes.append(_floors(cell, prefix, extended, step, offset))
        signs.append(negative[:missing])
        missing -= len(cell)
    if len(magnitudes) == 1:
        return magnitudes[0], signs[0]
    return np.concatenate(magnitudes), np.concatenate(signs)


def _positions(
    law: Law, count: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.bool_], dict[int, LazyUniform]]:
    """Propose `count` pairs (cell, u) and keep the accepted: cells, 53-bit prefixes of u, signs.

    Of each candidate's two words the first gives 32 bits of the cell's uniform and 32 of the
    coin's, the second 53 bits of u and one sign. Last comes what the exact path has extended,
    by index among the accepted.
    """
    words = entropy.words(2 * count)
    halves = words[:count].view(np.uint32)
    cell_word, coin_word = halves[0::2], halves[1::2]
    prefix = words[count:] >> np.uint64(64 - POSITION_BITS)
    bounds = table(law)
    cell = bounds.searchsorted(cell_word)
    u = prefix.astype(np.float64) * 2.0**-POSITION_BITS
    # The coin is a real in [coin_word, coin_word + 1) * 2^-32; only its left end is known here.
    gap = coin_word * 2.0**-TABLE_BITS - np.exp(-law.gamma_float(cell.astype(np.float64), u))
    accept = gap < -(2.0**-TABLE_BITS + ACCEPT_MARGIN)
    doubtful = ((gap <= ACCEPT_MARGIN) & ~accept) | (bounds[cell] == cell_word)
    extended: dict[int, LazyUniform] = {}
    for index in np.flatnonzero(doubtful).tolist():
        cell[index] = exact_cell(law, int(cell_word[index]))
        extended[index] = LazyUniform(int(prefix[index]), POSITION_BITS)
        coin = LazyUniform(int(coin_word[index]), TABLE_BITS)
        accept[index] = exact_accept(law, int(cell[index]), extended[index], coin)
    kept = np.flatnonzero(accept)
    negative = (words[count:][kept] & np.uint64(1)).astype(bool)
    renamed = {
        int(kept.searchsorted(index)): lazy for index, lazy in extended.items() if accept[index]
    }
    return cell[kept], prefix[kept], negative, renamed


def _floors(
    cell: NDArray[np.int64],
    prefix: NDArray[np.uint64],
    extended: dict[int, LazyUniform],
    step: Fraction,
    offset: Fraction,
) -> Integers:
    """floor(step * (cell + u) + offset) for every accepted pair."""
    if step * CELLS_PER_UNIT > INT64_SCALE:
        return _big_floors(cell, prefix, extended, step, offset)
    slope = float(step)
    value = (cell + prefix * 2.0**-POSITION_BITS) * slope + float(offset)
    # Relative term: five roundings of 2^-53 each. Absolute term: the bits of u not yet drawn.
    margin = value * FLOOR_MARGIN + slope * 2.0**-52
    doubtful = np.abs(value - np.rint(value)) <= margin
    result = np.floor(value).astype(np.int64)
    for index in np.flatnonzero(doubtful).tolist():
        lazy = extended.get(index) or LazyUniform(int(prefix[index]), POSITION_BITS)
        result[index] = scaled_floor(int(cell[index]), lazy, step, offset)
    return result


def _big_floors(
    cell: NDArray[np.int64],
    prefix: NDArray[np.uint64],
    extended: dict[int, LazyUniform],
    step: Fraction,
    offset: Fraction,
) -> Integers:
    """The same in Python ints, for scales beyond 2^40: all bits that matter are drawn at once."""
    wide = -(-(int(step).bit_length() + 16) // 64)
    extra = entropy.words(wide * len(cell)).reshape(len(cell), wide).tolist()
    result = np.empty(len(cell), dtype=object)
    for index, (start, bits, more) in enumerate(
        zip(cell.tolist(), prefix.tolist(), extra, strict=True)
    ):
        lazy = extended.get(index) or LazyUniform(bits, POSITION_BITS)
        for word in more:
            lazy.prefix = lazy.prefix << 64 | word
        lazy.bits += 64 * wide
        result[index] = scaled_floor(start, lazy, step, offset)
    return result
