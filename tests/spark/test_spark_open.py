"""What is said where a Spark cannot be opened: clear, and without a secret. No JVM is started."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import types

import pytest

from dpsql.dialects import spark_open
from dpsql.dialects.spark_text import constant, with_given
from dpsql.dialects.spark_url import own_parameters, read_local, read_remote, without_secrets
from dpsql.errors import EngineFailed, PolicyError
from dpsql.opening import is_spark, open_engine
from dpsql.policy import load
from dpsql.setup.source import read_source

TOKEN = "hunter2"


def policy(url, **table):
    return load(
        {
            "database": url,
            "budgets": {"default": {"epsilon": 1, "delta": "1e-6"}},
            "tables": {"t": {"unit": "id", **table}},
        }
    )


def test_pyspark_is_imported_when_a_spark_is_opened_alone():
    code = "import sys, dpsql.session, dpsql.dialects.spark, dpsql.dialects.spark_files;"
    code += "print([name for name in sys.modules if name.split('.')[0] in ('pyspark', 'py4j')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_without_pyspark_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    for url in ("sc://127.0.0.1:1", "spark://local[2]"):
        with pytest.raises(EngineFailed) as refused:
            open_engine(policy(url))
        assert refused.value.code == "engine-missing"
        assert "dpsql[spark]" in refused.value.hint


def test_an_old_spark_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", types.SimpleNamespace(__version__="3.5.9"))
    with pytest.raises(EngineFailed) as refused:
        open_engine(policy("spark://local[2]"))
    assert refused.value.code == "engine-version"


def test_without_java(monkeypatch):
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    monkeypatch.setattr(spark_open._Local, "session", None)
    monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(EngineFailed, match="no Java") as refused:
        open_engine(policy("spark://local[2]"))
    assert refused.value.code == "engine-missing"


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
def test_a_server_that_is_not_there_and_its_token(caplog):
    pytest.importorskip("grpc", reason="pyspark[connect] is not installed")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with caplog.at_level(logging.DEBUG), pytest.raises(EngineFailed) as refused:
        open_engine(policy(f"sc://127.0.0.1:{port}/;token={TOKEN};use_ssl=true"))
    assert refused.value.code == "engine-missing"
    assert TOKEN not in str(refused.value) + caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "sc://user@host:1",
        f"sc://h:port/;token={TOKEN}",
        f"sc://h:1/path;token={TOKEN}",
        f"sc://h:1/;{TOKEN}",
        "sc://h:99999",
        f"sc://h /;token={TOKEN}",
    ],
)
def test_urls_that_are_none_are_not_quoted(url):
    with pytest.raises(PolicyError) as refused:
        read_remote(url)
    assert refused.value.code == "database-url"
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("url", ["spark://host:7077", "spark://yarn", "spark://local[x]"])
def test_spark_is_this_machine(url):
    with pytest.raises(PolicyError, match="this machine"):
        read_local(url)


def test_what_a_url_says():
    url = f"sc://Spark.Example.org/;use_ssl=true;token={TOKEN};catalog=lake;schema=a%20b"
    found = read_remote(url)
    assert found.url == f"sc://Spark.Example.org:15002/;use_ssl=true;token={TOKEN}"
    assert (found.place, found.port) == ("sc:spark.example.org:15002", 15002)
    assert TOKEN in found.secrets
    assert TOKEN not in repr(found)
    assert own_parameters(url) == {"catalog": "lake", "schema": "a b"}
    assert read_local("spark://local[*];schema=clinic") == "local[*]"
    assert without_secrets(url).endswith(";use_ssl=true;catalog=lake;schema=a%20b")
    assert TOKEN not in read_source(url).shown


def test_which_policies_are_sparks():
    assert is_spark(policy("sc://host"))
    assert is_spark(policy("sc://host", files="a/*.parquet"))
    assert not is_spark(policy("duckdb:///x.duckdb"))
    with pytest.raises(PolicyError, match="attached databases are DuckDB's"):
        load({**_raw("sc://host"), "attach": {"crm": "duckdb:///crm.duckdb"}})
    with pytest.raises(PolicyError, match="not by PostgreSQL"):
        policy("postgresql://host/db", files="a/*.parquet")


def _raw(url):
    return {
        "database": url,
        "budgets": {"default": {"epsilon": 1, "delta": "1e-6"}},
        "tables": {"t": {"unit": "id"}},
    }


def test_constants_cannot_leave_their_place():
    given = {"given_0": "it's \\' %(given_0)s `", "given_1": [1, None, 2.5, float("-inf")]}
    text = with_given("'%(given_0)s' `%(x)s` %(given_0)s %(given_1)s", given)
    assert text == (
        "'%(given_0)s' `%(x)s` 'it\\'s \\\\\\' %(given_0)s `'"
        " ARRAY((1), NULL, CAST('2.5' AS DOUBLE), CAST('-Infinity' AS DOUBLE))"
    )
    with pytest.raises(TypeError):
        constant(object())
