"""Deterministic words for the default tests; fresh entropy for those marked slow.

The seam is a monkeypatch of `dpsql.mechanisms.entropy.words`; the package offers no other.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from dpsql.mechanisms import entropy


@pytest.fixture(autouse=True)
def seeded_words(request, monkeypatch):
    """Replace the system's words by a stream that depends on the test's own name alone."""
    if request.node.get_closest_marker("slow"):
        return
    name = f"{request.module.__name__}::{request.node.name}"
    bits = np.random.PCG64(zlib.crc32(name.encode()))
    monkeypatch.setattr(entropy, "words", lambda count: bits.random_raw(count).astype(np.uint64))


@pytest.fixture
def script_words(monkeypatch):
    """Hand out exactly the given words, then fail."""

    def script(*values: int) -> None:
        queue = list(values)

        def words(count: int):
            taken, queue[:count] = queue[:count], []
            assert len(taken) == count, "more words were asked for than were scripted"
            return np.array(taken, dtype=np.uint64)

        monkeypatch.setattr(entropy, "words", words)

    return script
