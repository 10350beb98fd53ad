from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dpsql.mechanisms import bernoulli as module
from dpsql.mechanisms import entropy
from dpsql.mechanisms.bernoulli import bernoulli, bernoulli_exp


@pytest.mark.parametrize("probability", ["1/3", "1/2", "1/1000", "999/1000"])
def test_frequency(probability):
    p = float(Fraction(probability))
    seen = bernoulli(Fraction(probability), 200_000).mean()
    assert abs(seen - p) < 4.5 * np.sqrt(p * (1 - p) / 200_000)


def test_certain_coins():
    assert bernoulli(Fraction(1), 1000).all()
    assert not bernoulli(Fraction(0), 1000).any()


def test_a_word_on_the_edge_is_extended(script_words):
    edge = 2**64 // 3
    for word, expected in [(0, True), (2**64 - 1, False)]:
        script_words(edge, word)
        assert bernoulli(Fraction(1, 3), 1).tolist() == [expected]


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


def test_refusals():
    with pytest.raises(ValueError, match="probability"):
        bernoulli(Fraction(3, 2), 1)
    with pytest.raises(ValueError, match="rate >= 0"):
        bernoulli_exp(Fraction(-1), np.array([1]))
    with pytest.raises(ValueError, match="times >= 0"):
        bernoulli_exp(Fraction(1), np.array([-1]))
