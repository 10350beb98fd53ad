"""The prompt, with prompt_toolkit's pipe for a keyboard: Enter, Tab, history, Ctrl-C, Ctrl-D."""

from __future__ import annotations

import stat
import threading
import time
from fractions import Fraction

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from dpsql.session import Session
from dpsql.shell import loop
from dpsql.shell.desk import Desk, Settings
from dpsql.shell.history import history_file
from dpsql.shell.prompt import Prompt
from dpsql.shell.vocabulary import vocabulary_of
from dpsql.user_state import state_directory

ENTER, ESCAPE, TAB, CTRL_C, CTRL_D, UP, LEFT = (
    "\r",
    "\x1b",
    "\t",
    "\x03",
    "\x04",
    "\x1b[A",
    "\x1b[D",
)
DEAR = "SELECT COUNT(*) FROM patients UNION ALL SELECT COUNT(*) FROM ward.visits;"


@pytest.fixture
def keyboard():
    with create_pipe_input() as keys:
        yield keys


@pytest.fixture
def prompt(session, keyboard):
    words = vocabulary_of(session.declared())
    return Prompt(
        words, dialect="duckdb", colour=True, given_input=keyboard, given_output=DummyOutput()
    )


@pytest.fixture
def typed(session, prompt, keyboard, capsys):
    """Type keys into a whole shell; (stdout, stderr) of it."""

    def run(keys):
        keyboard.send_text(keys)
        assert loop.run(Desk(session, Settings(), prompt.ask), prompt) == 0
        return capsys.readouterr()

    return run


def test_enter_breaks_the_line_until_the_semicolon(prompt, keyboard):
    keyboard.send_text(f"SELECT 1{ENTER}+ 1;{ENTER}")
    block = prompt.read(pending=False)
    assert (block.text, block.ends) == ("SELECT 1\n+ 1;", True)


def test_enter_runs_a_command_and_alt_enter_runs_what_stands_there(prompt, keyboard):
    keyboard.send_text(f"\\explain SELECT 1{ENTER}")
    assert prompt.read(pending=False).text == "\\explain SELECT 1"
    keyboard.send_text(f"SELECT 1{ESCAPE}{ENTER}")
    assert prompt.read(pending=False).text == "SELECT 1"


def test_ctrl_c_clears_and_ctrl_d_leaves(prompt, keyboard):
    keyboard.send_text(f"SELECT nonsense{CTRL_C}")
    with pytest.raises(KeyboardInterrupt):
        prompt.read(pending=False)
    keyboard.send_text(f"\\q{ENTER}")
    assert prompt.read(pending=False).text == "\\q"
    keyboard.send_text(CTRL_D)
    with pytest.raises(EOFError):
        prompt.read(pending=False)


def test_ctrl_d_on_an_empty_line_leaves_an_unfinished_statement(prompt, keyboard):
    keyboard.send_text(f"SELECT 1{ENTER}{CTRL_D}")
    with pytest.raises(EOFError):
        prompt.read(pending=False)
    keyboard.send_text(f"SELECT 12{ENTER}+ 1{LEFT}{CTRL_D};{ENTER}")  # elsewhere it deletes
    assert prompt.read(pending=False).text == "SELECT 12\n+ ;"


def test_a_command_within_a_statement_is_run_and_the_statement_waits(typed, session):
    shown, _ = typed(f"SELECT people{ENTER}\\d cities{ENTER}{ENTER}FROM cities;{ENTER}{CTRL_D}")
    assert shown.index("column") < shown.index("people\n")
    shown, said = typed(f"SELECT COUNT(*) FROM patients{ENTER}\\q{ENTER}")
    assert (shown.strip(), said.strip()) == ("", "")
    _, said = typed(f"SELECT COUNT(*) FROM patients{ENTER}\\r{ENTER}\\g{ENTER}{CTRL_D}")
    assert "there is no unfinished statement to send" in said
    assert session.budget().queries == 3
    shown, _ = typed(f"SELECT people FROM cities{ENTER}\\g{ENTER}{CTRL_D}")
    assert "people" in shown


def test_tab_completes(prompt, keyboard):
    buffer = prompt._session.default_buffer

    def press():
        """One key after the other, each once the one before has shown."""
        wait_for(lambda: buffer.complete_state)
        keyboard.send_text(TAB)
        wait_for(lambda: "visits" in buffer.text)
        keyboard.send_text(f"{ENTER}{ENTER}")

    fingers = threading.Thread(target=press)
    fingers.start()
    keyboard.send_text("\\d ward")
    assert prompt.read(pending=False).text == "\\d ward.visits"
    fingers.join()


def wait_for(reached):
    end = time.monotonic() + 60
    while not reached() and time.monotonic() < end:
        time.sleep(0.02)


def test_what_was_typed_is_kept_for_its_user_alone(clinic, typed):
    shown, _ = typed(f"SELECT people{ENTER}FROM cities;{ENTER}\\d{ENTER}{CTRL_D}")
    assert "people" in shown
    path = clinic / "state" / "shell_history"
    assert path == history_file()
    lines = path.read_text().splitlines()
    assert [line for line in lines if line.startswith("+")] == [
        "+SELECT people", "+FROM cities;", "+\\d",
    ]  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_history_that_others_could_read_is_closed_to_them(clinic):
    path = history_file()
    path.chmod(0o644)
    assert history_file() == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_earlier_sessions_line_comes_back(clinic, keyboard, prompt):
    (clinic / "state" / "shell_history").write_text("\n# 2026-01-01\n+SELECT 1\n++ 2;\n")
    keyboard.send_text(f"{UP}{ENTER}")
    assert prompt.read(pending=False).text == "SELECT 1\n+ 2;"


