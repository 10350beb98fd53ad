"""An error as people read it, the same from every command and in the shell."""

from __future__ import annotations

import sys

from dpsql.commands.output import note
from dpsql.errors import Error, InternalError
from dpsql.render.terminal import style_of


def report(problem: Error) -> None:
    """An error on stderr: what, its stable code, the way out."""
    style = style_of(sys.stderr)
    label = style.paint("error", "red")
    note(f"{label} [{problem.code}]: {problem.message}")
    if problem.hint:
        note(f"{style.paint('hint', 'bold')}: {problem.hint}")


def defect() -> InternalError:
    """What is said of a fault of our own; its text goes to the owner's log alone."""
    return InternalError(
        "dpsql failed by a fault of its own; nothing more was shown",
        hint="what was charged stays charged; please report the command",
    )
