"""Scripts: no prompts, plain output, the exit code of the first failure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from dpsql.ledger import Ledger
from dpsql.shell.desk import Desk

PROGRAM = [sys.executable, "-m", "dpsql", "shell", "--analyst", "bob"]
COUNT = "SELECT COUNT(*) FROM patients;"
PUBLIC = "SELECT people FROM cities WHERE city = 'Bonn';"


def test_statements_are_run_one_by_one(shell):
    result = shell(f"-- two\n{COUNT} SELECT COUNT(*)\nFROM cities;\n")
    assert result.exit_code == 0
    assert "dpsql>" not in result.output
    first, second = result.stdout.split("\n\n")
    assert "±" in first
    assert second.split()[-1] == "2"
    assert "cost ε = 1" in result.stderr
    assert "left 67 % of bob's ε = 3 (2 more queries at ε = 1)" in result.stderr


def test_an_error_is_where_it_is_in_the_script(shell):
    result = shell("SELECT COUNT(*),\n  SUM(secret)\nFROM patients;")
    assert "\n  at 2:7\n    SUM(secret)\n" in result.stderr


def test_the_last_statement_needs_no_semicolon(shell):
    assert shell(PUBLIC.rstrip(";"), "--format", "csv").stdout == "people\n3\n"


def test_the_exit_code_is_that_of_the_first_failure_and_the_rest_is_run(shell):
    script = f"SELECT secret FROM patients;\n\\nonsense\n{PUBLIC}"
    result = shell(script, "--format", "csv")
    assert result.exit_code == 3
    assert result.stdout == "people\n3\n"
    assert "error [unknown-column]" in result.stderr
    assert "  SELECT secret FROM patients\n         ^^^^^^" in result.stderr
    assert "hint: columns: id, city, age, order" in result.stderr
    assert "[unknown-command]" in result.stderr
    assert shell(f"\\nonsense\n{COUNT}").exit_code == 2


def test_an_unknown_command_has_the_nearest_name(shell):
    assert "hint: the nearest name is \\budget" in shell("\\budgte").stderr
    assert "\\timing" not in shell("\\timming").stderr


def test_budget_runs_out(shell):
    script = "".join(f"SELECT COUNT(*) FROM patients WHERE age > {n};\n" for n in range(4))
    result = shell(script)
    assert result.exit_code == 4
    assert result.stdout.count("±") == 3
    assert "[budget-epsilon]" in result.stderr


def test_no_time_is_told(shell):
    result = shell(f"\\timing\n\\timing on\n{PUBLIC}")
    assert result.exit_code == 3
    assert "may depend on people's rows" in result.stderr


def test_a_dear_statement_is_refused_where_nobody_can_be_asked(shell):
    dear = "SELECT COUNT(*) FROM patients UNION ALL SELECT COUNT(*) FROM ward.visits;"
    result = shell(dear)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "[not-confirmed]: it costs ε = 2, δ = 2e-07, more than ε = 1" in result.stderr
    assert "--confirm-above 2" in result.stderr
    assert shell(f"\\confirm 1.9\n{dear}").exit_code == 2
    assert "3 more queries" in shell("\\budget").stdout
    assert shell(dear, "--confirm-above", "2").exit_code == 0
    assert shell(f"\\confirm off\n{dear}").exit_code == 0


def test_a_price_of_ones_own_needs_no_confirmation(shell):
    assert shell(COUNT, "--epsilon", "2").exit_code == 0
    assert shell(f"\\epsilon 0.5\n\\confirm 0.4\n{COUNT}").exit_code == 2
    assert shell(COUNT, "--confirm-above", "much").exit_code == 2
    assert shell("", "--epsilon", "much").exit_code == 2


def test_equal_aggregates_are_counted_once(shell):
    twice = "SELECT (SELECT COUNT(*) FROM patients) + (SELECT COUNT(*) FROM patients);"
    assert shell(twice).exit_code == 0


def test_the_price_of_the_next_queries(shell):
    result = shell(f"\\epsilon 0.25\n\\delta 1e-8\n{COUNT}\n\\epsilon default\n\\epsilon")
    assert "cost ε = 0.25, δ = 1e-08" in result.stderr
    assert result.stderr.endswith("next queries at ε = 1, the policy's default\n")
    assert shell("\\epsilon -1").exit_code == 3


def test_a_price_above_the_policys_most_is_refused_at_once(shell, clinic):
    policy = (clinic / "dpsql.yaml").read_text()
    (clinic / "dpsql.yaml").write_text(
        policy.replace("{epsilon: 1e9, delta: 1e-2}", "{epsilon: 2, delta: 1e-6}")
    )
    result = shell("\\epsilon 4\n\\epsilon\n")
    assert result.exit_code == 3
    assert "ask for at most 2 (budgets.max_per_query.epsilon of the policy)" in result.stderr
    assert result.stderr.endswith("next queries at ε = 1, the policy's default\n")
    assert "budgets.max_per_query.delta" in shell("\\delta 1e-5").stderr
    assert shell("\\epsilon 2\n\\delta 1e-6").exit_code == 0


def test_a_script_that_leaves_within_a_statement_says_so(shell):
    result = shell(f"{PUBLIC}\nSELECT 1\n\\q\n", "--format", "csv")
    assert (result.exit_code, result.stdout) == (2, "people\n3\n")
    assert "was not run: it has no ;" in result.stderr
    assert shell(f"{PUBLIC}\n\\q\n").exit_code == 0
    assert shell("\\confirm").stderr == "asks before a query above ε = 1\n"


def test_describe(shell):
    tables = shell("\\d").stdout
    assert "ward.visits  a patient" in tables
    assert "cities       no one (public)" in tables
    one = json.loads(shell("\\d WARD.Visits", "--format", "json").stdout)
    assert [row["column"] for row in one] == ["patient", "cost"]
    assert "secret" not in shell("\\d patients").stdout
    missing = shell("\\d patient")
    assert missing.exit_code == 3
    assert "the nearest name is patients" in missing.stderr


def test_explain_charges_nothing(shell):
    result = shell(f"\\explain SELECT AVG(age)\nFROM patients;\n{COUNT}\n\\explain")
    assert result.stdout.count("price      ε = 1, δ = 1e-07") == 2
    assert "COUNT(*)" in result.stdout.rsplit("price", 1)[1]
    assert "left 67 %" in result.stderr
    assert shell("\\explain").exit_code == 2


def test_ledger_shows_ones_own_alone(shell):
    shell(COUNT, analyst="ann")
    shell(COUNT)
    mine = shell("\\ledger").stdout
    assert "analyst:bob" in mine
    assert "analyst:ann" not in mine
    assert [line.split()[0] for line in mine.splitlines() if "analyst" in line] == ["1", "2"]
    assert len(shell("\\ledger 1").stdout.splitlines()) == 2
    assert shell("\\ledger all").exit_code == 2


def test_the_next_answer_goes_to_a_file(shell, clinic):
    result = shell(f"\\o answer.json\n{PUBLIC}\n{PUBLIC}", "--format", "csv")
    assert result.stdout == "people\n3\n"
    assert json.loads((clinic / "answer.json").read_text())["rows"] == [[3]]
    assert "written to answer.json" in result.stderr


def test_a_file_that_must_not_be_written_is_refused_before_the_charge(shell, clinic):
    for file in ("ledger.db", "clinic.duckdb", "dpsql.yaml", "no/such/place.csv"):
        assert shell(f"\\o {file}").exit_code == 2
    assert (clinic / "dpsql.yaml").read_text().startswith("\nversion: 1")


def test_formats(shell):
    assert shell(f"\\format jsonl\n{PUBLIC}").stdout == '{"people": 3}\n'
    assert shell(f"\\format markdown\n{PUBLIC}").stdout.startswith("| people |")
    assert "the nearest name is jsonl" in shell("\\format jsonlines").stderr
    assert "format csv" in shell("\\format\n", "--format", "csv").stderr


def test_help_and_leaving(shell):
    result = shell(f"\\h\n\\q\n{PUBLIC}")
    assert result.exit_code == 0
    assert "\\explain [QUERY;]" in result.stdout
    assert "\\timing" not in result.stdout
    assert "people" not in result.stdout
    assert shell(f"\\nonsense\nquit;\n{PUBLIC}").exit_code == 2


def test_nothing_and_comments_are_nothing(shell):
    for script in ("", "\n\n", "-- why\n", ";;"):
        result = shell(script)
        assert (result.exit_code, result.output) == (0, "")


def test_a_byte_order_mark_and_bytes_that_are_no_text(shell):
    assert shell("\ufeff" + PUBLIC, "--format", "csv").stdout == "people\n3\n"
    result = shell(b"SELECT '\xff';")
    assert result.exit_code == 2
    assert "not UTF-8" in result.stderr


def test_another_dialect(shell):
    script = "SELECT `people` FROM cities WHERE city = 'Bonn' -- ;\n;"
    assert shell(script, "--dialect", "mysql", "--format", "csv").stdout == "people\n3\n"
    assert shell("", "--dialect", "klingon").exit_code == 2


def test_our_own_bug_shows_no_traceback_and_the_rest_is_run(shell, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a value of the data")

    monkeypatch.setattr(Desk, "_spent", broken)
    result = shell(f"{COUNT}\n\\d cities")
    assert result.exit_code == 70
    assert "[internal]" in result.stderr
    assert "a value of the data" not in result.output
    assert "people" in result.stdout


@pytest.mark.parametrize("script", [f"{PUBLIC}\nSELECT nothing FROM cities;\n"])
def test_the_installed_program_needs_no_prompt_toolkit_in_a_pipe(clinic, script):
    """`None` in sys.modules makes an import fail."""
    code = (
        "import sys; sys.modules['prompt_toolkit'] = None\n"
        "from dpsql.cli import main; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *PROGRAM[3:], "--format", "csv"],
        input=script, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert done.stdout == "people\n3\n"
    assert "\x1b" not in done.stdout + done.stderr
    assert not (clinic / "state" / "shell_history").exists()


def _heeding_interrupts():
    """A job in the background of a script inherits SIGINT ignored, and Python leaves it so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupting_a_script_cancels_in_the_database_and_stays_charged(clinic, slow, charged):
    process = subprocess.Popen(
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_heeding_interrupts, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    process.stdin.write(f"{slow};\n{PUBLIC}".encode())
    process.stdin.flush()
    charged()
    time.sleep(0.5)  # the statement has reached the database
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert shown == b""
    assert b"cancelled in the database; what it cost stays charged" in said
    ledger = Ledger.open(f"sqlite:///{clinic / 'ledger.db'}")
    bodies = [entry.body for entry in ledger.entries()]
    ledger.close()
    assert bodies[-1]["outcome"] == "cancelled"
