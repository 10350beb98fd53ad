"""The installed program in a process of its own: no terminal, a pseudo-terminal, a closed pipe."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-m", "dpsql"]
CITIES = ["query", "--analyst", "ann", "SELECT * FROM cities"]


def run(*args, **more):
    options = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": 60}
    return subprocess.run([*PROGRAM, *args], **{**options, **more}, check=False)


def on_a_terminal(*args, environment=None):
    """What a program prints to a pseudo-terminal."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *args], stdout=there, stderr=there, stdin=there, env=environment
    )
    os.close(there)
    shown = b""
    while True:
        try:
            piece = os.read(here, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(here)
    assert process.wait(timeout=60) == 0
    return shown.decode()


def test_version_and_help_import_nothing_heavy():
    script = (
        "import sys\nfrom dpsql.cli import main\n"
        "try: main(['%s'])\nexcept SystemExit as e: code = e.code\n"
        "heavy = {'duckdb', 'sqlalchemy', 'pyarrow', 'numpy', 'scipy', 'sqlglot', 'yaml'}\n"
        "sys.exit(code or sorted(heavy & set(sys.modules)) or 0)"
    )
    for flag in ("--version", "--help"):
        done = subprocess.run(
            [sys.executable, "-c", script % flag], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "dpsql" in done.stdout


def test_no_colour_without_a_terminal(shop):
    done = run(*CITIES)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr


def test_colour_on_a_terminal_unless_no_color(shop):
    plain = {**os.environ, "TERM": "xterm"}
    plain.pop("NO_COLOR", None)
    assert "\x1b[1m" in on_a_terminal(*CITIES, environment=plain)
    assert "\x1b" not in on_a_terminal(*CITIES, environment={**plain, "NO_COLOR": "1"})
    assert "\x1b" not in on_a_terminal(*CITIES, environment={**plain, "TERM": "dumb"})


def test_an_ascii_stream_gets_ascii(shop):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("query", "--analyst", "bob", "SELECT COUNT(*) FROM users", env=environment)
    assert done.returncode == 0
    assert b"+/- 3" in done.stdout
    assert b"epsilon = 1" in done.stderr
    odd = run("query", "--analyst", "bob", "SELECT city || '\u00e9' FROM cities", env=environment)
    assert odd.returncode == 0
    assert b"Berlin\\xe9" in odd.stdout


def test_a_closed_pipe_is_quiet(shop):
    for command in (CITIES, ["--help"], ["query", "--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*PROGRAM, *command], stdout=writer, stderr=subprocess.PIPE, check=False
        )
        os.close(writer)
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr
        assert b"BrokenPipe" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_stops_an_answer(shop):
    with open("/dev/full", "w") as full:
        done = run(*CITIES, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 5
    assert b"[output]" in done.stderr
    assert b"Traceback" not in done.stderr


def test_nothing_is_asked_for_without_a_terminal(shop):
    done = run("query", "SELECT 1")
    assert done.returncode == 2
    assert b"--analyst" in done.stderr
