"""Errors cross process boundaries whole: class, code, caret, hint, exit code."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
from typing import Any

import pytest

import dpsql
from dpsql import errors

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.Error)
]


def _same(left: errors.Error, right: errors.Error) -> None:
    assert type(left) is type(right)
    for name in ("message", "code", "hint", "exit_code", "args"):
        assert getattr(left, name) == getattr(right, name)
    assert str(left) == str(right)


def test_no_class_is_forgotten() -> None:
    public = {name for name in dpsql.__all__ if name in dir(errors)}
    assert {kind.__name__ for kind in CLASSES} == public - {"Warning"}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class(kind: type[errors.Error]) -> None:
    for error in (kind("ähm\n  at 1:2"), kind("text", code="a-code", hint="the way out")):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            _same(pickle.loads(pickle.dumps(error, protocol)), error)
        _same(copy.copy(error), error)
        _same(copy.deepcopy(error), error)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT\n  COUNT(*) FRM people",
        "SELECT city FROM people",
        "SELECT COUNT(*) FROM persons",
        "SELECT RANDOM(), COUNT(*) FROM people",
    ],
)
def test_errors_of_queries_keep_their_caret(shared: dpsql.Connection, sql: str) -> None:
    with pytest.raises(dpsql.Error) as caught:
        shared.execute(sql)
    again: Any = pickle.loads(pickle.dumps(caught.value))
    _same(again, caught.value)
    assert "^" in str(again)


def test_an_exhausted_budget(policy: dict[str, Any]) -> None:
    with dpsql.connect(policy, analyst="poor", epsilon=0.75) as connection:
        connection.execute("SELECT COUNT(*) FROM people")
        with pytest.raises(dpsql.BudgetExceeded) as caught:
            connection.execute("SELECT AVG(age) FROM people")
    again = pickle.loads(pickle.dumps(caught.value))
    _same(again, caught.value)
    assert again.code == "budget-epsilon"


def test_warning() -> None:
    assert pickle.loads(pickle.dumps(errors.Warning("w"))).args == ("w",)


def _refused_in_a_child(policy: dict[str, Any]) -> None:
    with dpsql.connect(policy, analyst="alice") as connection:
        connection.execute("SELECT city FROM people")


def test_from_a_worker_process(policy: dict[str, Any]) -> None:
    with (
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(dpsql.RefusedQuery) as caught,
    ):
        pool.apply(_refused_in_a_child, (policy,))
    assert "^" in str(caught.value)
    assert caught.value.hint
