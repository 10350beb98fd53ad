"""Connections that are cut while a charge is written: found out anew, or counted as spent.

The wire between dpsql and a real server is cut (ledger_proxy.py) before COMMIT arrives, after it
was carried out, or so that it arrives when the client has long gone.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing, suppress
from fractions import Fraction

import ledger_stores
import postgres_server
import psycopg2
import pytest
from ledger_cases import ask, budgets, refused, url
from ledger_proxy import Wire
from ledger_stores import both, tables

from dpsql.errors import LedgerError
from dpsql.ledger import Ledger, Release
from dpsql.ledger.entries import Outcome
from dpsql.ledger.requests import request_key

TENTH = Fraction(1, 10)
server_only = pytest.mark.parametrize(
    "store", ["18", pytest.param("16", marks=pytest.mark.slow)], indirect=True
)


@pytest.fixture
def wire(store, tmp_path):
    if "host=/" not in ledger_stores.DATABASE[0]:
        pytest.skip("this server is not reached by a socket of ours")
    opened = Wire(ledger_stores.DATABASE[0], tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def ledger(request, wire, tmp_path):
    schema = ledger_stores.schema(tmp_path)
    patience = 1 if "down" in request.node.name or "never_answered" in request.node.name else 10
    with Ledger.open(f"{wire.url}&schema={schema}", patience=patience) as opened:
        budgets(opened)
        yield opened


def straight(tmp_path):
    """The same ledger by another way."""
    return Ledger.open(url(tmp_path))


def key(id="r1"):
    return request_key(
        id, budget="alice", total="total", sql="s", data_version="1",
        wanted=[("f1", TENTH, Fraction(1, 10**8))],
    )  # fmt: skip


def answered(ledger, id="r1"):
    """As a session does it: what was kept of the request, else a charge and new bytes."""
    attempt = ledger.attempt("alice", key(id))
    if attempt.payloads:
        return attempt.payloads["f1"]
    receipt = ask(ledger, sql="s", attempt=attempt)
    payload = f"{id} {receipt.seq}".encode()
    ledger.settle(receipt, "released", kept=[Release("f1", payload)])
    return payload


# ---- at the charge -----------------------------------------------------------------------------


@server_only
@pytest.mark.parametrize("how", ["after", "late"])
def test_a_charge_that_was_committed_is_found_out(ledger, wire, how, tmp_path):
    """Its answer never came; the entry is there, so it is a charge, and the query goes on."""
    wire.cut = how
    receipt = ask(ledger)
    assert wire.cuts == 1
    ledger.settle(receipt, "released")
    assert ledger.spent("alice").epsilon == TENTH
    with straight(tmp_path) as other:
        report = other.verify(f"{receipt.seq}:{receipt.head}")
        assert report.ok, report.problems
        assert report.open_charges == 0


@server_only
def test_a_charge_that_never_arrived_is_none(ledger, wire, tmp_path):
    wire.cut = "before"
    error = refused(ask, ledger, error=LedgerError)
    assert (wire.cuts, error.code) == (1, "ledger-lost")
    assert ledger.spent("alice").epsilon == 0
    ask(ledger)
    with straight(tmp_path) as other:
        assert other.spent("alice").epsilon == TENTH
        assert other.verify().ok


@server_only
@pytest.mark.parametrize(("how", "spent"), [("after-down", 1), ("before-down", 0)])
def test_what_cannot_be_found_out_is_in_doubt_and_then_known(ledger, wire, how, spent, tmp_path):
    """With nobody to ask: counted as spent, not answered. Later the ledger itself says it."""
    wire.cut = how
    error = refused(ask, ledger, error=LedgerError)
    assert error.code == "ledger-in-doubt"
    assert "count it as spent" in error.message
    assert "host" not in str(error)
    wire.down = False
    assert ledger.spent("alice").epsilon == spent * TENTH
    assert ledger.forfeit_stale() == spent  # this very process will not settle it
    with straight(tmp_path) as other:
        report = other.verify()
        assert report.ok, report.problems
        assert report.open_charges == 0
        assert other.spent("alice").epsilon == spent * TENTH


@server_only
@pytest.mark.parametrize("how", ["after-down", "before-down"])
def test_a_request_in_doubt_is_asked_again_by_its_id(ledger, wire, how, tmp_path):
    """Never answered twice, never answered without a charge; one doubt costs one charge at most."""
    wire.cut = how
    assert refused(answered, ledger, error=LedgerError).code == "ledger-in-doubt"
    wire.down = False
    payload = answered(ledger)
    assert answered(ledger) == payload
    with straight(tmp_path) as other:
        entries = list(other.entries())
        charges = [entry for entry in entries if entry.kind == "charge"]
        assert len(charges) == (2 if how == "after-down" else 1)
        ends = [entry.body["outcome"] for entry in entries if entry.kind == "outcome"]
        assert ends == [*["forfeited"] * (len(charges) - 1), "released"]
        assert other.verify().ok


# ---- a server that hangs -----------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    """How long a server that hangs is waited for."""
    monkeypatch.setattr("dpsql.ledger.postgres_wire.ANSWER_SECONDS", 0.5)


@server_only
def test_a_commit_that_is_never_answered_is_found_out(ledger, wire, impatient, tmp_path):
    """Nothing is cut and nobody goes: without a time limit this would wait for ever."""
    wire.cut = "mute"
    began = time.monotonic()
    receipt = ask(ledger)
    assert (wire.cuts, time.monotonic() - began < 8) == (1, True)
    ledger.settle(receipt, "released")
    with straight(tmp_path) as other:
        report = other.verify(f"{receipt.seq}:{receipt.head}")
        assert report.ok, report.problems
        assert other.spent("alice").epsilon == TENTH


@server_only
@pytest.mark.parametrize("how", ["hung", "hung-down"])
def test_a_commit_in_a_server_that_hangs_or_is_down_is_in_doubt(
    ledger, wire, impatient, how, tmp_path
):
    """It holds its lock, or nobody is answered at all. It commits later, and then it counts."""
    wire.cut = how
    began = time.monotonic()
    error = refused(ask, ledger, error=LedgerError)
    assert time.monotonic() - began < 12
    assert error.code == "ledger-in-doubt"
    wire.down = False
    wire.resume.set()
    time.sleep(0.5)
    assert ledger.spent("alice").epsilon == TENTH
    assert ledger.forfeit_stale() == 1
    with straight(tmp_path) as other:
        report = other.verify()
        assert report.ok, report.problems
        assert other.spent("alice").epsilon == TENTH


@server_only
@pytest.mark.parametrize("word", [b"SELECT 1", b"SET TRANSACTION", b"ROLLBACK"])
def test_nothing_else_waits_for_a_server_that_hangs_or_is_down(ledger, wire, impatient, word):
    """An idle connection that is asked whether it lives, a transaction's beginning, its end."""
    ask(ledger)
    wire.word, wire.cut = word, "mute"
    began = time.monotonic()
    with suppress(LedgerError):
        ledger.spent("alice")
    with suppress(LedgerError):
        ledger.verify()
    assert (wire.cuts, time.monotonic() - began < 15) == (1, True)
    assert ledger.spent("alice").epsilon == TENTH


