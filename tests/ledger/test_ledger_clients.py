"""Many clients at once, some of them killed: what they were told is what the ledger holds."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from client_history import Call, check, read_calls
from ledger_cases import MILLIONTH, url
from ledger_stores import both_slow

from dpsql.accountant.terms import BudgetTerms
from dpsql.ledger import Ledger
from dpsql.ledger.heads import Head

CLIENTS = Path(__file__).with_name("ledger_clients.py")


def limits(seconds):
    """Budgets that run out on the way: bob's at once, the total before the end of a long run."""
    return {
        "alice": Fraction(seconds) * 10, "bob": Fraction(1, 2), "carol": Fraction(seconds) * 10,
        "total": Fraction(seconds) * 2,
    }  # fmt: skip


def run(folder, *, processes, threads, seconds, killed=0, fault=""):
    """The clients' calls and the ledger's entries; `killed` processes end by kill -9 half-way."""
    where = url(folder / "ledger.db")
    with Ledger.open(where) as ledger, pytest.MonkeyPatch.context() as patch:
        # Budgets that add up pure losses, as the checker does: those of (ε, δ) admit a little more.
        patch.setattr(BudgetTerms, "create", lambda epsilon, *_: BudgetTerms.pure(epsilon))
        for name, epsilon in limits(seconds).items():
            kind = "total" if name == "total" else "analyst"
            ledger.ensure_budget(name, kind, epsilon, MILLIONTH)
    words = [sys.executable, str(CLIENTS), where, str(folder)]
    started = [
        subprocess.Popen(
            [*words, f"p{number}t", str(threads), str(seconds), fault],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(processes)
    ]  # fmt: skip
    for one in started:
        assert one.stdout.readline() == "ready\n"
    for one in started:
        one.stdin.write("go\n")
        one.stdin.flush()
    time.sleep(seconds / 2)
    for one in started[:killed]:
        one.kill()
    for index, one in enumerate(started):
        _, errors = one.communicate(timeout=seconds + 300)
        assert one.returncode == (-9 if index < killed else 0), errors
        assert not errors
    return read_calls(folder.glob("*.jsonl")), where


def judged(calls, where, seconds):
    """What is wrong, and the results that occurred. The ledger is what a later process finds."""
    with Ledger.open(where) as ledger:
        ledger.forfeit_stale()
        entries = list(ledger.entries())
        told = [receipt for call in calls for receipt in (call.charge, call.receipt) if receipt]
        report = ledger.verify(heads=[Head("told", *receipt) for receipt in set(told)])
    wrong = [*check(calls, entries, limits(seconds)), *report.problems]
    if report.open_charges:
        wrong.append(f"{report.open_charges} charges are open though everybody is gone")
    return wrong, {call.result for call in calls}


@both_slow
def test_twelve_clients(store, tmp_path):
    seconds = 4 if store == "sqlite" else 12  # until a budget runs out on a busy machine
    calls, where = run(tmp_path, processes=3, threads=4, seconds=seconds, killed=1)
    wrong, results = judged(calls, where, seconds)
    assert wrong == []
    assert {"answered", "failed", "refused"} <= results
    assert len({call.client for call in calls}) == 12


@pytest.mark.slow
@both_slow
def test_fifty_clients_for_a_minute(tmp_path):
    calls, where = run(tmp_path, processes=5, threads=10, seconds=60, killed=2)
    wrong, results = judged(calls, where, 60)
    assert wrong == []
    assert {"answered", "failed", "refused"} <= results
    assert len({call.client for call in calls}) == 50
    assert len(calls) > 2000


@pytest.mark.parametrize(
    ("fault", "found"), [("admit-all", "spent"), ("fresh", "different answers")]
)
@both_slow
def test_a_ledger_with_a_fault_is_found(tmp_path, fault, found):
    """The whole of it: clients of a ledger that admits all, or that answers a retry afresh."""
    calls, where = run(tmp_path, processes=1, threads=4, seconds=3, fault=fault)
    wrong, _ = judged(calls, where, 3)
    assert any(found in problem for problem in wrong), wrong[:5]


# ---- the checker itself ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A small true history of one client: (calls, entries)."""
    folder = tmp_path_factory.mktemp("history")
    calls, where = run(folder, processes=1, threads=2, seconds=2)
    with Ledger.open(where) as ledger:
        entries = list(ledger.entries())
    assert check(calls, entries, limits(2)) == []
    return calls, entries


def first(calls, result="answered", *, charged=True):
    return next(c for c in calls if c.result == result and (c.charge is not None) == charged)


def changed(calls, call, **changes):
    return [replace(one, **changes) if one is call else one for one in calls]


def without(entries, seq):
    return [entry for entry in entries if entry.seq != seq]


def found(calls, entries):
    return check(calls, entries, limits(2))


def test_it_finds_an_answer_without_a_charge(history):
    calls, entries = history
    lost = without(entries, first(calls).charge[0])
    assert any("without a charge" in problem for problem in found(calls, lost))
    assert any("which is not there" in problem for problem in found(calls, lost))


def test_it_finds_an_answer_whose_outcome_is_lost(history):
    calls, entries = history
    seq = first(calls).charge[0]
    lost = [e for e in entries if not (e.kind == "outcome" and e.body["charge"] == seq)]
    assert any("without a charge that released it" in problem for problem in found(calls, lost))


def test_it_finds_a_charge_served_twice(history):
    calls, entries = history
    call = first(calls)
    twice = [*calls, replace(call, id="other", client="x")]
    assert any("was served to" in problem for problem in found(twice, entries))


def test_it_finds_an_answer_that_changed(history):
    calls, entries = history
    again = first(calls, charged=False)
    problems = found(changed(calls, again, payload="other"), entries)
    assert any("different answers" in problem for problem in problems)


def test_it_finds_a_head_that_is_not_shown(history):
    calls, entries = history
    call = first(calls)
    for what in ("charge", "receipt"):
        other = (getattr(call, what)[0], "0" * 64)
        problems = found(changed(calls, call, **{what: other}), entries)
        assert any("which is not there" in problem for problem in problems)


def test_it_finds_spend_above_a_budget(history):
    calls, entries = history
    assert any("spent" in p for p in check(calls, entries, limits(2) | {"bob": Fraction(1, 10)}))
    assert any("spent" in p for p in check(calls, entries, limits(2) | {"total": Fraction(1, 10)}))


def test_it_finds_a_charge_that_nobody_asked_for(history):
    calls, entries = history
    fewer = [call for call in calls if call is not first(calls)]
    assert any("and tried 0 times" in problem for problem in found(fewer, entries))


def test_it_finds_a_refusal_in_vain(history):
    calls, entries = history
    refusal = Call("x", "bob", "new", Fraction(1), 0, 1, "refused")
    ample = limits(2) | {"bob": Fraction(1000), "total": Fraction(10000)}
    assert any("which fits" in p for p in check([*calls, refusal], entries, ample))


def test_it_finds_an_order_that_is_not_that_of_time(history):
    calls, entries = history
    charged = [call for call in calls if call.charge is not None]
    earliest = min(charged, key=lambda call: call.charge[0])
    late = max(call.end for call in charged) + 1
    problems = found(changed(calls, earliest, start=late, end=late + 1), entries)
    assert any("after" in problem and "was told" in problem for problem in problems)


def test_two_outcomes_are_found(history):
    calls, entries = history
    outcome = next(entry for entry in entries if entry.kind == "outcome")
    assert any("2 outcomes" in p for p in found(calls, [*entries, outcome]))
