from __future__ import annotations

import os

import numpy as np
import pytest

from dpsql.mechanisms import entropy


@pytest.fixture
def system_words(monkeypatch):
    """The real function, whatever the seeded fixture has put in its place."""
    monkeypatch.undo()
    return entropy.words


def test_words_have_the_asked_shape(system_words):
    assert system_words(0).shape == (0,)
    assert system_words(7).dtype == np.uint64
    assert system_words(7).shape == (7,)


def test_words_are_the_operating_systems(system_words, monkeypatch):
    monkeypatch.setattr(os, "urandom", lambda n: bytes(range(n)))
    assert system_words(2).tobytes() == bytes(range(16))


def test_words_do_not_repeat(system_words):
    # 2000 words: a repeat has probability below 2^-42.
    drawn = np.concatenate([system_words(1000), system_words(1000)])
    assert len(np.unique(drawn)) == 2000


def test_a_fork_shares_no_words(system_words):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        os.write(writer, system_words(4).tobytes())
        os._exit(0)
    mine = system_words(4).tobytes()
    theirs = os.read(reader, 32)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 32
    assert mine != theirs


def test_bits_are_fair(system_words):
    words = system_words(20_000)
    ones = np.unpackbits(words.view(np.uint8)).reshape(-1, 64).sum(axis=0).astype(int)
    # 64 bit positions, each within 6 standard deviations: false alarm below 1.3e-7.
    assert np.all(np.abs(ones - 10_000) < 6 * np.sqrt(20_000) / 2)
