"""Charge before execute, end to end: races, kills, repeats, failures (issue 2, points 5 and 6)."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path

import duckdb
import e2e_world as world
import pytest

from dpsql.accountant import Laplace
from dpsql.accountant.filter import admits
from dpsql.errors import BudgetExceeded, EngineFailed, Error, InternalError, InvalidQuery
from dpsql.ledger import Ledger
from dpsql.pipeline import execute, perturb
from dpsql.session import Session

WORKER = Path(__file__).with_name("charging_worker.py")

POLICY = """
version: 1
database: duckdb:///cases.duckdb
ledger: sqlite:///ledger.db
unit: user
releases: {reuse: %(reuse)s}
budgets:
  per_query: {epsilon: 0.5, delta: 1e-8}
  max_per_query: {epsilon: 1.0, delta: 1e-6}
  default: {epsilon: %(epsilon)s, delta: 1e-5}
  teams:
    growth: {members: [carol, dan], epsilon: 3.0, delta: 1e-5}
  total: {epsilon: %(total)s, delta: 1e-4}
bounds: {max_groups: 5, max_rows_per_group: 20}
tables:
  users:
    unit: user_id
    columns: {age: {min: 0, max: 120}, income: {min: 0, max: 200000}}
  orders:
    unit: user_id
    columns: {amount: {min: 0, max: 5000}}
  regions: {public: true}
