"""What docs/errors.md says of the owner's log at `engine` is so."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.errors import EngineFailed

ERRORS = Path(__file__).parents[2] / "docs" / "errors.md"


@pytest.fixture
def paragraph():
    return ERRORS.read_text("utf-8").split("### engine\n")[1].split("\n### ")[0]


def test_the_handler_it_shows_hears_of_a_time_limit(paragraph, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (line,) = re.findall(r"`(logging\.getLogger\([^`]*)`", paragraph)
    logger = logging.getLogger("dpsql.owner")
    before = list(logger.handlers)
    eval(line)
    (handler,) = [one for one in logger.handlers if one not in before]
    with duckdb.connect() as connection:
        engine = DuckDBEngine.adopt(connection)
        with pytest.raises(EngineFailed) as failure:
            engine.fetch("SELECT SUM(a.range * b.range) FROM range(10000000) a, range(1000000) b",
                         timeout=0.2)  # fmt: skip
        engine.close()
    logger.removeHandler(handler)
    handler.close()
    assert failure.value.code == "engine"
    assert "DuckDB: " in (tmp_path / "owner.log").read_text()


def test_the_command_line_adds_no_handler():
    code = (
        "import logging, click.testing\n"
        "from dpsql.cli import main\n"
        "click.testing.CliRunner().invoke(main, ['shell', '--analyst', 'x', '--policy', 'none'])\n"
        "log = logging.getLogger('dpsql.owner')\n"
        "print([type(h).__name__ for h in log.handlers], log.propagate)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "['NullHandler'] False\n"
