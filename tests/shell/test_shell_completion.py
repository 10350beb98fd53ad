"""Completion knows the place: tables after FROM, columns of the statement's tables elsewhere."""

from __future__ import annotations

import pytest

from dpsql.shell.backslash import complete_command
from dpsql.shell.completion import suggest
from dpsql.shell.highlight import painted
from dpsql.shell.vocabulary import functions, vocabulary_of


@pytest.fixture
def words(session):
    return vocabulary_of(session.declared())


@pytest.fixture
def texts(words):
    """The suggested texts for the cursor at `|`."""

    def found(text, **options):
        before, _, after = text.partition("|")
        return [one.text for one in suggest(before, after, words, **options)]

    return found


TABLES = ["patients", "ward.visits", "cities"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM |",
        "SELECT * FROM patients JOIN |",
        "SELECT * FROM patients p, |",
        "SELECT 1; SELECT * FROM |",
        "SELECT age FROM (SELECT * FROM |",
        "SELECT EXTRACT(year FROM d) FROM |",
        "FROM |",
        "-- a note; here\nSELECT 'FROM' FROM |",
    ],
)
def test_tables_after_from(texts, text):
    assert texts(text) == TABLES
    assert texts(text, asked=False) == TABLES


def test_names_begin_as_typed_and_ignore_case(texts):
    assert texts("SELECT * FROM PAT|") == ["patients"]
    assert texts("SELECT * FROM ward.|") == ["visits"]
    assert texts("SELECT ag| FROM patients") == ["age"]
    assert "AGE" not in texts("SELECT AG| FROM patients")


def test_a_query_of_with_is_a_table(texts):
    assert texts("WITH old AS (SELECT age FROM patients) SELECT * FROM o|") == ["old"]


def columns(found):
    return [text for text in found if text in {"id", "city", "age", '"order"', "patient", "cost",
                                               "people", "secret"}]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT | FROM patients", ["id", "city", "age", '"order"']),
        ("SELECT a, | FROM patients", ["id", "city", "age", '"order"']),
        ("SELECT COUNT(*) FROM ward.visits WHERE |", ["patient", "cost"]),
        ("SELECT COUNT(*) FROM main.patients GROUP BY |", ["id", "city", "age", '"order"']),
        ("SELECT SUM(| FROM ward.visits", ["patient", "cost"]),
        ("SELECT age * | FROM patients", ["id", "city", "age", '"order"']),
        ("SELECT COUNT(*) FROM patients WHERE age IS DISTINCT FROM |",
         ["id", "city", "age", '"order"']),
        ("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1) | FROM cities",
         ["city", "people"]),
        ("SELECT p.| FROM patients p", ["id", "city", "age", '"order"']),
        ("SELECT v.co| FROM patients p JOIN ward.visits AS v ON v.patient = p.id", ["cost"]),
        ("SELECT 1 FROM patients; SELECT | FROM cities", ["city", "people"]),
        ("SELECT |", ["id", "city", "age", '"order"', "patient", "cost", "people"]),
    ],
)  # fmt: skip
def test_columns_of_the_statements_tables(texts, text, expected):
    assert columns(texts(text)) == expected


def test_a_quoted_name_is_completed_to_its_quotes(texts):
    assert texts('SELECT "orde| FROM patients') == ['"order"']


def test_what_follows_a_value_or_a_table(texts):
    assert texts("SELECT city f| ") == ["from", "filter"]
    assert "JOIN" in texts("SELECT * FROM patients |")
    assert columns(texts("SELECT * FROM patients p |")) == []
    assert "AND" in texts("SELECT * FROM patients WHERE age > 3 |")
    assert texts("|")[0] == "SELECT"


@pytest.mark.parametrize(
    "text",
    ["SELECT 'ag|", "SELECT 1 -- ag|", "/* ag|", "SELECT age AS a|", "SELECT 1 LIMIT 1|"],
)
def test_nothing_inside_text_comments_and_own_names(texts, text):
    assert texts(text) == []


def test_functions_come_from_the_allow_lists(texts):
    assert {"COUNT", "AVG", "VAR_SAMP", "ROUND", "DATE_TRUNC", "SUBSTRING"} <= set(functions())
    assert not {"READ_CSV", "RANDOM", "CURRENT_SETTING", "NOW", "TS_OR_DS_ADD"} & set(functions())
    assert functions()["AVG"] == "aggregate"
    assert "DATE_TRUNC" in texts("SELECT DATE_T| FROM patients")
    assert "date_trunc" in texts("SELECT date_t| FROM patients")


def test_typing_brings_no_list_of_everything(texts):
    assert texts("SELECT | FROM patients", asked=False) == []
    assert texts("SELECT a| FROM patients", asked=False)[0] == "age"


def test_what_is_replaced(words):
    (one,) = suggest("SELECT * FROM pat", "", words)
    assert (one.text, one.length, one.about) == ("patients", 3, "table")


def test_commands(words):
    def found(text):
        suggestions = complete_command(text, words)
        return None if suggestions is None else [one.text for one in suggestions]

    assert found("SELECT") is None
    assert found("\\e") == ["\\explain", "\\epsilon", "\\error"]
    assert found("\\t") == []  # \timing is refused
    assert found("\\d w") == ["ward.visits"]
    assert found("\\format j") == ["json", "jsonl"]
    assert found("\\explain SELECT 1 FROM c") == ["cities"]
    assert found("\\epsilon ") == []


def test_colours():
    text = "SELECT count(*), 'it''s' -- why\nFROM t WHERE count > 1.5"
    pieces = list(painted(text, functions()))
    assert "".join(piece for _, piece in pieces) == text
    kinds = [(kind.removeprefix("class:"), piece) for kind, piece in pieces if kind]
    assert kinds == [
        ("keyword", "SELECT"), ("function", "count"), ("string", "'it''s'"),
        ("comment", "-- why"), ("keyword", "FROM"), ("keyword", "WHERE"), ("number", "1.5"),
    ]  # fmt: skip
    assert next(painted("\\explain SELECT 1", functions())) == ("class:command", "\\explain")
    assert "".join(p for _, p in painted("\\explain  SELECT 1", functions())) == (
        "\\explain  SELECT 1"
    )
