"""URLs, connections, the price of a statement, threads, errors."""

from __future__ import annotations

import pickle
import threading
import tomllib
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import URL, Connection, Engine, make_url

import dpsql
from dpsql.alchemy import DPDialect
from dpsql.alchemy.url import connect_arguments

COUNT = sa.text("SELECT COUNT(*) FROM patients")


def test_the_entry_point_names_the_dialect() -> None:
    with open(Path(__file__).parents[2] / "pyproject.toml", "rb") as file:
        points = tomllib.load(file)["project"]["entry-points"]["sqlalchemy.dialects"]
    module, name = points["dpsql"].split(":")
    assert getattr(import_module(module), name) is DPDialect
    assert make_url("dpsql://").get_dialect() is DPDialect


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("dpsql:///rel/p.yaml?analyst=a", {"policy": "rel/p.yaml", "analyst": "a"}),
        ("dpsql:////abs/p.yaml?analyst=a", {"policy": "/abs/p.yaml", "analyst": "a"}),
        ("dpsql://a@/p.yaml", {"policy": "p.yaml", "analyst": "a"}),
        ("dpsql://a@/p.yaml?analyst=a", {"policy": "p.yaml", "analyst": "a"}),
        (
            "dpsql:///p.yaml?analyst=a%20b&epsilon=0.1&delta=1e-8",
            {"policy": "p.yaml", "analyst": "a b", "epsilon": "0.1", "delta": "1e-8"},
        ),
        ("dpsql://", {}),
    ],
)
def test_urls(url: str, arguments: dict[str, Any]) -> None:
    assert connect_arguments(make_url(url)) == arguments


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("dpsql:///p.yaml?analist=a", "'analist' is not an option"),
        ("dpsql:///p.yaml?analyst=a&analyst=b", "more than once"),
        ("dpsql://a@/p.yaml?analyst=b", "two analysts"),
        ("dpsql://a:word@/p.yaml", "gateway"),
        ("dpsql://host/p.yaml?analyst=a", "gateway"),
        ("dpsql://host:15432/p.yaml?analyst=a", "gateway"),
        ("dpsql:///p.yaml", "names no analyst"),
        ("dpsql://?analyst=a", "names no policy"),
    ],
)
def test_bad_urls(url: str, words: str) -> None:
    with pytest.raises((dpsql.InterfaceError, exc.InterfaceError), match=words) as caught:
        sa.create_engine(url).connect()
    assert "dpsql:///path/to/dpsql.yaml?analyst=alice" in str(caught.value)


def test_an_empty_option_is_no_option() -> None:
    url = URL.create("dpsql", database="p.yaml", query={"analyst": "a", "epsilon": ""})
    with pytest.raises(dpsql.InterfaceError, match="no value"):
        connect_arguments(url)


def test_faults_of_the_policy_are_the_users_to_read(clinic: Path) -> None:
    with pytest.raises(exc.ProgrammingError, match="does not exist"):
        sa.create_engine("dpsql:////nowhere/p.yaml?analyst=a").connect()
    with pytest.raises(exc.ProgrammingError, match="epsilon"):
        sa.create_engine(f"dpsql:///{clinic}?analyst=a&epsilon=0x1").connect()


def test_an_open_database_and_a_dict(tmp_path: Path) -> None:
    policy: dict[str, Any] = {
        "budgets": {"per_query": {"epsilon": 1e6}, "default": {"epsilon": 1e9, "delta": 1e-6}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"t": {"unit": "id"}},
    }
    with duckdb.connect() as owner:
        owner.execute("CREATE TABLE t AS SELECT i AS id FROM range(9) t(i)")
        owner.execute("ALTER TABLE t ALTER id SET NOT NULL")
        arguments = {"policy": policy, "analyst": "a", "engine": owner}
        unsafe = sa.create_engine("dpsql://", connect_args=arguments)
        with pytest.raises(exc.InterfaceError, match="names no ledger"):
            unsafe.connect()  # each pooled connection would forget the others' spending
        policy["ledger"] = f"sqlite:///{tmp_path}/ledger.db"
        engine = sa.create_engine("dpsql://", connect_args=arguments)
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT COUNT(*) FROM t")).scalar() == 9
        engine.dispose()


# ---- the price -------------------------------------------------------------------------------


