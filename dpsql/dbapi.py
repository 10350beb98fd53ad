"""PEP 249 over a session: connections and cursors.

Threads may share a connection (its statements run one after another), each with cursors of its
own. There are no transactions: what was charged stays charged, and nothing is ever written.
"""

from __future__ import annotations

import abc
import contextlib
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dpsql import errors
from dpsql.arguments import Parameters, dialect_name, parameters, text
from dpsql.core.targets import read_aims
from dpsql.errors import InterfaceError, InvalidQuery, NotSupportedError, PolicyError
from dpsql.guard import guarded
from dpsql.report import BudgetReport
from dpsql.result_set import ResultSet
from dpsql.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from dpsql.declared import DeclaredTable
    from dpsql.explanation import Explanation


def connect(
    policy: str | Path | Mapping[str, Any],
    *,
    analyst: str,
    epsilon: object = None,
    delta: object = None,
    error: object = None,
    confidence: object = None,
    magnitude: object = None,
    error_rows: object = None,
    max_epsilon: object = None,
    engine: object = None,
    post_process: object = None,
) -> Connection:
    """See `dpsql.connect`."""
    with guarded():
        aims = read_aims(error, confidence, magnitude, error_rows, max_epsilon)
        given: Any = {"epsilon": epsilon, "delta": delta, "aims": aims, "engine": engine}
        try:
            session = Session(policy, analyst, post_process=post_process, **given)
        except PolicyError as problem:
            if problem.code == "database-url":  # a way out that the command line has not
                problem.hint += ", or pass an open DuckDB connection or a Spark session as engine="
            raise
        return Connection(session)


class Closing(abc.ABC):
    """A context manager: entering what is closed is an error, leaving closes."""

    @abc.abstractmethod
    def _check_open(self) -> None:
        """InterfaceError `closed` once closed."""

    @abc.abstractmethod
    def close(self) -> None:
        """Closing twice is harmless."""

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


class Connection(Closing):
    """An analyst's connection. A context manager; leaving it closes it."""

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.RLock()
        self._end = weakref.finalize(self, _close_quietly, session)

    @property
    def analyst(self) -> str:
        """The canonical name in which queries are asked."""
        return self._session.analyst

    @property
    def closed(self) -> bool:
        return not self._end.alive

    def cursor(self) -> Cursor:
        """A new cursor."""
        self._check_open()
        return Cursor(self)

    def execute(self, sql: str, params: Parameters | None = None, **options: Any) -> Cursor:
        """`cursor().execute(...)`: the cursor with the answer."""
        return self.cursor().execute(sql, params, **options)

    def budget(self) -> BudgetReport:
        """State of the analyst's budget."""
        with self._open() as session, guarded():
            return session.budget()

    def tables(self) -> tuple[DeclaredTable, ...]:
        """The tables and columns that may be asked about; free, and not from the data."""
        with self._open() as session, guarded():
            return session.declared()

    @property
    def default_schema(self) -> str:
        """The schema of tables that are named without one."""
        with self._open() as session, guarded():
            return session.engine.default_schema

    def commit(self) -> None:
        """Does nothing: there is nothing to commit."""
        self._check_open()

    def rollback(self) -> None:
        """Does nothing: a charge cannot be taken back."""
        self._check_open()

    def close(self) -> None:
        """Give back database and ledger, after what runs now. Closing twice is harmless."""
        with self._lock:
            if self._end.detach() is not None:
                _close_quietly(self._session)

    def _check_open(self) -> None:
        with self._open():
            return

    @contextlib.contextmanager
    def _open(self) -> Iterator[Session]:
        """The session, for one thread at a time. InterfaceError `closed` after close()."""
        with self._lock:
            if self.closed:
                raise InterfaceError(
                    "the connection is closed", code="closed", hint="open a new one: connect(...)"
                )
            yield self._session


