"""Sessions over one small world in memory, and fixed entropy in the default run."""

from __future__ import annotations

import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import pytest

from dpsql.mechanisms import entropy
from dpsql.session import Session

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

POLICY: dict[str, Any] = {
    "version": 1,
    "unit": "person",
    "ledger": "sqlite://",
    "releases": {"reuse": "budget"},
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "default": {"epsilon": "1e12", "delta": "0.5"},
    },
    "bounds": {"max_groups": 1, "max_rows_per_group": 2},
    "tables": {
        "visits": {
            "unit": "id",
            "columns": {
                "x": {"min": 0, "max": 100},
                "y": {"min": -50, "max": 50.5},
                "g": {"values": [0, 1, 2]},
                "born": {"min": "1950-01-01", "max": "2010-12-31"},
            },
        }
    },
}


@pytest.fixture(autouse=True)
def seeded_words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("slow"):
        return
    name = f"{request.module.__name__}::{request.node.name}"
    bits = np.random.PCG64(zlib.crc32(name.encode()))
    monkeypatch.setattr(entropy, "words", lambda count: bits.random_raw(count).astype(np.uint64))


@pytest.fixture
def opened() -> Iterator[Callable[..., Session]]:
    """`opened(**changes)`: a session over 6,000 rows of 3,000 people; x runs over 0..119."""
    with ExitStack() as stack:

        def open_(**changes: Any) -> Session:
            engine = duckdb.connect(":memory:")
            engine.execute(
                "CREATE TABLE visits AS SELECT i % 3000 AS id, (i % 120)::INTEGER AS x,"
                " ((i * 7) % 60 - 20)::DOUBLE AS y, ((i % 3000) % 3)::INTEGER AS g,"
                " DATE '1980-01-01' + (i % 9000)::INTEGER AS born,"
                " 't' || ((i % 3000) % 2) AS town FROM range(6000) t(i)"
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a ledger in memory
                return stack.enter_context(
                    closing(Session({**POLICY, **changes}, "alice", engine=engine))
                )

        yield open_


@pytest.fixture
def coverage(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """benchmarks/coverage.py."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import coverage

    assert Path(str(coverage.__file__)).parent == BENCHMARKS
    yield coverage
    sys.modules.pop("coverage", None)
