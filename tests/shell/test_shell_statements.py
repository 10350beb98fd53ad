"""Cutting text into statements and commands."""

from __future__ import annotations

import pytest

from dpsql.errors import InvalidQuery
from dpsql.shell.statements import Command, Splitter, Statement, complete


def cut(text, dialect="duckdb"):
    splitter = Splitter(dialect)
    found = [item for line in text.split("\n") for item in splitter.feed(line)]
    return [*found, *splitter.finish()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1; SELECT 2 ;", [Statement("SELECT 1"), Statement("SELECT 2")]),
        ("SELECT 1\n+ 1;", [Statement("SELECT 1\n+ 1")]),
        ("SELECT 'a;b'; SELECT \"c;d\"", [Statement("SELECT 'a;b'"), Statement('SELECT "c;d"')]),
        ("SELECT 'it''s;'; x", [Statement("SELECT 'it''s;'"), Statement("x")]),
        ("SELECT 'two\nlines;'\n;", [Statement("SELECT 'two\nlines;'")]),
        ("SELECT $$a;b$$;", [Statement("SELECT $$a;b$$")]),
        ("/* a; /* b; */ ; */ SELECT 1;", [Statement("/* a; /* b; */ ; */ SELECT 1")]),
        ("-- none; here\nSELECT 1;", [Statement("-- none; here\nSELECT 1")]),
        ("-- nothing", []),
        (";;\n ; ", []),
        ("SELECT 'open; \n SELECT 2;", [Statement("SELECT 'open; \n SELECT 2;")]),
        ("SELECT '\u2028';", [Statement("SELECT '\u2028'")]),
        ("\\d users;", [Command("d", "users")]),
        ("  \\D  \n", [Command("D")]),
        ("-- a note\n\\q", [Command("q")]),
        ("SELECT 1;\n\\epsilon 0.5\nSELECT 2;",
         [Statement("SELECT 1"), Command("epsilon", "0.5"), Statement("SELECT 2")]),
        ("\\explain SELECT 1\nFROM t; SELECT 2;",
         [Command("explain", "SELECT 1\nFROM t"), Statement("SELECT 2")]),
        ("\\explain SELECT 1", [Command("explain", "SELECT 1")]),
        ("\\explain\nSELECT 1;", [Command("explain"), Statement("SELECT 1")]),
        ("SELECT a\n\\d t;\n;", [Command("d", "t"), Statement("SELECT a")]),
        ("SELECT a\n \\q", [Command("q"), Statement("SELECT a")]),
        ("SELECT a\n\\g\nSELECT b;", [Statement("SELECT a"), Statement("SELECT b")]),
        ("SELECT a\n\\r\nSELECT b;", [Command("r"), Statement("SELECT b")]),
        ("SELECT a\n\\g x\n;", [Command("g", "x"), Statement("SELECT a")]),
        ("SELECT 'a\n\\q\n';", [Statement("SELECT 'a\n\\q\n'")]),
        ("/* a\n\\q\n*/ SELECT 1;", [Statement("/* a\n\\q\n*/ SELECT 1")]),
        ("\\explain SELECT a\n\\g", [Command("explain", "SELECT a")]),
        ("QUIT", [Command("q")]),
        (" exit; ", [Command("q")]),
        ("SELECT\nquit\n;", [Statement("SELECT\nquit")]),
    ],
)  # fmt: skip
def test_cut(text, expected):
    assert cut(text) == expected


def test_quotes_are_those_of_the_dialect():
    text = r"SELECT 'a\';' ;"
    assert cut(text, "mysql") == [Statement(r"SELECT 'a\';'")]
    assert cut(text) == [Statement(text.strip())]  # in DuckDB the last quote stays open
    with pytest.raises(InvalidQuery, match="no SQL dialect"):
        Splitter("klingon")


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("", True),
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT 1; -- done", True),
        ("SELECT 1; SELECT", False),
        ("SELECT ';", False),
        ("\\d", True),
        ("SELECT 1\n\\d", True),
        ("SELECT 1\n\\g", True),
        ("SELECT '\n\\d", False),
        ("SELECT 1\n\\d\nFROM t", False),
        ("\\explain SELECT 1", True),
    ],
)
def test_what_enter_runs(text, ready):
    assert complete(text, "duckdb") is ready
