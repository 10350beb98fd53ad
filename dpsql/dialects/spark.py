"""Spark SQL 4: the owner's cluster, through a session that is dpsql's own.

Nothing is created but temporary views of that session. A statement runs on the cluster whole; what
comes back are the bounded sums of its groups, as Arrow.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from dpsql.core.catalog import Catalog
from dpsql.dialects.engine import FAILED, FAILED_HINT, TimedOut
from dpsql.dialects.interrupts import heeding_interrupts
from dpsql.dialects.spark_catalog import read_catalog
from dpsql.dialects.spark_drift import refuse_drift
from dpsql.dialects.spark_open import Opened, adopt, log, open_local, open_remote, quiet
from dpsql.dialects.spark_rows import readable
from dpsql.dialects.spark_settings import pin
from dpsql.dialects.spark_stop import Stopper
from dpsql.dialects.spark_text import identifier, with_given
from dpsql.dialects.spark_url import own_parameters
from dpsql.errors import EngineFailed

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")


class SparkEngine:
    """The owner's side of Spark: one session with settings of ours, one statement at a time."""

    dialect = "spark"
    frozen = False
    marks = False

    def __init__(
        self,
        opened: Opened,
        *,
        catalog: str = "",
        schema: str = "",
        watched: Sequence[str] | None = None,
    ) -> None:
        """`catalog`, `schema`: where names begin; '': as the session has it. `watched`: tables that
        matter; None: all."""
        self._opened = opened
        self._session: Any = opened.session
        self._watched = watched
        self._lock = threading.RLock()
        self._catalog: Catalog | None = None
        self._inside = False
        self._closed = False
        try:
            with _saying():
                pin(self._session)
                refuse_drift(self._session)
                self._place, self.default_schema = self._begin(catalog, schema)
        except BaseException:
            self.close()
            raise
        self.identity = f"spark:{opened.place}/{self._place}"

    @classmethod
    def open(
        cls, url: str, *, memory: str | None = None, watched: Sequence[str] | None = None
    ) -> SparkEngine:
        """By the policy's URL. EngineFailed, PolicyError without the server's words."""
        return cls(opened_by(url, memory), **own_parameters(url), watched=watched)

    @classmethod
    def adopt(cls, session: object, *, watched: Sequence[str] | None = None) -> SparkEngine:
        """Beside an owner's session, classic or Connect: in a new one of the same Spark."""
        return cls(adopt(session), watched=watched)

    @property
    def mark(self) -> str:
        """Spark does not tell whether rows have changed."""
        return ""

    def close(self) -> None:
        """End the session; a Spark in this process stays for those that come after."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._opened.remote:
                with contextlib.suppress(Exception), quiet():
                    self._session.stop()

    def _begin(self, catalog: str, schema: str) -> tuple[str, str]:
        """The names of the catalog and of the schema in which a table without one lies."""
        if catalog:
            self._command(f"SET CATALOG {identifier(catalog)}")
        if schema:
            self._command(f"USE {identifier(schema)}")
        ((place, near),) = self._rows("SELECT current_catalog(), current_database()")
        return str(place), str(near)

    def _command(self, sql: str) -> None:
        try:
            self._session.sql(sql).collect()
        except Exception as problem:
            log(problem)
            raise EngineFailed(
                "Spark has no catalog or schema as `database:` names it",
                code="engine-missing",
                hint="correct `;catalog=` and `;schema=` in the URL",
            ) from None

    # ---- reading -------------------------------------------------------------------------

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """One statement sees what it sees: Spark holds no state of several tables for several."""
        with self._lock:
            before, self._inside = self._inside, True
            if not before:
                self._refresh()
                self._catalog = None
            try:
                yield
            finally:
                self._inside = before

    def _refresh(self) -> None:
        """Forget which files the tables had, which Spark remembers while a session lasts.

        Of a view those it is made of, but not of its subqueries.
        """
        for table in () if self._catalog is None else self._catalog.tables.values():
            if table.database:
                where = ".".join(map(identifier, (table.database, table.schema, table.name)))
                with contextlib.suppress(Exception), quiet():  # not all catalogs know the word
                    self._session.sql(f"REFRESH TABLE {where}").collect()

    def catalog(self) -> Catalog:
        """Schema without keys; read anew for each snapshot."""
        with self._lock:
            if self._catalog is None or not self._inside:
                with _saying():
                    self._catalog = self._read_catalog()
            return self._catalog

    def _read_catalog(self) -> Catalog:
        return read_catalog(self._rows, self._place, self.default_schema, watched=self._watched)

    def checks(self) -> Sequence[tuple[str, str, str]]:
        """Spark enforces none on what is there already."""
        return []

    def fetch(
        self,
        sql: str,
        *,
        timeout: float | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """As `Engine.fetch`: one statement, by Arrow, with constants where values are given."""
        text = with_given(sql, given)
        with self._lock:
            return self._within(timeout, lambda: readable(self._session.sql(text).toArrow()))

    def binds(self, sql: str, *, timeout: float | None = None) -> bool:
        """Analysed, not run: names, types and rights all show here."""
        text = with_given(sql, None)
        with self._lock:
            try:
                self._within(timeout, lambda: self._session.sql(text).schema)
            except TimedOut:
                raise EngineFailed(FAILED, hint=FAILED_HINT) from None
            except EngineFailed:
                return False
        return True

    # ---- running -------------------------------------------------------------------------

    def _within(self, seconds: float | None, work: Callable[[], T]) -> T:
        """Run `work`, whose jobs are cancelled after so many seconds or on Ctrl-C."""
        stopper = Stopper(self._opened, seconds)
        try:
            with quiet():
                return heeding_interrupts(stopper, lambda: stopper.over(work))
        except Exception as problem:
            log(problem)
            if stopper.late.is_set():
                raise TimedOut(FAILED, hint=FAILED_HINT) from None
            raise EngineFailed(FAILED, hint=FAILED_HINT) from None

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            with quiet():
                return [tuple(row) for row in self._session.sql(sql).collect()]
        except Exception as problem:
            log(problem)
            raise EngineFailed(FAILED, hint=FAILED_HINT) from None


def opened_by(url: str, memory: str | None = None) -> Opened:
    """A session by the policy's URL."""
    return open_remote(url) if url.startswith("sc://") else open_local(url, memory)


@contextlib.contextmanager
def _saying() -> Iterator[None]:
    """Whatever Spark raises, in the one constant text."""
    try:
        with quiet():
            yield
    except (EngineFailed, KeyboardInterrupt):
        raise
    except Exception as problem:
        log(problem)
        raise EngineFailed(FAILED, hint=FAILED_HINT) from None
