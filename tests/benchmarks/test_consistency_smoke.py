"""benchmarks/consistency.py still runs, and what it calls consistent adds up: no statistics."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def consistency(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import consistency

    yield consistency
    sys.modules.pop("consistency", None)


def test_totals_add_up(consistency: ModuleType) -> None:
    for case in (consistency.CASES[0], consistency.CASES[-1]):
        figures = consistency.measure(case, 1)
        for mode in case.modes[1:]:
            assert figures.adds_up[mode]
        assert all(one.cells > 0 for one in figures.of.values())
