"""Several processes on one ledger: races for the last epsilon, kills between the steps, forks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from ledger_cases import ask, budgets, forge, tables, url
from ledger_stores import both, both_slow

from dpsql.errors import LedgerError
from dpsql.ledger import Ledger, process

WORKER = Path(__file__).with_name("ledger_worker.py")


@pytest.fixture
def start():
    """Start a worker; whatever is left at the end is ended."""
    running = []

    def run(*words):
        worker = subprocess.Popen(
            [sys.executable, str(WORKER), *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(worker)
        return worker

    yield run
    for worker in running:
        worker.kill()
        worker.wait()
        worker.stdout.close()


def kill(worker) -> str:
    os.kill(worker.pid, signal.SIGKILL)
    return worker.communicate()[0]


def race(start, path, *, workers, tries, epsilon):
    gate = path.with_name("gate")
    started = [start("race", url(path), gate, epsilon, tries) for _ in range(workers)]
    for worker in started:
        assert worker.stdout.readline() == "ready\n"
    gate.touch()
    words = [worker.communicate(timeout=120)[0].split() for worker in started]
    assert [worker.returncode for worker in started] == [0] * workers
    return sorted(word for lines in words for word in lines)


@both
def test_two_processes_race_for_the_last_epsilon(tmp_path, start):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        ask(ledger, "1/2")
        assert race(start, path, workers=2, tries=1, epsilon="1/2") == [
            "admitted",
            "budget-epsilon",
        ]
        assert ledger.spent("alice").epsilon == 1
        report = ledger.verify()
    assert report.ok
    assert report.open_charges == 2


@both_slow
def test_processes_never_answer_beyond_the_budget(tmp_path, start):
    """A check before the insert let 17 through here, of 10."""
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        words = race(start, path, workers=4, tries=10, epsilon="1/10")
        assert words == ["admitted"] * 10 + ["budget-epsilon"] * 30
        assert ledger.verify().ok


@both_slow
def test_processes_may_create_one_ledger_together(tmp_path, start):
    path = tmp_path / "ledger.db"
    gate = tmp_path / "gate"
    gate.touch()
    started = [start("race", url(path), gate, "1/10", 0) for _ in range(3)]
    assert [worker.communicate(timeout=60)[0] for worker in started] == ["ready\n"] * 3
    with Ledger.open(url(path)) as ledger:
        assert [entry.kind for entry in ledger.entries()] == ["genesis"]


@both_slow
def test_killed_between_reserve_and_settle(tmp_path, start):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    worker = start("hang", url(path))
    seq = int(worker.stdout.readline())
    with Ledger.open(url(path)) as ledger:
        assert ledger.forfeit_stale() == 0  # it is alive
        kill(worker)
        assert ledger.spent("alice").epsilon == Fraction(1, 10)
        report = ledger.verify()
        assert report.ok
        assert report.open_entries == (seq,)
        assert [charge.seq for charge in ledger.open_charges()] == [seq]

        assert ledger.forfeit_stale() == 1
        assert ledger.forfeit_stale() == 0
        assert list(ledger.entries())[-1].body["outcome"] == "forfeited"
        assert ledger.open_charges() == []
        assert ledger.spent("alice").epsilon == Fraction(1, 10)  # never a refund
        assert ledger.releases.list() == []
        assert ledger.verify().ok
        ask(ledger)


def killed_at(start, path, seconds):
    worker = start("work", url(path))
    assert worker.stdout.readline() == "asked\n"
    time.sleep(seconds)
    words = ["asked", *kill(worker).split()]
    with Ledger.open(url(path)) as ledger:
        report = ledger.verify()
        charged = sum(entry.kind == "charge" for entry in ledger.entries())
        settled = sum(entry.kind == "outcome" for entry in ledger.entries())
    assert report.ok, report.problems
    return words, charged, settled


@both_slow
def test_killed_anywhere_charged_covers_answered(tmp_path, start):
    kills_cover_answers(tmp_path, start, range(3))


@pytest.mark.slow
@both_slow
def test_killed_anywhere_charged_covers_answered_often(tmp_path, start):
    kills_cover_answers(tmp_path, start, range(40))


def kills_cover_answers(tmp_path, start, rounds):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger, epsilon=1000, total=1000)
    told = {"charged": 0, "answered": 0}
    asked = 0
    for number in rounds:
        words, charged, settled = killed_at(start, path, (number * 7 % 31) / 300)
        asked += words.count("asked")
        for word in told:
            told[word] += words.count(word)
        assert told["answered"] <= settled
        assert told["charged"] <= charged <= asked
        assert settled <= charged


# --- forks ---


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@both
def test_a_forked_child_opens_its_own_connection(tmp_path):
    with Ledger.open(url(tmp_path / "ledger.db")) as ledger:
        budgets(ledger)
        ask(ledger)
        inherited = ledger._database._engine
        answer = in_a_fork(lambda: (ask(ledger).seq, ledger._database._engine is inherited))
        assert answer == "(5, False)"
        assert ask(ledger).seq == 6
        assert ledger.verify().ok


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_ledger_in_memory_is_not_shared_by_fork():
    with Ledger.open("sqlite://") as ledger:
        budgets(ledger)
        assert in_a_fork(lambda: ask(ledger)) == "ledger-forked"
        ask(ledger)


def in_a_fork(call) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(call()).encode())
        except LedgerError as error:
            os.write(writer, error.code.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        words = answer.read()
    os.waitpid(child, 0)
    return words


# --- who holds a charge ---


def test_this_process_is_not_gone():
    assert not process.gone(process.mine())


@pytest.mark.parametrize(
    "holder", ["", "x", "a/b/c/d", "a/b/c/d/e", "elsewhere/boot/ns/1/1", "///-1/"]
)
def test_in_doubt_a_process_is_alive(holder):
    assert not process.gone(holder)


def test_a_dead_process_and_a_later_one_of_its_number_are_told_apart():
    host, boot, namespace, pid, started = process.mine().split("/")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process.gone(f"{host}/{boot}/{namespace}/{child.pid}/1")
    assert not process.gone(f"{host}/{boot}/{namespace}0/{child.pid}/1")  # another container's
    if started:
        assert process.gone(f"{host}/{boot}/{namespace}/{pid}/{int(started) + 1}")
    if boot:
        assert process.gone(f"{host}/{'0' * 36}/{namespace}/{pid}/{started}")


@pytest.mark.skipif(process.mine().split("/")[1] == "", reason="this system has no id of a boot")
def test_where_machines_share_a_ledger_a_name_says_nothing():
    """Two of one name: the other's process is not in our table of processes, and may run."""
    host, boot, namespace, pid, _ = process.mine().split("/")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    for other in ("0" * 36, ""):
        for number in (pid, child.pid):
            assert not process.gone(f"{host}/{other}/{namespace}/{number}/1", shared=True)
    assert process.gone(f"{host}/{boot}/{namespace}/{child.pid}/1", shared=True)


def test_the_ledger_restored_under_a_running_process_is_not_followed(tmp_path):
    """An older copy has forgotten charges: whoever has seen more refuses to go on with it."""
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    shutil.copy(path, tmp_path / "old.db")
    with Ledger.open(url(path)) as ledger:
        ask(ledger, "9/10")
        with tables(path) as connection:
            connection.execute("DELETE FROM dpsql_entries WHERE seq = 4")
        with pytest.raises(LedgerError) as caught:
            ask(ledger)
        assert caught.value.code == "ledger-rolled-back"
        forge(path, kind="outcome", charge=1, outcome="failed", releases=[])
        with pytest.raises(LedgerError) as caught:
            ask(ledger)
        assert caught.value.code == "ledger-rolled-back"

    os.replace(tmp_path / "old.db", path)
    with Ledger.open(url(path)) as ledger:
        ask(ledger)
        shutil.copy(path, tmp_path / "copy.db")
        os.replace(tmp_path / "copy.db", path)
        with pytest.raises(LedgerError) as caught:
            ask(ledger)
        assert caught.value.code == "ledger-replaced"
