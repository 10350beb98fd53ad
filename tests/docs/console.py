"""Pages whose ```console blocks are run: what is typed, how it ends, what it shows.

    $ dpsql query ...        typed, with the lines after it that begin with `> `
    $ dpsql query ... # exit code 3      ends so; without the words, with 0
    ...                      any output, in a line of its own

All commands of a page run in one shell. Of the output the words are compared, not the numbers (they
are noisy), nor how lines are broken and tables ruled (that follows the numbers).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"# exit code (\d+)$", re.MULTILINE)
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_DIGEST = re.compile(r"@[0-9a-f]{12}\b")
_NUMBER = re.compile(r"[-+]?\d+(,\d{3})*(\.\d+)?(e[-+]?\d+)?")
_RULES = re.compile(r"[\s─█▄▒│└]+")
_BAR = re.compile(r"\[ ?N, ?N\]")
_HALF, _ENDS = "± is the N % half-width", "[low, high] is the N % interval"
_LEGEND = re.compile(f"{_HALF}, {re.escape(_ENDS)}|{_HALF}|{re.escape(_ENDS)}")
_END = "== end of a command, exit code "


@dataclass
class Command:
    """One command of a page and the output the page shows for it."""

    line: int
    typed: str
    shown: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        said = _EXIT.search(self.typed)
        return int(said[1]) if said else 0

    def shape(self) -> re.Pattern[str]:
        """What the output must look like once `plain`."""
        parts = re.split(r"^\.\.\.$", "\n".join(self.shown), flags=re.MULTILINE)
        return re.compile(".*".join(re.escape(plain(part)) for part in parts))


def commands(page: Path) -> list[Command]:
    """The commands of a page, in order."""
    text = page.read_text("utf-8")
    found: list[Command] = []
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        for number, line in enumerate(block[1].splitlines(), first):
            if line.startswith("$ "):
                found.append(Command(number, line[2:]))
            elif (line == ">" or line.startswith("> ")) and not found[-1].shown:
                found[-1].typed += "\n" + line[2:]
            else:
                found[-1].shown.append(line)
    return found


def run(typed: list[str], folder: Path) -> list[tuple[int, str]]:
    """Exit code and output (both streams) of each, all in one shell that starts in `folder`."""
    script = "".join(f'{text}\necho "{_END}$?"\n' for text in typed)
    bin = str(Path(sys.executable).parent)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DPSQL")}
    kept["DPSQL_STATE_DIR"] = str(folder.with_name(folder.name + "-state"))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**kept, "PATH": bin + os.pathsep + os.environ["PATH"], "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    *parts, rest = re.split(rf"{_END}(\d+)\n", done.stdout)
    assert not rest, rest
    return [(int(code), out) for out, code in zip(parts[::2], parts[1::2], strict=True)]


def plain(text: str) -> str:
    """The words of an output: every number and every hash is the same.

    So are the two ways to tell an error bar: which one stands there depends on the noise.
    """
    words = _NUMBER.sub("N", _HASH.sub("H", _DIGEST.sub("@H", text)))
    words = _LEGEND.sub("BARS", _BAR.sub("± N", _RULES.sub(" ", words)))
    return words.strip()
