"""A CSV's first line becomes schema, which analysts see: never a person's row unseen."""

from __future__ import annotations

import pytest

from dpsql.policy import load


@pytest.fixture
def people(tmp_path, monkeypatch):
    """Write people.csv into the working directory."""
    monkeypatch.chdir(tmp_path)
    return (tmp_path / "people.csv").write_text


def test_a_row_of_text_is_shown_and_has_to_be_confirmed(people, dpsql, tmp_path):
    people("alice,berlin\nbob,paris\n")
    result = dpsql("init", "people.csv", "--unit", "people.alice")
    assert result.exit_code == 2
    assert "by the first line of people.csv: alice, berlin" in result.stderr
    assert "[init-header]" in result.stderr
    assert "say --header" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize("flag", ["--header", "--yes"])
def test_confirmed_names_are_shown_and_taken(people, init, flag):
    people("name;home town\nalice;berlin\nbob;paris\n")
    result = init("people.csv", "--unit", "people.name", flag)
    assert "by the first line of people.csv: name, home town" in result.stderr
    assert load("dpsql.yaml").tables["people"].unit.column == "name"


def test_a_header_is_told_not_guessed(people, init):
    """All text, and the names look like what stands below them: DuckDB would guess."""
    people("first,second\nthird,fourth\n")
    result = init("people.csv", "--unit", "people.first", "--header")
    assert "first, second" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4\n",
        "17,berlin\n18,paris\n",
        "2020-01-31,x\n2020-02-01,y\n",
        "a@b.org,berlin\nc@d.org,paris\n",
        "id,id\n1,2\n",
        "id,ID\n1,2\n",
        "id,,age\n1,2,3\n",
        "alice,berlin\nbob,paris\ncarol,berlin\n",
        "id,true\n1,false\n",
        f"id,{'x' * 65}\n1,2\n",
        "# exported\nid,age\n1,2\n",
        "",
    ],
)
@pytest.mark.parametrize("flag", ["--header", "--yes"])
def test_what_cannot_be_names_is_refused_whatever_is_said(people, dpsql, tmp_path, text, flag):
    people(text)
    result = dpsql("init", "people.csv", "--unit", "people.id", flag)
    assert result.exit_code == 2
    assert "[init-header]" in result.stderr
    assert "a line with the columns' names above the data" in " ".join(result.stderr.split())
    for value in ("17", "2020", "a@b", "alice", "berlin"):
        assert value not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize("text", ['"id","name, first"\n1,"a,b"\n', "id\n1\n", "id,größe\n1,2\n"])
def test_ordinary_headers(people, init, text):
    people(text)
    init("people.csv", "--unit", "people.id", "--header")
