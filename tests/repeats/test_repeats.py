"""What a budget has paid for answers again: the same, a looser ask, a tighter one in part."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dpsql.accountant.events import Gaussian
from dpsql.errors import BudgetExceeded, InternalError
from dpsql.explain import explain
from dpsql.ledger import Ledger
from dpsql.ledger.remembered import Remembered
from dpsql.pipeline import perturb

LAPLACE = "SELECT COUNT(*) AS c FROM visits"
GAUSSIAN = "SELECT b, k, COUNT(*) AS c, SUM(n) AS s FROM visits GROUP BY b, k"
PRIVATE = "SELECT n * 2 + 0.5 AS k, COUNT(*) AS c FROM visits GROUP BY 1"


def asked(session, sql, epsilon, **more):
    """The answer, and how its only release came about."""
    answer = session.query(sql, epsilon=epsilon, **more)
    (one,) = answer.privacy.releases
    return answer, one


def by(session, sql, epsilon, **more):
    return asked(session, sql, epsilon, **more)[1].answering.by


def entries(path, kind):
    with Ledger.open(f"sqlite:///{path.parent / 'ledger.db'}") as ledger:
        assert ledger.verify().ok
        return [entry.body for entry in ledger.entries() if entry.kind == kind]


@pytest.mark.parametrize("sql", [LAPLACE, GAUSSIAN, PRIVATE])
def test_a_looser_ask_is_the_stored_release(sql, place, opened):
    path = place(3000)
    session = opened(path)
    first, release = asked(session, sql, "2")
    assert release.answering.by == "release"
    again, looser = asked(session, sql, "0.5")
    assert looser.answering.by == "tighter"
    assert (looser.answering.epsilon, looser.epsilon) == (2, Fraction(1, 2))
    assert looser.answering.entries == release.answering.entries
    assert again.privacy.free
    assert again.table.equals(first.table)
    assert looser.events == release.events
    assert looser.key_threshold == release.key_threshold
    assert len(entries(path, "charge")) == 1


def test_the_least_noisy_answers_and_an_exact_repeat_stays_itself(place, opened):
    session = opened(place(30))
    tables = {e: asked(session, LAPLACE, e)[0].table for e in ("0.25", "0.5", "2")}
    assert asked(session, LAPLACE, "0.1")[0].table.equals(tables["2"])
    for epsilon, table in tables.items():
        answer, one = asked(session, LAPLACE, epsilon)
        assert one.answering.by == "repeat"
        assert answer.table.equals(table)


@pytest.mark.parametrize("sql", [LAPLACE, PRIVATE])
def test_tighter_is_paid_in_full_without_gaussian_noise_or_public_keys(sql, place, opened):
    path = place(3000)
    session = opened(path)
    asked(session, sql, "0.5")
    answer, one = asked(session, sql, "2")
    assert one.answering.by == "release"
    assert answer.privacy.epsilon == 2
    assert len(entries(path, "charge")) == 2


def test_private_keys_need_both_prices_larger(place, opened):
    """A smaller δ raises the threshold: not a looser ask, though ε is smaller."""
    session = opened(place(3000))
    assert by(session, PRIVATE, "2", delta="1e-7") == "release"
    assert by(session, PRIVATE, "1", delta="1e-6") == "release"
    assert by(session, PRIVATE, "1", delta="1e-8") == "tighter"


def test_another_question_is_no_repeat(place, opened):
    session = opened(place(3000))
    by(session, GAUSSIAN, "1")
    narrower = GAUSSIAN.replace("SUM(n)", "SUM(n, contribution_bounds_per_row => (0, 4))")
    fewer = GAUSSIAN.replace(
        "SELECT", "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 20)"
    )
    for other in (narrower, fewer, GAUSSIAN.replace(" FROM visits", " FROM visits WHERE n > 1")):
        assert by(session, other, "0.5") == "release"
        assert by(session, other, "3") in ("release", "mean")


def test_tighter_costs_what_is_missing(place, opened):
    """Events, spend and report tell one story, and the whole is what one release would cost."""
    path = place(3000)
    session = opened(path)
    asked(session, GAUSSIAN, "0.5")
    first = session.account(session.budget_spec).spent
    full = explain(session, GAUSSIAN, epsilon="1", advice=False)
    answer, one = asked(session, GAUSSIAN, "1")
    assert one.answering.by == "mean"
    assert full.epsilon == one.epsilon == one.answering.epsilon == 1  # explain: the full price
    assert 0 < answer.privacy.epsilon < 1
    assert answer.privacy.epsilon == one.answering.charged_epsilon
    assert answer.privacy.remaining is not None
    (_, charge) = entries(path, "charge")
    (written,) = charge["aggregates"]
    assert written["epsilon"] == str(answer.privacy.epsilon)
    assert [item["event"] for item in written["events"]] == [event for event, _ in one.events]
    # The two charges together are one release at ε = 1, but for rounding up.
    account = session.account(session.budget_spec)
    single = account.price(
        [(Gaussian(Fraction(e["noise_multiplier"])), n) for e, n in full.releases[0].events]
    )
    for spent, alone in zip(account.spent.renyi, single.renyi, strict=True):
        assert alone <= spent <= alone + 8 + alone * 2**-40
    assert any(a < b for a, b in zip(first.renyi, account.spent.renyi, strict=True))


def test_the_two_are_one_release_to_another_accountant(place, opened):
    """dp-accounting's PLD of both draws against that of one at the full price."""
    from dp_accounting import GaussianDpEvent
    from dp_accounting.pld import PLDAccountant

    def epsilon(*releases):
        accountant = PLDAccountant()
        for release in releases:
            for event, count in release.events:
                multiplier = float(Fraction(event["noise_multiplier"]))
                accountant.compose(GaussianDpEvent(multiplier), count)
        return accountant.get_epsilon(1e-6)

    path = place(0)
    session, other = opened(path), opened(path, "bob")
    (_, earlier), (_, more) = asked(session, GAUSSIAN, "0.5"), asked(session, GAUSSIAN, "1")
    (_, single) = asked(other, GAUSSIAN, "1")
    assert more.answering.by == "mean"
    assert single.answering.by == "release"
    assert epsilon(earlier, more) == pytest.approx(epsilon(single), rel=1e-4)
    assert epsilon(more) <= float(more.answering.charged_epsilon) * (1 + 1e-3)


