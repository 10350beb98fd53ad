"""One budget over time, and the summary that the page is made from."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from history_world import DAY, START

from dpsql.accountant.events import Laplace, Pure
from dpsql.accountant.filter import admits
from dpsql.accountant.odometer import odometer, share
from dpsql.accountant.remaining import repeats
from dpsql.errors import BudgetExceeded
from dpsql.history.spending import Curve, spending
from dpsql.history.summary import LARGEST, POINTS, collusion, summary_of


def past(months, budget, analyst):
    return spending(months.ledger, months.ledger.account(budget), analyst, 1_000)


def test_spending_of_one_budget(months):
    found = past(months, "analyst:grace", "grace")
    times = [START, START + 80 * DAY]
    assert [time for time, _ in found.shares] == times
    account = months.ledger.account("analyst:grace")
    first = share(account.terms, account.price([Pure(Fraction(1, 10))]))
    assert [value for _, value in found.shares] == pytest.approx([first, 0.2], rel=1e-6)
    assert found.last.sql == "SELECT COUNT(*) FROM cities"
    assert found.last.more == 16  # 1.6 of 2 is left, at 0.1


def test_a_team_shares_its_curve_and_not_its_last_query(months):
    tom, mei = (past(months, "team:lab", who) for who in ("tom", "mei"))
    assert tom.shares == mei.shares
    assert (float(tom.last.epsilon), float(mei.last.epsilon)) == (1.25, 0.5)
    assert mei.last.more == 4


def test_what_is_said_to_fit_fits_and_no_more(months):
    found = past(months, "team:lab", "mei")
    for _ in range(found.last.more):
        months.pay("mei", "team:lab", "SELECT 1 FROM visits", "1/2")
    with pytest.raises(BudgetExceeded):
        months.pay("mei", "team:lab", "SELECT 1 FROM visits", "1/2")


def test_what_fits_must_fit_the_total_too(months):
    months.open("analyst:rest", "analyst", 100)
    months.pay("rest", "analyst:rest", "SELECT 1 FROM visits", "73/10")  # of the total .55 is left
    lab, total = (months.ledger.account(name) for name in ("team:lab", "total"))
    found = spending(months.ledger, lab, "mei", 1_000, total=total)
    assert (past(months, "team:lab", "mei").last.more, found.last.more) == (4, 1)
    months.pay("mei", "team:lab", "SELECT 1 FROM visits", "1/2")
    with pytest.raises(BudgetExceeded):
        months.pay("mei", "team:lab", "SELECT 1 FROM visits", "1/2")


@pytest.mark.parametrize("most", [0, 1, 7, 64])
def test_repeats_is_what_counting_finds(months, most):
    account = months.ledger.account("analyst:grace")
    item = Laplace(noise_multiplier=Fraction(17))
    spent, count = account.spent, 0
    while count < most and admits(account.terms, spent + account.price([item])):
        spent, count = spent + account.price([item]), count + 1
    assert repeats(account.terms, account.spent, [item], most) == count


def test_a_curve_keeps_its_ends_and_no_more_points_than_it_may(months):
    account, curve = months.ledger.account("total"), Curve(most=8)
    for time in range(START, START + 1_000 * DAY, DAY // 2):
        curve.add(time, account)
        assert len(curve.points) <= 8
    assert curve.points[-1][0] == time
    assert len(curve.points) >= 4


def test_the_summary(months):
    found = summary_of(months.ledger)
    assert found.stopped is None
    assert (found.entries, found.charges) == (13, 5)
    assert (found.first, found.last) == (START, START + 80 * DAY)
    assert dict(found.outcomes) == {"released": 3, "timeout": 1, "open": 1}
    assert dict(found.analysts) == {"grace": 3, "mei": 1, "tom": 1}
    assert {name: one.charges for name, one in found.budgets.items()} == {
        "analyst:grace": 3, "team:lab": 2, "total": 5,
    }  # fmt: skip
    assert {name: (use.charges, use.epsilon) for name, use in found.tables.items()} == {
        "persons": (3, pytest.approx(0.8)),
        "visits": (1, 0.5),
        "main.visits": (1, 1.25),
        "cities": (1, 0.1),
    }
    assert [one.entry for one in found.largest] == [9, 7, 11, 5, 13]
    for name, one in found.budgets.items():
        assert one.account == months.ledger.account(name)
        assert one.curve.points[-1][1] == one.account


def test_what_came_after_the_verdict_is_left_out(months):
    found = summary_of(months.ledger, until=8)
    assert (found.entries, found.charges) == (8, 2)


def test_the_largest_are_few_and_the_first_of_equal_ones(months):
    for _ in range(LARGEST):
        months.pay("mei", "team:lab", "SELECT 1 FROM visits", "1/20")
    found = summary_of(months.ledger).largest
    assert len(found) == LARGEST
    assert [one.entry for one in found][:5] == [9, 7, 11, 5, 13]
    assert [one.entry for one in found][5:] == sorted(one.entry for one in found[5:])


def test_what_is_kept_does_not_grow_with_charges(months):
    for step in range(200):
        months.now += 3600
        months.pay("mei", "team:lab", f"SELECT {step} FROM visits", "1/1000")
    found = summary_of(months.ledger)
    assert max(len(one.curve.points) for one in found.budgets.values()) <= POINTS


def test_the_worst_case_is_the_odometer_of_the_total(months):
    account = months.ledger.account("total")
    worst = collusion(summary_of(months.ledger))
    assert worst.epsilon == odometer(account.terms, account.spent)
    assert worst.limit == (10, Fraction(1, 10**5))
    assert worst.epsilon * (1 + 1e-9) >= 2.15  # at least what was released purely


def test_without_a_total_budgets_add_up(months):
    made = type(months)()
    made.open("analyst:a", "analyst", 1)
    made.open("analyst:b", "analyst", 2)
    made.open("analyst:idle", "analyst", 3)
    made.pay("a", "analyst:a", "SELECT 1 FROM t", "1/2", total=None)
    made.pay("b", "analyst:b", "SELECT 1 FROM t", "1/4", total=None)
    worst = collusion(summary_of(made.ledger))
    made.ledger.close()
    assert math.isclose(worst.epsilon, 0.75, rel_tol=1e-9)
    assert worst.delta == Fraction(2, 10**6)  # whoever learnt nothing adds no chance
    assert worst.limit is None


def test_shares_of_the_curve_are_those_of_the_account(months):
    account = months.ledger.account("team:lab")
    found = past(months, "team:lab", "tom")
    assert found.shares[-1][1] == share(account.terms, account.spent)
