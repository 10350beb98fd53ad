"""benchmarks/own_work.py still takes queries from text to SQL. No figure is judged here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_parse_to_sql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import own_work

    try:
        assert own_work.parse_to_sql(tmp_path, most=6) > 0
    finally:
        for name in ("own_work", "latency_data"):
            sys.modules.pop(name, None)
    assert "parse to SQL (6 of good.jsonl, 6 answered)" in capsys.readouterr().out
