"""The engine on a local Spark: one JVM for all of these."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import pytest

from dpsql.dialects import spark_settings
from dpsql.dialects.engine import FAILED, TimedOut
from dpsql.errors import EngineFailed


def test_a_statement_comes_back_as_arrow(spark_engine):
    found = spark_engine.fetch(
        "SELECT 1 AS n, CAST(7 AS DECIMAL(38, 0)) AS d, TIMESTAMP '2020-01-01 00:00:00Z' AS z,"
        " DATE '12000-01-01' AS far, %(given_0)s AS g, '%(no)s' AS t",
        given={"given_0": ["it's \\ ü", None]},
    )
    (row,) = found.to_pylist()
    assert row["n"] == 1
    assert row["d"] == Decimal(7)
    assert row["z"] == dt.datetime(2020, 1, 1)
    assert row["far"] is None
    assert row["g"] == ["it's \\ ü", None]
    assert row["t"] == "%(no)s"


def test_bytes_that_are_no_text_are_spelled(spark_engine):
    """A group's name may hold them: it was a UnicodeDecodeError after the charge."""
    found = spark_engine.fetch(
        "SELECT t FROM VALUES (CAST(X'61ff' AS STRING)), (CAST(X'61fe' AS STRING)),"
        " (CAST(NULL AS STRING)), ('é') AS v(t)"
    )
    assert found.column(0).to_pylist() == ["a\\xff", "a\\xfe", None, "é"]


@pytest.mark.parametrize("over", ["based", "viewed", "views_view"])
def test_a_table_is_read_as_it_is_for_each_query(spark_session, spark_engine, over):
    """Spark remembers a table's files: of a view, too."""

    def count():
        with spark_engine.snapshot():
            assert over in spark_engine.catalog().tables
            return spark_engine.fetch(f"SELECT count(*) AS n FROM {over}").column(0)[0].as_py()

    spark_session.sql("DROP TABLE IF EXISTS based")
    spark_session.sql("CREATE TABLE based USING parquet AS SELECT id FROM range(10)")
    spark_session.sql("CREATE OR REPLACE VIEW viewed AS SELECT id FROM based")
    spark_session.sql("CREATE OR REPLACE VIEW views_view AS SELECT id FROM viewed WHERE id >= 0")
    try:
        assert count() == 10
        spark_session.sql("INSERT INTO based SELECT id FROM range(5)")
        assert count() == 15
        spark_session.sql("INSERT OVERWRITE based SELECT id FROM range(3)")
        assert count() == 3
    finally:
        for what in ("VIEW views_view", "VIEW viewed", "TABLE based"):
            spark_session.sql(f"DROP {what}")


def test_the_catalog_has_types_and_no_keys(spark_session, spark_engine):
    spark_session.sql(
        "CREATE TABLE IF NOT EXISTS kinds (i INT, r FLOAT, c CHAR(5), v VARCHAR(3), s STRING,"
        " k STRING COLLATE UTF8_LCASE, d DECIMAL(10, 2), z TIMESTAMP, t TIMESTAMP_NTZ, y DATE,"
        " b BINARY, l ARRAY<INT>) USING parquet"
    )
    table = spark_engine.catalog().find("kinds")
    found = {name: (one.type_text, one.stored) for name, one in table.columns.items()}
    assert found == {
        "i": ("INTEGER", ""),
        "r": ("DOUBLE", "real"),
        "c": ("VARCHAR", "padded"),
        "v": ("VARCHAR", ""),
        "s": ("VARCHAR", ""),
        "k": ("VARCHAR COLLATE", ""),
        "d": ("DECIMAL(10,2)", ""),
        "z": ("TIMESTAMP", "zoned"),
        "t": ("TIMESTAMP", ""),
        "y": ("DATE", ""),
        "b": ("BLOB", ""),
        "l": ("ARRAY<INT>", ""),
    }
    assert (table.keys, table.foreign_keys, table.database) == ((), (), "spark_catalog")
    assert table.unqualified


def test_settings_are_pinned_and_others_taken_back(spark_session):
    session = spark_session.newSession()
    session.conf.set("spark.sql.ansi.enabled", "false")
    session.conf.set("spark.sql.legacy.bangEqualsNot", "true")
    with pytest.raises(EngineFailed, match=r"spark\.sql\."):
        spark_settings.require_pinned(session)
    spark_settings.pin(session)
    assert session.conf.get("spark.sql.ansi.enabled") == "true"
    assert session.conf.get("spark.sql.legacy.bangEqualsNot") == "false"


def test_a_failure_has_one_text(spark_engine, capfd):
    with pytest.raises(EngineFailed) as failed:
        spark_engine.fetch("SELECT CAST('Ada Lovelace' AS INT) AS n")
    assert failed.value.message == FAILED
    assert not spark_engine.binds("SELECT nope FROM range(3)")
    assert spark_engine.binds("SELECT id FROM range(3)")
    out, err = capfd.readouterr()
    assert "Lovelace" not in out + err
    assert "nope" not in out + err


def test_a_statement_that_takes_too_long_is_cancelled(spark_engine):
    started = time.monotonic()
    with pytest.raises(TimedOut):
        spark_engine.fetch(
            "SELECT SUM(id % 7) AS s FROM range(2000000000000) GROUP BY id % 5", timeout=0.5
        )
    assert time.monotonic() - started < 30
    assert spark_engine.fetch("SELECT 1 AS n").num_rows == 1
