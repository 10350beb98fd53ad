"""connect() and execute() raise nothing but dpsql.Error, whatever they are given."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dpsql

COUNT = "SELECT COUNT(*) FROM people"


def _deep_list() -> list[Any]:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    return deep


def _deep_dict() -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"tables": deep}
    return deep


RECURSIVE: dict[str, Any] = {}
RECURSIVE["tables"] = RECURSIVE

ODD: list[Any] = [
    *(None, b"x", b"", bytearray(b"y"), memoryview(b"a"), [], [1], [None], (), {}, set(), {1}),
    *({"a": {"b": {"c": []}}}, {1: 2}, {None: None}, _deep_list(), _deep_dict(), RECURSIVE),
    *(0, -1, 1, 10**40, 10**5000, -(10**5000), True, False, 0.0, -0.0, 1e308, 5e-324),
    *(math.nan, math.inf, -math.inf, 1j, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")),
    *(Decimal("1e9999"), Decimal("1e-9999"), Decimal("1E+999999"), Fraction(1, 3)),
    *(Fraction(1, 10**5000), Fraction(10**5000, 3), "", "x", "\0", "\ud800", "1e9999", "nan"),
    *("0x10", " 1", "null", "1_0", "١", "9" * 5000, "SELECT", "a" * 200_000, "\u202e", "a\nb"),
    *(range(3), iter([]), object(), len, int, Exception("x"), ..., NotImplemented, slice(1)),
    *(dt.date(2020, 1, 1), dt.datetime.now(dt.UTC), dt.time(1), dt.timedelta(1)),
    *(Path("/nonexistent"), Path("/"), "/tmp", "nope.yaml"),
]


class Hostile:
    """Every special method fails."""

    def __repr__(self) -> str:
        raise ZeroDivisionError

    __str__ = __fspath__ = __repr__

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError


class HostileText(str):
    def __str__(self) -> str:
        raise ZeroDivisionError

    __repr__ = lower = strip = __str__


class HostileFloat(float):
    def __repr__(self) -> str:
        raise ZeroDivisionError


class HostileMapping(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


HOSTILE = [Hostile(), HostileText(COUNT), HostileFloat(1.0), HostileMapping()]


def _ours(call: Callable[[], object], *, blame: bool) -> None:
    """Succeeds, or raises one of ours whose text can be read; not our fault unless `blame`."""
    problem: dpsql.Error | None = None
    try:
        call()
    except dpsql.Error as error:
        problem = error
    if problem is not None:
        assert str(problem)
        assert problem.code
        assert blame or not isinstance(problem, dpsql.InternalError), str(problem)


def _calls(cursor: dpsql.Cursor, value: Any) -> list[Callable[[], object]]:
    where = COUNT + " WHERE "
    return [
        lambda: cursor.execute(value),
        lambda: cursor.execute(COUNT, value),
        lambda: cursor.execute(where + "city = ?", [value]),
        lambda: cursor.execute(where + "age > ?", [value]),
        lambda: cursor.execute("SELECT ?, COUNT(*) FROM people", [value]),
        lambda: cursor.execute(where + "age > :a", {"a": value}),
        lambda: cursor.execute(where + "age > :a", value),
        lambda: cursor.execute(COUNT, epsilon=value),
        lambda: cursor.execute(COUNT, delta=value),
        lambda: cursor.execute(COUNT, dialect=value),
        lambda: cursor.executemany(COUNT, value),
        lambda: cursor.explain(value, value, epsilon=value, delta=value, dialect=value),
    ]


@pytest.mark.parametrize("index", range(len(ODD)))
def test_odd_arguments_of_execute(shared: dpsql.Connection, index: int) -> None:
    for call in _calls(shared.cursor(), ODD[index]):
        _ours(call, blame=False)


@pytest.mark.parametrize("index", range(len(HOSTILE)))
def test_hostile_arguments_of_execute(shared: dpsql.Connection, index: int) -> None:
    for call in _calls(shared.cursor(), HOSTILE[index]):
        _ours(call, blame=True)


def test_odd_arguments_of_connect(policy: dict[str, Any]) -> None:
    for value in ODD + HOSTILE:
        blame = any(value is one for one in HOSTILE)
        _ours(lambda v=value: _close(dpsql.connect(v, analyst="alice")), blame=blame)
        for name in ("analyst", "epsilon", "delta", "engine"):
            arguments: dict[str, Any] = {"analyst": "alice", name: value}
            _ours(lambda a=arguments: _close(dpsql.connect(policy, **a)), blame=blame)


def _close(connection: dpsql.Connection) -> None:
    connection.close()


@pytest.mark.parametrize("where", ["policy", "nested"])
def test_odd_policies(policy: dict[str, Any], where: str) -> None:
    keys = list(policy) if where == "policy" else list(policy["budgets"])
    for key in keys:
        for value in ODD:
            changed = dict(policy)
            if where == "policy":
                changed[key] = value
            else:
                changed["budgets"] = {**policy["budgets"], key: value}
            with contextlib.suppress(UserWarning):  # `ledger: null` warns
                _ours(lambda c=changed: _close(dpsql.connect(c, analyst="a")), blame=False)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(value=JSONISH)
def test_any_value_anywhere(shared: dpsql.Connection, value: Any) -> None:
    for call in _calls(shared.cursor(), value):
        _ours(call, blame=False)


@settings(max_examples=100)
@given(
    words=st.lists(
        st.sampled_from(
            "SELECT FROM people COUNT ( * ) ) ( , GROUP BY city WHERE age > 3 ' \" ; -- ? :a $1 AND"
            " HAVING ORDER LIMIT SUM OVER WITH AS x UNION ALL /* */ . 1e5 numbers n".split()
        ),
        max_size=15,
    )
)
def test_any_text(shared: dpsql.Connection, words: list[str]) -> None:
    _ours(lambda: shared.execute("SELECT " + " ".join(words)), blame=False)


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        (COUNT + " -- \ud800", None),
        (COUNT + " WHERE city = '\ud800'", None),
        (COUNT + " WHERE city = ?", ["\udfff"]),
        (COUNT + ' AS "\ud800"', None),
    ],
)
def test_broken_unicode_costs_nothing(
    connection: dpsql.Connection, sql: str, params: list[Any] | None
) -> None:
    with pytest.raises(dpsql.InvalidQuery):
        connection.execute(sql, params)
    assert connection.budget().share == 0


def test_our_faults_are_hidden(
    connection: dpsql.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret 42")

    monkeypatch.setattr("dpsql.pipeline.plan.run", fail)
    with pytest.raises(dpsql.InternalError) as caught:
        connection.execute(COUNT)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_interrupt_is_not_swallowed(
    connection: dpsql.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dpsql.pipeline.plan.run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.execute(COUNT)
    monkeypatch.undo()
    assert connection.execute(COUNT).fetchall() == [(400,)]
