"""benchmarks/accuracy.py still runs and still asks what it says it asks. No statistics here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def accuracy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    mine = ("accuracy", "accuracy_expected", "accuracy_setups", "division")
    import accuracy

    yield accuracy
    for name in mine:
        sys.modules.pop(name, None)


def test_every_question_is_answered(
    accuracy: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accuracy.main(["--runs", "2", "--size", "0.001"]) in (0, 1)
    output = capsys.readouterr()
    table = [line for line in output.out.splitlines() if line.startswith("| ")]
    questions = sum(len(setup.cases) for setup in accuracy.SETUPS)
    assert len(table) == 1 + questions
    assert "PRICE" not in output.out  # exact, whatever the draws
    assert len(output.err.splitlines()) >= questions  # progress


def test_one_set_up_can_be_chosen(accuracy: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    accuracy.main(["--runs", "2", "--only", "like pums"])
    assert "Qrlew" not in capsys.readouterr().out.split("\n\n")[0]


@pytest.mark.parametrize("arguments", [["--runs", "1"], ["--size", "2"], ["--only", "nothing"]])
def test_wrong_arguments_are_a_usage_error(accuracy: ModuleType, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        accuracy.main(arguments)
    assert stopped.value.code == 2
