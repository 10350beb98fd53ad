"""Ctrl-C, whenever it falls: one line, exit 130, no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

QUERY = ["query", "--analyst", "ann", "SELECT COUNT(*) FROM users"]

# Runs the program; the signal comes from within, when a module is about to be imported.
AT_IMPORT = """
import os, signal, sys
module = sys.argv[1]
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv[:] = ["dpsql", *sys.argv[2:]]
from dpsql.__main__ import run
run()
"""


def _heeding_interrupts():
    """A job in the background of a script inherits SIGINT ignored, and Python leaves it so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    "module",
    [
        *("dpsql.cli", "click", "dpsql.commands.query", "yaml", "dpsql.session", "sqlglot"),
        *("duckdb", "_duckdb", "sqlalchemy", "numpy._core._multiarray_umath", "pyarrow.lib"),
    ],
)
def test_interrupted_during_imports(shop, module):
    done = subprocess.run(
        [sys.executable, "-c", AT_IMPORT, module, *QUERY],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=_heeding_interrupts,
    )
    in_the_query = module == "pyarrow.lib"  # which knows what was charged
    said = "cancelled; nothing was charged\n" if in_the_query else "interrupted\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", said)


def test_before_anything_catches_it_hardly_anything_is_imported():
    script = "import sys; before = set(sys.modules); import dpsql.__main__;"
    script += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert {"dpsql", "dpsql.errors"} <= set(done.stdout.split())
    assert not {"typing", "re", "enum", "signal", "click"} & set(done.stdout.split())


def test_interrupted_while_reading():
    process = subprocess.Popen(
        [sys.executable, "-m", "dpsql", "query", "--analyst", "x", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_heeding_interrupts,
    )
    time.sleep(3)  # until it waits for its input
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)
    assert (process.returncode, out, said) == (130, b"", b"interrupted\n")
