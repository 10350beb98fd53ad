"""Privacy events: what was released, in exact parameters, and what it costs.

An event is data. Its name and parameters go into the ledger and are never renamed; the price is
recomputed from them, so a better curve re-prices history without a migration. Composition is
not here (see `compose`): an event knows one release only.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

from dpsql.accountant import curves, discrete_laplace, poisson
from dpsql.accountant.parameters import (
    natural,
    non_negative,
    parse_rational,
    positive,
    probability,
    write_rational,
)
from dpsql.accountant.rounding import float_up, inflate
from dpsql.errors import InternalError, LedgerError

Key = tuple[tuple[int, int], ...]
"""The parameters of an event in order, as p/q in lowest terms."""

_REGISTRY: dict[str, type[PrivacyEvent]] = {}


@dataclass(frozen=True, slots=True)
class PrivacyEvent(ABC):
    """One release of one mechanism, for neighbours that differ by one unit (add or remove).

    Guarantee: for every pair of neighbours and both directions, outside an event of probability
    `delta()`, the Rényi divergence of order a is at most `renyi(a)` and the privacy loss at most
    `pure()`. Curves are non-negative, non-decreasing in the order, and rounded up.
    """

    name: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        # dataclass(slots=True) builds the class a second time under the same qualified name.
        known = _REGISTRY.get(cls.name)
        if known is not None and known.__qualname__ != cls.__qualname__:
            raise TypeError(f"two events are named {cls.name!r}")
        if cls.name:
            _REGISTRY[cls.name] = cls

    def renyi(self, order: float) -> float:
        """An upper bound on the Rényi divergence of `order` in nats; order 1 is KL, inf is D_inf.

        Errors: ValueError for an order below 1 or NaN.
        """
        if not order >= 1:
            raise ValueError("a Rényi order is a number of at least 1")
        pure = self.pure()
        bound = math.inf if pure is None else float_up(pure)
        value = bound if order == math.inf else min(self._curve(float(order)), bound)
        if not value >= 0:
            raise InternalError(f"the Rényi curve of {self.name} is not a number")
        return value

    @abstractmethod
    def _curve(self, order: float) -> float:
        """The divergence at a finite order >= 1, rounded up; may exceed D_inf by rounding."""

    @abstractmethod
    def pure(self) -> Fraction | None:
        """The supremum of the privacy loss (D_inf); None if it is unbounded."""

    def delta(self) -> Fraction:
        """The probability of the event outside which the curve holds."""
        return Fraction(0)

    def key(self) -> Key:
        """Equal for equal events of one class, and quick."""
        names = _attributes(type(self))
        if len(names) == 1:
            return (getattr(self, names[0]).as_integer_ratio(),)
        return tuple([getattr(self, name).as_integer_ratio() for name in names])

    def to_json(self) -> dict[str, str]:
        """`{"event": name, parameter: exact text, ...}`, for the ledger."""
        exact = {
            parameter: write_rational(getattr(self, attribute))
            for parameter, attribute in _parameters(type(self)).items()
        }
        return {"event": self.name} | exact


def from_json(data: Mapping[str, object]) -> PrivacyEvent:
    """Read an event back exactly.

    Errors: LedgerError, code `unknown-event` for a name this version does not know (nothing may
    be admitted on a ledger that holds one), `bad-event` for missing, extra or invalid parameters.
    """
    cls = _REGISTRY.get(str(data.get("event")))
    if cls is None:
        raise LedgerError(
            "the ledger holds a privacy event that this version does not know",
            code="unknown-event",
            hint="open it with the version of dpsql that wrote it, or a newer one",
        )
    expected = _parameters(cls).keys()
    if set(data) != {"event", *expected}:
        raise LedgerError("a privacy event has missing or extra parameters", code="bad-event")
    try:
        return cls(**{key: parse_rational(data[key], key) for key in expected})
    except ValueError:
        raise LedgerError("a privacy event has an invalid parameter", code="bad-event") from None


def registered() -> Mapping[str, type[PrivacyEvent]]:
    """Every event by its stable name."""
    return dict(_REGISTRY)


@dataclass(frozen=True, slots=True)
class Gaussian(PrivacyEvent):
    """Continuous or rounded Gaussian noise; noise_multiplier = std / L2 sensitivity.

    Source: Mironov 2017 (arXiv 1702.07476) Prop. 7: a / (2 m^2), exact. Rounding the noise to
    the grid of an integer query is post-processing of the continuous mechanism.
    """

    name: ClassVar[str] = "gaussian"
    noise_multiplier: Fraction

    def __post_init__(self) -> None:
        _set(self, noise_multiplier=positive(self.noise_multiplier, "noise_multiplier"))

    def _curve(self, order: float) -> float:
        return curves.gaussian(order, float_up(1 / (2 * self.noise_multiplier**2)))

    def pure(self) -> Fraction | None:
        return None


@dataclass(frozen=True, slots=True)
class Laplace(PrivacyEvent):
    """Continuous or rounded Laplace noise; noise_multiplier = scale / L1 sensitivity.

    Source: Mironov 2017 Prop. 6, exact for a change of one coordinate by the whole L1, which is
    the worst split of it (the curve is convex in the change and 0 at 0, hence superadditive).
    """

    name: ClassVar[str] = "laplace"
    noise_multiplier: Fraction

    def __post_init__(self) -> None:
        _set(self, noise_multiplier=positive(self.noise_multiplier, "noise_multiplier"))

    def _curve(self, order: float) -> float:
        return curves.laplace(order, float_up(1 / self.noise_multiplier))

    def pure(self) -> Fraction | None:
        return 1 / self.noise_multiplier


@dataclass(frozen=True, slots=True)
class DiscreteGaussian(PrivacyEvent):
    """Discrete Gaussian of parameter sigma on the integers; sensitivity = integer L2 change.

    Source: Canonne, Kamath, Steinke 2020 (arXiv 2004.00010) Prop. 5: at most
    a D^2 / (2 sigma^2), with equality at every order for which a D is an integer.
    """

    name: ClassVar[str] = "discrete_gaussian"
    sigma: Fraction
    sensitivity: int

    def __post_init__(self) -> None:
        _set(
            self,
            sigma=positive(self.sigma, "sigma"),
            sensitivity=natural(self.sensitivity, "sensitivity"),
        )

    def _curve(self, order: float) -> float:
        return curves.gaussian(order, float_up((self.sensitivity / self.sigma) ** 2 / 2))

    def pure(self) -> Fraction | None:
        return None


@dataclass(frozen=True, slots=True)
class DiscreteLaplace(PrivacyEvent):
    """Two-sided geometric noise with p = exp(-1/scale); sensitivity = integer change.

    Source: the finite sum of its own law (`discrete_laplace`), not Mironov's Prop. 6, which
    belongs to the continuous law and would under-count (0.619 for 0.735 at scale 1, order 2).
    """

    name: ClassVar[str] = "discrete_laplace"
    scale: Fraction
    sensitivity: int

    def __post_init__(self) -> None:
        _set(
            self,
            scale=positive(self.scale, "scale"),
            sensitivity=natural(self.sensitivity, "sensitivity"),
        )

    def _curve(self, order: float) -> float:
        if self.sensitivity == 1:  # the likelihood ratio takes two values only
            return curves.pure(order, float_up(1 / self.scale))
        return discrete_laplace.curve(order, self.scale, self.sensitivity)

    def pure(self) -> Fraction | None:
        return self.sensitivity / self.scale


@dataclass(frozen=True, slots=True)
class _EpsilonBounded(PrivacyEvent):
    """What is known by its epsilon alone. Its curve is randomized response's (`curves.pure`)."""

    epsilon: Fraction

    def __post_init__(self) -> None:
        _set(self, epsilon=positive(self.epsilon, "epsilon"))

    def _curve(self, order: float) -> float:
        return curves.pure(order, float_up(self.epsilon))

    def pure(self) -> Fraction | None:
        return self.epsilon


