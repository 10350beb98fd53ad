"""Real numbers known by a prefix of their bits, and the exact decisions that extend them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from dpsql.mechanisms import entropy

Enclosure = tuple[int, int]
WORD = 64


class LazyUniform:
    """A uniform real in [0, 1) of which the first `bits` bits are drawn: they read `prefix`.

    The real lies in [prefix, prefix + 1) / 2^bits. `extend` draws the next 64 bits; bits once
    drawn never change, so every decision made on a prefix stays true of the real itself.
    """

    __slots__ = ("bits", "prefix")

    def __init__(self, prefix: int, bits: int) -> None:
        self.prefix = prefix
        self.bits = bits

    def extend(self) -> None:
        """Draw 64 more bits."""
        self.prefix = self.prefix << WORD | int(entropy.words(1)[0])
        self.bits += WORD


def is_below(uniform: LazyUniform, enclose: Callable[[int], Enclosure]) -> bool:
    """Whether the uniform lies below the constant that `enclose(bits)` brackets in 2^-bits.

    Exact: decides only when the whole interval of the uniform lies on one side of the enclosure,
    and else draws more bits. Ends with probability 1 (each round leaves at most 2^-60 undecided).
    """
    while True:
        low, high = enclose(uniform.bits)
        if uniform.prefix + 1 <= low:
            return True
        if uniform.prefix >= high:
            return False
        uniform.extend()


def scaled_floor(cell: int, uniform: LazyUniform, scale: Fraction, offset: Fraction) -> int:
    """floor(scale * (cell + uniform) + offset), exactly; draws more bits where they are needed."""
    while True:
        denominator = scale.denominator * offset.denominator << uniform.bits
        slope = scale.numerator * offset.denominator
        base = offset.numerator * scale.denominator << uniform.bits
        point = (cell << uniform.bits) + uniform.prefix
        low = (slope * point + base) // denominator
        # The real lies strictly below the right end, so a right end on an integer excludes it.
        high = -(-(slope * (point + 1) + base) // denominator) - 1
        if low == high:
            return low
        uniform.extend()