@server_only
@pytest.mark.parametrize("word", [b"BEGIN", b"SELECT", b"SHOW", b"ROLLBACK"])
def test_a_new_connection_waits_for_no_server_that_hangs(
    store, wire, impatient, word, tmp_path, monkeypatch
):
    """As a pooler before a stopped server does: it takes the connection and says no more."""
    monkeypatch.setattr("dpsql.ledger.postgres_wire.STATEMENT_SECONDS", 0.5)
    schema = ledger_stores.schema(tmp_path)
    Ledger.open(f"{wire.url}&schema={schema}").close()
    wire.word, wire.cut = word, "mute"
    began = time.monotonic()
    with suppress(LedgerError):
        Ledger.open(f"{wire.url}&schema={schema}", patience=0.5).close()
    assert (wire.cuts <= 1, time.monotonic() - began < 15) == (True, True)
    assert wire.cuts or word == b"SHOW"  # which of them it says is SQLAlchemy's own business


@server_only
@pytest.mark.parametrize("word", [b"INSERT INTO dpsql_entries", b"FROM dpsql_entries"])
def test_a_statement_that_is_never_answered_is_cut_and_undone(
    ledger, wire, impatient, word, monkeypatch
):
    monkeypatch.setattr("dpsql.ledger.postgres_wire.STATEMENT_SECONDS", 0.5)
    wire.word, wire.cut = word, "mute"
    began = time.monotonic()
    error = refused(ask, ledger, error=LedgerError)
    assert (wire.cuts, time.monotonic() - began < 15) == (1, True)
    assert error.code == "ledger-lost"
    assert ledger.spent("alice").epsilon == 0
    ask(ledger)
    assert ledger.spent("alice").epsilon == TENTH


# ---- at the outcome ----------------------------------------------------------------------------


@server_only
@pytest.mark.parametrize("how", ["after", "late", "before"])
def test_an_answer_is_stored_though_the_wire_was_cut(ledger, wire, how, tmp_path):
    """Paid and drawn: it is not lost for a connection. Stored once, whichever way it was cut."""
    receipt = ask(ledger)
    wire.cut = how
    ledger.settle(receipt, "released", releases=[Release("f1", b"noisy")])
    assert wire.cuts == 1
    with straight(tmp_path) as other:
        assert [entry.kind for entry in other.entries()][-2:] == ["charge", "outcome"]
        assert len(other.releases.list()) == 1
        assert other.verify().ok


