"""What an accepted loss burns: what receipts, checkpoints and grants show that budgets held."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
from ledger_cases import MILLIONTH, ask, budgets, forge, refused, rows, url
from ledger_stores import backup, both_slow, restore, seen
from ledger_stores import lose as lose_it

from dpsql.accountant.events import Threshold
from dpsql.core.refresh import DAY
from dpsql.errors import BudgetExceeded, LedgerError
from dpsql.ledger import Ledger
from dpsql.ledger.acceptance import burn, burns
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.ceilings import Ceiling, Peak, from_json, held, merged, options, read, to_json
from dpsql.ledger.chain import parse
from dpsql.ledger.heads import Head

NOW = 1_700_000_000

pytestmark = both_slow


class Place:
    """One ledger file, its backups, and users who remember."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "ledger.db"
        self.now = NOW

    def open(self):
        return Ledger.open(url(self.file), clock=lambda: self.now)

    def user(self, name):
        return seen(self.file, self.folder / name)

    def backup(self, name):
        backup(self.file, self.folder / name)

    def restore(self, name):
        restore(self.folder / name, self.file)


@pytest.fixture
def here(tmp_path):
    made = Place(tmp_path)
    with made.open() as ledger:
        budgets(ledger)
    made.backup("old")
    return made


def grant(ledger, user, budget="alice", **amounts):
    ledger.grant(budget, by="owner", why="w", promise=user.promise, **amounts)


def answered(here, user, analyst="alice", *, more=(), **price):
    """A charged answer, whose receipt the user keeps."""
    with here.open() as ledger:
        budgets(ledger)
        for name, kind in more:
            ledger.ensure_budget(name, kind, Fraction(1), MILLIONTH)
        ledger.settle(ask(ledger, analyst=analyst, **price), "released")
        user.keep(ledger.anchor())
        return ledger.anchor()


def burned(ledger):
    """The newest acceptance: (ε, count) by budget."""
    record, _ = ledger._journal._state.accepted[-1]
    return {name: (events[0][0].epsilon, events[0][1]) for name, events in record.burned.items()}


def lose(here, anchor, known=()):
    with here.open() as ledger:
        ledger.losses.accept(anchor.seq, anchor.head, anchor.ledger, known)
        assert ledger.verify().ok
        return burned(ledger)


# ---- grants ----------------------------------------------------------------------------------


def test_a_grant_is_known_outside_the_ledger_before_it_is_given(here):
    owner = here.user("owner")
    with here.open() as ledger:
        order = []

        def promise(anchor):
            order.append(ledger.head() == (anchor.seq, anchor.head))
            owner.promise(anchor)

        ledger.grant("alice", epsilon=Fraction(2), by="o", why="w", promise=promise)
        assert order == [True]
        assert dict(owner.known(ledger.name()))["alice"] == Ceiling(Fraction(3), MILLIONTH)


def test_a_grant_that_cannot_be_remembered_is_not_given(here, tmp_path):
    (tmp_path / "file").touch()
    owner = seen(here.file, tmp_path / "file" / "below")
    with here.open() as ledger:
        before = ledger.head()
        error = refused(grant, ledger, owner, epsilon=Fraction(2), error=LedgerError)
        assert error.code == "grant-not-kept"
        assert ledger.head() == before
        assert ledger.terms("alice").epsilon == 1


def test_a_lost_grant_is_burned(here):
    owner, alice = here.user("owner"), here.user("alice")
    with here.open() as ledger:
        grant(ledger, owner, epsilon=Fraction(2), delta=MILLIONTH)
    anchor = answered(here, alice, epsilon="3/2")
    here.restore("old")
    assert refused(alice.require_shown, here.open(), error=LedgerError).code == "ledger-shows-less"
    assert lose(here, anchor, owner.known(anchor.ledger)) == {"alice": (3, 1), "total": (20, 1)}
    with here.open() as ledger:
        alice.require_shown(ledger)
        assert ledger.spent("alice").selection_delta == 2 * MILLIONTH
        refused(ask, ledger)


