"""Killed at every step: what was told stands, and what was answered can be had again for nothing.

Three cuts: at lines and at instructions of SQLite (ledger_killer.py), at calls of the system
(strace), and through the bytes of the write-ahead log, as a torn write leaves them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import ledger_stores
import pytest
from ledger_cases import ask, budgets, url

from dpsql.ledger import Ledger, Release

KILLER = Path(__file__).with_name("ledger_killer.py")


def killer(*words, said=None):
    return subprocess.run(
        [sys.executable, str(KILLER), *map(str, words)],
        input=said, capture_output=True, text=True, timeout=1800, check=False,
        env={**os.environ, "DPSQL_TEST_LEDGER_DATABASE": "".join(ledger_stores.DATABASE)},
    )  # fmt: skip


def killed_everywhere(folder, points):
    done = killer(folder, points)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["killed"] == points
    assert set(summary["after"]) >= {"nothing", "asked", "charged", "answered"}
    return summary


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_killed_at_a_sample_of_all_steps(tmp_path):
    killed_everywhere(tmp_path, 24)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["16", "18"], indirect=True)
def test_killed_at_120_steps_with_a_server(store, tmp_path):
    assert killed_everywhere(tmp_path, 120)["steps"] > 2000


@pytest.mark.slow
def test_killed_at_240_steps(tmp_path):
    assert killed_everywhere(tmp_path, 240)["steps"] > 2000


def test_a_reply_before_it_is_durable_is_found(tmp_path):
    """The harness itself: a driver that replies first breaks a promise, and it shows."""
    done = killer(tmp_path, 24, "reply-first")
    assert "AssertionError" in done.stderr


CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename,link,fcntl"
STRACE = shutil.which("strace")


def strace(folder, *more):
    words = [STRACE, "-f", "-qq", "-e", f"trace={CALLS}", "-P", *files(folder), *more]
    return subprocess.run(
        [*words, sys.executable, str(KILLER), "drive", str(folder)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def files(folder):
    """The paths whose calls count: those of the ledger."""
    names = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal")
    return " -P ".join(str(folder / name) for name in names).split(" ")


@pytest.mark.slow
@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_killed_at_every_call_of_the_system(tmp_path):
    dry = strace(tmp_path / "dry")
    if dry.returncode:
        pytest.skip("this system does not let strace look")
    calls = len([line for line in dry.stderr.splitlines() if "(" in line])
    assert calls > 60
    killed = 0
    for number in range(1, calls + 1, 1 + calls // 120):
        folder = tmp_path / str(number)
        done = strace(folder, "-e", f"inject={CALLS}:signal=SIGKILL:when={number}")
        if done.returncode in (-9, 137):
            killed += 1
            found = killer("examine", folder, said=done.stdout)
            assert found.returncode == 0, (number, found.stderr)
    assert killed > 50


def test_a_log_torn_anywhere_holds_what_was_told(tmp_path):
    torn_anywhere(tmp_path, 60)


@pytest.mark.slow
def test_a_log_torn_at_600_places(tmp_path):
    torn_anywhere(tmp_path, 600)


def torn_anywhere(tmp_path, places):
    """A commit that was told is whole in the log; one that is torn is as if it never was."""
    path, log = tmp_path / "ledger.db", tmp_path / "ledger.db-wal"
    told: list[tuple[int, int]] = []
    with Ledger.open(url(path)) as ledger:
        budgets(ledger, epsilon=10)
        for number in range(12):
            receipt = ask(ledger, fingerprints=[f"f{number}"])
            told.append((log.stat().st_size, receipt.seq))
            release = Release(f"f{number}", f"noisy {number}".encode() * 20)
            ledger.settle(receipt, "released", releases=[release])
            told.append((log.stat().st_size, receipt.seq + 1))
        whole, base = log.read_bytes(), path.read_bytes()
    copy = tmp_path / "copy.db"
    for index in range(places):
        cut = told[0][0] + index * (len(whole) - told[0][0]) // (places - 1)
        copy.write_bytes(base)
        copy.with_name("copy.db-wal").write_bytes(whole[:cut])
        with Ledger.open(url(copy)) as ledger:
            report = ledger.verify()
            assert report.ok, (cut, report.problems)
            assert ledger.head()[0] >= max(seq for size, seq in told if size <= cut), cut
            answers = [entry for entry in ledger.entries() if entry.kind == "outcome"]
            assert len(ledger.releases.list()) == len(answers), cut
            ask(ledger)  # and it goes on
        for left in tmp_path.glob("copy.db*"):
            left.unlink()
