"""Commands that open what a policy names, on files and attached databases."""

from __future__ import annotations

import duckdb
import pytest
from click.testing import CliRunner

from dpsql.cli import main


@pytest.fixture
def policy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("crm.duckdb") as connection:
        connection.execute(
            "CREATE TABLE people AS SELECT i AS pid, i % 90 AS age FROM range(99) t(i)"
        )
        connection.execute("COPY people TO 'visits.parquet' (FORMAT parquet)")
    (tmp_path / "dpsql.yaml").write_text(
        "budgets: {default: {epsilon: 9, delta: 1e-6}, per_query: {epsilon: 1, delta: 1e-8}}\n"
        "bounds: {max_groups: 2, max_rows_per_group: 2}\n"
        "attach: {crm: 'duckdb:///crm.duckdb'}\n"
        "tables:\n"
        "  visits: {unit: pid, files: visits.parquet, columns: {age: {min: 0, max: 90}}}\n"
        "  crm.people: {unit: pid, columns: {age: {min: 0, max: 90}}}\n"
    )
    return tmp_path / "dpsql.yaml"


def run(*args):
    result = CliRunner().invoke(main, list(args))
    assert result.exit_code == 0, result.output
    return result.output


def test_tables_explain_and_budget(policy):
    assert "crm.people" in run("tables")
    sql = "SELECT SUM(v.age) FROM visits v JOIN crm.people p ON p.pid = v.pid WHERE p.age < 50"
    assert "visits" in run("explain", "--analyst", "a", sql)
    assert '"crm"."people"' in run("explain", "--analyst", "a", "--sql", sql)
    run("query", "--analyst", "a", sql)
    assert "a" in run("budget", "show", "--analyst", "a")


def test_audit_invents_its_people_and_needs_no_file(policy):
    """Neither files nor attached databases are read by it."""
    told = run("audit", "--ask", "COUNT(*)", "--blocks", "40")
    assert "visits" in told
    assert "crm.people" in told
    assert "none broken" in told


def test_ranges_are_found_in_files_by_a_private_scan(policy, tmp_path):
    run(
        "init",
        "visits.parquet",
        "--unit",
        "pid",
        "--private-ranges",
        "0.5",
        "-o",
        "x.yaml",
        "--yes",
    )
    assert "files:" in (tmp_path / "x.yaml").read_text()
