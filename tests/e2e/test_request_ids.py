"""Request ids from the driver down: a retry is the same answer, whatever happened to the first."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from charging_world import charges, outcomes, start

import dpsql
from dpsql.errors import EngineFailed, InvalidQuery
from dpsql.pipeline import execute

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
        assert cursor.execute(PUBLIC, request_id="r1").fetchall()  # nothing private: no charge
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
