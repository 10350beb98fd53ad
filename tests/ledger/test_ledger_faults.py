"""Each way the file can fail is its own sentence with a way out, and never a traceback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
from ledger_cases import MILLIONTH, ask, budgets, rows, tables, url

from dpsql.errors import Error, InternalError, LedgerError
from dpsql.ledger import Ledger, faults, store
from dpsql.ledger.account import Amounts
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.entries import Granted


def fault(call, *args, **kwargs) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        call(*args, **kwargs)
    error = caught.value
    assert error.hint, error.code
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert "sqlalche" not in str(error).lower()
    assert error.exit_code == 5
    return error


def test_a_new_file_is_private_and_in_full_sync(tmp_path):
    path = tmp_path / "ledger.db"
    old = os.umask(0)
    try:
        with Ledger.open(url(path)) as ledger:
            budgets(ledger)
            for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
                assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name
            with ledger._database.read() as connection:
                pragmas = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                    for name in ("journal_mode", "synchronous", "foreign_keys")
                ]
        assert pragmas == ["wal", 2, 1]
    finally:
        os.umask(old)


def test_a_missing_directory(tmp_path):
    error = fault(Ledger.open, url(tmp_path / "no" / "where" / "ledger.db"))
    assert error.code == "ledger-unreachable"
    assert "does not exist" in error.message
    assert not (tmp_path / "no").exists()


def test_a_directory_in_its_place(tmp_path):
    assert fault(Ledger.open, url(tmp_path)).code == "ledger-unreachable"


def test_a_name_that_no_file_can_have(tmp_path):
    assert fault(Ledger.open, url(tmp_path / ("x" * 300))).code == "ledger-unreachable"


def test_not_a_database(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("This is a shopping list, and long enough to be read as a header.\n" * 40)
    before = path.read_bytes()
    assert fault(Ledger.open, url(path)).code == "not-a-ledger"
    assert fault(lambda: Ledger.audit(url(path)).verify()).code == "not-a-ledger"
    assert path.read_bytes() == before


def test_somebody_elses_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "app.db"
    with tables(path) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER)")
    before = path.read_bytes()
    assert fault(Ledger.open, url(path)).code == "not-a-ledger"
    assert path.read_bytes() == before


@pytest.mark.parametrize("statement", ["DELETE FROM dpsql_schema", "DROP TABLE dpsql_schema"])
def test_a_ledger_without_its_version(tmp_path, statement):
    path = tmp_path / "ledger.db"
    Ledger.open(url(path)).close()
    with tables(path) as connection:
        connection.execute(statement)
    assert fault(Ledger.open, url(path)).code == "not-a-ledger"


def test_a_newer_schema(tmp_path):
    path = tmp_path / "ledger.db"
    Ledger.open(url(path)).close()
    with tables(path) as connection:
        connection.execute("UPDATE dpsql_schema SET version = 99")
    error = fault(Ledger.open, url(path))
    assert error.code == "ledger-newer"
    assert "99" in error.message


def test_a_damaged_file(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    path.write_bytes(whole)
    assert fault(Ledger.open, url(path)).code in ("ledger-broken", "not-a-ledger")


def test_a_file_cut_in_half(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    os.truncate(path, 4096)
    assert fault(Ledger.open, url(path)).code in ("ledger-broken", "not-a-ledger")


@pytest.mark.skipif(os.name != "posix", reason="hard links as POSIX has them")
def test_a_ledger_with_two_names_is_two_ledgers(tmp_path):
    path, other = tmp_path / "ledger.db", tmp_path / "other.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        os.link(path, other)
        for name in (path, other):
            assert fault(Ledger.open, url(name)).code == "ledger-linked"
        with Ledger.audit(url(path)) as auditor:
            assert auditor.verify().ok
        other.unlink()
        os.symlink(path, other)  # a symbolic link is followed to the one name
        with Ledger.open(url(other)) as second:
            ask(second)
        assert ledger.spent("alice").epsilon == Fraction(1, 10)


def test_what_would_not_read_back_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        head = ledger.head()
        for amount in (float("nan"), float("inf"), -1):
            with pytest.raises(ValueError, match="epsilon"):
                ledger.grant("alice", epsilon=amount, by="o", why="w")
        # and were a fault of ours to let one through:
        bad = Granted("alice", Amounts(float("nan")), "o", "w")
        monkeypatch.setattr(store, "granted", lambda *_, **__: bad)
        monkeypatch.setattr(store, "check_grant", lambda *_: None)
        with pytest.raises(InternalError, match="would not read back"):
            ledger.grant("alice", epsilon=Fraction(1), by="o", why="w")
        assert ledger.head() == head
    with Ledger.open(url(path)) as ledger:
        assert ledger.head() == head


def test_entry_numbers_beyond_all_integers_are_no_entries(tmp_path):
    with Ledger.open(url(tmp_path / "ledger.db")) as ledger:
        for seq in (2**63, 10**30, 0, -1):
            assert not ledger.losses.shows(Anchor(ledger.name(), seq, "0" * 64))
            with pytest.raises(KeyError):
                ledger.entry(seq)
        assert ledger.losses.accept(10**30, "0" * 64).seq == 10**30


def test_charges_beside_the_total_are_told(tmp_path):
    with Ledger.open(url(tmp_path / "ledger.db")) as ledger:
        ledger.ensure_budget("alice", "analyst", Fraction(1), MILLIONTH)
        ask(ledger, total=None)  # before there was one
        budgets(ledger)
        assert ledger.verify().notes == ()
        ask(ledger, total=None)
        ask(ledger)
        (note,) = ledger.verify().notes
        assert (
            "not charged to 'total', although it was open: 1 charge(s), the first at entry 5"
            in note
        )
        assert ledger.verify().ok


def test_locked_by_another(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path), patience=0.1) as ledger:
        budgets(ledger)
        head = ledger.head()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            error = fault(ask, ledger)
            assert error.code == "ledger-locked"
            assert "0.1 s" in error.message
            assert ledger.spent("alice").epsilon == 0  # readers are not blocked
            with Ledger.open(url(path), patience=0.1) as second:
                assert fault(ask, second).code == "ledger-locked"
        assert ledger.head() == head
        ask(ledger)


def test_a_refusal_is_not_kept_waiting_for_a_note_of_it(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger, closing(sqlite3.connect(path)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        note = {"analyst": "a", "budget": "a", "code": "c", "sql": "s"}
        assert fault(ledger.refusals.note, **note).code == "ledger-locked"
        assert time.monotonic() - start < 5
        other.execute("ROLLBACK")
        ledger.refusals.note(**note)
        assert [one.times for one in ledger.refusals.list()] == [1]


def test_locked_exclusively_at_open(tmp_path):
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert fault(Ledger.open, url(path), patience=0.1).code == "ledger-locked"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://reader@host/ledger?schema=a&schema=b",
        "postgresql://reader@host/ledger?schema=pg_x",
        'postgresql://reader@host/ledger?schema=a"b',
        "postgresql://reader@host/ledger?nonsense=1",
        "postgresql://[",
        "mysql://host/x",
        "sqlite+aiosqlite:///x.db",
        "sqlite:///x.db?mode=ro",
        "sqlite://host/x.db",
        "ledger.db",
        "",
        "://",
        "sqlite",
    ],
)
def test_urls_that_are_none(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fault(Ledger.open, text).code == "ledger-url"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "sqlite:///"])
def test_ledgers_in_memory(text):
    with Ledger.open(text) as one, Ledger.open(text) as two:
        budgets(one)
        ask(one)
        assert one.verify().ok
        assert two.budgets() == []


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "x#y.db", "ünï.db", "a'b.db"])
def test_odd_file_names(tmp_path, name):
    from sqlalchemy.engine import URL

    path = tmp_path / name
    text = URL.create("sqlite", database=str(path)).render_as_string()
    with Ledger.open(text) as ledger:
        budgets(ledger)
    assert path.exists()
    with Ledger.audit(text) as ledger:
        assert ledger.verify().entries == 3
    assert {p.name for p in tmp_path.iterdir()} == {name}


def test_a_relative_path_survives_a_change_of_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "else").mkdir()
    with Ledger.open("sqlite:///ledger.db") as ledger:
        monkeypatch.chdir(tmp_path / "else")
        budgets(ledger)
        assert ledger.verify().ok
    assert (tmp_path / "ledger.db").exists()


def test_an_auditor_writes_nothing(tmp_path):
    path = tmp_path / "ledger.db"
    assert fault(Ledger.audit, url(path)).code == "ledger-unreachable"
    assert not path.exists()
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    with Ledger.audit(url(path)) as reader:
        assert fault(ask, reader).code == "ledger-read-only"
        assert fault(reader.ensure_budget, "x", "analyst", Fraction(1), MILLIONTH)
        assert reader.spent("alice").epsilon == 0
        assert reader.releases.list() == []
        assert reader.verify().ok
    assert len(rows(path)) == 3


def test_an_empty_file_is_a_new_ledger_to_a_writer_and_none_to_an_auditor(tmp_path):
    path = tmp_path / "ledger.db"
    path.touch()
    assert fault(lambda: Ledger.audit(url(path)).verify()).code == "not-a-ledger"
    with Ledger.open(url(path)) as ledger:
        assert ledger.head()[0] == 1


@pytest.fixture
def as_nobody(tmp_path):
    """Act as a user without rights of their own; root may write anywhere."""
    home = Path(tempfile.mkdtemp(prefix="dpsql-ledger-"))
    home.chmod(0o755)
    path = home / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    root = os.geteuid() == 0

    def act(call):
        if root:
            os.seteuid(65534)
        try:
            return call()
        finally:
            if root:
                os.seteuid(0)

    yield path, act
    home.chmod(0o755)
    shutil.rmtree(home)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_read_only_file(as_nobody):
    path, act = as_nobody
    path.chmod(0o444)
    error = act(lambda: fault(Ledger.open, url(path)))
    assert error.code == "ledger-read-only"
    assert act(lambda: Ledger.audit(url(path)).verify()).ok


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_read_only_directory(as_nobody):
    path, act = as_nobody
    path.chmod(0o666)
    path.parent.chmod(0o555)
    assert act(lambda: fault(Ledger.open, url(path))).code == "ledger-read-only"
    fresh = url(path.with_name("other.db"))
    assert act(lambda: fault(Ledger.open, fresh)).code == "ledger-read-only"
    assert act(lambda: Ledger.audit(url(path)).verify()).ok


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_an_unreadable_file(as_nobody):
    path, act = as_nobody
    path.chmod(0o000)
    assert act(lambda: fault(Ledger.open, url(path))).code == "ledger-read-only"
    assert act(lambda: fault(Ledger.audit, url(path))).code == "ledger-unreachable"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a size limit of the system")
def test_a_full_disk(tmp_path):
    """The system refuses to let the log grow (a size limit stands for a full volume)."""
    import resource
    import signal

    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger, epsilon=1000, total=1000)
        size = (tmp_path / "ledger.db-wal").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, hard))
        try:
            error = fault(lambda: [ask(ledger, sql="x" * 9000) for _ in range(20)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, previous)
        assert error.code == "ledger-disk"
        assert ledger.verify().ok
        ask(ledger)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SQLITE_BUSY_SNAPSHOT", "ledger-locked"),
        ("SQLITE_READONLY_DBMOVED", "ledger-read-only"),
        ("SQLITE_CANTOPEN", "ledger-unreachable"),
        ("SQLITE_NOTADB", "not-a-ledger"),
        ("SQLITE_CORRUPT_INDEX", "ledger-broken"),
        ("SQLITE_FULL", "ledger-disk"),
        ("SQLITE_IOERR_WRITE", "ledger-disk"),
        ("SQLITE_MISUSE", "ledger"),
        (None, "ledger"),
    ],
)
def test_every_error_of_the_database_is_a_sentence(name, code):
    error = sqlite3.OperationalError("secret words of the database")
    if name:
        error.sqlite_errorname = name
    with pytest.raises(LedgerError) as caught, faults.translated("/x/ledger.db", 1):
        raise error
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
    assert caught.value.hint


def test_our_own_errors_pass_through():
    with pytest.raises(Error, match="mine"), faults.translated("/x", 1):
        raise LedgerError("mine")


def test_sqlalchemy_comes_with_the_first_ledger_not_before():
    code = "import sys, dpsql, dpsql.ledger; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_names_of_the_room():
    import dpsql.ledger as room

    assert all(getattr(room, name).__name__ == name for name in room.__all__)
    with pytest.raises(AttributeError):
        room.nothing  # noqa: B018