def test_a_state_directory_that_cannot_be_is_no_error(clinic, monkeypatch, keyboard, session):
    (clinic / "file").write_text("")
    monkeypatch.setenv("DPSQL_STATE_DIR", str(clinic / "file" / "below"))
    assert history_file() is None
    words = vocabulary_of(session.declared())
    prompt = Prompt(
        words, dialect="duckdb", colour=False, given_input=keyboard, given_output=DummyOutput()
    )
    keyboard.send_text(f"\\d{ENTER}")
    assert prompt.read(pending=False).text == "\\d"


def test_where_the_state_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    home = tmp_path / ".local" / "state" / "dpsql"
    assert state_directory({"DPSQL_STATE_DIR": "/a/b"}).as_posix() == "/a/b"
    assert state_directory({"XDG_STATE_HOME": "/x"}).as_posix() == "/x/dpsql"
    assert state_directory({"XDG_STATE_HOME": "relative"}) == home
    assert state_directory({}) == home


def test_a_dear_statement_is_asked_about(typed):
    _, said = typed(f"{DEAR}{ENTER}n{ENTER}\\budget{ENTER}{CTRL_D}")
    assert "not asked, nothing charged" in said


def test_and_run_if_wanted(typed, session):
    shown, said = typed(f"{DEAR}{ENTER}yes{ENTER}{CTRL_D}")
    assert "count_star()" in shown
    assert "cost ε = 2" in said
    assert session.budget().queries == 1


def test_more_than_the_usual_price_or_a_quarter_of_what_is_left_is_asked_about(session):
    asked = []
    desk = Desk(session, Settings(), lambda question: asked.append(question) or True)
    plain = "SELECT COUNT(*) FROM patients WHERE age > "
    desk.settings.epsilon = "0.5"
    desk.answer(f"{plain}1")  # a sixth of ε = 3
    desk.settings.epsilon = "0.625"
    desk.answer(f"{plain}2")  # a quarter of what is left
    assert asked == []
    desk.settings.epsilon = "0.5"
    desk.answer(f"{plain}3")  # more than a quarter of 1.875
    assert "17 % of bob's budget; 46 % would be left" in asked.pop()
    desk.settings.confirm = Fraction(1)
    desk.answer(f"{plain}4")
    assert asked == []
    assert desk.heeds_left() is False


def test_a_price_above_the_usual_is_asked_about_whoever_named_it(clinic):
    rich = Session("dpsql.yaml", "ann")
    asked = []
    desk = Desk(rich, Settings(), lambda question: asked.append(question) or False)
    desk.settings.epsilon = "2"
    desk.answer("SELECT COUNT(*) FROM patients")
    rich.close()
    assert len(asked) == 1


def test_the_question_says_what_it_takes(session):
    asked = []
    desk = Desk(session, Settings(), lambda question: asked.append(question) or False)
    desk.answer(DEAR.rstrip(";"))
    assert asked == [
        "This costs ε = 2, δ = 2e-07, unless it repeats what was paid for: 67 % of bob's budget;"
        " 33 % would be left. Run it?"
    ]


def test_ctrl_c_is_no_yes(prompt, keyboard):
    for key in (CTRL_C, CTRL_D):
        keyboard.send_text(key)
        assert prompt.ask("Really?") is False


def test_what_no_budget_covers_is_refused_without_a_question(typed):
    _, said = typed(f"\\epsilon 5{ENTER}\\confirm 1{ENTER}SELECT COUNT(*) FROM patients;{ENTER}"
                    f"{CTRL_D}")  # fmt: skip
    assert "[budget-epsilon]" in said


def test_an_error_does_not_end_the_session(typed):
    shown, said = typed(f"SELECT secret FROM patients;{ENTER}\\d cities{ENTER}{CTRL_D}")
    assert "[unknown-column]" in said
    assert "people" in shown


def test_a_query_that_is_cancelled_stays_charged_and_the_session_goes_on(
    typed, session, monkeypatch
):
    """The interrupt comes when the charge is written: as the statement reaches the database."""

    def interrupted(*_, **__):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(session.engine, "fetch", interrupted)
    shown, said = typed(
        f"\\confirm off{ENTER}"
        f"SELECT COUNT(*) FROM patients; SELECT COUNT(*) FROM cities;{ENTER}\\ledger{ENTER}{CTRL_D}"
    )
    assert "cancelled in the database; what it cost stays charged" in said
    assert "(cancelled; the charge stands)" in shown
    assert "count_star()" not in shown  # what was typed behind it is not run either
    assert session.budget().queries == 2


def test_cancelled_before_the_charge(typed, session, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "prepare", interrupted)
    _, said = typed(f"SELECT COUNT(*) FROM patients;{ENTER}{CTRL_D}")
    assert "cancelled before anything was charged" in said


def test_the_toolbar_says_who_asks_and_what_is_left(desk, typed, prompt):
    left = "bob · left 100 % of bob's ε = 3 (3 more queries at ε = 1) · "
    assert desk.status() == f"{left}\\h helps"
    desk.settings.epsilon, desk.settings.file = "0.5", "x.csv"
    assert desk.status() == f"{left}next at ε = 0.5 · next to x.csv · \\h helps"
    typed(f"SELECT COUNT(*) FROM patients;{ENTER}y{ENTER}{CTRL_D}")
    assert "left 67 %" in prompt._session.bottom_toolbar()
