"""The tour: what it shows, that its last words are true, and that it fails when it should."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from dpsql.cli import main
from dpsql.demo import dataset, questions, tour
from dpsql.demo.workspace import workspace
from dpsql.errors import InterfaceError


def demo(*flags, **more):
    return CliRunner().invoke(main, ["demo", *flags], **more)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with a tour's files, and what the tour printed."""
    folder = tmp_path_factory.mktemp("tour") / "kept here"
    result = demo("--keep", str(folder), "--sql")
    assert result.exit_code == 0, result.output
    return folder, result.stdout


def test_it_shows_everything_it_promises(kept):
    _, shown = kept
    assert "default: {epsilon: 5, delta: 1e-6}" in shown  # the policy
    for number, question in enumerate(questions.QUESTIONS, 1):
        assert f"Question {number} of 5: {question.kind}" in shown
    assert re.search(r"people +[\d,]+ ± 3 +549 ", shown)
    assert re.search(r"excellent +[\d,]+ ± 3 +3,275 +█", shown)
    assert re.search(r"coinsurance 50% .* ± +\d+ +115 +178", shown)
    assert re.search(r"The owner sees 36 groups: \d+ were withheld", " ".join(shown.split()))
    assert shown.count("free: a repeat of what was paid for") == 1
    for epsilon, half in (("0.01", "300"), ("0.1", "30"), ("0.5", "6")):
        assert re.search(rf"ε = {epsilon}\n.*\n.* ± +{half} +286", shown)
    assert "refused [budget-epsilon]" in shown
    assert "exit with 4" in shown
    assert "ledger verifies; 17 entries" in shown


def test_it_shows_the_bounded_sql_of_paid_questions(kept):
    _, shown = kept
    assert shown.count('FROM "main"."persons" AS t0') == 3
    assert "The database is sent nothing" in shown


def test_it_fits_into_80_columns():
    with workspace(None) as place:
        lines = []
        tour.Tour(place, tour.Style(), say=lines.append).run()
    long = [line for line in "\n".join(lines).splitlines() if len(line) > 80]
    assert [line for line in long if "--policy" not in line and ":" not in line] == []


def test_the_three_commands_work(kept):
    folder, shown = kept
    text = shown[shown.index("Your turn") :].replace("\\\n", " ")
    found = [line.strip() for line in text.splitlines() if "--policy" in line]
    assert len(found) == 3
    for line in found:
        words = shlex.split(line)
        start = next(i for i, w in enumerate(words) if w in ("check", "query", "budget"))
        result = CliRunner().invoke(main, words[start:])
        assert result.exit_code == 0, result.output
    assert "± " in CliRunner().invoke(main, words_of(found[1])).stdout
    verified = CliRunner().invoke(main, ["ledger", "verify", "--policy", f"{folder}/dpsql.yaml"])
    assert verified.exit_code == 0


def words_of(line):
    words = shlex.split(line)
    return words[words.index("query") :]


def test_twice_in_one_folder_loses_no_ledger(tmp_path):
    folder = tmp_path / "twice"
    assert demo("--keep", str(folder)).exit_code == 0
    first = (folder / "ledger.db").read_bytes()
    again = demo("--keep", str(folder))
    assert again.exit_code == 0
    assert "ledger-1.db" in again.stdout
    assert (folder / "ledger-1.db").read_bytes() == first
    assert (folder / "ledger.db").read_bytes() != first


@pytest.mark.parametrize("name", ["dpsql.yaml", "rand-hie.duckdb", "ledger.db"])
def test_foreign_files_are_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    result = demo("--keep", str(tmp_path))
    assert result.exit_code == 2
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"
    with pytest.raises(InterfaceError), workspace(tmp_path):
        pass


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert demo("--keep", str(tmp_path / "file" / "x")).exit_code == 5


@pytest.mark.parametrize("fault", ["data", "refusal", "repeat"])
def test_it_fails_when_a_step_does_not_do_what_it_shows(monkeypatch, fault):
    if fault == "data":
        monkeypatch.setattr(dataset, "CHECKSUMS", {**dataset.CHECKSUMS, "persons.parquet": "0"})
    elif fault == "refusal":
        monkeypatch.setattr(questions, "REFUSED", questions.HISTOGRAM.sql)
    else:
        other = questions.Question("x", "x", "SELECT sex, COUNT(*) FROM persons GROUP BY sex",
                                   "SELECT sex, COUNT(*) FROM persons GROUP BY sex")  # fmt: skip
        monkeypatch.setattr(tour, "QUESTIONS", (*questions.QUESTIONS[:4], other))
    assert demo().exit_code == 70


def test_without_a_terminal_in_ascii_and_no_pause(tmp_path):
    """--step waits for nobody where nobody is; nothing stays behind in the temporary folder."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "dpsql", "demo", "--step"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert b"\x1b" not in done.stdout
    assert b"####" in done.stdout
    assert done.stderr == b""
    assert list(tmp_path.iterdir()) == []
