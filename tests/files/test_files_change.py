"""Files change, vanish, grow a column, are half written or damaged: what is said and charged."""

from __future__ import annotations

import threading
from contextlib import closing

import duckdb
import files_world as world
import pytest

from dpsql.dialects.duckdb import FAILED
from dpsql.errors import EngineFailed, InternalError
from dpsql.pipeline import execute
from dpsql.session import Session

COUNT = "SELECT COUNT(*) FROM visits"


def put(path, rows=100, what="i % 50 AS pid, i % 3 AS kind, i AS cost", form="parquet"):
    """Written elsewhere and renamed, as a careful owner does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with duckdb.connect() as connection:
        sql = f"COPY (SELECT {what} FROM range({rows}) t(i)) TO '{part}' (FORMAT {form})"
        connection.execute(sql)
    part.rename(path)
    return path


def policy(files, **more):
    columns = {"cost": {"min": 0, "max": 1000}}
    return world.small({"visits": {"unit": "pid", "files": str(files), "columns": columns, **more}})


def charges(session):
    spent = session.ledger.spent(session.budget_spec.key)
    return sum(spent.renyi)


@pytest.fixture
def folder(tmp_path):
    put(tmp_path / "data" / "a.parquet", 60)
    put(tmp_path / "data" / "b.parquet", 40)
    return tmp_path / "data"


@pytest.fixture
def session(folder):
    with closing(Session(policy(folder), "analyst")) as opened:
        yield opened


def answer(session):
    return world.column(session, COUNT)


def test_the_files_as_they_are_now_are_read(session, folder):
    assert answer(session) == [100]
    put(folder / "b.parquet", 10)
    assert answer(session) == [70]
    put(folder / "sub" / "c.parquet", 5)
    assert answer(session) == [75]
    (folder / "a.parquet").unlink()
    assert answer(session) == [15]


def test_a_file_rewritten_in_place_is_read_anew(session, folder):
    """Not renamed but written over: nothing of the old one is remembered."""
    answer(session)
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT i % 50 AS pid, i % 3 AS kind, 7::BIGINT AS cost FROM range(40) t(i))"
            f" TO '{folder}/b.parquet' (FORMAT parquet, USE_TMP_FILE false)"
        )
    (before,) = world.column(session, "SELECT SUM(cost) FROM visits")
    assert before == sum(range(60)) + 40 * 7


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: [p.unlink() for p in f.glob("*.parquet")], "files-missing"),
        (lambda f: (f / "a.parquet").write_bytes(b""), "files-unreadable"),
        (lambda f: (f / "a.parquet").write_bytes(b"PAR1 no footer"), "files-unreadable"),
        (lambda f: truncate(f / "a.parquet", 200), "files-unreadable"),
        (
            lambda f: put(f / "a.parquet", what="i AS pid, 1 AS kind, 2 AS cost, 3 AS more"),
            "files-columns",
        ),
        (lambda f: put(f / "a.parquet", what="i AS pid, 1 AS kind"), "files-columns"),
        (lambda f: put(f / "a.parquet", what="i AS pid, 'x' AS kind, 2 AS cost"), "files-columns"),
    ],
    ids=[
        "gone",
        "empty",
        "no footer",
        "half",
        "a column more",
        "a column less",
        "a type",
    ],
)
def test_what_no_longer_fits_is_said_and_not_charged(change, code, session, folder):
    """Before the charge, in words that name the table and no file; and then all is well again."""
    kept = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    answer(session)
    paid = charges(session)
    change(folder)
    with pytest.raises(EngineFailed) as caught:
        answer(session)
    assert caught.value.code == code
    assert "a.parquet" not in str(caught.value)
    assert charges(session) == paid
    for name, content in kept.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)
    assert answer(session) == [100]


def truncate(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)


def replaced_by(path, content):
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "a.parquet").unlink(),
        lambda f: truncate(f / "a.parquet", 150),
        lambda f: replaced_by(f / "a.parquet", b"PAR1"),
        lambda f: put(f / "a.parquet", what="i AS pid, 'x' AS kind, 'y' AS cost"),
    ],
    ids=["gone", "half", "no footer", "a type"],
)
def test_between_the_charge_and_the_run_it_is_any_failure(change, session, folder, monkeypatch):
    """One constant text, the charge stands, whatever happened to the file."""
    real = execute.run

    def late(certified, engine, **options):
        change(folder)
        return real(certified, engine, **options)

    monkeypatch.setattr(execute, "run", late)
    with pytest.raises(EngineFailed) as caught:
        session.query("SELECT SUM(cost) FROM visits")
    assert caught.value.message == FAILED
    assert charges(session) > 0


def test_between_the_look_and_the_binding_nothing_is_charged(session, folder, monkeypatch):
    real = type(session.engine).catalog
    monkeypatch.setattr(
        type(session.engine),
        "catalog",
        lambda self: [real(self), (folder / "a.parquet").unlink(missing_ok=True)][0],
    )
    with pytest.raises(EngineFailed) as caught:
        answer(session)
    assert not isinstance(caught.value, InternalError)
    assert caught.value.message == FAILED
    assert charges(session) == 0


def test_a_damaged_page_is_any_failure(tmp_path):
    """The footer is whole, so it is found while running: constant text, charged."""
    path = put(tmp_path / "d" / "a.parquet", 50_000, "i % 50 AS pid, hash(i) AS kind, i AS cost")
    raw = bytearray(path.read_bytes())
    raw[2000:200_000] = b"\xa5" * 198_000
    path.write_bytes(raw)
    with closing(Session(policy(tmp_path / "d"), "analyst")) as session:
        with pytest.raises(EngineFailed) as caught:
            session.query("SELECT SUM(cost) FROM visits")
        assert caught.value.message == FAILED
        assert charges(session) > 0


def test_stored_releases_stay_for_one_version_whatever_the_files_do(tmp_path):
    """Whether an answer is free may not tell that the data changed: the owner says when it did."""
    path = put(tmp_path / "data" / "a.parquet")
    rules = policy(tmp_path / "data")
    rules |= {"releases": {"reuse": "budget"}, "ledger": f"sqlite:///{tmp_path}/ledger.db"}

    def ask(**more):
        with closing(Session({**rules, **more}, "analyst")) as session:
            answer = session.query(COUNT)
            return answer.table.column(0).to_pylist()[0], answer.privacy.epsilon

    assert ask() == (100, 10**9)
    put(path, 500)
    put(path.with_name("b.parquet"), 1)
    assert ask() == (100, 0)
    assert ask(data_version="2") == (501, 10**9)


def test_the_version_tells_nothing_of_the_files(tmp_path):
    def version(**more):
        with closing(Session({**policy(tmp_path / "data"), **more}, "analyst")) as session:
            return session.data_version

    path = put(tmp_path / "data" / "region=n" / "a.parquet")
    first = version()
    put(path, 7)
    put(tmp_path / "data" / "region=s" / "b.parquet")
    assert version() == first
    assert version(data_version="2") != first


def test_sessions_in_threads_share_one_instance_and_follow(folder):
    sessions = [Session(policy(folder), f"a{i}") for i in range(4)]
    assert len({id(session.engine._opened) for session in sessions}) == 1
    found, stop = [], threading.Event()

    def work(session):
        while not stop.is_set():
            found.append(answer(session)[0])

    threads = [threading.Thread(target=work, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for rows in (41, 42, 43):
        put(folder / "b.parquet", rows)
        before = len(found)
        while len(found) < before + 8:
            stop.wait(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert {answer(session)[0] for session in sessions} == {103}
    assert set(found) <= {100, 101, 102, 103}
    for session in sessions:
        session.close()
    from dpsql.dialects.files_open import _SHARED

    assert not _SHARED.open


def test_a_session_closes_once(folder):
    session = Session(policy(folder), "analyst")
    session.close()
    session.engine.close()