def test_steps_add_up(place, opened):
    """Through three means the spend is still that of one release at the last price."""
    session = opened(place(300))
    for epsilon in ("0.25", "0.5", "1", "2"):
        _, one = asked(session, GAUSSIAN, epsilon)
    assert one.answering.by == "mean"
    assert len(one.answering.entries) == 4
    account = session.account(session.budget_spec)
    told = explain(session, GAUSSIAN, epsilon="2", advice=False).releases[0].events
    single = account.price([(Gaussian(Fraction(e["noise_multiplier"])), n) for e, n in told])
    for spent, alone in zip(account.spent.renyi, single.renyi, strict=True):
        assert alone <= spent <= alone + 20 + alone * 2**-40
    assert by(session, GAUSSIAN, "2") == "repeat"
    assert by(session, GAUSSIAN, "1.5") == "tighter"


def test_what_the_budget_cannot_pay_in_full_it_may_pay_in_part(place, opened):
    own = "default: {epsilon: %s, delta: %s}"
    path = place(300, (own % ("1000", "1e-3"), own % ("1.2", "2e-6")))
    session = opened(path)
    asked(session, GAUSSIAN, "0.75")
    with pytest.raises(BudgetExceeded):
        session.query(GAUSSIAN.replace("b, k", "k, a % 4"), epsilon="0.9")
    assert by(session, GAUSSIAN, "0.9") == "mean"


def test_no_other_budget_helps(place, opened):
    path = place(300)
    asked(opened(path), GAUSSIAN, "1")
    other = opened(path, "bob")
    assert by(other, GAUSSIAN, "0.5") == "release"
    assert by(other, GAUSSIAN, "1") == "mean"  # with her own
    assert by(opened(path, "carol"), GAUSSIAN, "1") == "release"
    assert by(opened(path, "dan"), GAUSSIAN, "0.5") == "tighter"


def test_nothing_depends_on_the_data(place, opened):
    """The same asks on other data: the same charges, the same ways of answering."""

    def story(rows):
        path = place(rows)
        session = opened(path)
        try:
            told = [
                (one.answering.by, answer.privacy.epsilon, one.events)
                for sql in (GAUSSIAN, PRIVATE, LAPLACE)
                for epsilon in ("0.5", "1", "0.75", "2")
                for answer, one in (asked(session, sql, epsilon),)
            ]
        finally:
            session.close()
        Remembered(
            str(path.parent / "ledger.db")
        ).forget()  # the same place, as if for the first time
        (path.parent / "ledger.db").unlink()
        return told

    assert story(0) == story(3000)


def test_under_a_group_cap_nothing_is_averaged(place, opened):
    """Each statement keeps other groups of a unit: two exact sums, of which no mean is meant."""
    capped = opened(place(300, ("max_groups: 40", "max_groups: 20")))
    assert [by(capped, GAUSSIAN, epsilon) for epsilon in ("0.5", "1")] == ["release", "release"]


