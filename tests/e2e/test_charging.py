"""Charge before execute, end to end: races, kills, repeats (issue 2, points 5 and 6)."""

from __future__ import annotations

import pytest
from charging_world import charges, outcomes, start

from dpsql.accountant import Laplace
from dpsql.accountant.filter import admits
from dpsql.errors import BudgetExceeded, LedgerError
from dpsql.ledger import Ledger
from dpsql.pipeline import execute

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
    assert outcomes(path) == ["forfeited"]  # whoever comes next writes down that it is lost
    assert session.budget().share > 0
    session.query("SELECT COUNT(*) FROM users")  # paid anew: no release was stored
    assert len(charges(path)) == 2
    with pytest.raises(BudgetExceeded):
        session.query("SELECT COUNT(*) FROM orders")
    assert len(charges(path)) == 2


def test_a_charge_that_still_runs_is_not_forfeited(place, opened, monkeypatch):
    """Somebody opens a session while another's query runs: that query is answered all the same."""
    path = place()
    first, real = opened(path), execute.run

    def meanwhile(*arguments, **options):
        opened(path, "bob")
        return real(*arguments, **options)

    monkeypatch.setattr(execute, "run", meanwhile)
    first.query("SELECT COUNT(*) FROM users")
    assert outcomes(path) == ["released"]


def test_a_ledger_that_cannot_forfeit_now_still_opens(place, opened, monkeypatch):
    def locked(_):
        raise LedgerError("locked", code="ledger-locked")

    monkeypatch.setattr(Ledger, "forfeit_stale", locked)
    assert opened(place()).budget().share == 0


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


def test_a_larger_price_is_not_free(place, opened):
    path = place()
    session = opened(path)
    session.query(GROUPED, epsilon="0.25")
    assert not session.query(GROUPED).privacy.free
    assert session.query(GROUPED).privacy.free
    assert len(charges(path)) == 2


def test_a_smaller_price_is_free(place, opened):
    path = place()
    session = opened(path)
    first = session.query(GROUPED).table
    again = session.query(GROUPED, epsilon="0.25")
    assert again.privacy.free
    assert again.table.equals(first)
    assert len(charges(path)) == 1


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


OWN_PRICES = (
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon=0.25) COUNT(*) AS n FROM users",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon=0.75, delta=1e-7) COUNT(*) AS n FROM orders",
)


def test_each_aggregate_of_a_statement_has_its_own_price(place, opened):
    """Charged, written and stored at it: a repeat of the whole or of either part is free."""
    path = place()
    session = opened(path)
    first = session.query(" UNION ALL ".join(OWN_PRICES))
    assert [float(one.epsilon) for one in first.privacy.releases] == [0.25, 0.75]
    (charge,) = charges(path)
    written = [(one["epsilon"], one["delta"]) for one in charge["aggregates"]]
    assert written == [("1/4", "1/100000000"), ("3/4", "1/10000000")]
    values = first.table.column(0).to_pylist()
    for text in (
        " UNION ALL ".join(OWN_PRICES),
        " UNION ALL ".join(reversed(OWN_PRICES)),
        *OWN_PRICES,
        f"SELECT a.n, b.n FROM ({OWN_PRICES[0]}) a, ({OWN_PRICES[1]}) b",
    ):
        again = session.query(text)
        assert again.privacy.free, text
        assert {v for c in again.table.columns for v in c.to_pylist()} <= set(values)
    assert len(charges(path)) == 1


def test_the_balance_is_that_of_the_answer(place, opened):
    """Read when asked for, true of the moment of the answer: not of the time it is read."""
    path = place()
    session = opened(path)
    first = session.query("SELECT COUNT(*) FROM users").privacy
    then = session.budget()
    second = session.query("SELECT COUNT(*) FROM orders").privacy
    replayed = session.query("SELECT COUNT(*) FROM users").privacy
    now = session.budget()
    assert then.share < now.share
    assert first.remaining == then
    assert second.remaining == replayed.remaining == now


def test_the_balance_costs_no_look_at_the_ledger(place, opened, monkeypatch):
    session = opened(place())
    looked = []
    real = Ledger.account

    def account(self, name):
        looked.append(name)
        return real(self, name)

    monkeypatch.setattr(Ledger, "account", account)  # beyond find, reserve and settle
    for _ in range(2):
        remaining = session.query("SELECT COUNT(*) FROM users").privacy.remaining
        assert 0 < remaining.share < 1
    assert looked == ["total"] * 2  # whether it binds: once an answer


def test_a_team_sees_what_another_member_spent_meanwhile(place, opened):
    path = place()
    carol, dan = opened(path, "carol"), opened(path, "dan")
    carol.query(GROUPED)
    dan.query("SELECT COUNT(*) FROM orders")
    assert carol.query(GROUPED).privacy.remaining.share == dan.budget().share


def test_the_balance_without_reuse_or_charge(place, opened):
    """Public keys alone are neither paid nor stored; the balance is of now all the same."""
    path = place(reuse="off")
    session = opened(path)
    keys = "SELECT city FROM users WHERE city IN ('Berlin', 'Delhi') GROUP BY city"
    assert session.query(keys).privacy.remaining.share == 0
    opened(path).query("SELECT COUNT(*) FROM users")
    privacy = session.query(keys).privacy
    assert privacy.free
    assert privacy.remaining.share == session.budget().share > 0


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
