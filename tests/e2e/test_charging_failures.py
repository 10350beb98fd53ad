"""What is charged where a query is refused or fails, and what is said (issue 2, points 5 and 6)."""

from __future__ import annotations

import io
import logging
import threading

import duckdb
import e2e_world as world
import pytest
from charging_world import charges, outcomes

from dpsql.errors import BudgetExceeded, EngineFailed, Error, InternalError, InvalidQuery
from dpsql.pipeline import execute, perturb


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM users",
        "SELECT MODE(age) FROM users",
        "SELECT COUNT(*) FROM nowhere",
        "SELECT COUNT(*) FROM",
        "SELECT COUNT(*) FROM users UNION ALL SELECT age FROM users",
        "SELECT COUNT(*) + 'x'::DATE FROM users",
    ],
)
def test_a_refusal_charges_nothing(sql, place, opened):
    path = place()
    with pytest.raises(Error) as caught:
        opened(path).query(sql)
    assert not isinstance(caught.value, InternalError)
    assert charges(path) == []


def test_a_price_above_the_cap_charges_nothing(place, opened):
    path = place()
    with pytest.raises(InvalidQuery):
        opened(path).query("SELECT COUNT(*) FROM users", epsilon=2)
    assert charges(path) == []


def test_an_engine_that_fails_is_charged_and_says_one_thing(place, opened, monkeypatch):
    path = place()
    session = opened(path)
    texts = set()
    for number, problem in enumerate(
        (duckdb.ConversionException("Could not convert 'Nowhere-on-Sea'"), MemoryError("42"))
    ):
        broken = Broken(session.engine._connection, problem)
        with monkeypatch.context() as patch:
            patch.setattr(session.engine, "_connection", broken)
            with pytest.raises(EngineFailed) as caught:
                session.query(f"SELECT COUNT(*) FROM users WHERE age > {number}")
        texts.add(str(caught.value))
    (text,) = texts
    assert not any(word in text for word in ("Nowhere", "42", "convert", "Error"))
    assert len(charges(path)) == 2
    assert outcomes(path) == ["failed", "failed"]


def test_the_time_limit_is_written_down_and_looks_like_any_failure(place, opened, monkeypatch):
    """Outcome `timeout` for the auditor; the analyst gets the words and type of any failure."""
    path = place()
    path.write_text(path.read_text() + "limits: {timeout: 1s}\n")
    session = opened(path)
    real = session.engine._connection
    told = []
    for number, slow in enumerate((Slow(real), Broken(real, RuntimeError("42")))):
        with monkeypatch.context() as patch:
            patch.setattr(session.engine, "_connection", slow)
            with pytest.raises(EngineFailed) as caught:
                session.query(f"SELECT COUNT(*) FROM users WHERE age > {number}")
        told.append((type(caught.value), str(caught.value), caught.value.code))
        assert caught.value.__cause__ is None
    assert told[0] == told[1]
    assert told[0][0] is EngineFailed
    assert outcomes(path) == ["timeout", "failed"]
    assert len(charges(path)) == 2


def test_an_interrupt_is_cancelled(place, opened, monkeypatch):
    """Ctrl-C before the time is up is the analyst's doing, and written down as such."""
    path = place()
    path.write_text(path.read_text() + "limits: {timeout: 600s}\n")
    session = opened(path)
    monkeypatch.setattr(session.engine, "_connection", Slow(session.engine._connection, 0.3))
    with pytest.raises(KeyboardInterrupt):
        session.query("SELECT COUNT(*) FROM users")
    assert outcomes(path) == ["cancelled"]


FOR_EVER = "SELECT SUM(a.i * b.i) FROM range(100000000) a(i), range(10000000) b(i)"


class Slow:
    """A connection whose private statements run for ever, until something interrupts them."""

    def __init__(self, real, interrupted_after=None):
        self._real = real
        self._after = interrupted_after

    def sql(self, text):
        if '"users"' not in text:
            return self._real.sql(text)
        interrupt = self._real.interrupt if self._after is not None else None
        return Endless(self._real.sql(FOR_EVER), interrupt, self._after)

    def __getattr__(self, name):
        return getattr(self._real, name)


