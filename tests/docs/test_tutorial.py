"""The commands of docs/tutorial.md and of the three pages by reader do what the pages show."""

from __future__ import annotations

import shutil
from pathlib import Path

import console
import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder that `dpsql demo --keep rand` makes."""
    folder = tmp_path_factory.mktemp("pages")
    [(code, out)] = console.run(["dpsql demo --keep rand"], folder)
    assert code == 0, out
    return folder / "rand"


def check(page, folder):
    commands = console.commands(page)
    assert len(commands) > 4
    ended = console.run([command.typed for command in commands], folder)
    for command, (code, out) in zip(commands, ended, strict=True):
        where = f"{page.name}:{command.line}: {command.typed}\n{out}"
        assert code == command.exit_code, where
        assert command.shape().fullmatch(console.plain(out)), where


def test_the_tutorial_from_an_empty_folder(tmp_path):
    check(DOCS / "tutorial.md", tmp_path)


@pytest.mark.parametrize("name", ["analyst", "owner", "auditor", "files"])
def test_a_page_in_the_folder_of_the_demo(name, demo, tmp_path):
    shutil.copytree(demo, tmp_path / "rand")
    check(DOCS / f"{name}.md", tmp_path / "rand")


@pytest.mark.parametrize(
    ("shown", "out", "same"),
    [
        ("n  31 ± 3\n", "n   5 ± 12", True),
        ("f,1.5,-2e-3", "f,7,4", True),
        (
            "m  31 ± 3 · ± is the 95 % half-width",
            "m 3 [ 1,  4] · [low, high] is the 95 % interval",
            True,
        ),
        ("m  31 ± 3", "m 3", False),
        ("a\n...\nz", "a b c z", True),
        ("plan  bill", "plan  bills", False),
        ("a\n...\nz", "a b c", False),
        ("", "a traceback", False),
    ],
)
def test_words_are_compared_and_numbers_are_not(shown, out, same):
    command = console.Command(1, "x", shown.splitlines())
    assert bool(command.shape().fullmatch(console.plain(out))) == same


def test_exit_codes_are_seen(tmp_path):
    ended = console.run(["false", "cd /", "pwd", "(exit 3)"], tmp_path)
    assert ended == [(1, ""), (0, ""), (0, "/\n"), (3, "")]
    assert console.Command(1, "dpsql x # exit code 3").exit_code == 3
