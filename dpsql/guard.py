"""The last net: nothing but our own errors reaches a caller."""

from __future__ import annotations

import builtins
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from dpsql.dialects.engine import FAILED, FAILED_HINT
from dpsql.errors import Cancelled, EngineFailed, Error, InternalError, RefusedQuery
from dpsql.owner_log import OWNER_LOG


class guarded:  # noqa: N801 - used as a with-statement word
    """Whatever is not one of our errors becomes InternalError; its text goes to the owner.

    Interrupts pass, and so do warnings that the caller's own filters turned into exceptions. Where
    memory runs out (Python's, Arrow's or the engine's) is said in the words of any engine failure:
    it may depend on the data. No error leaves with one that is not ours in its `__context__`, which
    `from None` only hides: the engine's words may quote values. What the caller was handling before
    stays there. What ends a query that runs leaves with nothing below it, traceback included: where
    it was raised would tell a time limit from other failures, and frames hold what was fetched.
    """

    def __enter__(self) -> None:
        self._before = sys.exception()

    def __exit__(self, kind: Any, problem: BaseException | None, below: object) -> None:
        if problem is None:
            return
        if isinstance(problem, (EngineFailed, Cancelled)):
            problem.__traceback__ = problem.__cause__ = None
            problem.__context__, problem.__suppress_context__ = self._before, True
            return
        ours = isinstance(problem, (Error, builtins.Warning))
        if ours or not isinstance(problem, Exception):
            _only_ours(problem, self._before)
            return
        OWNER_LOG.exception("internal error")
        said: Error = InternalError(
            "dpsql failed by a fault of its own; nothing was shown",
            hint="what was charged stays charged; please report the query",
        )
        if _no_memory(problem):
            said = EngineFailed(FAILED, hint=FAILED_HINT)
        del problem, below  # this frame is in the traceback, and some print its locals
        try:
            raise said from None
        finally:
            said.__context__ = self._before


def _only_ours(problem: BaseException, before: BaseException | None) -> None:
    """Cut the chains below an error where they leave our errors; `before` takes their place."""
    links = [problem]
    while links:
        error = links.pop()
        for name in ("__cause__", "__context__"):
            below = getattr(error, name)
            if isinstance(below, Error) and below is not before:
                links.append(below)
            elif below is not None and below is not before:
                hidden = error.__suppress_context__  # setting __cause__ sets it
                setattr(error, name, None if name == "__cause__" else before)
                error.__suppress_context__ = hidden


def _no_memory(problem: BaseException) -> bool:
    # Arrow's error is a MemoryError; DuckDB's is told by name, without importing duckdb.
    return isinstance(problem, MemoryError) or type(problem).__name__ == "OutOfMemoryException"


@contextlib.contextmanager
def not_too_deep() -> Iterator[None]:
    """For all that comes before the charge: what nests beyond Python's stack is refused.

    Which stage gives up first depends on the text and the caller's own stack alone.
    """
    try:
        yield
    except RecursionError:
        raise RefusedQuery(
            "the SQL is nested too deeply",
            code="too-deep",
            hint="compute the inner part in a subquery, or simplify it",
        ) from None