"""


@pytest.fixture(scope="module")
def small():
    return world.make_data().build(200, 7, False)


@pytest.fixture
def place(tmp_path, small):
    """A folder with a database; `place(reuse=..., epsilon=...)` writes the policy, returns it."""
    with duckdb.connect(str(tmp_path / "cases.duckdb")) as connection:
        world.fill(connection, *small)

    def write(reuse="budget", epsilon="50.0", total="1000.0"):
        path = tmp_path / "dpsql.yaml"
        path.write_text(POLICY % {"reuse": reuse, "epsilon": epsilon, "total": total})
        return path

    return write


@pytest.fixture
def opened():
    """`opened(policy, analyst)`: a session that is closed at the end."""
    sessions = []

    def open_(path, analyst="alice", **price):
        sessions.append(Session(path, analyst, **price))
        return sessions[-1]

    yield open_
    for session in sessions:
        session.close()


def charges(path):
    """The charge entries of the ledger beside the policy."""
    with Ledger.open(f"sqlite:///{path.parent / 'ledger.db'}") as ledger:
        assert ledger.verify().ok
        return [entry.body for entry in ledger.entries() if entry.kind == "charge"]


def outcomes(path):
    with Ledger.open(f"sqlite:///{path.parent / 'ledger.db'}") as ledger:
        return [e.body["outcome"] for e in ledger.entries() if e.kind == "outcome"]


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- two processes, one ledger -----------------------------------------------------------------


def test_two_processes_race_for_the_last_epsilon(place, opened):
    """Two processes ask for twelve each at once: what is answered fits, one more would not."""
    path = place(reuse="off", epsilon="2.6")
    opened(path).close()
    gate = path.parent / "gate"
    racers = [start("race", path, gate, 12) for _ in range(2)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    gate.touch()
    said = []
    for racer in racers:
        out, err = racer.communicate(timeout=120)
        assert racer.returncode == 0, err
        said += out.split()
    assert sorted(set(said)) == ["answered", "budget-epsilon"]
    assert len(said) == 24
    with Ledger.open(f"sqlite:///{path.parent / 'ledger.db'}") as ledger:
        account = next(a for a in ledger.budgets() if a.terms.epsilon < 10)
        assert admits(account.terms, account.spent)
        one_more = account.price([(Laplace(noise_multiplier=2), 1)])
        assert not admits(account.terms, account.spent + one_more)
    assert len(charges(path)) == said.count("answered")


@pytest.mark.parametrize("where", ["execute", "perturb"])
def test_killed_between_reserve_and_settle(where, place, opened):
    """kill -9 leaves the charge and a ledger that verifies; what is spent stays spent."""
    path = place(epsilon="1.1")
    worker = start("die", path, where)
    out, err = worker.communicate(timeout=120)
    assert worker.returncode == -9, err
    assert out == "ready\n"
    assert len(charges(path)) == 1
    assert outcomes(path) == []
    session = opened(path)
    assert session.budget().share > 0
    session.query("SELECT COUNT(*) FROM users")  # paid anew: no release was stored
    assert len(charges(path)) == 2
    with pytest.raises(BudgetExceeded):
        session.query("SELECT COUNT(*) FROM orders")
    assert len(charges(path)) == 2


# ---- repeats -----------------------------------------------------------------------------------

GROUPED = "SELECT city, COUNT(*) AS n FROM users WHERE city IN ('Berlin', 'Delhi') GROUP BY city"


def test_a_repeat_is_free_whatever_is_put_on_top(place, opened):
    path = place()
    session = opened(path)
    first = session.query(GROUPED)
    assert first.privacy.epsilon > 0
    by_city = {row["city"]: row["n"] for row in first.table.to_pylist()}
    for text in (
        GROUPED,
        GROUPED + " ORDER BY n DESC",
        GROUPED + " ORDER BY city LIMIT 1",
        GROUPED + " HAVING COUNT(*) > -1000000",
        "SELECT city, COUNT(*) AS n FROM users u WHERE u.city IN ('Berlin', 'Delhi') GROUP BY 1",
        f"SELECT city, n FROM ({GROUPED}) t WHERE n > -1000000",
        "select CITY as city, count( * ) as n /* again */ from USERS"
        " where city in ('Berlin','Delhi') group by city",
    ):
        again = session.query(text)
        assert again.privacy.free, text
        assert again.privacy.epsilon == 0
        rows = again.table.to_pylist()
        assert rows
        assert all(by_city[row["city"]] == row["n"] for row in rows), "fresh noise on a repeat"
    assert len(charges(path)) == 1


@pytest.mark.parametrize(
    "other",
    [
        GROUPED.replace("Delhi", "Geneva"),
        GROUPED.replace("COUNT(*)", "COUNT(income)"),
        GROUPED.replace("WHERE", "WHERE age > 20 AND"),
        GROUPED.replace("users", "orders JOIN users USING (user_id)"),
    ],
)
def test_another_question_is_not_free(other, place, opened):
    path = place()
    session = opened(path)
    session.query(GROUPED)
    assert not session.query(other).privacy.free
    assert len(charges(path)) == 2


def test_another_price_is_not_free(place, opened):
    path = place()
    session = opened(path)
    session.query(GROUPED)
    assert not session.query(GROUPED, epsilon="0.25").privacy.free
    assert session.query(GROUPED, epsilon="0.25").privacy.free
    assert len(charges(path)) == 2


def test_parameters_are_part_of_the_question(place, opened):
    path = place()
    session = opened(path)
    sql = "SELECT COUNT(*) FROM users WHERE age > ?"
    session.query(sql, [30])
    assert session.query(sql, [30]).privacy.free
    assert session.query("SELECT COUNT(*) FROM users WHERE age > 30").privacy.free
    assert not session.query(sql, [31]).privacy.free
    assert len(charges(path)) == 2


def test_another_analyst_pays_for_a_fresh_draw(place, opened):
    path = place()
    mine = opened(path, "alice").query(GROUPED)
    hers = opened(path, "bob").query(GROUPED)
    assert not hers.privacy.free
    assert [c["budget"] for c in charges(path)] == list(
        dict.fromkeys((mine.privacy.budget, hers.privacy.budget))
    )


def test_a_team_shares(place, opened):
    path = place()
    assert not opened(path, "carol").query(GROUPED).privacy.free
    assert opened(path, "Dan").query(GROUPED).privacy.free
    assert len(charges(path)) == 1


def test_repeats_survive_the_process(place, opened):
    path = place()
    first = opened(path)
    before = first.query(GROUPED).table
    first.close()
    again = opened(path).query(GROUPED)
    assert again.privacy.free
    assert again.table.equals(before)


def test_another_data_version_retires_releases(place, opened):
    path = place()
    opened(path).query(GROUPED)
    path.write_text(path.read_text() + "data_version: next\n")
    assert not opened(path).query(GROUPED).privacy.free
    assert len(charges(path)) == 2


def test_without_reuse_each_time_is_charged(place, opened):
    path = place(reuse="off")
    session = opened(path)
    values = {session.query("SELECT SUM(income) FROM users").table.to_pylist()[0].popitem()[1]
              for _ in range(5)}  # fmt: skip
    assert len(charges(path)) == 5
    assert len(values) == 5, "five paid draws, and two were equal"


# ---- one statement -----------------------------------------------------------------------------


def test_equal_aggregates_share_one_draw(place, opened):
    path = place(reuse="off")
    session = opened(path)
    answer = session.query("SELECT COUNT(*), COUNT(*) AS again, COUNT(1), 2 * COUNT(*) FROM users")
    (row,) = list(zip(*(c.to_pylist() for c in answer.table.columns), strict=True))
    assert row[0] == row[1] == row[2] == row[3] // 2
    assert float(answer.privacy.epsilon) == 0.5
    assert len(answer.privacy.events) == len(charges(path)) == 1


@pytest.mark.parametrize(
    ("sql", "draws"),
    [
        (" UNION ALL ".join(["SELECT COUNT(*) FROM users"] * 3), 1),
        ("SELECT COUNT(*) FROM users UNION ALL SELECT COUNT(*) FROM orders", 2),
        ("WITH c AS (SELECT COUNT(*) n FROM users) SELECT a.n, b.n FROM c a, c b", 1),
        ("SELECT COUNT(*), (SELECT COUNT(*) FROM users) FROM users", 1),
        ("SELECT COUNT(*), (SELECT COUNT(*) FROM orders) FROM users", 2),
    ],
)
def test_a_statement_pays_each_distinct_aggregate_once(sql, draws, place, opened):
    path = place(reuse="off")
    answer = opened(path).query(sql)
    values = [v for c in answer.table.columns for v in c.to_pylist()]
    assert len(set(values)) == draws
    assert float(answer.privacy.epsilon) == draws * 0.5
    (charge,) = charges(path)  # reserved together, in one entry
    assert len(charge["aggregates"]) == draws


def test_all_of_a_statement_or_nothing(place, opened):
    """Two aggregates, budget for one: refused whole, nothing charged, nothing run."""
    path = place(epsilon="0.7")
    session = opened(path)
    with pytest.raises(BudgetExceeded):
        session.query("SELECT COUNT(*) FROM users UNION ALL SELECT COUNT(*) FROM orders")
    assert charges(path) == []
    session.query("SELECT COUNT(*) FROM users")


def test_the_total_holds_for_all(place, opened):
    path = place(total="1.2")
    opened(path, "alice").query("SELECT COUNT(*) FROM users")
    opened(path, "bob").query("SELECT COUNT(*) FROM users")
    with pytest.raises(BudgetExceeded) as caught:
        opened(path, "eve").query("SELECT COUNT(*) FROM users")
    assert caught.value.code == "budget-epsilon"
    assert len(charges(path)) == 2


def test_names_are_canonical(place, opened):
    path = place()
    opened(path, "Alice").query(GROUPED)
    assert opened(path, "ALICE").query(GROUPED).privacy.free


# ---- refusals and failures ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM users",
        "SELECT MEDIAN(age) FROM users",
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

        def dropped(certified, engine, *, timeout):
            engine._connection.execute("ROLLBACK")
            connection.execute("DROP TABLE users")
            engine._connection.execute("BEGIN")
            return real(certified, engine, timeout=timeout)

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


def test_the_data_is_not_read_before_the_charge(place, opened, monkeypatch):
    """With a ledger that refuses, no private statement is ever sent."""
    path = place(epsilon="0.7")
    session = opened(path)
    session.query("SELECT COUNT(*) FROM users")
    sent = []
    real = type(session.engine).fetch
    monkeypatch.setattr(
        type(session.engine),
        "fetch",
        lambda self, sql, **o: sent.append(sql) or real(self, sql, **o),
    )
    with pytest.raises(BudgetExceeded):
        session.query("SELECT COUNT(*) FROM orders")
    assert not any("orders" in sql for sql in sent)


def test_charging_after_reading_is_seen(place, opened, monkeypatch):
    """The check above can fail: a session that runs first has sent the statement."""
    path = place(epsilon="0.7")
    session = opened(path)
    session.query("SELECT COUNT(*) FROM users")
    sent = []
    real = type(session.engine).fetch
    monkeypatch.setattr(
        type(session.engine),
        "fetch",
        lambda self, sql, **o: sent.append(sql) or real(self, sql, **o),
    )
    reserve = session.ledger.reserve

    def late(**request):
        session.engine.fetch('SELECT COUNT(*) FROM "orders"')
        return reserve(**request)

    monkeypatch.setattr(session.ledger, "reserve", late)
    with pytest.raises(BudgetExceeded):
        session.query("SELECT COUNT(*) FROM orders")
    assert any("orders" in sql for sql in sent)