class Cursor(Closing, ResultSet):
    """One statement at a time, and its result set. Made by `Connection.cursor()`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self._closed = False

    # ---- asking --------------------------------------------------------------------------

    def execute(
        self,
        sql: str,
        params: Parameters | None = None,
        *,
        epsilon: object = None,
        delta: object = None,
        error: object = None,
        confidence: object = None,
        magnitude: object = None,
        error_rows: object = None,
        max_epsilon: object = None,
        dialect: str | None = None,
        request_id: str | None = None,
        post_process: str | None = None,
    ) -> Cursor:
        """Answer one query; returns this cursor. Raises subclasses of `Error` alone.

        `params`: values for `?` by position, for `:name` by name. `epsilon`, `delta` come before
        those of the connection, OPTIONS in the SQL before both. `error` in place of `epsilon`: a
        half-width (100), a percentage ('5%') of `magnitude` or of what a small paid look releases
        first, or these by column ({"n": 100}); the least ε whose expected error meets it is the
        price. `confidence` is 0.95 unless said; `error_rows` (1,000): of the group for which bars
        are told that fall with the rows. `max_epsilon`: what the statement may cost.
        `dialect`: the SQL dialect of the text, any of sqlglot's. `request_id`: a name of your own
        for this request, a UUID say; asked again under it after a lost connection or a crash, it is
        answered by the releases that were paid for, and charged anew only where there are none.
        `post_process`: as of `connect`.
        """
        self._check_open()
        self._forget()
        with guarded(), self.connection._open() as session:
            answer = session.query(
                text(sql, "SQL"),
                parameters(params),
                epsilon=epsilon,
                delta=delta,
                aims=read_aims(error, confidence, magnitude, error_rows, max_epsilon),
                dialect=dialect_name(dialect),
                request_id=request_id,
                post_process=post_process,
            )
        self._keep(answer)
        return self

    def executemany(self, sql: str, seq_of_params: Iterable[Parameters], **options: Any) -> Cursor:
        """`execute` for each set of parameters, each at its full price; the last answer stays."""
        self._check_open()
        self._forget()
        with guarded():
            if isinstance(seq_of_params, (str, bytes, Mapping)) or not isinstance(
                seq_of_params, Iterable
            ):
                raise InvalidQuery(
                    "executemany takes a sequence of parameter sets", code="bad-parameter"
                )
            if options.get("request_id") is not None:
                raise InvalidQuery(
                    "executemany makes several requests, and an id names one",
                    code="bad-request-id",
                    hint="call execute for each, with an id of its own",
                )
            for params in seq_of_params:
                self.execute(sql, params, **options)
        return self

    def explain(
        self,
        sql: str,
        params: Parameters | None = None,
        *,
        epsilon: object = None,
        delta: object = None,
        error: object = None,
        confidence: object = None,
        magnitude: object = None,
        error_rows: object = None,
        max_epsilon: object = None,
        dialect: str | None = None,
        post_process: str | None = None,
    ) -> Explanation:
        """What `execute` with the same arguments would do and cost. Charges nothing and reads no
        row about anybody; the cursor's result set stays."""
        self._check_open()
        from dpsql.explain import explain

        with guarded(), self.connection._open() as session:
            return explain(
                session,
                text(sql, "SQL"),
                parameters(params),
                epsilon=epsilon,
                delta=delta,
                aims=read_aims(error, confidence, magnitude, error_rows, max_epsilon),
                dialect=dialect_name(dialect),
                post_process=post_process,
            )

    # ---- the rest of PEP 249 -------------------------------------------------------------

    def setinputsizes(self, sizes: object) -> None:
        """Does nothing: parameters need no room."""
        self._check_open()

    def setoutputsize(self, size: object, column: object = None) -> None:
        """Does nothing: results come whole."""
        self._check_open()

    def nextset(self) -> None:
        """NotSupportedError: a statement has one result set."""
        self._check_open()
        raise NotSupportedError("a statement has one result set", code="no-more-sets")

    def callproc(self, name: object, params: object = None) -> None:
        """NotSupportedError: there are no procedures."""
        self._check_open()
        raise NotSupportedError("there are no stored procedures", code="no-procedures")

    def close(self) -> None:
        """Let go of the result set. Closing twice is harmless."""
        self._closed = True
        self._forget()

    def _check_open(self) -> None:
        if self._closed:
            raise InterfaceError(
                "the cursor is closed", code="closed", hint="open a new one: connection.cursor()"
            )
        self.connection._check_open()


def _close_quietly(session: Session) -> None:
    """Closing must not fail: the charge stands and the data was only read."""
    with contextlib.suppress(Exception):
        session.close()