def test_the_price_of_a_statement(clinic: Path) -> None:
    engine = sa.create_engine(f"dpsql:///{clinic}?analyst=carol&epsilon=3&delta=1e-8")
    with engine.connect() as connection:
        # Dearer each time: what is asked for at a smaller price afterwards is free.
        both = COUNT.execution_options(dpsql_epsilon=0.25, dpsql_delta="1e-9")
        report = connection.execute(both).context.privacy
        assert (report.epsilon, report.delta) == (Fraction(1, 4), Fraction(1, 10**9))
        assert connection.execute(both).context.privacy.free
        cheap = connection.execute(COUNT.execution_options(dpsql_epsilon="0.5"))
        assert cheap.context.privacy.epsilon == Fraction(1, 2)
        assert cheap.context.privacy.columns[0].half_widths is not None
    with engine.connect().execution_options(dpsql_epsilon=2) as connection:
        assert connection.execute(COUNT).context.privacy.epsilon == 2
    with engine.connect() as connection:
        usual = connection.execute(COUNT)
        assert usual.context.privacy.epsilon == 3
        assert usual.context.privacy.delta == Fraction(1, 10**8)
    engine.dispose()


def test_pooled_connections_share_one_budget(clinic: Path) -> None:
    engine = sa.create_engine(f"dpsql:///{clinic}?analyst=poor&epsilon=0.75")
    with engine.connect() as first, engine.connect() as second:
        first.execute(COUNT)
        with pytest.raises(exc.OperationalError) as caught:
            second.execute(sa.text("SELECT AVG(age) FROM patients"))
        assert isinstance(caught.value.orig, dpsql.BudgetExceeded)
        assert second.execute(COUNT).context.privacy.free  # paid for already
    engine.dispose()


# ---- manners ---------------------------------------------------------------------------------


def test_transactions_are_empty(engine: Engine) -> None:
    with engine.begin() as connection:
        assert connection.execute(COUNT).scalar() == 300
    with engine.connect() as connection:
        transaction = connection.begin()
        connection.execute(COUNT)
        transaction.rollback()
        assert connection.get_isolation_level() == "AUTOCOMMIT"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert connection.execute(COUNT).scalar() == 300
    with engine.connect() as connection, pytest.raises(exc.ArgumentError):
        connection.execution_options(isolation_level="SERIALIZABLE")


def test_a_closed_connection_is_replaced(url: str) -> None:
    engine = sa.create_engine(url, pool_pre_ping=True, pool_size=1)
    with engine.connect() as connection:
        own: Any = connection.connection.dbapi_connection
    own.close()
    with engine.connect() as connection:
        assert connection.execute(COUNT).scalar() == 300
        own = connection.connection.dbapi_connection
        own.close()
        with pytest.raises(exc.InterfaceError) as caught:
            connection.execute(COUNT)
        assert caught.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.execute(COUNT).scalar() == 300
    engine.dispose()


def test_threads_share_an_engine(engine: Engine, patients: sa.Table) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        try:
            for step in range(3):
                age = 20 + (number + step) % 5
                query = sa.select(sa.func.count()).select_from(patients)
                with engine.connect() as connection:
                    found = connection.execute(query.where(patients.c.age == age)).scalar()
                if found != 6:
                    wrong.append(found)
        except BaseException as problem:
            wrong.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_errors_keep_their_class_code_and_caret(connection: Connection) -> None:
    for sql, kind, ours in (
        ("SELECT city FROM patients", exc.NotSupportedError, dpsql.RefusedQuery),
        ("SELECT COUNT( FROM patients", exc.ProgrammingError, dpsql.InvalidQuery),
        ("SELECT COUNT(nme) FROM patients", exc.DBAPIError, dpsql.Error),
    ):
        with pytest.raises(kind) as caught:
            connection.execute(sa.text(sql))
        original: Any = pickle.loads(pickle.dumps(caught.value)).orig
        assert isinstance(original, ours)
        assert original.code == caught.value.orig.code  # type: ignore[attr-defined]
        assert "^" in str(original)


def test_server_version_is_ours(engine: Engine, connection: Connection) -> None:
    assert ".".join(map(str, engine.dialect.server_version_info)) == dpsql.__version__  # type: ignore[attr-defined]
