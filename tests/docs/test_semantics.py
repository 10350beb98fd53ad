"""The examples of docs/semantics.md: plain DuckDB and dpsql give what the page says they give."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import duckdb
import pytest
import yaml

from dpsql.session import Session

PAGE = (Path(__file__).parents[2] / "docs" / "semantics.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(sql|yaml) ?(\S*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
[SETUP] = [text for _, kind, text in BLOCKS if kind == "setup"]
[POLICY] = [yaml.safe_load(text) for _, kind, text in BLOCKS if kind == "policy"]
EXAMPLES = [text for language, kind, text in BLOCKS if (language, kind) == ("sql", "")]


def said(example, who):
    found = re.search(rf"^-- {who}: (.*)$", example, re.MULTILINE)
    return None if found is None else found[1]


def close(got, want):
    assert len(got) == len(want), got
    for row, other in zip(got, want, strict=True):
        for value, expected in zip(row, other, strict=True):
            number = isinstance(expected, (int, float)) and value is not None
            assert value == (pytest.approx(expected, abs=1e-6) if number else expected)


@pytest.fixture
def connection():
    opened = duckdb.connect(":memory:")
    opened.execute(SETUP)
    yield opened
    opened.close()


@pytest.fixture
def ask(connection):
    """`ask(sql, epsilon, reuse)`: rows and the price, in a session of its own."""
    sessions = []

    def query(sql, *, epsilon=10**9, reuse="off"):
        if not sessions:
            policy = POLICY | {"releases": {"reuse": reuse}}
            sessions.append(Session(policy, "reader", epsilon=epsilon, engine=connection))
        answer = sessions[0].query(sql)
        columns = [column.to_pylist() for column in answer.table.columns]
        return list(zip(*columns, strict=True)), answer.privacy.epsilon

    yield query
    for session in sessions:
        session.close()


def test_the_page_has_its_examples():
    assert len(EXAMPLES) > 14
    assert all(said(example, "dpsql") for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.partition("\n")[0][:60])
def test_an_example(example, connection, ask):
    """The lone doctor's group is shown with a probability below δ = 1e-6."""
    sql = re.sub(r"^--.*\n?", "", example, flags=re.MULTILINE)
    if (plain := said(example, "plain")) == "error":
        with pytest.raises(duckdb.Error):
            connection.execute(sql).fetchall()
    elif plain is not None:
        close(sorted_as(connection.execute(sql).fetchall(), sql), ast.literal_eval(plain))
    rows, price = ask(sql)
    close(rows, ast.literal_eval(said(example, "dpsql")))
    assert price > 0 or "DISTINCT ward" in sql, "public keys alone cost nothing"


def sorted_as(rows, sql):
    """DuckDB gives groups in any order; the page has them in key order, NULL last."""
    if "ORDER BY" in sql:
        return rows
    return sorted(rows, key=lambda row: (row[0] is None, str(row[0])))


def test_a_count_is_not_cut_at_zero(ask):
    """60 answers without one below 0: less than 2^-57 (with noise of 100, P(< 0) > 0.49)."""
    [sql] = [text for _, kind, text in BLOCKS if kind == "below-zero"]
    counts = [ask(sql, epsilon="0.1")[0][0][0] for _ in range(60)]
    assert min(counts) < 0 < max(counts)


def test_asked_again_it_is_the_same_release(ask):
    [sql] = [text for _, kind, text in BLOCKS if kind == "twice"]
    first, paid = ask(sql, epsilon=1, reuse="budget")
    again, nothing = ask(sql, epsilon=1, reuse="budget")
    assert (paid, nothing) == (1, 0)
    assert first == again
    outside = f"SELECT n FROM ({sql}) AS q ORDER BY n"
    assert ask(outside)[1] == 0
