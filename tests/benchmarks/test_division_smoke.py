"""benchmarks/division.py runs, its prices are right, and no expected error is above the margin."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def division(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import division

    monkeypatch.setattr(division, "PEOPLE", 3_000)
    yield division
    sys.modules.pop("division", None)


@pytest.mark.parametrize("only", ["sum", pytest.param("", marks=pytest.mark.slow)])
def test_every_choice_is_held_against_its_alternatives(
    division: ModuleType, capsys: pytest.CaptureFixture[str], only: str
) -> None:
    assert division.main(["--runs", "2", "--only", only]) in (0, 1)
    output = capsys.readouterr()
    lines = [line for line in output.out.splitlines() if line.startswith("| ")]
    asked = [query for query in division.QUERIES if only in query.label]
    assert sum("| chosen" in line for line in lines) == len(asked) > 4
    # What is measured on so little says nothing; what is expected and paid is exact.
    for word in ("PRICE", "expected)", "NO GAIN"):
        assert word not in output.out + output.err