@server_only
@pytest.mark.parametrize("how", ["after-down", "before-down"])
def test_an_outcome_in_doubt_is_asked_again_by_its_id(ledger, wire, how):
    """Either its bytes are there, and they are the answer; or it is forfeited and paid anew."""
    attempt = ledger.attempt("alice", key())
    receipt = ask(ledger, sql="s", attempt=attempt)
    wire.cut = how
    payload = b"first"
    error = refused(
        ledger.settle, receipt, "released", kept=[Release("f1", payload)], error=LedgerError
    )
    assert error.code == "ledger-in-doubt"
    wire.down = False
    again = answered(ledger)
    assert (again == payload) == (how == "after-down")
    assert answered(ledger) == again
    charges = 1 if how == "after-down" else 2
    assert ledger.spent("alice").epsilon == charges * TENTH
    assert ledger.verify().ok


# ---- elsewhere ---------------------------------------------------------------------------------


@server_only
def test_a_wire_cut_before_the_commit_writes_nothing(ledger, wire):
    """In the middle of the transaction: the server undoes it, and asking again is safe."""
    wire.word, wire.cut = b"INSERT INTO dpsql_entries", "before"
    assert refused(ask, ledger, error=LedgerError).code == "ledger-lost"
    assert ledger.spent("alice").epsilon == 0
    ask(ledger)
    assert ledger.verify().ok


@server_only
@pytest.mark.parametrize("how", ["after", "before"])
def test_what_is_beside_the_chain_costs_nothing_in_doubt(ledger, wire, how):
    wire.cut = how
    call = ledger.refusals.note
    error = refused(call, analyst="a", budget="b", code="c", sql="s", error=LedgerError)
    assert error.code == "ledger-lost"
    assert "nothing was charged" in error.message
    time.sleep(0.2)
    assert sum(one.times for one in ledger.refusals.list()) == (how == "after")


@server_only
def test_an_idle_connection_that_was_ended_is_opened_anew(ledger):
    ask(ledger)
    with closing(psycopg2.connect(ledger_stores.DATABASE[0])) as raw, raw:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        raw.cursor().execute(f"{ended} WHERE application_name = 'dpsql ledger'")
    ask(ledger)
    assert ledger.spent("alice").epsilon == 2 * TENTH


@server_only
def test_a_writer_that_was_stopped_does_not_hold_the_others_for_ever(ledger, tmp_path):
    """The server ends a transaction that idles with the lock; then nothing of it stands."""

    def stopped(other):
        with other._journal.writing() as draft:
            soon = "SET LOCAL idle_in_transaction_session_timeout = '300ms'"
            draft.connection.exec_driver_sql(soon)
            time.sleep(0.6)
            ask(ledger)
            draft.append(Outcome(1, "failed", ()))

    with straight(tmp_path) as other:
        assert refused(stopped, other, error=LedgerError).code == "ledger-lost"
    assert ledger.spent("alice").epsilon == TENTH
    assert ledger.verify().ok


def test_a_server_that_starts_again_meanwhile(tmp_path):
    """Between charge and outcome: the answer waits for it. While it is down nothing is charged."""
    with postgres_server.running("18") as server:
        if server.folder is None:
            pytest.skip("this server is not ours to stop")
        with Ledger.open(server.database(), patience=5) as ledger:
            budgets(ledger)
            receipt = ask(ledger)
            server.stop()
            error = refused(ask, ledger, error=LedgerError)
            assert error.code in ("ledger-unreachable", "ledger-lost")
            starting = threading.Timer(0.5, server.start)
            starting.start()
            ledger.settle(receipt, "released", releases=[Release("f1", b"noisy")])
            starting.join()
            assert ledger.spent("alice").epsilon == TENTH
            assert len(ledger.releases.list()) == 1
            assert ledger.verify().ok


@both
def test_a_charge_in_doubt_elsewhere_is_not_forfeited(store, tmp_path):
    """Only who was told of the doubt knows that nobody will settle it."""
    with Ledger.open(url(tmp_path / "l.db")) as ledger, Ledger.open(url(tmp_path / "l.db")) as two:
        budgets(ledger)
        receipt = ask(ledger)
        assert two.forfeit_stale() == 0
        ledger._journal.forsake(receipt.head)
        assert two.forfeit_stale() == 0
        assert ledger.forfeit_stale() == 1
        with tables(tmp_path / "l.db") as shell:
            assert shell.execute("SELECT COUNT(*) FROM dpsql_entries").fetchone() == (5,)
