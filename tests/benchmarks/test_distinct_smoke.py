"""benchmarks/distinct.py still runs and still tells what it says it tells. No statistics here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_every_data_set_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import distinct

    try:
        distinct.main(1, scale=0.01)
    finally:
        sys.modules.pop("distinct", None)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:5] == ["data", "m", "ε", "truth", "greedy"]
    assert len(lines) == 8
    assert all("(l = " in line for line in lines)