def test_a_receipt_that_says_more_is_not_excused_by_less(here):
    """Granted by somebody whom the accepting owner knows nothing of."""
    alice, other = here.user("alice"), here.user("another owner")
    with here.open() as ledger:
        grant(ledger, other, epsilon=Fraction(2))
    anchor = answered(here, alice, epsilon="3/2")
    here.restore("old")
    assert lose(here, anchor)["alice"] == (1, 1)
    with here.open() as ledger:
        error = refused(alice.require_shown, ledger, error=LedgerError)
        assert error.code == "ledger-shows-less"
        assert "--held alice=3,1/1000000" in error.hint
        report = ledger.verify(heads=alice.heads(anchor.ledger))
        assert not report.ok
        assert "is no entry of this ledger" in str(report)
    assert lose(here, anchor, held(dict([read("alice=3,1/1000000")])))["alice"] == (3, 1)
    with here.open() as ledger:
        alice.require_shown(ledger)
        assert ledger.verify(heads=alice.heads(anchor.ledger)).ok


@pytest.mark.parametrize("budget", ["total", "team:growth"])
def test_shared_budgets_too(here, budget):
    owner, carol, dan = (here.user(name) for name in ("owner", "carol", "dan"))
    more = [("team:growth", "team")]
    first = answered(here, dan, "dan", budget="team:growth", more=more)
    here.backup("old")
    with here.open() as ledger:
        grant(ledger, owner, budget, epsilon=Fraction(5))
    anchor = answered(here, carol, "carol", budget="team:growth", more=more)
    here.restore("old")
    lose(here, anchor)
    with here.open() as ledger:
        dan.require_shown(ledger)  # his newest entry is there
        assert f"--held {budget}=" in refused(carol.require_shown, ledger, error=LedgerError).hint
    was = {"total": 20, "team:growth": 1}
    found = lose(here, anchor, owner.known(first.ledger))
    assert found == {"alice": (1, 1)} | {
        name: (value + 5 * (name == budget), 1) for name, value in was.items()
    }
    with here.open() as ledger:
        carol.require_shown(ledger)


def test_a_raise_and_a_lowering_in_the_lost_part(here):
    """The policy's word may have come and gone: what counts is the most there was."""
    alice = here.user("alice")
    with here.open() as ledger:
        ledger.ensure_budget("alice", "analyst", Fraction(9), MILLIONTH)
    anchor = answered(here, alice)  # at 1 again
    assert dict(anchor.held)["alice"].epsilon == 9
    here.restore("old")
    assert lose(here, anchor, anchor.held)["alice"] == (9, 1)


def test_a_signed_checkpoint_knows_it(here):
    from dpsql.ledger.checkpoints import Checkpoint, ceilings_of, read_all, read_checkpoint, write
    from dpsql.ledger.signing import generate

    key, place = generate(), here.folder / "apart"
    with here.open() as ledger:
        grant(ledger, here.user("owner"), epsilon=Fraction(2))
        anchor = ledger.anchor(whole=True)
    path = write(place, Checkpoint(anchor, NOW, key.public), key)
    found = read_checkpoint(path.read_bytes())
    assert found.anchor == anchor
    known = merged(*ceilings_of(read_all(place), {key.public}, anchor.ledger))
    assert dict(known)["alice"] == Ceiling(Fraction(3), MILLIONTH)
    assert ceilings_of(read_all(place), {generate().public}, anchor.ledger) == []
    assert ceilings_of(read_all(place), {key.public}, "0" * 32) == []
    # A changed ceiling is a changed file.
    path.write_bytes(path.read_bytes().replace(b'["3",', b'["2",'))
    assert read_checkpoint(path.read_bytes()) is None


# ---- seams -----------------------------------------------------------------------------------


def test_an_acceptance_of_another_ledger_excuses_nothing_of_this_one(here):
    """One act, one loss: what was lost of this ledger has to be burned for itself."""
    alice = here.user("alice")
    anchor = answered(here, alice)
    here.restore("old")
    lose(here, Anchor("cd" * 16, 9, "0" * 64))
    with here.open() as ledger:
        assert refused(alice.require_shown, ledger, error=LedgerError).code == "ledger-shows-less"
        assert not ledger.verify(heads=alice.heads(anchor.ledger)).ok
    lose(here, anchor)
    with here.open() as ledger:
        alice.require_shown(ledger)
        assert ledger.spent("alice").epsilon >= 2


def test_an_acceptance_of_this_ledger_excuses_no_other(here):
    alice = here.user("alice")
    anchor = answered(here, alice)
    lose_it(here.file)
    with here.open() as ledger:  # another one, in its place
        budgets(ledger)
        ledger.losses.accept(9, "0" * 64)
        assert refused(alice.require_shown, ledger, error=LedgerError).code == "ledger-another"
    assert lose(here, anchor)["alice"] == (1, 1)
    with here.open() as ledger:
        alice.require_shown(ledger)


