"""The same target on the command line, in Python, SQLAlchemy and the shell."""

from __future__ import annotations

import json

import duckdb
import pytest
import sqlalchemy
from click.testing import CliRunner

import dpsql
from dpsql.cli import main

POLICY = """
version: 1
database: duckdb:///shop.duckdb
ledger: sqlite:///ledger.db
releases: {reuse: budget}
unit: person
budgets:
  per_query: {epsilon: 1, delta: 1e-7}
  max_per_query: {epsilon: 2, delta: 1e-5}
  default: {epsilon: 50, delta: 1e-4}
bounds: {max_groups: 1, max_rows_per_group: 1}
tables:
  people:
    unit: id
    columns: {age: {min: 0, max: 100}}
"""
SQL = "SELECT COUNT(*) AS n FROM people"
EPSILON = 0.0299  # the least of three digits at which P(|noise| > 100) is at most 5 %


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    with duckdb.connect("shop.duckdb") as c:
        c.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, age INTEGER)")
        c.execute("INSERT INTO people SELECT i, 30 FROM range(2000) t(i)")
    (tmp_path / "dpsql.yaml").write_text(POLICY)
    return tmp_path


def run(*words: str, stdin: str | None = None):
    return CliRunner().invoke(main, [*words], input=stdin)


def test_command_line(shop):
    found = run("query", "--analyst", "a", "--error", "100", "--format", "json", SQL)
    assert found.exit_code == 0, found.output
    privacy = json.loads(found.stdout)["privacy"]
    (target,) = privacy["targets"]
    assert privacy["epsilon"] == target["epsilon"] == EPSILON
    assert target["columns"] == [
        {
            "column": "COUNT(*)",
            "asked": "100",
            "half_width_asked": 100.0,
            "half_width_expected": 100.0,
            "rows": None,
        }
    ]
    assert "asked for COUNT(*) within ± 100 at 95 %, expected ± 100, at ε = 0.0299" in found.stderr
    told = run("explain", "--analyst", "a", "--error", "n=100", "--format", "json", SQL)
    assert json.loads(told.stdout)["releases"][0]["target"]["epsilon"] == EPSILON
    both = run("query", "--analyst", "a", "--error", "n=40", "--error", "100", SQL)
    assert "within ± 40" in both.stderr


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["--error", "0"], "bad-target", 2),
        (["--error", "nan"], "bad-number", 2),
        (["--error", "5", "--epsilon", "1"], "bad-target", 2),
        (["--confidence", "1"], "bad-target", 2),
        (["--error", "x"], "bad-number", 2),
        (["--error", "5%%"], "bad-number", 2),
        (["--error", "5", "--error", "6"], "bad-target", 2),
        (["--max-epsilon", "-1"], "bad-epsilon", 2),
        (["--max-epsilon", "0.5"], "max-epsilon", 3),
        (["--error", "0.5"], "target-unreachable", 3),
        (["--error", "m=5"], "bad-target", 3),
    ],
    ids=str,
)
def test_command_line_refusals(shop, words, code, exit_code):
    found = run("query", "--analyst", "a", *words, SQL)
    assert found.exit_code == exit_code
    assert f"[{code}]" in found.stderr
    budget = run("budget", "--analyst", "a", "--format", "json")
    assert json.loads(budget.stdout)["share"] == 0


@pytest.mark.parametrize(
    "words", [["--confidence", "0.9"], ["--magnitude", "500"], ["--error-rows", "9"]]
)
@pytest.mark.parametrize("command", ["query", "explain"])
def test_what_belongs_to_an_error_that_nobody_asks_for_is_wrong_usage(shop, command, words):
    found = run(command, "--analyst", "a", *words, SQL)
    assert found.exit_code == 2
    assert f"{words[0]} is for an error that is asked for: add --error 100" in found.stderr
    inside = "SELECT WITH ERROR 5 PERCENT COUNT(*) AS n FROM people"
    found = run("explain", "--analyst", "a", *words, inside)
    assert found.exit_code == 0, found.output


def test_the_words_of_wrong_entries(shop):
    for value in ("x", "n=x", "5%x", "n=", ""):
        found = run("query", "--analyst", "a", f"--error={value}", SQL)
        assert "100 (the column's units), 5% (of its magnitude), or of one column" in " ".join(
            found.stderr.split()
        )
    found = run("query", "--analyst", "a", "--max-epsilon", "0.5", SQL)
    assert "--max-epsilon 1" in found.stderr
    told = " ".join(run("query", "--analyst", "a", "--error", "0.5", SQL).stderr.split())
    assert "ε = 2, the most that the policy lets a query cost (max_per_query), gives ± 1" in told
    told = run("query", "--analyst", "a", "--error", "0.5", "--max-epsilon", "1.5", SQL).stderr
    assert "the most that you allow (--max-epsilon)" in " ".join(told.split())