@dataclass(frozen=True, slots=True)
class Pure(_EpsilonBounded):
    """Any epsilon-DP mechanism, by the worst of them.

    Source: every epsilon-DP mechanism post-processes randomized response (Kairouz, Oh,
    Viswanath 2015), whose curve this is; tight over the class.
    """

    name: ClassVar[str] = "pure"


@dataclass(frozen=True, slots=True)
class RandomizedResponse(_EpsilonBounded):
    """Binary randomized response that tells the truth with odds exp(epsilon)."""

    name: ClassVar[str] = "randomized_response"


@dataclass(frozen=True, slots=True)
class ZCDP(PrivacyEvent):
    """Any rho-zCDP mechanism: a rho at every order (Bun, Steinke 2016, Def. 1.1)."""

    name: ClassVar[str] = "zcdp"
    rho: Fraction

    def __post_init__(self) -> None:
        _set(self, rho=positive(self.rho, "rho"))

    def _curve(self, order: float) -> float:
        return curves.gaussian(order, float_up(self.rho))

    def pure(self) -> Fraction | None:
        return None


@dataclass(frozen=True, slots=True)
class PoissonGaussian(PrivacyEvent):
    """Gaussian noise on a secret Poisson sample of the units, each kept with probability q.

    Valid only if whole units are sampled, afresh and in secret. Source and bounds: `poisson`.
    """

    name: ClassVar[str] = "poisson_gaussian"
    q: Fraction
    noise_multiplier: Fraction

    def __post_init__(self) -> None:
        _set(
            self,
            q=probability(self.q, "q"),
            noise_multiplier=positive(self.noise_multiplier, "noise_multiplier"),
        )

    def _curve(self, order: float) -> float:
        if self.q == 1:
            return curves.gaussian(order, float_up(1 / (2 * self.noise_multiplier**2)))
        return poisson.curve(order, self.q, self.noise_multiplier)

    def pure(self) -> Fraction | None:
        return None


