"""PEP 249 over a session: connections and cursors.

Threads may share a connection (its statements run one after another), each with cursors of its
own. There are no transactions: what was charged stays charged, and nothing is ever written.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from dpsql import errors
from dpsql.arguments import Parameters, dialect_name, parameters, text
from dpsql.errors import InterfaceError, InvalidQuery, NotSupportedError, PolicyError
from dpsql.guard import guarded
from dpsql.notebook import html_table
from dpsql.pep249_types import precision_and_scale
from dpsql.report import BudgetReport, PrivacyReport
from dpsql.rows import Row, RowReader, narrow_integers, unique_names
from dpsql.session import Answer, Session

if TYPE_CHECKING:
    from pathlib import Path

    import pandas
    import polars
    import pyarrow

    from dpsql.explanation import Explanation

Description = tuple[tuple[str, str, None, None, int | None, int | None, bool | None], ...]


def connect(
    policy: str | Path | Mapping[str, Any],
    *,
    analyst: str,
    epsilon: object = None,
    delta: object = None,
    engine: object = None,
) -> Connection:
    """See `dpsql.connect`."""
    with guarded():
        try:
            session = Session(policy, analyst, epsilon=epsilon, delta=delta, engine=engine)
        except PolicyError as problem:
            if problem.code == "database-url":  # a way out that the command line has not
                problem.hint += ", or pass an open DuckDB connection as engine="
            raise
        return Connection(session)


class Connection:
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
        with self._open():
            return Cursor(self)

    def execute(self, sql: str, params: Parameters | None = None, **options: Any) -> Cursor:
        """`cursor().execute(...)`: the cursor with the answer."""
        return self.cursor().execute(sql, params, **options)

    def budget(self) -> BudgetReport:
        """State of the analyst's budget."""
        with self._open() as session, guarded():
            return session.budget()

    def commit(self) -> None:
        """Does nothing: there is nothing to commit."""
        with self._open():
            return

    def rollback(self) -> None:
        """Does nothing: a charge cannot be taken back."""
        with self._open():
            return

    def close(self) -> None:
        """Give back database and ledger, after what runs now. Closing twice is harmless."""
        with self._lock:
            if self._end.detach() is not None:
                _close_quietly(self._session)

    def __enter__(self) -> Connection:
        with self._open():
            return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _open(self) -> Iterator[Session]:
        """The session, for one thread at a time. InterfaceError `closed` after close()."""
        with self._lock:
            if self.closed:
                raise InterfaceError(
                    "the connection is closed", code="closed", hint="open a new one: connect(...)"
                )
            yield self._session


class Cursor:
    """One statement at a time, and its result set. Made by `Connection.cursor()`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self._closed = False
        self._answer: Answer | None = None
        self._rows: RowReader | None = None

    # ---- asking --------------------------------------------------------------------------

    def execute(
        self,
        sql: str,
        params: Parameters | None = None,
        *,
        epsilon: object = None,
        delta: object = None,
        dialect: str | None = None,
    ) -> Cursor:
        """Answer one query; returns this cursor. Raises subclasses of `Error` alone.

        `params`: values for `?` by position, for `:name` by name. `epsilon`, `delta` come before
        those of the connection, OPTIONS in the SQL before both. `dialect`: the SQL dialect of the
        text, any of sqlglot's.
        """
        self._check_open()
        self._forget()
        with guarded(), self.connection._open() as session:
            answer = session.query(
                text(sql, "SQL"),
                parameters(params),
                epsilon=epsilon,
                delta=delta,
                dialect=dialect_name(dialect),
            )
        self._answer = answer
        self._rows = RowReader(answer.table, answer.types)
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
        dialect: str | None = None,
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
                dialect=dialect_name(dialect),
            )

    # ---- about the result ----------------------------------------------------------------

    @property
    def description(self) -> Description | None:
        """(name, engine type, None, None, precision, scale, None) for each column."""
        if self._answer is None:
            return None
        return tuple(
            (name, kind, None, None, *precision_and_scale(kind), None)
            for name, kind in zip(self._answer.names, self._answer.types, strict=True)
        )

    @property
    def rowcount(self) -> int:
        """Rows of the result set; -1 without one."""
        return -1 if self._rows is None else self._rows.total

    @property
    def rownumber(self) -> int | None:
        """Index of the row that is fetched next."""
        return None if self._rows is None else self._rows.position

    @property
    def lastrowid(self) -> None:
        """Always None: nothing is inserted."""
        return None

    @property
    def privacy(self) -> PrivacyReport | None:
        """What the last query was charged, and the error bars; None before the first."""
        return None if self._answer is None else self._answer.privacy

    # ---- fetching ------------------------------------------------------------------------

    def fetchone(self) -> Row | None:
        """The next row, None after the last."""
        rows = self._result().take(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows (`arraysize` by default), fewer at the end."""
        wanted = self.arraysize if size is None else size
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
            raise InterfaceError("fetchmany takes a whole number of rows, at least 0")
        return self._result().take(wanted)

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        return self._result().take(None)

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def fetch_arrow(self) -> pyarrow.Table:
        """The rows that are left as a pyarrow Table (integers beyond 64 bits as decimal128)."""
        return self._result().take_table()

    def fetch_df(self) -> pandas.DataFrame:
        """The rows that are left as a pandas DataFrame. InterfaceError without pandas."""
        self._result()
        with _needs("pandas", "fetch_df()"):
            import pandas  # noqa: F401
        frame: pandas.DataFrame = self._narrow().to_pandas()
        return frame

    def fetch_pl(self) -> polars.DataFrame:
        """The rows that are left as a polars DataFrame. InterfaceError without polars.

        Columns of the same name become `name`, `name_1`, ...: polars wants them different.
        """
        self._result()
        with _needs("polars", "fetch_pl()"):
            import polars
        table = self._narrow()
        frame = polars.from_arrow(table.rename_columns(unique_names(table.column_names)))
        assert isinstance(frame, polars.DataFrame)
        return frame

    def _narrow(self) -> Any:
        answer = self._answer
        assert answer is not None
        return narrow_integers(self._result().take_table(), answer.types)

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

    def __enter__(self) -> Cursor:
        self._check_open()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        """The first rows with their error bars, for notebooks; fetches nothing."""
        return "<em>no result</em>" if self._answer is None else html_table(self._answer)

    # ---- state ---------------------------------------------------------------------------

    def _forget(self) -> None:
        self._answer = None
        self._rows = None

    def _check_open(self) -> None:
        if self._closed:
            raise InterfaceError(
                "the cursor is closed", code="closed", hint="open a new one: connection.cursor()"
            )
        with self.connection._open():
            return

    def _result(self) -> RowReader:
        self._check_open()
        if self._rows is None:
            raise InterfaceError(
                "there is no result set to fetch from",
                code="no-result",
                hint="call execute() first; a query that was refused leaves no result",
            )
        return self._rows


def _close_quietly(session: Session) -> None:
    """Closing must not fail: the charge stands and the data was only read."""
    with contextlib.suppress(Exception):
        session.close()


@contextlib.contextmanager
def _needs(package: str, what: str) -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise InterfaceError(
            f"{what} needs {package}, which is not installed",
            code="missing-package",
            hint=f"pip install {package}",
        ) from None
