"""The half of a cursor that hands out rows: PEP 249's fetches, Arrow, data frames, notebooks."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from dpsql.answer import Answer
from dpsql.error_bars import with_ends
from dpsql.errors import InterfaceError
from dpsql.notebook import html_table
from dpsql.pep249_types import precision_and_scale
from dpsql.report import PrivacyReport
from dpsql.rows import Row, RowReader, narrow_integers, unique_names

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Description = tuple[tuple[str, str, None, None, int | None, int | None, bool | None], ...]


class ResultSet(abc.ABC):
    """The rows of the last answer, each handed out once. Errors: InterfaceError without one."""

    def __init__(self) -> None:
        self.arraysize = 1
        self._answer: Answer | None = None
        self._rows: RowReader | None = None

    @abc.abstractmethod
    def _check_open(self) -> None:
        """InterfaceError once closed."""

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

    def _repr_html_(self) -> str:
        """The first rows with their error bars, for notebooks; fetches nothing."""
        return "<em>no result</em>" if self._answer is None else html_table(self._answer)

    # ---- rows ----------------------------------------------------------------------------

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

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    # ---- tables and frames ---------------------------------------------------------------

    def fetch_arrow(self, *, bars: bool = False) -> pyarrow.Table:
        """The rows that are left as a pyarrow Table (integers beyond 64 bits as decimal128).

        `bars`: with the ends of the 95 % intervals as columns `name_low`, `name_high`.
        """
        return self._rest(bars)[0]

    def fetch_df(self, *, bars: bool = False) -> pandas.DataFrame:
        """The rows that are left as a pandas DataFrame. InterfaceError without pandas.

        `bars` as in fetch_arrow().
        """
        self._result()
        with _needs("pandas", "fetch_df()"):
            import pandas  # noqa: F401
        frame: pandas.DataFrame = narrow_integers(*self._rest(bars)).to_pandas()
        return frame

    def fetch_pl(self, *, bars: bool = False) -> polars.DataFrame:
        """The rows that are left as a polars DataFrame. InterfaceError without polars.

        `bars` as in fetch_arrow(). Columns of the same name become `name`, `name_1`, ...: polars
        wants them different.
        """
        self._result()
        with _needs("polars", "fetch_pl()"):
            import polars
        table = narrow_integers(*self._rest(bars))
        frame = polars.from_arrow(table.rename_columns(unique_names(table.column_names)))
        assert isinstance(frame, polars.DataFrame)
        return frame

    # ---- state ---------------------------------------------------------------------------

    def _keep(self, answer: Answer) -> None:
        self._answer = answer
        self._rows = RowReader(answer.table, answer.types)

    def _forget(self) -> None:
        self._answer = None
        self._rows = None

    def _result(self) -> RowReader:
        self._check_open()
        if self._rows is None:
            raise InterfaceError(
                "there is no result set to fetch from",
                code="no-result",
                hint="call execute() first; a query that was refused leaves no result",
            )
        return self._rows

    def _rest(self, bars: bool) -> tuple[Any, tuple[str, ...]]:
        """What is left as Arrow, with its engine types."""
        rows, answer = self._result(), self._answer
        assert answer is not None
        start = rows.position
        table = rows.take_table()
        if not bars:
            return table, answer.types
        return with_ends(table, answer.types, answer.privacy.columns, start=start)


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
