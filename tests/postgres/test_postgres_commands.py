"""The command line over PostgreSQL: init from its catalog, check, a query by the policy made."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest
from click.testing import CliRunner

from dpsql.cli import main

SCHEMA = """
CREATE TABLE people(id BIGINT PRIMARY KEY, age INT CHECK (age BETWEEN 0 AND 120),
    sex TEXT CHECK (sex IN ('f', 'm')));
CREATE TABLE visits(id INT PRIMARY KEY, person BIGINT NOT NULL REFERENCES people(id),
    cost NUMERIC(10,2));
INSERT INTO people SELECT i, i % 100, CASE WHEN i % 2 = 0 THEN 'f' ELSE 'm' END
    FROM generate_series(1, 300) s(i);
INSERT INTO visits SELECT i, i % 300 + 1, i FROM generate_series(1, 900) s(i);
"""


@pytest.fixture
def url(server):
    made = server.database()
    with closing(psycopg2.connect(made)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA)
    return made


def run(*words):
    return CliRunner().invoke(main, words)


def test_init_check_and_query(url, tmp_path):
    file = str(tmp_path / "dpsql.yaml")
    secret = url.replace("postgres@", "postgres:hunter2@")
    made = run("init", secret, "--unit", "people.id", "-o", file, "--yes")
    assert made.exit_code == 0, made.output
    text = (tmp_path / "dpsql.yaml").read_text()
    assert "hunter2" not in text
    assert "person -> people.id" in text
    assert "max: 120" in text
    checked = run("check", "--policy", file)
    assert checked.exit_code == 0, checked.output
    assert "one row per person, enforced by the database" in " ".join(checked.output.split())
    asked = run(
        "query", "--policy", file, "--analyst", "ana", "--format", "csv",
        "SELECT sex, COUNT(*) AS n FROM people GROUP BY sex",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    assert asked.output.splitlines()[0] == "sex,n"
    shown = run(
        "explain", "--policy", file, "--analyst", "ana", "--sql", "SELECT COUNT(*) FROM visits"
    )
    assert '"public"."visits"' in shown.output


def test_a_promised_key_of_a_view_is_verified_and_says_whose_rows_these_are(url, tmp_path):
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE VIEW seen AS SELECT id, person FROM visits")
        cursor.execute("CREATE TABLE notes(visit INT, words INT)")
        cursor.execute("INSERT INTO notes SELECT i % 900 + 1, i FROM generate_series(1, 2000) s(i)")
    file = tmp_path / "dpsql.yaml"
    file.write_text(
        f"database: {url}\nledger: sqlite:///ledger.db\nunit: person\n"
        "budgets: {default: {epsilon: 9, delta: 1e-6}, per_query: {epsilon: 1, delta: 1e-8}}\n"
        "bounds: {max_groups: 2, max_rows_per_group: 9}\n"
        "tables:\n"
        "  seen: {unit: person, key: id, promised: true}\n"
        "  notes: {unit: visit -> seen.id}\n"
    )
    ask = ("query", "--policy", str(file), "--analyst", "ana", "SELECT COUNT(*) FROM notes")
    assert "promise-unverified" in run(*ask).stderr
    checked = run("check", "--policy", str(file), "--verify-keys")
    assert checked.exit_code == 0, checked.output
    asked = run(*ask)
    assert asked.exit_code == 0, asked.output
    assert "promise that seen.id is a key" in asked.stderr


def test_a_server_that_is_not_there(tmp_path):
    made = run(
        "init", "postgresql://u:hunter2@127.0.0.1:1/x", "--unit", "t.id",
        "-o", str(tmp_path / "p.yaml"), "--yes",
    )  # fmt: skip
    assert made.exit_code == 5
    assert "hunter2" not in made.output
    assert "cannot be reached" in made.output
