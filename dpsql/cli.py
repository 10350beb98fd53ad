"""The command `dpsql`: finds the subcommand and turns every ending into an exit code.

| exit | meaning                                                        |
|------|----------------------------------------------------------------|
| 0    | ok                                                             |
| 1    | a check said no (`ledger verify`, `audit`, `check --strict`)    |
| 2    | usage (an option's value, too), or the policy file is wrong    |
| 3    | refused, syntax errors included                                |
| 4    | budget                                                         |
| 5    | engine or ledger cannot be reached or failed                   |
| 70   | our bug                                                        |
| 130  | interrupted                                                    |

Data goes to stdout, everything else to stderr, and never a traceback. Commands are modules of
`dpsql.commands`, imported when asked for; what they need (DuckDB, SQLAlchemy) when they run.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from dpsql import __version__
from dpsql.commands.output import note
from dpsql.commands.problems import defect, report
from dpsql.commands.words import Commands
from dpsql.errors import Error, InternalError
from dpsql.owner_log import OWNER_LOG

COMMANDS = (
    *("init", "check", "query", "explain", "shell", "tables"),
    *("budget", "ledger", "releases", "cells", "audit", "demo"),
)
"""In the order in which people meet them."""


class Root(Commands):
    """The group of all commands. `main` never raises anything but SystemExit."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"dpsql.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # else click prints an empty line first
            raise click.Abort from None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a key from the data must never stop the output
                stream.reconfigure(errors="backslashreplace")
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            code = self._run(args, prog_name or "dpsql", complete_var, extra)
        sys.exit(code)

    def _run(
        self,
        args: Sequence[str] | None,
        prog_name: str,
        complete_var: str | None,
        extra: dict[str, Any],
    ) -> int:
        try:
            done = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as problem:  # wrong usage, in click's own words
            problem.show()
            return 2
        except (click.Abort, KeyboardInterrupt):
            note("interrupted")
            return 130
        except Error as problem:
            if isinstance(problem, InternalError) and _was_interrupted(problem):
                note("interrupted")
                return 130
            report(problem)
            return problem.exit_code
        except SystemExit:  # click's answer to a reader that went away while help was printed
            return 0
        except Exception as problem:
            if _was_interrupted(problem):
                note("interrupted")
                return 130
            OWNER_LOG.exception("internal error")
            report(defect())
            return InternalError.exit_code
        return done if isinstance(done, int) else 0


def _was_interrupted(problem: BaseException) -> bool:
    """Is Ctrl-C behind the error? An import that it breaks off may fail in words of its own."""
    seen: list[BaseException] = []
    link: BaseException | None = problem
    while link is not None and link not in seen:
        if isinstance(link, KeyboardInterrupt):
            return True
        seen.append(link)
        link = link.__cause__ or link.__context__
    return False


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    note(f"warning: {message}")


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`dpsql COMMAND --help` has an example of each, to be tried in the folder that"
    " `dpsql demo --keep rand` makes.",
)
@click.version_option(__version__, prog_name="dpsql")
def main() -> None:
    """Ask a database questions and get differentially private answers.

    A policy file (--policy, DPSQL_POLICY or ./dpsql.yaml) says which tables there are, what is
    protected, and who may spend how much.

    \b
    Example:
      dpsql demo --keep rand
      dpsql query --policy rand/dpsql.yaml --analyst grace \\
        "SELECT health, COUNT(*) FROM persons GROUP BY health"
    """
