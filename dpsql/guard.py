"""The last net: nothing but our own errors reaches a caller."""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Iterator
from typing import Any

from dpsql.dialects.duckdb import FAILED, FAILED_HINT
from dpsql.errors import EngineFailed, Error, InternalError, RefusedQuery
from dpsql.owner_log import OWNER_LOG


class guarded:  # noqa: N801 - used as a with-statement word
    """Whatever is not one of our errors becomes InternalError; its text goes to the owner.

    Interrupts pass, and so do warnings that the caller's own filters turned into exceptions. Where
    memory runs out (Python's, Arrow's or the engine's) is said in the words of any engine failure:
    it may depend on the data.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, problem: BaseException | None, _: object) -> None:
        ours = isinstance(problem, (Error, builtins.Warning))
        if problem is None or ours or not isinstance(problem, Exception):
            return
        OWNER_LOG.exception("internal error")
        if _no_memory(problem):
            raise EngineFailed(FAILED, hint=FAILED_HINT) from None
        raise InternalError(
            "dpsql failed by a fault of its own; nothing was shown",
            hint="what was charged stays charged; please report the query",
        ) from None


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
