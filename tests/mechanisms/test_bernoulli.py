from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dpsql.mechanisms import bernoulli as module
from dpsql.mechanisms import entropy
from dpsql.mechanisms.bernoulli import bernoulli_exp
from dpsql.mechanisms.exact_exp import exp_minus


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(1, 7), Fraction(3), Fraction(10**9)])
def test_exponential_coins_by_floats_and_by_integers(rate, monkeypatch):
    times = np.arange(4000) % 5
    words = entropy.words(4000)
    monkeypatch.setattr(entropy, "words", lambda count: words[:count])
    by_filter = bernoulli_exp(rate, times)
    monkeypatch.setattr(module, "MARGIN", 2.0)
    assert np.array_equal(by_filter, bernoulli_exp(rate, times))
    for t in range(5):
        p = np.exp(-float(rate) * t)
        got = by_filter[times == t].mean()
        assert abs(got - p) <= 4.5 * np.sqrt(p * (1 - p) / 800) + 1e-12


@pytest.mark.parametrize(("word", "heads"), [(0, True), (2**64 - 1, False)])
def test_a_coin_on_the_edge_is_decided_by_further_bits(word, heads, script_words):
    """53 bits equal to those of exp(-1): the next word decides."""
    edge = exp_minus(1, 1, 53)[0]
    script_words(edge << 11, word)
    assert bernoulli_exp(Fraction(1), np.array([1])).tolist() == [heads]


def test_refusals():
    with pytest.raises(ValueError, match="rate >= 0"):
        bernoulli_exp(Fraction(-1), np.array([1]))
    with pytest.raises(ValueError, match="times >= 0"):
        bernoulli_exp(Fraction(1), np.array([-1]))