def test_a_target_that_is_missed_after_its_first_look_is_told_by_the_exit_code(shop):
    """The first look's answer was paid for, so it is printed; a script must see that it is that."""
    found = run("query", "--analyst", "a", "--error", "0.01%", "--format", "json", SQL)
    assert found.exit_code == 3
    first = json.loads(found.stdout)["privacy"]["first_look"]
    assert first["code"] == "target-unreachable"
    assert "nothing was charged" not in first["refused"]
    assert "the target is not met" in found.stderr
    piped = run("shell", "--analyst", "a", "--error", "0.01%", stdin=f"{SQL};\n")
    assert piped.exit_code == 3
    good = run("query", "--analyst", "b", "--error", "4%", SQL)
    assert good.exit_code == 0


def test_explain_shows_the_whole_price_of_a_percentage(shop):
    told = run("explain", "--analyst", "a", "--error", "5%", SQL).stdout
    first_line = " ".join(told.split("budget")[0].split())
    assert "ε = 0.1" in first_line
    assert "then what the answer takes: at most ε = 2.1 in all" in first_line
    told = run(
        "explain", "--analyst", "a", "--error", "5%", "--max-epsilon", "1", "--format", "json", SQL
    )
    found = json.loads(told.stdout)
    assert found["epsilon_at_most"] == 1
    assert found["releases"][0]["target"]["then_at_most"] == 1
    plain = run("explain", "--analyst", "a", "--format", "json", SQL)
    assert json.loads(plain.stdout)["epsilon_at_most"] is None


def test_shell_settings_of_accuracy_and_of_totals(shop):
    script = f"""\\error 100
\\confidence 90%
{SQL};
\\confidence
\\error off
\\confidence default
\\post-process consistent
\\post-process both
\\post-process default
\\clip-estimate on
SELECT AVG(age) AS m FROM people;
\\clip-estimate off
\\maxepsilon 3
\\maxepsilon off
"""
    found = run("shell", "--analyst", "a", stdin=script)
    told = found.stderr
    assert "errors that are asked for hold with 90 %" in told
    assert "within ± 100 at 90 %" in told
    assert "next queries at a price, not within an error" in told
    assert "errors that are asked for hold with 95 %" in told
    assert "totals add up: consistent" in told
    assert "there is no way of adding up called both" in told
    assert "totals add up: auto" in told
    assert "bars leave out clipping" in told
    assert "what clipping moves is not estimated" in told
    assert "no query is refused for its price alone" in told


def test_python(shop):
    with dpsql.connect("dpsql.yaml", analyst="a", error=100, max_epsilon=1) as connection:
        cursor = connection.execute(SQL)
        assert float(cursor.privacy.epsilon) == EPSILON
        assert cursor.privacy.targets[0].columns[0].expected == 100
        assert connection.execute(SQL, error={"n": "100"}).privacy.free
        named = connection.execute(SQL, epsilon=0.5).privacy
        assert (float(named.epsilon), named.targets) == (0.5, ())
        with pytest.raises(dpsql.InvalidQuery, match="more than the 1 that you allow") as stopped:
            connection.execute(SQL, epsilon=2)
        assert stopped.value.code == "max-epsilon"
        told = connection.cursor().explain(SQL, error="5%", magnitude=2000, confidence=0.95)
        assert float(told.epsilon) == EPSILON
        percent = connection.execute(SQL, error="4%").privacy
        assert percent.first.epsilon + percent.targets[0].epsilon >= percent.epsilon


def test_sqlalchemy(shop):
    engine = sqlalchemy.create_engine("dpsql:///dpsql.yaml?analyst=a&error=100&max_epsilon=1")
    with engine.connect() as connection:
        result = connection.execute(sqlalchemy.text(SQL))
        assert float(result.context.privacy.epsilon) == EPSILON
        looser = sqlalchemy.text(SQL).execution_options(dpsql_error="n=50", dpsql_confidence="0.9")
        (target,) = connection.execute(looser).context.privacy.targets
        assert (target.columns[0].limit, float(target.confidence)) == (50, 0.9)
    engine.dispose()
    percent = sqlalchemy.create_engine("dpsql:///dpsql.yaml?analyst=a&error=5%25&magnitude=2000")
    with percent.connect() as connection:
        assert connection.execute(sqlalchemy.text(SQL)).context.privacy.free
    percent.dispose()


def test_shell(shop):
    script = f"""\\error 100
{SQL};
\\error
\\epsilon 0.5
\\error
\\maxepsilon 0.2
{SQL};
\\maxepsilon default
\\magnitude 2000
\\error 5%
{SQL};
\\error 0
"""
    found = run("shell", "--analyst", "a", "--format", "csv", stdin=script.replace("\\\\", "\\"))
    assert "next queries within ± 100, at the least ε" in found.stderr
    assert f"cost ε = {EPSILON}" in found.stderr
    assert "next queries at a price, not within an error" in found.stderr
    assert "[max-epsilon]" in found.stderr
    assert "next queries within ± 5 %" in found.stderr
    assert "free: a repeat" in found.stderr
    assert "[bad-target]" in found.stderr
    dear = run(
        "shell", "--analyst", "c", stdin="SELECT WITH ERROR 0.1 PERCENT COUNT(*) FROM people;"
    )
    assert "this is its answer, the target is not met" in dear.stderr  # more than ε = 1, unasked
    assert "cost ε = 0.1," in dear.stderr
    flagged = run("shell", "--analyst", "b", "--error", "100", stdin=f"{SQL};")
    assert f"cost ε = {EPSILON}" in flagged.stderr
