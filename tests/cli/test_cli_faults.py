"""Each thing that can be wrong with the files: its own sentence, its exit code, no traceback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

COUNT = "SELECT COUNT(*) FROM users"
NOBODY = 65534


@pytest.fixture
def asked(dpsql):
    """A query's exit code, its error's code and sentence, and its hint; nothing else was said."""

    def run(*args):
        result = dpsql(*(args or ("query", "--analyst", "bob", COUNT)))
        assert result.stdout == ""
        first, *rest = result.stderr.splitlines()
        assert first.startswith("error [")
        assert len(rest) == 1
        assert rest[0].startswith("hint: ")
        code, _, sentence = first.removeprefix("error [").partition("]: ")
        return result.exit_code, code, sentence, rest[0].removeprefix("hint: ")

    return run


@pytest.fixture
def powerless(shop, dpsql, monkeypatch):
    """The shop in a folder of its own, as a user whom permissions bind (root minds none)."""
    assert dpsql("query", "--analyst", "bob", COUNT).exit_code == 0  # imports all, while it may
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        for file in ("shop.duckdb", "dpsql.yaml"):
            shutil.copy(shop / file, home / file)
            (home / file).chmod(0o644)
        monkeypatch.chdir(home)
        root = os.geteuid() == 0
        if root:
            os.chown(home, NOBODY, NOBODY)
            for file in home.iterdir():
                os.chown(file, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield home
        finally:
            if root:
                os.seteuid(0)
            home.chmod(0o755)


# ---- the policy ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n# nothing but a remark\n", "the file is empty"),
        (b"{}", "`budgets` is missing"),
        (b"a policy", "expected a mapping"),
        (bytes(range(128, 256)) * 20, "the file is not UTF-8 text"),
        (b"\x00\x01\x02\x03" * 50, "not valid YAML"),
    ],
)
def test_a_policy_of_nothing_or_garbage(asked, shop, content, words):
    (shop / "dpsql.yaml").write_bytes(content)
    exit_code, code, sentence, hint = asked()
    assert exit_code == 2
    assert code in ("bad-yaml", "missing-key", "wrong-type")
    assert sentence.startswith("dpsql.yaml")
    assert words in sentence
    assert hint


def test_no_policy(asked, shop):
    (shop / "dpsql.yaml").unlink()
    assert asked()[:3] == (2, "no-policy", "dpsql.yaml: the policy does not exist")


def test_a_policy_that_is_a_folder(asked, shop):
    (shop / "folder").mkdir()
    found = asked("query", "--analyst", "bob", "--policy", "folder", COUNT)
    assert found[:3] == (2, "no-policy", "folder: the policy is a folder")


def test_a_policy_that_may_not_be_read(asked, powerless):
    (powerless / "dpsql.yaml").chmod(0)
    sentence = "dpsql.yaml: the policy cannot be read: permission denied"
    assert asked()[:3] == (2, "no-policy", sentence)


def test_a_policy_in_a_folder_that_may_not_be_entered(asked, powerless):
    (powerless / "closed").mkdir()
    shutil.copy(powerless / "dpsql.yaml", powerless / "closed")
    (powerless / "closed").chmod(0)
    found = asked("query", "--analyst", "bob", "--policy", "closed/dpsql.yaml", COUNT)
    (powerless / "closed").chmod(0o755)
    assert found[:2] == (2, "no-policy")
    assert found[2].endswith("permission denied")


# ---- the database ----------------------------------------------------------------------------


def test_no_database(asked, shop):
    (shop / "shop.duckdb").unlink()
    exit_code, code, sentence, hint = asked()
    assert (exit_code, code) == (5, "engine-missing")
    assert sentence.startswith("there is no database file ")
    assert "relative to the policy" in hint


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"not a database", "it is no DuckDB database"),
        (os.urandom(20_000), "it is no DuckDB database"),
    ],
)
def test_a_database_that_is_none(asked, shop, content, why):
    (shop / "shop.duckdb").write_bytes(content)
    exit_code, code, sentence, _ = asked()
    assert (exit_code, code) == (5, "engine-open")
    assert why in sentence


def test_a_database_that_is_a_folder(asked, shop):
    (shop / "shop.duckdb").unlink()
    (shop / "shop.duckdb").mkdir()
    exit_code, code, sentence, hint = asked()
    assert (exit_code, code) == (5, "engine-open")
    assert sentence.endswith("it is a folder, not a file")
    assert "duckdb:///folder/file.duckdb" in hint


def test_a_database_that_may_not_be_read(asked, powerless):
    (powerless / "shop.duckdb").chmod(0)
    exit_code, code, sentence, _ = asked()
    assert (exit_code, code) == (5, "engine-open")
    assert sentence.endswith("shop.duckdb cannot be opened: permission denied")


def test_a_database_that_another_process_writes(asked, shop):
    script = "import duckdb, sys; c = duckdb.connect('shop.duckdb'); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"1\n"
        exit_code, code, sentence, hint = asked()
        holder.communicate(b"\n")
    assert (exit_code, code) == (5, "engine-locked")
    assert sentence.endswith("cannot be opened: another process has it open for writing")
    assert "engine=" not in hint


def test_a_database_that_this_process_writes(asked, shop):
    with duckdb.connect(str(shop / "shop.duckdb")):
        exit_code, code, sentence, hint = asked()
    assert (exit_code, code) == (5, "engine-locked")
    assert "this process has it open already" in sentence
    assert "engine=" in hint  # only a Python program can be in this state


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        ("ALTER TABLE users DROP COLUMN age", "tables.users.columns.age", "has no column age"),
        ("ALTER TABLE users RENAME age TO years", "tables.users.columns.age", "has no column age"),
        (
            "ALTER TABLE users ALTER age TYPE VARCHAR",
            "tables.users.columns.age",
            "(0 to 100) cannot clamp VARCHAR",
        ),
        (
            "ALTER TABLE users ALTER city TYPE INTEGER USING 1",
            "tables.users.columns.city",
            "'Berlin' in `values` cannot be in a column of type INTEGER",
        ),
        ("DROP TABLE cities", "tables.cities", "the database has no such table"),
        (
            "DROP TABLE users; CREATE TABLE users (nr INT, city TEXT, age INT, spent INT)",
            "tables.users",
            "id",
        ),
    ],
)
def test_a_table_altered_since_the_policy_was_written(asked, shop, change, where, words):
    with duckdb.connect(str(shop / "shop.duckdb")) as owner:
        owner.execute(change)
    exit_code, code, sentence, hint = asked()
    assert (exit_code, code) == (2, "unfit")
    assert sentence.startswith(f"dpsql.yaml, {where}")
    assert words in sentence
    assert "dpsql check" in hint


# ---- the ledger ------------------------------------------------------------------------------


def test_a_ledger_in_a_folder_that_is_read_only(asked, powerless):
    powerless.chmod(0o555)
    exit_code, code, sentence, hint = asked()
    assert (exit_code, code) == (5, "ledger-read-only")
    assert "read-only" in sentence
    assert "write permission" in hint


def test_a_ledger_that_is_read_only(asked, dpsql, powerless):
    assert dpsql("query", "--analyst", "bob", COUNT).exit_code == 0
    (powerless / "ledger.db").chmod(0o444)
    assert asked()[:2] == (5, "ledger-read-only")


def test_a_ledger_in_a_folder_that_is_not_there(asked, shop):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("sqlite:///ledger.db", "sqlite:///no/ledger.db"))
    exit_code, code, sentence, hint = asked()
    assert (exit_code, code) == (5, "ledger-unreachable")
    assert sentence.endswith("does not exist")
    assert "create the directory" in hint


def test_a_ledger_that_is_a_folder(asked, shop):
    (shop / "ledger.db").mkdir()
    exit_code, code, sentence, hint = asked()
    assert (exit_code, code) == (5, "ledger-unreachable")
    assert sentence.endswith("it is a directory, not a file")
    assert hint.endswith("ledger.db/ledger.db`")
    assert "create" not in hint


@pytest.mark.parametrize(
    ("schema", "code", "words"),
    [
        (99, "ledger-newer", "written by a newer dpsql (schema 99"),
        (0, "not-a-ledger", "holds other tables, not a dpsql ledger"),
        (-1, "not-a-ledger", "holds other tables, not a dpsql ledger"),
    ],
)
@pytest.mark.parametrize("command", ["query", "show", "verify"])
def test_a_ledger_of_another_version(asked, dpsql, shop, schema, code, words, command):
    dpsql("query", "--analyst", "bob", COUNT)
    with closing(sqlite3.connect(shop / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE dpsql_schema SET version = ?", [schema])
    found = asked() if command == "query" else asked("ledger", command)
    assert found[:2] == (5, code)
    assert words in found[2]


@pytest.mark.parametrize("content", [b"no ledger at all" * 100, os.urandom(9_000)])
@pytest.mark.parametrize("command", ["query", "show", "verify"])
def test_a_ledger_of_garbage(asked, shop, content, command):
    (shop / "ledger.db").write_bytes(content)
    found = asked() if command == "query" else asked("ledger", command)
    assert found[:2] == (5, "not-a-ledger")
    assert "is not an SQLite database" in found[2]


def test_somebody_elses_database_as_ledger(asked, shop):
    with closing(sqlite3.connect(shop / "ledger.db")) as other, other:
        other.execute("CREATE TABLE mine (x)")
    exit_code, code, sentence, _ = asked()
    assert (exit_code, code) == (5, "not-a-ledger")
    assert "other tables" in sentence
