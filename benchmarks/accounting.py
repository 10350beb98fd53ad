"""What k releases cost by each way of counting, and how many each way of deciding admits.

    python benchmarks/accounting.py [largest k]

First table: the epsilon of k releases at delta = 1e-6, for a list fixed in advance. Noise is 10
sensitivities; "mixed" is half Gaussian, half Laplace (for k = 1 one of each).
- basic: each Gaussian at delta / k by Balle and Wang, Laplace pure, summed.
- advanced: heterogeneous advanced composition with the constants of Whitehouse et al. 2023.
- zCDP: the closed form of Bun and Steinke 2016. RDP, PLD: `accountant.epsilon`, `pld.epsilon`.
Then, at a budget of that RDP epsilon, rounded up to three digits: releases admitted one by one
under adaptivity by the mixture filter (all of delta for the filter), and what hindsight, by PLD,
knows would have fit.

Second table: processor seconds to price 100,000 releases at a budget's orders, best of three, on
one core. "One by one": events that no array takes (key selection, quantiles), a tenth as many.
Measured (Python 3.11, numpy 2.4, x86-64):

    200 different ones, shared objects      0.04 s
    200 different ones, read anew           0.11 s
    all different                           0.43 s
    all different, of four kinds            0.92 s
    10,000 different, one by one            0.25 s
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

from dpsql.accountant import (
    ZCDP,
    Exponential,
    Gaussian,
    Laplace,
    PrivacyEvent,
    Pure,
    epsilon,
    pld,
)
from dpsql.accountant.charge import price
from dpsql.accountant.filter import BudgetTerms, admits

DELTA = Fraction(1, 10**6)
NOISE = 10
# A coarser grid than the default: 1e-4 relative, and quick.
POINTS = 2**14
MANY = 100_000

Items = list[tuple[PrivacyEvent, int]]
COLUMNS = ("basic", "advanced", "zCDP", "RDP", "PLD")


def workload(name: str, k: int) -> Items:
    gaussian, laplace = (Gaussian(NOISE), k), (Laplace(NOISE), k)
    if name == "mixed":
        half = max(1, k // 2)
        return [(Gaussian(NOISE), half), (Laplace(NOISE), half)]
    return [gaussian if name == "Gaussian" else laplace]


def counts(items: Items) -> tuple[int, int]:
    """How many Gaussian and Laplace releases."""
    gaussians = sum(n for event, n in items if isinstance(event, Gaussian))
    return gaussians, sum(n for _, n in items) - gaussians


def basic(items: Items, delta: Fraction = DELTA) -> float:
    gaussians, laplaces = counts(items)
    each = pld.epsilon([Gaussian(NOISE)], delta=delta / gaussians) if gaussians else 0.0
    return gaussians * each + laplaces / NOISE


def advanced(items: Items) -> float:
    """sqrt(2 log(1/delta') sum e^2) + sum e^2 / 2; half of delta for the Gaussians' own."""
    gaussians, laplaces = counts(items)
    share = DELTA / 2 if gaussians else DELTA
    each = pld.epsilon([Gaussian(NOISE)], delta=share / gaussians) if gaussians else 0.0
    squares = gaussians * each**2 + laplaces / NOISE**2
    return min(basic(items, share), math.sqrt(2 * math.log(1 / share) * squares) + squares / 2)


def zcdp(items: Items) -> float:
    """rho + 2 sqrt(rho log(1/delta)), Laplace at its tight rho = e + exp(-e) - 1."""
    gaussians, laplaces = counts(items)
    e = 1 / NOISE
    rho = gaussians * e**2 / 2 + laplaces * (e + math.expm1(-e))
    return rho + 2 * math.sqrt(rho * math.log(1 / DELTA))


def costs(items: Items) -> list[float]:
    """One epsilon for each of COLUMNS."""
    return [
        basic(items),
        advanced(items),
        zcdp(items),
        epsilon(items, delta=DELTA),
        pld.epsilon(items, delta=DELTA, points=POINTS),
    ]


def most(fits: Callable[[int], bool]) -> int:
    """The largest n that fits, by doubling and bisection; 0 if none."""
    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def admitted(name: str, promised: Fraction) -> tuple[int, int]:
    """(by the filter, by hindsight): releases of this workload within (promised, DELTA)."""
    terms = BudgetTerms.create(promised, DELTA, split=Fraction(0))

    def some(n: int) -> Items:
        if name != "mixed":
            return workload(name, n)
        return [(Gaussian(NOISE), n - n // 2), (Laplace(NOISE), n // 2)]

    ours = most(lambda n: admits(terms, price(some(n), terms.orders)))
    hindsight = most(lambda n: pld.epsilon(some(n), delta=DELTA, points=POINTS) <= promised)
    return ours, hindsight


def rounded_up(value: float) -> Fraction:
    """To three significant digits."""
    unit = Fraction(10) ** (math.floor(math.log10(value)) - 2)
    return math.ceil(Fraction(value) / unit) * unit


def table(sizes: list[int]) -> Iterator[str]:
    head = f"{'releases':16} {'k':>5}" + "".join(f"{name:>10}" for name in COLUMNS)
    yield head + f"{'filter':>9}{'hindsight':>11}"
    for name in ("Gaussian", "Laplace", "mixed"):
        for k in sizes:
            found = costs(workload(name, k))
            ours, hindsight = admitted(name, rounded_up(found[COLUMNS.index("RDP")]))
            figures = "".join(f"{value:10.4g}" for value in found)
            yield f"{name:16} {k:5}{figures}{ours:9}{hindsight:11}"


KINDS: list[PrivacyEvent] = [
    *(Laplace(k) for k in range(1, 101)),
    *(Gaussian(k) for k in range(1, 101)),
]
# 100,000 releases, one by one: what a ledger of some years could hold. Name: (how many, the i-th).
LISTS: dict[str, tuple[int, Callable[[int], PrivacyEvent]]] = {
    "200 different ones, shared objects": (MANY, lambda i: KINDS[i % 200]),
    "200 different ones, read anew": (
        MANY,
        lambda i: (Gaussian if i % 2 else Laplace)(1 + i % 100),
    ),
    "all different": (MANY, lambda i: Laplace(Fraction(MANY + i, 1000))),
    "all different, of four kinds": (
        MANY,
        lambda i: (Laplace, Gaussian, Pure, ZCDP)[i % 4](Fraction(MANY + i, 1000)),
    ),
    "10,000 different, one by one": (
        MANY // 10,
        lambda i: Exponential(Fraction(MANY + i, 10**6)),
    ),
}


def events_of(name: str) -> list[PrivacyEvent]:
    """One of the lists."""
    count, make = LISTS[name]
    return [make(i) for i in range(count)]


def speed() -> Iterator[str]:
    terms = BudgetTerms.create(Fraction(10), DELTA)
    for name in LISTS:
        events, times = events_of(name), []
        for _ in range(3):
            start = time.process_time()
            price(events, terms.orders)
            times.append(time.process_time() - start)
        yield f"{name:36} {min(times):8.3f} s"


def main() -> None:
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"epsilon at delta = {float(DELTA):g}, noise of {NOISE} sensitivities")
    for line in table([k for k in (1, 10, 100, 1000) if k <= largest]):
        print(line, flush=True)
    print(f"\nprocessor seconds to price {MANY:,} releases")
    for line in speed():
        print(line, flush=True)


if __name__ == "__main__":
    main()
