"""`dpsql query`: what goes where, in every format."""

from __future__ import annotations

import io
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BY_CITY = "SELECT city, COUNT(*) AS n, SUM(spent) AS s, AVG(age) AS a FROM users GROUP BY city"


def test_table_and_footer(dpsql):
    result = dpsql("query", "--analyst", "bob", "SELECT city, COUNT(*) AS n FROM users GROUP BY 1")
    assert result.exit_code == 0
    head, rule, *rows = result.stdout.splitlines()
    assert head.split() == ["city", "n"]
    assert set(rule) == {"─", " "}
    assert [row.split()[0] for row in rows] == ["Berlin", "Roma"]
    assert all("± 3" in row for row in rows)
    assert len({row.index("±") for row in rows}) == 1
    assert result.stderr.splitlines() == [
        "2 rows · cost ε = 1, δ = 1e-07 · ± is the 95 % half-width",
        "left 50 % of bob's ε = 2 (1 more query at ε = 1)",
    ]


def test_extremes_are_said_to_be_approximate(dpsql):
    result = dpsql("query", "--analyst", "bob", "SELECT MIN(age) AS a FROM users")
    said = "MIN and MAX are approximate: some rows inside the ends, without error bars"
    assert said in result.stderr.splitlines()


def test_a_budget_that_does_not_cover_says_what_is_left(dpsql):
    dpsql("query", "--analyst", "bob", "SELECT COUNT(*) FROM users")
    result = dpsql("query", "--analyst", "bob", "--epsilon", "1.5", "SELECT AVG(age) FROM users")
    assert result.exit_code == 4
    assert "it asks for epsilon 1.5, and about 1 of 2 is left" in result.stderr


def test_a_file_in_place_of_sql_is_told_the_flag(dpsql):
    result = dpsql("query", "--analyst", "bob", "nofile.sql")
    assert result.exit_code == 2
    assert "to read a file: -f nofile.sql" in result.stderr


def test_a_repeat_is_the_same_and_free(dpsql):
    command = ("query", "--analyst", "bob", "--format", "csv", "SELECT COUNT(*) FROM users")
    first, again = dpsql(*command), dpsql(*command)
    assert first.stdout == again.stdout
    assert "cost ε = 1" in first.stderr
    assert "free: a repeat" in again.stderr


def test_csv(ask):
    assert ask(BY_CITY, "--format", "csv").stdout == (
        "city,n,s,a\nBerlin,60,150.00,40.0\nRoma,30,75.00,40.0\n"
    )


def test_csv_tells_null_from_empty_text(ask):
    result = ask("SELECT * FROM cities", "--format", "csv")
    assert result.stdout == 'city,people\n"",1\nBerlin,3\nRoma,\n'
    assert result.stderr == "3 rows · free: public tables alone\n"


def test_json(ask):
    result = ask(BY_CITY, "--format", "json")
    assert '["Berlin", 60, 150.00, 40.0]' in result.stdout  # a DECIMAL keeps its digits
    found = json.loads(result.stdout)
    assert set(found) == {"columns", "rows", "privacy"}
    assert found["columns"] == ["city", "n", "s", "a"]
    assert found["rows"] == [["Berlin", 60, 150, 40], ["Roma", 30, 75, 40]]
    privacy = found["privacy"]
    assert privacy["analyst"] == "ann"
    assert privacy["epsilon"] == 1e9
    assert set(privacy["half_widths_95"]) == {"city", "n", "s", "a"}
    for name, halves in privacy["half_widths_95"].items():
        ends = privacy["intervals_95"][name]
        assert halves == (None if ends is None else [(high - low) / 2 for low, high in ends])


def test_json_of_no_rows_is_json(ask):
    found = json.loads(ask("SELECT * FROM cities WHERE city = 'x'", "--format", "json").stdout)
    assert found["rows"] == []


def test_jsonl(ask):
    lines = ask("SELECT city, people, city FROM cities", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines][1] == {
        "city": "Berlin",
        "people": 3,
        "city_1": "Berlin",
    }