@pytest.mark.parametrize("where", ["execute", "perturb"])
def test_a_crash_after_the_charge(where, place, opened, monkeypatch):
    """The charge stands, the earlier release is as it was, and the next ask pays once more."""
    path = place(300)
    session = opened(path)
    before, _ = asked(session, GAUSSIAN, "0.5")

    def crash(*_, **__):
        raise RuntimeError("crash")

    with monkeypatch.context() as patch:
        patch.setattr(f"dpsql.session.{where}.run", crash)
        with pytest.raises(InternalError):
            session.query(GAUSSIAN, epsilon="1")
    assert [one["outcome"] for one in entries(path, "outcome")] == ["released", "failed"]
    assert asked(session, GAUSSIAN, "0.5")[0].table.equals(before.table)
    _, one = asked(session, GAUSSIAN, "1")
    assert one.answering.by == "mean"
    assert len(one.answering.entries) == 2  # the lost draw is no part of it
    prices = [c["aggregates"][0]["events"] for c in entries(path, "charge")]
    assert prices[1] == prices[2] != prices[0]


def test_all_survives_the_process(place, opened):
    path = place(300)
    first = opened(path)
    for epsilon in ("0.5", "1"):
        kept, _ = asked(first, GAUSSIAN, epsilon)
    first.close()
    again, one = asked(opened(path), GAUSSIAN, "1")
    assert one.answering.by == "repeat"
    assert again.table.equals(kept.table)
    assert by(opened(path), GAUSSIAN, "2") == "mean"


def test_a_data_version_retires_them_and_brings_them_back(place, opened):
    path = place(300)
    text = path.read_text()
    first, _ = asked(opened(path), GAUSSIAN, "1")
    path.write_text(text.replace("data_version: A", "data_version: B"))
    assert by(opened(path), GAUSSIAN, "0.5") == "release"  # neither looser nor tighter
    assert by(opened(path), GAUSSIAN, "1") == "mean"
    path.write_text(text)
    back, one = asked(opened(path), GAUSSIAN, "1")
    assert one.answering.by == "repeat"
    assert back.table.equals(first.table)
    assert len(entries(path, "charge")) == 3  # all of them stand


def test_without_reuse_nothing_is_kept_or_used(place, opened):
    path = place(300, ("reuse: budget", "reuse: off"))
    session = opened(path)
    assert [by(session, GAUSSIAN, e) for e in ("1", "1", "0.5", "2")] == ["release"] * 4
    assert session.ledger.releases.list() == []


def test_a_statement_with_several_prices(place, opened):
    """Parts of one statement are decided one by one, by what was stored before it."""
    session = opened(place(300))
    part = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = {}) k, SUM(n) s, COUNT(*) c"
    part += " FROM visits GROUP BY k"
    both = "SELECT x.s, y.s FROM ({}) x JOIN ({}) y USING (k)"
    sql = both.format(part.format(0.5), part.format(2))
    first = session.query(sql).privacy
    assert [one.answering.by for one in first.releases] == ["release", "release"]
    again = session.query(both.format(part.format(0.25), part.format(2))).privacy
    assert [one.answering.by for one in again.releases] == ["tighter", "repeat"]
    assert again.free


def test_drawn_once_and_shown_twice(place, opened):
    session = opened(place(300))
    one = "(SELECT COUNT(*) FROM visits)"
    releases = session.query(f"SELECT {one} + {one}").privacy.releases
    assert [r.answering.by for r in releases] == ["release", "repeat"]
    assert [float(r.answering.charged_epsilon) for r in releases] == [1, 0]


def test_the_report_as_json(place, opened):
    session = opened(place(300))
    asked(session, GAUSSIAN, "0.5")
    _, one = asked(session, GAUSSIAN, "1")
    told = one.to_json()
    assert told["answered_by"] == "mean"
    assert told["precision"] == {"epsilon": 1.0, "delta": 1e-6}
    assert 0 < told["charged"]["epsilon"] < 1
    assert len(told["entries"]) == 2
    assert told["epsilon"] == 1.0
    assert not told["free"]


def test_perturb_is_called_with_what_was_charged(place, opened, monkeypatch):
    """The noise that is drawn is that of the events in the ledger."""
    session, seen, real = opened(place(300)), [], perturb.run

    def watched(plan, cells, earlier=None):
        seen.append(plan)
        return real(plan, cells, earlier)

    monkeypatch.setattr(perturb, "run", watched)
    asked(session, GAUSSIAN, "0.5")
    _, one = asked(session, GAUSSIAN, "1")
    drawn = [item for part in seen[-1].blocks for item in part.mechanism.items]
    assert tuple((event.to_json(), count) for event, count in drawn) == one.events