def test_two_losses_in_a_row(here):
    """The second burns what the lost acceptance stood for, too."""
    alice = here.user("alice")
    first = answered(here, alice)
    here.restore("old")
    lose(here, first)
    with here.open() as ledger:
        ledger.ensure_budget("alice", "analyst", Fraction(5), Fraction(5, 10**6))
        ledger.ensure_budget("total", "total", Fraction(100), Fraction(1, 10**4))
        ledger.settle(ask(ledger), "released")
        second = ledger.anchor()
        alice.keep(second)
    here.restore("old")
    for late in (first, second):  # each is refused, and so is a user who has both
        with here.open() as ledger:
            assert not ledger.losses.shows(late)
    assert lose(here, second, alice.known(second.ledger))["alice"] == (5, 1)
    with here.open() as ledger:  # (5, ...) covers the first branch and the second: it admitted both
        assert ledger.losses.shows(first)
        # Hers is as young as this acceptance: a number says how many came before, not which.
        assert not ledger.losses.shows(second)
    lose(here, second, alice.known(second.ledger))
    with here.open() as ledger:
        alice.require_shown(ledger)


def test_an_acceptance_that_is_lost_before_anything_was_admitted_on_it(here):
    """Then the budget has told its own terms and, in the first lost part, as much again."""
    owner = here.user("owner")
    first = answered(here, here.user("alice"))
    here.restore("old")
    lose(here, first)
    with here.open() as ledger:
        second = ledger.anchor(whole=True)
        owner.keep(second)
        assert dict(second.held)["alice"] == Ceiling(Fraction(2), 2 * MILLIONTH)
    here.restore("old")
    assert lose(here, second, owner.known(second.ledger))["alice"] == (2, 1)


def test_once_the_filter_admits_on_top_of_it_a_burned_loss_is_within_the_terms():
    from dpsql.accountant.terms import BudgetTerms

    for refresh, left in [("never", 5), ("daily", 6)]:
        peak = Peak()
        peak.rise(BudgetTerms.create(Fraction(1), MILLIONTH), refresh)
        peak.burn(burn(peak.terms, NOW))
        assert peak.ceiling.epsilon == 2
        peak.rise(BudgetTerms.create(Fraction(5), MILLIONTH), refresh)
        assert peak.ceiling.epsilon == 6
        peak.admitted()
        assert peak.ceiling.epsilon == left


def test_accepting_twice_burns_twice(here):
    anchor = answered(here, here.user("alice"))
    here.restore("old")
    for times in (1, 2):
        assert lose(here, anchor)["alice"] == (1, 1)
        with here.open() as ledger:
            assert ledger.spent("alice").epsilon == times


def test_windows_of_the_finest_calendar_are_burned(here):
    """In the lost part the budget refreshed daily; before and after it never does."""
    alice = here.user("alice")
    with here.open() as ledger:
        ledger.ensure_budget("alice", "analyst", Fraction(1), MILLIONTH, refresh="daily")
    for _ in range(3):
        with here.open() as ledger:
            ledger.settle(ask(ledger, epsilon="1"), "released")
            alice.keep(ledger.anchor(whole=True))
        here.now += DAY
    with here.open() as ledger:
        budgets(ledger)  # the policy says never again
        anchor = ledger.anchor(whole=True)
        alice.keep(anchor)
    here.restore("old")
    assert lose(here, anchor)["alice"] == (1, 1)
    with here.open() as ledger:
        error = refused(alice.require_shown, ledger, error=LedgerError)
        assert "--held alice=1,1/1000000,daily" in error.hint
    assert lose(here, anchor, alice.known(anchor.ledger))["alice"] == (1, 3654)
    with here.open() as ledger:
        alice.require_shown(ledger)


def test_a_budget_that_was_opened_in_the_lost_part(here):
    """Whoever used it is served once it was burned at what it held."""
    bob = here.user("bob")
    anchor = answered(here, bob, "bob", more=[("bob", "default")])
    here.restore("old")
    lose(here, anchor)
    with here.open() as ledger:
        ledger.ensure_budget("bob", "default", Fraction(1), MILLIONTH)
        assert refused(bob.require_shown, ledger, error=LedgerError).code == "ledger-shows-less"
        error = refused(
            ledger.losses.accept, 9, "0" * 64, None, held({"eve": Ceiling(Fraction(1), MILLIONTH)}),
            error=LedgerError,
        )  # fmt: skip
        assert error.code == "unknown-budget"
    assert lose(here, anchor, bob.known(anchor.ledger))["bob"] == (1, 1)
    with here.open() as ledger:
        bob.require_shown(ledger)
        assert refused(ask, ledger, analyst="bob", error=BudgetExceeded)