class Endless:
    """The relation of such a statement."""

    def __init__(self, real, interrupt, after):
        self._real = real
        self._interrupt = interrupt
        self._after = after

    def to_arrow_table(self):
        if self._interrupt is not None:
            threading.Timer(self._after, self._interrupt).start()
        return self._real.to_arrow_table()


def test_no_log_an_analyst_sees_holds_data(place, opened, monkeypatch):
    """Everything at DEBUG on the root logger: no value, no engine text (hostile bad-423)."""
    heard = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(heard)
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        session = opened(place())
        session.query("SELECT SUM(income), COUNT(*) FROM users")
        problem = duckdb.ConversionException("Could not convert 'Nowhere-on-Sea'")
        broken = Broken(session.engine._connection, problem)
        monkeypatch.setattr(session.engine, "_connection", broken)
        with pytest.raises(EngineFailed):
            session.query("SELECT COUNT(*) FROM users WHERE age > 7")
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    assert "Nowhere" not in heard.getvalue()
    assert "dpsql.owner" not in heard.getvalue()


class Broken:
    """A connection whose private statements fail; everything else goes through."""

    def __init__(self, real, problem):
        self._real = real
        self._problem = problem

    def sql(self, text):
        relation = self._real.sql(text)
        return Unreadable(relation, self._problem) if '"users"' in text else relation

    def __getattr__(self, name):
        return getattr(self._real, name)


class Unreadable:
    """A statement that binds and then fails on its rows."""

    def __init__(self, real, problem):
        self._real = real
        self._problem = problem

    def to_arrow_table(self):
        raise self._problem

    def __getattr__(self, name):
        return getattr(self._real, name)


def test_a_table_that_vanished_is_charged(small):
    """The table is dropped between plan and run (an adopted connection is not read only)."""
    with duckdb.connect(":memory:") as connection:
        world.fill(connection, *small)
        session = world.memory_session(connection)
        real = execute.run

        def dropped(certified, engine, **options):
            engine._connection.execute("ROLLBACK")
            connection.execute("DROP TABLE users")
            engine._connection.execute("BEGIN")
            return real(certified, engine, **options)

        execute.run = dropped
        try:
            with pytest.raises(EngineFailed) as caught:
                session.query("SELECT COUNT(*) FROM users")
        finally:
            execute.run = real
        assert "users" not in str(caught.value)
        spent = session.ledger.spent(session.budget_spec.key)
        assert any(spent.renyi)
        session.close()


def test_our_own_fault_is_charged_and_hidden(place, opened, monkeypatch):
    """Whatever breaks after the charge: one constant text, the charge stands, outcome failed."""

    def fault(*_):
        raise ZeroDivisionError("income of 900009 is 42.0")

    path = place()
    monkeypatch.setattr(perturb, "run", fault)
    with pytest.raises(InternalError) as caught:
        opened(path).query("SELECT COUNT(*) FROM users")
    assert "42" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert len(charges(path)) == 1
    assert outcomes(path) == ["failed"]


@pytest.fixture
def almost_spent(place, opened):
    """A session whose ledger refuses the next query."""
    session = opened(place(epsilon="0.7"))
    session.query("SELECT COUNT(*) FROM users")
    return session


@pytest.fixture
def sent(almost_spent, monkeypatch):
    """The statements that the engine gets from now on."""
    seen = []
    real = type(almost_spent.engine).fetch
    monkeypatch.setattr(
        type(almost_spent.engine),
        "fetch",
        lambda self, sql, **o: seen.append(sql) or real(self, sql, **o),
    )
    return seen


def test_the_data_is_not_read_before_the_charge(almost_spent, sent):
    """With a ledger that refuses, no private statement is ever sent."""
    with pytest.raises(BudgetExceeded):
        almost_spent.query("SELECT COUNT(*) FROM orders")
    assert not any("orders" in sql for sql in sent)


def test_charging_after_reading_is_seen(almost_spent, sent, monkeypatch):
    """The check above can fail: a session that runs first has sent the statement."""
    reserve = almost_spent.ledger.reserve

    def late(**request):
        almost_spent.engine.fetch('SELECT COUNT(*) FROM "orders"')
        return reserve(**request)

    monkeypatch.setattr(almost_spent.ledger, "reserve", late)
    with pytest.raises(BudgetExceeded):
        almost_spent.query("SELECT COUNT(*) FROM orders")
    assert any("orders" in sql for sql in sent)
