"""The installed program on a pseudo-terminal: in colour, without, dumb, and interrupted."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = [sys.executable, "-m", "dpsql", "shell", "--analyst", "bob"]
SECONDS = 120
COLOUR = re.compile(r"\x1b\[[0-9;]*?(?:3[0-7]|9[0-7]|38)[;m]")


class Terminal:
    """A pseudo-terminal with the shell on it; answers the one question prompt_toolkit puts."""

    def __init__(self, environment):
        self.seen = ""
        self._mark = 0
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            PROGRAM, stdin=slave, stdout=slave, stderr=slave, env=environment,
            preexec_fn=self._leads,
        )  # fmt: skip
        os.close(slave)

    @staticmethod
    def _leads():
        """Its own session with the terminal in control, so that Ctrl-C is a signal to it."""
        os.setsid()
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def expect(self, text):
        """Wait until the text appears behind what was expected before."""
        end = time.monotonic() + SECONDS
        while text not in self.seen[self._mark :]:
            left = end - time.monotonic()
            ready, _, _ = select.select([self._master], [], [], max(0, left))
            assert ready, f"{text!r} did not appear in {self.seen[self._mark :]!r}"
            try:
                piece = os.read(self._master, 65536).decode(errors="replace")
            except OSError:
                piece = ""
            assert piece, f"ended without {text!r}: {self.seen!r}"
            if "\x1b[6n" in piece:  # where is the cursor?
                os.write(self._master, b"\x1b[1;1R")
            self.seen += piece
        self._mark = self.seen.index(text, self._mark) + len(text)

    def type(self, keys):
        os.write(self._master, keys.encode())

    def end(self):
        """The exit code once it has left."""
        while True:
            try:
                if not os.read(self._master, 65536):
                    break
            except OSError:
                break
        os.close(self._master)
        return self._process.wait(timeout=SECONDS)


@pytest.fixture
def terminal(clinic):
    opened = []

    def start(**environment):
        plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM")}
        opened.append(Terminal({**plain, "TERM": "xterm-256color", **environment}))
        return opened[-1]

    yield start
    for one in opened:
        if one._process.poll() is None:
            one._process.kill()
            one._process.wait()


def test_a_query_on_a_terminal_and_ctrl_c_while_one_runs(terminal, slow, charged):
    screen = terminal()
    screen.expect("asking as bob")
    screen.expect("left 100 % of bob's")  # the toolbar: it waits for keys
    screen.type("SELECT people FROM cities WHERE city = 'Bonn';\r")
    screen.expect("free: public tables alone")
    screen.expect("dpsql>")
    screen.type(f"{slow};\r")
    screen.expect("Run it?")  # a third of what is left
    screen.type("y\r")
    charged()
    time.sleep(0.5)  # the statement has reached the database
    screen.type("\x03")
    screen.expect("cancelled in the database; what it cost stays charged")
    screen.expect("left 67 % of bob's")
    screen.type("\x04")
    assert screen.end() == 0
    assert COLOUR.search(screen.seen)


def test_without_colour(terminal):
    screen = terminal(NO_COLOR="1")
    screen.expect("left 100 % of bob's")
    screen.type("SELECT people FROM cities; \r")
    screen.expect("free: public tables alone")
    screen.type("\\q\r")
    assert screen.end() == 0
    assert not COLOUR.search(screen.seen)


def test_a_dumb_terminal_gets_lines(terminal):
    screen = terminal(TERM="dumb")
    screen.expect("dpsql> ")
    screen.type("SELECT people\n")
    screen.expect("; ends> ")
    screen.type("FROM cities;\n")
    screen.expect("free: public tables alone")
    screen.expect("dpsql> ")
    screen.type("SELECT what\n")
    screen.expect("; ends> ")
    screen.type("\x03")  # gives up the statement
    screen.expect("dpsql> ")
    screen.type("\\confirm 0.5\n")
    screen.expect("asks before")
    screen.expect("dpsql> ")
    screen.type("SELECT COUNT(*) FROM patients;\n")
    screen.expect("Run it? [y/N] ")
    screen.type("n\n")
    screen.expect("not asked, nothing charged")
    screen.expect("dpsql> ")
    screen.type("\x04")
    assert screen.end() == 0
    assert "\x1b" not in screen.seen