def test_markdown(ask):
    lines = ask(BY_CITY, "--format", "markdown").stdout.splitlines()
    assert lines[0] == "| city | n | s | a |"
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    assert lines[2].startswith("| Berlin | 60 ± ")


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_binary_to_a_file_and_to_stdout(ask, shop, form):
    piped = ask(BY_CITY, "--format", form)
    filed = ask(BY_CITY, "--format", form, "-o", "answer.bin")
    assert filed.stdout == ""
    for content in (piped.stdout_bytes, (shop / "answer.bin").read_bytes()):
        source = io.BytesIO(content)
        if form == "parquet":
            table = pq.read_table(source)
        else:
            table = pa.ipc.open_stream(source).read_all()
        assert table.column("n").to_pylist() == [60, 30]
        assert json.loads(table.schema.metadata[b"dpsql.privacy"])["analyst"] == "ann"
    assert [p.name for p in shop.iterdir() if p.name.endswith(".part")] == []


@pytest.mark.parametrize(("suffix", "stream"), [("arrow", 0), ("feather", 0), ("arrows", 1)])
def test_arrow_is_a_file_where_the_name_says_so(ask, shop, suffix, stream):
    """As the format's own pages have it: `.arrow` for files, `.arrows` for streams."""
    assert ask(BY_CITY, "-o", f"answer.{suffix}").exit_code == 0
    content = (shop / f"answer.{suffix}").read_bytes()
    open_ = pa.ipc.open_stream if stream else pa.ipc.open_file
    assert open_(content).read_all().column("city").to_pylist() == ["Berlin", "Roma"]
    piped = ask(BY_CITY, "--format", "arrow").stdout_bytes
    assert pa.ipc.open_stream(piped).read_all().num_rows == 2


def test_bars_are_columns_on_request(ask, dpsql, shop):
    plain = ask(BY_CITY, "--format", "csv")
    barred = ask(BY_CITY, "--format", "csv", "--bars")
    head, *rows = [line.split(",") for line in barred.stdout.splitlines()]
    assert head == "city n n_low n_high s s_low s_high a a_low a_high".split()
    for row in rows:
        named = dict(zip(head, row, strict=True))
        for name in "nsa":
            low, high = float(named[f"{name}_low"]), float(named[f"{name}_high"])
            assert low <= float(named[name]) <= high
    values = [",".join(row[i] for i in (0, 1, 4, 7)) for row in [head, *rows]]
    assert values == plain.stdout.splitlines()
    (first, _) = map(json.loads, ask(BY_CITY, "--format", "jsonl", "--bars").stdout.splitlines())
    assert list(first) == head
    found = json.loads(ask(BY_CITY, "--format", "json", "--bars").stdout)
    assert found["columns"] == head
    assert ask(BY_CITY, "-o", "answer.parquet", "--bars").exit_code == 0
    assert pq.read_table(shop / "answer.parquet").column_names == head


def test_no_bars_in_a_table(dpsql):
    asked = ("query", "--analyst", "bob", "SELECT city, COUNT(*) AS n FROM users GROUP BY 1")
    for form in ("table", "markdown"):
        assert "± 3" in dpsql(*asked, "--format", form).stdout
        assert "± 3" in dpsql(*asked, "--format", form, "--bars").stdout
        bare = dpsql(*asked, "--format", form, "--no-bars")
        assert "±" not in bare.stdout + bare.stderr
    assert "±" not in dpsql(*asked, "--format", "csv").stderr  # there is none to explain


def test_a_report_is_an_object_in_json(ask):
    sql = "SELECT city, COUNT(*, report_format => 'JSON') AS n FROM users GROUP BY city"
    rows = json.loads(ask(sql, "--format", "json").stdout)["rows"]
    assert [row[0] for row in rows] == ["Berlin", "Roma"]
    assert [row[1]["value"] for row in rows] == [60, 30]
    assert rows[0][1]["low"] <= 60 <= rows[0][1]["high"]
    (line, _) = ask(sql, "--format", "jsonl").stdout.splitlines()
    assert json.loads(line) == {"city": "Berlin", "n": rows[0][1]}
    assert '""value"":60' in ask(sql, "--format", "csv").stdout
    assert "computed" not in ask(sql).stderr


