"""The one source of randomness: the operating system's generator, 64 bits at a time.

Nothing is buffered, so a fork cannot make two processes share a word, and there is no seed, no
state and no argument through which a caller could choose the noise. Callers read
`entropy.words` at call time: samplers, lazily extended uniforms, coins, and the rewriter's salt.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray


def words(count: int) -> NDArray[np.uint64]:
    """`count` independent, uniform 64-bit words from `os.urandom`.

    Shape: 1-d, length `count` (>= 0). Errors: only what `os.urandom` raises for lack of entropy.
    """
    return np.frombuffer(os.urandom(8 * count), dtype=np.uint64)