@dataclass(frozen=True, slots=True)
class Exponential(PrivacyEvent):
    """The exponential mechanism exp(epsilon u / (2 Δ)): epsilon-bounded range.

    Source: Dong, Durfee, Rogers 2020 (arXiv 1909.13830): the worst bounded-range pair has two
    outcomes with loss t and t - epsilon; the supremum over t in closed form is in `curves`.
    """

    name: ClassVar[str] = "exponential"
    epsilon: Fraction

    def __post_init__(self) -> None:
        _set(self, epsilon=positive(self.epsilon, "epsilon"))

    def _curve(self, order: float) -> float:
        return curves.bounded_range(order, float_up(self.epsilon))

    def pure(self) -> Fraction | None:
        return self.epsilon


@dataclass(frozen=True, slots=True)
class Threshold(PrivacyEvent):
    """Selection of keys: `count` independent keys, each (epsilon, delta)-DP on its own.

    Source: with one key both laws are (1-delta) good + delta bad with the same delta, the good
    parts epsilon-close (Kairouz, Oh, Viswanath 2015). Over `count` independent keys all are good
    with probability (1-delta)^count; delta() is the complement. epsilon may be 0.
    """

    name: ClassVar[str] = "threshold"
    epsilon: Fraction
    key_delta: Fraction = field(metadata={"parameter": "delta"})  # delta() is the method
    count: int

    def __init__(self, epsilon: object, delta: object, count: object = 1) -> None:
        chance = probability(delta, "delta")
        if chance == 1:
            raise ValueError("delta must be below 1")
        _set(
            self,
            epsilon=non_negative(epsilon, "epsilon"),
            key_delta=chance,
            count=natural(count, "count"),
        )

    def _curve(self, order: float) -> float:
        if self.epsilon == 0:
            return 0.0
        return inflate(self.count * curves.pure(order, float_up(self.epsilon)))

    def pure(self) -> Fraction | None:
        return self.count * self.epsilon

    def delta(self) -> Fraction:
        return 1 - (1 - self.key_delta) ** self.count


def _set(event: PrivacyEvent, **values: Fraction | int) -> None:
    """Store what the constructor read and checked, in a frozen event."""
    for key, value in values.items():
        object.__setattr__(event, key, value)


@lru_cache(maxsize=64)
def _attributes(cls: type[PrivacyEvent]) -> tuple[str, ...]:
    return tuple(_parameters(cls).values())


def _parameters(cls: type[PrivacyEvent]) -> dict[str, str]:
    """Constructor parameter -> attribute, in the order of declaration."""
    return {f.metadata.get("parameter", f.name): f.name for f in dataclasses.fields(cls)}