def test_a_file_is_replaced_only_by_a_whole_answer(ask, dpsql, shop):
    target = shop / "out.csv"
    target.write_text("old")
    assert ask("SELECT nope FROM users", "-o", "out.csv").exit_code == 3
    assert target.read_text() == "old"
    assert ask(BY_CITY, "--format", "csv", "-o", "out.csv").exit_code == 0
    assert target.read_text().startswith("city,n")


@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.txt"])
def test_a_name_that_says_no_format_needs_one(dpsql, shop, name):
    sql = ("query", "--analyst", "bob", "SELECT COUNT(*) AS n FROM users", "-o", name)
    refused = dpsql(*sql)
    assert refused.exit_code == 2
    assert ".csv, .json, .jsonl, .md, .parquet" in " ".join(refused.stderr.split())
    assert not (shop / name).exists()
    assert json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)["share"] == 0
    assert dpsql(*sql, "--format", "table").exit_code == 0
    assert "n" in (shop / name).read_text()


def test_a_pipe_needs_no_name_of_a_format(ask):
    assert ask("SELECT people FROM cities", "-o", os.devnull).exit_code == 0


def test_a_place_that_cannot_be_written_costs_nothing(dpsql):
    sql = "SELECT COUNT(*) FROM users"
    for place in ("no/such/place.csv", "."):
        assert dpsql("query", "--analyst", "bob", sql, "-o", place).exit_code == 2
    assert json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)["share"] == 0


def test_a_key_cannot_move_the_cursor(ask):
    sql = "SELECT nick, COUNT(*) AS n FROM users GROUP BY nick"
    table = ask(sql).stdout
    assert "\x1b" not in table
    assert "a\\x1b[31m" in table
    assert json.loads(ask(sql, "--format", "json").stdout)["rows"][0][0] == 'a\x1b[31m|,"'
    assert ask(sql, "--format", "csv").stdout.splitlines()[1] == '"a\x1b[31m|,""",50'
    assert "\\|," in ask(sql, "--format", "markdown").stdout


def test_sql_from_a_file_or_from_stdin(ask, dpsql, shop):
    (shop / "q.sql").write_text("SELECT COUNT(*) AS n FROM users", encoding="utf-8")
    base = ("query", "--analyst", "ann", "--epsilon", "1e9", "--format", "csv")
    assert dpsql(*base, "-f", "q.sql").stdout == "n\n90\n"
    assert dpsql(*base, "-", input="SELECT COUNT(*) AS n FROM users").stdout == "n\n90\n"
    assert dpsql(*base, "-f", "-", input="SELECT COUNT(*) AS n FROM users").stdout == "n\n90\n"


@pytest.mark.parametrize("source", [(), ("SELECT 1", "-f", "q.sql"), ("-f", "missing.sql")])
def test_sql_from_nowhere_twice_or_a_missing_file(dpsql, source):
    result = dpsql("query", "--analyst", "ann", *source)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("condition", "params"),
    [
        ("city = ? AND age = ?", ["Berlin", "40"]),
        ("city = :c AND age < :a", ["c=Berlin", "a=40.5"]),
        ("city = $c AND 'true' = :t", ["c='Berlin'", "t='true'"]),
    ],
)
def test_parameters(ask, condition, params):
    flags = [part for value in params for part in ("--param", value)]
    sql = f"SELECT COUNT(*) AS n FROM users WHERE {condition}"
    assert ask(sql, "--format", "csv", *flags).stdout == "n\n60\n"


@pytest.mark.parametrize("params", [["c=1", "2"], ["c=1", "c=2"]])
def test_parameters_that_make_no_sense(ask, params):
    flags = [part for value in params for part in ("--param", value)]
    assert ask("SELECT COUNT(*) FROM users", *flags).exit_code == 2


def test_dialect(ask):
    sql = "SELECT COUNT(*) AS n FROM `users` WHERE `city` = 'Roma'"
    assert ask(sql, "--dialect", "bigquery", "--format", "csv").stdout == "n\n30\n"
