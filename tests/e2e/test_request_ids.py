"""Request ids from the driver down: a retry is the same answer, whatever happened to the first."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from charging_world import charges, outcomes, start

import dpsql
from dpsql.errors import EngineFailed, InvalidQuery
from dpsql.ledger import Ledger
from dpsql.pipeline import charge, execute, repeats

SUM = "SELECT SUM(income) AS s FROM users"
TWO = "SELECT COUNT(*) AS n FROM users UNION ALL SELECT COUNT(*) FROM orders"
PUBLIC = "SELECT COUNT(*) AS n FROM regions"


def value(answer):
    return answer.table.to_pylist()


@pytest.mark.parametrize("reuse", ["off", "budget"])
@pytest.mark.parametrize("sql", [SUM, TWO])
def test_a_retry_is_the_same_answer_for_nothing(reuse, sql, place, opened):
    path = place(reuse=reuse)
    first = opened(path).query(sql, request_id="r1")
    again = opened(path).query(sql, request_id="r1")  # of another session, after a crash say
    assert value(again) == value(first)
    assert not first.privacy.free
    assert again.privacy.free
    (charge,) = charges(path)
    assert charge["request"]["id"] == "r1"


def test_a_retry_does_not_need_the_store_of_paid_answers(place, opened, tmp_path):
    """Its own bytes are kept for it: by then the store may hold others, or none."""
    path = place()
    first = opened(path).query(TWO, request_id="r1")
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("DELETE FROM dpsql_releases")
    assert value(opened(path).query(TWO, request_id="r1")) == value(first)
    assert not opened(path).query(TWO).privacy.free
    assert len(charges(path)) == 2


def test_without_reuse_another_id_and_none_are_fresh_draws(place, opened):
    path = place(reuse="off")
    session = opened(path)
    draws = [session.query(SUM, request_id=name) for name in ("r1", "r2", None)]
    assert len({value(one)[0]["s"] for one in draws}) == 3
    assert len(charges(path)) == 3
    assert value(session.query(SUM, request_id="r2")) == value(draws[1])


@pytest.mark.parametrize("reuse", ["off", "budget"])
@pytest.mark.parametrize(
    ("sql", "options"),
    [
        ("SELECT SUM(income) AS t FROM users", {}),  # only the remainder is another
        (SUM, {"epsilon": "0.25"}),
        (f"{SUM} WHERE age > ?", {"parameters": [30]}),
    ],
)
def test_an_id_stands_for_one_request(reuse, sql, options, place, opened):
    path = place(reuse=reuse)
    session = opened(path)
    session.query(SUM, request_id="r1")
    with pytest.raises(InvalidQuery) as caught:
        session.query(sql, request_id="r1", **options)
    assert caught.value.code == "request-id-reused"
    assert len(charges(path)) == 1


def test_another_data_version_is_another_request(place, opened):
    path = place()
    opened(path).query(SUM, request_id="r1")
    path.write_text(path.read_text() + "data_version: next\n")
    with pytest.raises(InvalidQuery, match="another request"):
        opened(path).query(SUM, request_id="r1")


@pytest.mark.parametrize("reuse", ["off", "budget"])
def test_a_failed_one_is_charged_anew(reuse, place, opened, monkeypatch):
    path = place(reuse=reuse)
    session, real = opened(path), execute.run

    def fails(*_, **__):
        raise EngineFailed("no")

    monkeypatch.setattr(execute, "run", fails)
    with pytest.raises(EngineFailed):
        session.query(SUM, request_id="r1")
    monkeypatch.setattr(execute, "run", real)
    first = session.query(SUM, request_id="r1")
    assert value(session.query(SUM, request_id="r1")) == value(first)
    assert len(charges(path)) == 2
    assert outcomes(path) == ["failed", "released"]


@pytest.mark.parametrize("reuse", ["off", "budget"])
def test_one_that_was_running_is_not_run_twice(reuse, place, opened, monkeypatch):
    path = place(reuse=reuse)
    first, real = opened(path), execute.run

    def meanwhile(*arguments, **options):
        with pytest.raises(dpsql.Error) as caught:
            opened(path).query(SUM, request_id="r1")
        assert caught.value.code == "request-running"
        return real(*arguments, **options)

    monkeypatch.setattr(execute, "run", meanwhile)
    answer = first.query(SUM, request_id="r1")
    monkeypatch.setattr(execute, "run", real)
    assert value(opened(path).query(SUM, request_id="r1")) == value(answer)
    assert len(charges(path)) == 1


def test_after_kill_9_it_is_charged_anew_once(place, opened):
    path = place(reuse="off")
    worker = start("die", path, "perturb", "r1")
    assert worker.communicate(timeout=120)[0] == "ready\n"
    session = opened(path)
    answer = session.query("SELECT COUNT(*) FROM users", request_id="r1")
    assert value(session.query("SELECT COUNT(*) FROM users", request_id="r1")) == value(answer)
    assert len(charges(path)) == 2
    assert outcomes(path) == ["forfeited", "released"]


def test_from_python(place):
    path = place(reuse="off")
    with closing(dpsql.connect(path, analyst="alice")) as connection:
        cursor = connection.cursor()
        first = cursor.execute(SUM, request_id="r1").fetchall()
        assert cursor.execute(SUM, request_id="r1").fetchall() == first
        with pytest.raises(InvalidQuery, match="another request"):
            cursor.execute(PUBLIC, request_id="r1")
        assert cursor.execute(PUBLIC, request_id="r0").fetchall()  # nothing private: no charge
        with pytest.raises(InvalidQuery, match="another request"):
            cursor.execute(SUM, request_id="r0")
        for wrong in ("", 7, "x" * 201):
            with pytest.raises(InvalidQuery) as caught:
                cursor.execute(SUM, request_id=wrong)
            assert caught.value.code == "bad-request-id"
        with pytest.raises(InvalidQuery, match="several requests"):
            cursor.executemany(SUM, [(), ()], request_id="r2")
    assert len(charges(path)) == 1


def test_from_sqlalchemy(place):
    from sqlalchemy import create_engine, text

    path = place(reuse="off")
    engine = create_engine(f"dpsql:///{path}?analyst=alice")
    with engine.connect() as connection:
        named = text(SUM).execution_options(dpsql_request_id="r1")
        draws = {connection.execute(named).scalar() for _ in range(3)}
    engine.dispose()
    assert len(draws) == len(charges(path)) == 1


# ---- answered for nothing ----------------------------------------------------------------------

COARSE, FINE = ({"epsilon": "0.1"}, {"epsilon": "0.9"})


def asked(path):
    with closing(sqlite3.connect(path.parent / "ledger.db")) as connection:
        names = "analyst, id, fingerprint, seq"
        return connection.execute(f"SELECT {names} FROM dpsql_asked ORDER BY id").fetchall()


def test_a_free_request_stands_for_one_request_too(place, opened):
    path = place()
    opened(path).query(SUM)
    free = opened(path).query(SUM, request_id="r1")
    assert free.privacy.free
    for sql, options in [
        (TWO, {}),
        (PUBLIC, {}),
        (SUM, COARSE),
        ("SELECT SUM(age) FROM users", {}),
    ]:
        with pytest.raises(InvalidQuery) as caught:
            opened(path).query(sql, request_id="r1", **options)
        assert caught.value.code == "request-id-reused"
    again = opened(path).query(SUM, request_id="r1")
    assert value(again) == value(free)
    assert again.privacy.free
    assert len(charges(path)) == 1


def test_its_retry_is_the_same_bytes_whatever_was_stored_since(place, opened):
    """A coarse question was answered by what there was; by now there is something finer."""
    path = place()
    first = opened(path).query(SUM)  # at 0.5
    free = opened(path).query(SUM, request_id="r1", **COARSE)
    assert value(free) == value(first)
    finer = opened(path).query(SUM, **FINE)
    assert value(finer) != value(first)
    assert value(opened(path).query(SUM, request_id="r2", **COARSE)) == value(finer)
    again = opened(path).query(SUM, request_id="r1", **COARSE)
    assert value(again) == value(free)
    assert again.privacy.free
    assert again.privacy.to_json()["releases"] == free.privacy.to_json()["releases"]
    assert len(charges(path)) == 2


def test_its_retry_is_free_after_reuse_was_switched_off(place, opened):
    path = place()
    first = opened(path).query(SUM, request_id="r0")
    opened(path).query(SUM, request_id="r1")
    place(reuse="off")
    assert value(opened(path).query(SUM, request_id="r1")) == value(first)
    assert len(charges(path)) == 1


def test_a_request_that_was_free_in_part(place, opened):
    """One aggregate was stored, one was paid for: both come back."""
    path = place()
    opened(path).query("SELECT COUNT(*) AS n FROM users")
    both = "SELECT COUNT(*) AS n FROM users UNION ALL SELECT SUM(income) FROM users"
    first = opened(path).query(both, request_id="r1", **COARSE)
    opened(path).query("SELECT COUNT(*) AS n FROM users", **FINE)
    opened(path).query("SELECT SUM(income) AS n FROM users", **FINE)
    again = opened(path).query(both, request_id="r1", **COARSE)
    assert value(again) == value(first)
    assert again.privacy.free
    assert len(charges(path)) == 4


def test_what_is_gone_is_answered_anew(place, opened, tmp_path):
    path = place()
    first = opened(path).query(SUM)
    opened(path).query(SUM, request_id="r1")
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("DELETE FROM dpsql_releases")
    second = opened(path).query(SUM, request_id="r1")
    assert not second.privacy.free
    assert value(second) != value(first)
    assert value(opened(path).query(SUM, request_id="r1")) == value(second)
    assert len(charges(path)) == 2


def test_a_public_request_is_written_down_once(place, opened):
    path = place()
    for _ in range(3):
        assert value(opened(path).query(PUBLIC, request_id="r1"))
    assert [row[1:] for row in asked(path)] == [("r1", "", 0)]
    assert charges(path) == []


def test_two_processes_at_one_free_request_give_one_answer(place, opened, monkeypatch):
    """Both looked; between the look of the second and its record the first one records another."""
    path = place()
    first = opened(path).query(SUM)
    slow, real = opened(path), repeats.answer

    def meanwhile(*arguments):
        found = real(*arguments)
        monkeypatch.setattr(repeats, "answer", real)
        finer = opened(path).query(SUM, **FINE)
        assert value(opened(path).query(SUM, request_id="r1", **COARSE)) == value(finer)
        return found

    monkeypatch.setattr(repeats, "answer", meanwhile)
    late = slow.query(SUM, request_id="r1", **COARSE)
    assert value(late) != value(first)
    assert value(opened(path).query(SUM, request_id="r1", **COARSE)) == value(late)


def test_one_that_became_free_meanwhile_is_not_charged(place, opened, monkeypatch):
    path = place()
    slow, real = opened(path), charge.run

    def meanwhile(*arguments, **options):
        monkeypatch.setattr(charge, "run", real)
        opened(path).query(SUM)
        opened(path).query(SUM, request_id="r1")
        return real(*arguments, **options)

    monkeypatch.setattr(charge, "run", meanwhile)
    with pytest.raises(dpsql.Error) as caught:
        slow.query(SUM, request_id="r1")
    assert caught.value.code == "request-running"
    assert slow.query(SUM, request_id="r1").privacy.free
    assert len(charges(path)) == 1


def test_an_id_of_a_free_request_is_not_taken_by_a_charge_meanwhile(place, opened, monkeypatch):
    path = place()
    opened(path).query(SUM)
    slow, real = opened(path), repeats.answer

    def meanwhile(*arguments):
        monkeypatch.setattr(repeats, "answer", real)
        opened(path).query("SELECT SUM(age) FROM users", request_id="r1")
        return real(*arguments)

    monkeypatch.setattr(repeats, "answer", meanwhile)
    with pytest.raises(InvalidQuery, match="another request"):
        slow.query(SUM, request_id="r1")
    assert asked(path) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE dpsql_asked SET paid = 'x' WHERE seq > 0", "release-altered"),
        ("UPDATE dpsql_asked SET seq = 'x' WHERE seq > 0", None),  # names nothing: answered anew
        ("UPDATE dpsql_asked SET seq = 99 WHERE seq > 0", None),
        ("UPDATE dpsql_asked SET hash = 'x'", "request-id-reused"),
        ("UPDATE dpsql_asked SET hash = 7", "request-id-reused"),
        ("UPDATE dpsql_asked SET fingerprint = 'x' WHERE seq > 0", "release-altered"),
        # another question's release, of this budget and soundly paid for
        ("UPDATE dpsql_asked SET (seq, paid) = (SELECT seq, fingerprint FROM dpsql_releases "
         "ORDER BY seq DESC LIMIT 1) WHERE seq > 0", "release-altered"),
    ],
)  # fmt: skip
def test_edited_rows_lead_nowhere(change, code, place, opened, tmp_path):
    path = place()
    first = opened(path).query(SUM)
    opened(path).query("SELECT SUM(age) FROM users")
    opened(path).query(SUM, request_id="r1")
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute(change)
    if code is None:
        assert value(opened(path).query(SUM, request_id="r1")) == value(first)
        return
    with pytest.raises(dpsql.Error) as caught:
        opened(path).query(SUM, request_id="r1")
    assert caught.value.code == code


def test_verify_looks_at_them(place, opened, tmp_path):
    path = place()
    opened(path).query(SUM, request_id="r0")
    opened(path).query(SUM, request_id="r1")
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Ledger.audit(url) as ledger:
        assert ledger.verify().ok
    for change, said in [
        ("UPDATE dpsql_asked SET seq = 3 WHERE seq > 0", "no charge paid for what answered it"),
        ("UPDATE dpsql_asked SET id = 'r0'", "charges another under that id"),
    ]:
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
            connection.execute(change)
            connection.execute("UPDATE dpsql_asked SET hash = 'other' WHERE id = 'r0'")
        with Ledger.audit(url) as ledger:
            assert said in str(ledger.verify())
