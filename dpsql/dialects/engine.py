"""What a database engine must do for dpsql: the owner's side, behind one protocol.

The bounded SQL is made in one normal form, whose meaning is DuckDB's. `written` says it in an
engine's own words, and `certify` reads those words back into the normal form before they are sent
(`dpsql.certify.forms`). A new engine is a class like this, a writer in `writing`, a reader there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from dpsql.core.catalog import Catalog
from dpsql.errors import EngineFailed

if TYPE_CHECKING:
    import pyarrow as pa

FAILED = "the database could not answer this query"
FAILED_HINT = "what was charged stays charged; the owner's log has the reason"


class TimedOut(EngineFailed):
    """The time limit stopped a statement, in the very words of any other failure.

    For the ledger's outcome alone: how long a query runs depends on the data, so an analyst gets
    `plain()`, which nothing tells apart from other failures.
    """

    def plain(self) -> EngineFailed:
        return EngineFailed(self.message, code=self.code, hint=self.hint)


class Engine(Protocol):
    """An open database of the owner's, read only."""

    dialect: str
    """Whose words its statements are in: a key of `writing.WRITERS`."""
    identity: str
    """Which database this is: equal for no other, however it is reached."""
    default_schema: str
    """The schema of tables that are named without one."""
    frozen: bool
    """Can nobody change schema or rows while it is open?"""

    marks: bool
    """Does it know the state of the files that it reads?"""

    @property
    def mark(self) -> str:
        """The state of the files that are read: another wherever one was written. '': unknown.

        For the owner, and for whether kept cells are up to date: no analyst sees what it decides.
        """

    def close(self) -> None: ...

    def snapshot(self) -> AbstractContextManager[None]:
        """All reads inside see one state of the database."""

    def catalog(self) -> Catalog:
        """Schema and enforced keys, in DuckDB's type names; never statistics."""

    def fetch(
        self,
        sql: str,
        *,
        timeout: float | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """Run one statement and return its rows as Arrow: exact integers, years 1 to 9999.

        `given`: values of its parameters. EngineFailed with one constant text whatever went wrong;
        `TimedOut` where it was the time limit. Ctrl-C stops the statement in the database and
        stays a KeyboardInterrupt.
        """

    def binds(self, sql: str, *, timeout: float | None = None) -> bool:
        """Does the engine accept the statement? No row is read."""

    def checks(self) -> Sequence[tuple[str, str, str]]:
        """(schema, table, condition in DuckDB's words) of each enforced CHECK."""
