"""The files of tests/cases/refuse: a query, how it is asked, and the refusal it meets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import e2e_world as world

from dpsql.answer import Answer
from dpsql.errors import Error
from dpsql.session import Session

FOLDER = world.CASES / "refuse"
_HEADER = re.compile(r"-- (instead|dialect|params|epsilon|delta|policy|before|change|pad): (.*)\n")
_EXPECTED = "-- refuse: "

DDL = """
CREATE TABLE users (
    user_id INTEGER PRIMARY KEY, age INTEGER, income DOUBLE, city VARCHAR, signup DATE,
    seen TIMESTAMP, token BLOB, secret VARCHAR);
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users,
    amount DOUBLE, item VARCHAR, ts TIMESTAMP);
CREATE TABLE regions (city VARCHAR PRIMARY KEY, region VARCHAR);
INSERT INTO users SELECT i, 30, 1000, 'Rome', '2024-01-01', '2024-01-01', 'x', 's'
    FROM range(50) t(i);
INSERT INTO orders SELECT i, i, 10, 'tea', '2024-01-01' FROM range(50) t(i);
INSERT INTO regions VALUES ('Rome', 'south');
"""

POLICY: dict[str, Any] = {
    "version": 1,
    "unit": "user",
    "ledger": "sqlite://",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "max_per_query": {"epsilon": 10, "delta": "1e-4"},
        "default": {"epsilon": 5, "delta": "1e-4"},
    },
    "bounds": {"max_groups": 5, "max_rows_per_group": 5, "undeclared": "refuse"},
    "tables": {
        "users": {
            "unit": "user_id",
            "columns": {
                "age": {"min": 0, "max": 120},
                "signup": {"min": "2020-01-01", "max": "2026-12-31"},
                "secret": {"hidden": True},
            },
        },
        "orders": {
            "unit": "user_id -> users.user_id",
            "columns": {"amount": {"min": 0, "max": 5000}},
        },
        "regions": {"public": True},
    },
}


@dataclass(frozen=True)
class Case:
    """One file. `header`: how it is asked.

    `before` is a query that is paid for first, `change` what the owner does to the database after
    the analyst has connected, `pad` so many blanks behind the text, `policy` keys that replace
    those of POLICY, `instead` the query that the hint leads to; the others are arguments of
    `query`.
    """

    path: Path
    sql: str
    expected: str
    header: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return self.expected.removeprefix(_EXPECTED).split(" ")[0]

    def refusal(self) -> str:
        """What is refused, as the file should have it."""
        connection = duckdb.connect(":memory:")
        connection.execute(DDL)
        changes = json.loads(self.header.get("policy", "{}"))
        try:
            session = Session({**POLICY, **changes}, "analyst", engine=connection)
        except Error as problem:
            return written(problem)
        try:
            if before := self.header.get("before"):
                session.query(before)
            connection.execute(self.header.get("change", ""))
            session.query(
                self.sql + " " * int(self.header.get("pad", "0")),
                json.loads(self.header.get("params", "null")),
                epsilon=self.header.get("epsilon"),
                delta=self.header.get("delta"),
                dialect=self.header.get("dialect", "duckdb"),
            )
        except Error as problem:
            return written(problem)
        finally:
            session.close()
            connection.close()
        raise AssertionError(f"{self.path.name} was answered")

    @property
    def instead(self) -> str | None:
        """The query that would be answered: what the hint itself says to ask, or the header."""
        found = re.search(r"; ask: (.*)", self.expected)
        return found[1] if found else self.header.get("instead")

    def answer(self, sql: str) -> Answer:
        """Another query under the same policy and dialect."""
        connection = duckdb.connect(":memory:")
        connection.execute(DDL)
        changes = json.loads(self.header.get("policy", "{}"))
        session = Session({**POLICY, **changes}, "analyst", engine=connection)
        try:
            return session.query(sql, dialect=self.header.get("dialect", "duckdb"))
        finally:
            session.close()
            connection.close()

    def write(self, refusal: str) -> None:
        start = self.path.read_text().partition(_EXPECTED)[0]
        self.path.write_text(start.rstrip("\n") + "\n" + refusal)


def read(path: Path) -> Case:
    text = path.read_text()
    start, mark, rest = text.partition(_EXPECTED)
    header = {}
    while found := _HEADER.match(start):
        header[found[1]] = found[2]
        start = start[found.end() :]
    return Case(path, start.rstrip("\n"), mark + rest, header)


def written(problem: Error) -> str:
    """Code, class, exit code; the sentence with its caret; the hint: as SQL comments."""
    said, _, shown = problem.message.partition("\n")
    lines = [f"{_EXPECTED}{problem.code} ({type(problem).__name__}, exit {problem.exit_code})"]
    lines += [f"--   {line}".rstrip() for line in (said, *shown.splitlines())]
    if problem.hint:
        lines.append(f"-- hint: {problem.hint}")
    return "\n".join(lines) + "\n"


def cases() -> dict[str, Case]:
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.sql"))}