def test_what_a_user_knows_is_never_forgotten(here):
    alice = here.user("alice")
    with here.open() as ledger:
        grant(ledger, alice, epsilon=Fraction(2))
        name = ledger.name()
    answered(here, alice)
    here.restore("old")
    lose(here, Anchor(name, 99, "0" * 64), alice.known(name))
    with here.open() as ledger:  # a receipt of today's ledger, which says less
        plain = dataclasses.replace(ledger.anchor(), held=())
    alice.keep(plain)
    assert dict(here.user("alice").known(name))["alice"].epsilon == 3


# ---- forged and malformed --------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        {"event": "threshold", "epsilon": "1/2", "delta": "1/1000000", "count": "1"},
        {"event": "threshold", "epsilon": "1", "delta": "1/1000001", "count": "1"},
        {"event": "threshold", "epsilon": "1", "delta": "1/1000000", "count": "2"},
        {"event": "pure", "epsilon": "1"},
    ],
)
def test_a_forged_acceptance_that_burns_less_is_refused_and_found(here, event):
    lose(here, Anchor("cd" * 16, 9, "0" * 64))
    body = parse(rows(here.file)[-1][3])
    body["burned"]["alice"] = [{"event": event, "count": 1}]
    forge(here.file, **body)
    assert refused(here.open, error=LedgerError).code == "ledger-broken"
    with Ledger.audit(url(here.file)) as ledger:
        assert "does not burn all of budget 'alice'" in str(ledger.verify())


def test_burning_covers_exactly_what_it_says():
    one = Ceiling(Fraction(1), MILLIONTH, "daily")
    assert burns(burn(one, NOW), one, NOW)
    assert burns(burn(one | Ceiling(Fraction(2), MILLIONTH), NOW), one, NOW)
    for more in [
        Ceiling(Fraction(2), MILLIONTH, "daily"),
        Ceiling(Fraction(1), 2 * MILLIONTH, "daily"),
    ]:
        assert not burns(burn(one, NOW), more, NOW)
    assert not burns(burn(Ceiling(Fraction(1), MILLIONTH, "weekly"), NOW), one, NOW)
    assert not burns((), one, NOW)
    assert not burns(burn(one, NOW) * 2, one, NOW)
    assert burn(Ceiling(Fraction(1), MILLIONTH), NOW) == ((Threshold(1, MILLIONTH, 1), 1),)


def test_a_delta_of_one_cannot_be_burned():
    error = refused(burn, Ceiling(Fraction(1), Fraction(1)), NOW, error=LedgerError)
    assert error.code == "grants-too-large"


@pytest.mark.parametrize(
    "text",
    ["", "a", "a=1", "=1,1", "a=1,0", "a=0,1", "a=-1,1", "a=nan,1", "a=inf,1", "a=1,1,hourly",
     "a=1,1e-6,daily,x", "a=1/0,1", "a=" + "9" * 5000 + ",1"],
)  # fmt: skip
def test_what_is_no_ceiling(text):
    with pytest.raises((ValueError, ArithmeticError)):
        read(text)


def test_ceilings_are_written_and_read_back():
    found = held({"team:a b": Ceiling(Fraction(7, 3), MILLIONTH, "weekly"), "total": CEILING})
    assert from_json(to_json(found)) == found
    assert options(found) == " --held 'team:a b=7/3,1/1000000,weekly' --held total=1,1/1000000"
    assert read("team:a=b=7,1e-6") == ("team:a=b", Ceiling(Fraction(7), MILLIONTH))
    bad = [["1"], ["1", "x", "never"], ["2/4", "1/2", "never"], ["1", "1/2", "hourly"], [1, 2, 3]]
    for spoilt in [{}, [], "x", {"a": None}, *({"a": one} for one in bad)]:
        assert refused(from_json, spoilt, error=LedgerError).code == "ledger-broken"


CEILING = Ceiling(Fraction(1), MILLIONTH)


def test_a_receipt_of_an_older_dpsql_is_excused_as_it_was(here):
    anchor = dataclasses.replace(answered(here, here.user("alice")), held=())
    here.restore("old")
    lose(here, anchor)
    with here.open() as ledger:
        assert ledger.losses.shows(anchor)
        assert ledger.verify(heads=[Head.of("receipt", anchor)]).ok
