"""Samples per second of the noise samplers, beside numpy (insecure) and OpenDP if installed.

    python benchmarks/mechanisms.py [size]

Prints the best of five runs. numpy's generators are a yardstick of speed only: neither their
bits nor their floating-point samples are fit for privacy.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from dpsql.core.exact import Exact
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.mechanisms.samplers import rounded_gaussian, rounded_laplace, truncated_geometric
from dpsql.mechanisms.threshold import GaussianThreshold, TruncatedGeometricThreshold

REPEATS = 5
SCALES = [Fraction(1, 10**9), Fraction(7, 2), Fraction(2**20 + 1, 3), Fraction(2**40)]


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of five runs, after one to warm up."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def line(name: str, size: int, seconds: float) -> None:
    print(f"{name:44} {size:>8}  {size / seconds / 1e6:8.3f} M/s  {seconds / size * 1e9:9.0f} ns")


def samplers(size: int) -> None:
    for scale in SCALES:
        for name, draw in (("laplace", rounded_laplace), ("gaussian", rounded_gaussian)):
            seconds = best(lambda draw=draw, scale=scale: draw(scale, size))
            line(f"dpsql rounded {name}, scale {float(scale):.3g}", size, seconds)
    few = size // 20
    line("dpsql rounded laplace, scale 2^100", few, best(lambda: rounded_laplace(2**100, few)))
    line(
        "dpsql truncated geometric, e = 1/10",
        size,
        best(lambda: truncated_geometric(Fraction(1, 10), 200, size)),
    )


def mechanisms(size: int) -> None:
    counts = Exact(np.full(size, 100))
    delta = Fraction(1, 10**6)
    for mechanism in (
        LaplaceMechanism(Fraction(10), 1, 1),
        GaussianMechanism(Fraction(10), 1),
        TruncatedGeometricThreshold(Fraction(1), delta, 3),
        GaussianThreshold(Fraction(10), delta, 3),
    ):
        line(type(mechanism).__name__, size, best(lambda m=mechanism: m.release(counts)))


def overhead() -> None:
    for size in (1, 10, 100, 1000):
        seconds = best(lambda size=size: rounded_laplace(Fraction(3), size))
        print(f"{'one call of rounded_laplace':44} {size:>8}  {seconds * 1e6:8.0f} us")


def yardsticks(size: int) -> None:
    insecure = np.random.default_rng()
    line("numpy normal (insecure)", size, best(lambda: insecure.normal(0, 10, size)))
    line("numpy laplace (insecure)", size, best(lambda: insecure.laplace(0, 10, size)))
    try:
        import opendp.prelude as dp
    except ImportError:
        print("opendp is not installed")
        return
    dp.enable_features("contrib")
    domain = dp.vector_domain(dp.atom_domain(T="i64"))
    few = max(1, size // 20)
    zeros = [0] * few
    for name, build, metric in (
        ("laplace", dp.m.make_laplace, dp.l1_distance(T="i64")),
        ("gaussian", dp.m.make_gaussian, dp.l2_distance(T=float)),
    ):
        measure = build(domain, metric, scale=10.0)
        line(f"OpenDP discrete {name}", few, best(lambda measure=measure: measure(zeros)))


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{'what':44} {'size':>8}  {'rate':>12}  {'per sample':>12}")
    samplers(size)
    mechanisms(size)
    yardsticks(size)
    overhead()


if __name__ == "__main__":
    main()
