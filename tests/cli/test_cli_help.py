"""Every command's --help is quick and has examples that work in the demo's folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from dpsql.cli import COMMANDS, main

SECONDS = 0.5


def commands():
    """Every command with the words that call it."""
    found = {(): main}
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        found[(name,)] = command
        if isinstance(command, click.Group):
            found.update({(name, sub): inner for sub, inner in command.commands.items()})
    return found


def examples(command):
    """The example commands of a --help, as a shell would split them."""
    shown = CliRunner().invoke(main, [*command, "--help"]).stdout
    block = re.search(r"Example:\n((?:    .*\n)+)", shown)
    assert block is not None, f"no example in `dpsql {' '.join(command)} --help`"
    lines = block[1].replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines]


EXAMPLES = [words for command in commands() for words in examples(command)]


@pytest.mark.parametrize("command", commands(), ids=lambda words: " ".join(words) or "dpsql")
def test_every_help_has_an_example_of_its_command(command):
    called = [words[: len(command) + 1] for words in examples(command)]
    assert ["dpsql", *command] in called


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder that the root's first example makes."""
    folder = tmp_path_factory.mktemp("demo")
    before = os.getcwd()
    os.chdir(folder)
    try:
        assert EXAMPLES[0][1:3] == ["demo", "--keep"]
        assert CliRunner().invoke(main, EXAMPLES[0][1:]).exit_code == 0
        yield folder
    finally:
        os.chdir(before)


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_every_example_works(words, demo, monkeypatch):
    for name in ("DPSQL_POLICY", "DPSQL_ANALYST"):
        monkeypatch.delenv(name, raising=False)
    here = demo if f"{EXAMPLES[0][3]}/dpsql.yaml" in words else demo / EXAMPLES[0][3]
    monkeypatch.chdir(here)
    if "--expect-head" in words:
        found = CliRunner().invoke(main, ["ledger", "verify", "--format", "json"])
        report = json.loads(found.stdout)
        place = words.index("--expect-head") + 1
        assert words[place].endswith("...")
        words = [*words[:place], f"{report['seq']}:{report['head']}", *words[place + 1 :]]
    if "--checkpoint" in words or "--rotate" in words:
        signed = CliRunner().invoke(main, ["ledger", "checkpoint", "--to", "checkpoints"])
        assert signed.exit_code == 0, signed.output
    if "--lost" in words:
        place = words.index("--lost") + 1
        words = [*words[:place], f"{'0' * 32}:30:{'0' * 64}", *words[place + 1 :]]
    result = CliRunner().invoke(main, words[1:])
    assert result.exit_code == 0, result.output
    assert result.stderr == "" or "error" not in result.stderr


HELP = """
import sys, time
from dpsql.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
heavy = {"duckdb", "sqlalchemy", "pyarrow", "numpy", "scipy", "sqlglot", "yaml"}
print(time.process_time(), *sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("command", commands(), ids=lambda words: " ".join(words) or "dpsql")
def test_help_is_quick(command):
    """CPU time, at best of three: the machine may be busy with something else."""
    best = SECONDS
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", HELP, *command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        taken, *heavy = done.stderr.split()
        assert heavy == []
        best = min(best, float(taken))
        if best < SECONDS:
            return
    pytest.fail(f"more than {SECONDS} s")
