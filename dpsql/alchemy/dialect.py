"""The dialect: connections, execution, and the privacy options of a statement.

    engine = create_engine("dpsql:///dpsql.yaml?analyst=alice")
    with engine.connect() as connection:
        query = select(people.c.city, func.count()).group_by(people.c.city)
        result = connection.execute(query.execution_options(dpsql_epsilon="0.5"))
        print(result.all(), result.context.privacy)

One class for SQLAlchemy 1.4 and 2.x; where they call a hook by different names both are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc
from sqlalchemy.engine.default import DefaultDialect, DefaultExecutionContext

from dpsql.alchemy.compiler import DPCompiler, DPPreparer, DPTypeCompiler
from dpsql.alchemy.old_version import refuse_to_pandas
from dpsql.alchemy.reflection import Reflection, default_schema
from dpsql.alchemy.url import AIMS, bad_url, connect_arguments

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

    from dpsql.report import PrivacyReport

AUTOCOMMIT = "AUTOCOMMIT"


class DPExecutionContext(DefaultExecutionContext):
    """`result.context.privacy`: what the statement was charged, and the error bars."""

    privacy: PrivacyReport | None = None

    def post_exec(self) -> None:
        cursor: Any = self.cursor
        self.privacy = cursor.privacy


class DPDialect(Reflection, DefaultDialect):
    """dpsql for SQLAlchemy. Execution options: `dpsql_epsilon` and `dpsql_delta`, the price;
    `dpsql_error`, `dpsql_confidence`, `dpsql_magnitude`, `dpsql_error_rows` and
    `dpsql_max_epsilon`, accuracy in its place; and `dpsql_request_id`."""

    name = "dpsql"
    driver = "dpsql"
    default_paramstyle = "qmark"

    statement_compiler = DPCompiler
    type_compiler = DPTypeCompiler
    type_compiler_cls = DPTypeCompiler
    preparer = DPPreparer
    execution_ctx_cls = DPExecutionContext

    supports_statement_cache = True
    supports_native_boolean = True
    supports_native_decimal = True
    supports_alter = False
    supports_default_values = False
    postfetch_lastrowid = False
    div_is_floordiv = False

    # ---- connecting ----------------------------------------------------------------------

    @classmethod
    def import_dbapi(cls) -> Any:
        import dpsql

        return dpsql

    dbapi = import_dbapi  # type: ignore[assignment]  # SQLAlchemy 1.4's name for it

    def create_connect_args(self, url: URL) -> Any:
        return [], connect_arguments(url)

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        """`dpsql.connect`; connect_args of create_engine come on top of the URL's."""
        for name, where in (("policy", "after dpsql:///"), ("analyst", "as ?analyst=NAME")):
            if cparams.get(name) is None:
                raise bad_url(f"the URL names no {name}: it goes {where}")
        policy = cparams["policy"]
        if isinstance(policy, Mapping) and policy.get("ledger") is None:
            raise bad_url(
                "the policy names no ledger: each connection of the pool would have a budget"
                " of its own"
            )
        module: Any = self.dbapi
        return module.connect(*cargs, **cparams)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        refuse_to_pandas(engine)

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        return connection is not None and bool(connection.closed)

    def do_ping(self, dbapi_connection: Any) -> bool:
        return not dbapi_connection.closed

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        from dpsql import __version__

        return tuple(int(part) for part in __version__.split(".") if part.isdigit())

    def _get_default_schema_name(self, connection: Any) -> str:
        return default_schema(connection)

    # ---- transactions: there are none ----------------------------------------------------

    def get_isolation_level_values(self, dbapi_conn: Any) -> list[Any]:
        return [AUTOCOMMIT]

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        return AUTOCOMMIT

    get_default_isolation_level = get_isolation_level

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Nothing to set: a statement sees one state of the data, and nothing is written."""
        if level != AUTOCOMMIT:
            raise exc.ArgumentError(f"isolation level {level!r}: {AUTOCOMMIT} is the only one")

    def reset_isolation_level(self, dbapi_conn: Any) -> None:
        return None

    # ---- executing -----------------------------------------------------------------------

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        cursor.execute(statement, parameters, **_options(context))

    def do_execute_no_params(self, cursor: Any, statement: str, context: Any = None) -> None:
        cursor.execute(statement, **_options(context))

    def do_executemany(
        self, cursor: Any, statement: str, parameters: Any, context: Any = None
    ) -> None:
        cursor.executemany(statement, parameters, **_options(context))


def _options(context: Any) -> dict[str, Any]:
    options: Mapping[str, Any] = {} if context is None else context.execution_options
    names = ("epsilon", "delta", "request_id", *AIMS)
    return {name: options.get(f"dpsql_{name}") for name in names}
