"""dpsql over a Spark Connect server: another process, which has other settings than ours."""

from __future__ import annotations

import time
import warnings
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spark_server
import spark_world as worlds
from click.testing import CliRunner

import dpsql
from dpsql.cli import main
from dpsql.core.files import FileSource, Layout
from dpsql.dialects.engine import FAILED, TimedOut
from dpsql.dialects.spark import SparkEngine
from dpsql.dialects.spark_files import SparkFilesEngine
from dpsql.dialects.spark_open import open_remote
from dpsql.errors import EngineFailed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    worlds.require()
    pytest.importorskip("grpc", reason="pyspark[connect] is not installed")
    with spark_server.running(tmp_path_factory.mktemp("connect")) as running:
        yield running


@pytest.fixture(scope="module")
def root(url):
    """A session of the owner's, who made the tables."""
    session = open_remote(url).session
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        worlds.wide(session)
    yield session
    session.stop()


@pytest.fixture(scope="module")
def engine(url, root):
    with closing(SparkEngine.open(url)) as opened:
        yield opened


def test_the_servers_settings_are_not_ours(engine, root):
    sql = "SELECT current_timezone() AS z, try_divide(1, 0) AS d, '${spark.master}' AS t"
    (row,) = engine.fetch(sql).to_pylist()
    assert row == {"z": "UTC", "d": None, "t": "${spark.master}"}
    with pytest.raises(EngineFailed):  # ANSI: it raises, here
        engine.fetch("SELECT 1 / 0 AS n")
    assert root.conf.get("spark.sql.ansi.enabled") == "false"


def test_catalog_failures_and_time_limits(engine):
    table = engine.catalog().find("persons")
    assert list(table.columns) == ["pid", "city", "age", "income", "vip", "born"]
    with pytest.raises(EngineFailed) as failed:
        engine.fetch("SELECT CAST('Ada Lovelace' AS INT) AS n")
    assert failed.value.message == FAILED
    assert not engine.binds("SELECT nope FROM range(3)")
    assert engine.binds("SELECT id FROM range(3)")
    started = time.monotonic()
    with pytest.raises(TimedOut):
        engine.fetch("SELECT SUM(id % 7) FROM range(2000000000000) GROUP BY id % 5", timeout=1)
    assert time.monotonic() - started < 60
    # nothing of it runs on: there are cores for a job
    found = engine.fetch("SELECT COUNT(*) AS n FROM range(1000) WHERE id % 2 = 1", timeout=60)
    assert found.to_pylist() == [{"n": 500}]


def test_which_server_it_is(engine, url, root):
    assert engine.identity == f"spark:{url.replace('//', '')}/spark_catalog"
    with closing(SparkEngine.adopt(root)) as beside:
        assert beside.identity == engine.identity


def test_an_answer_from_files_that_both_see(url, tmp_path):
    rows = [{"pid": i % 50, "x": i % 10} for i in range(500)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    source = FileSource("parquet", (str(tmp_path / "*.parquet"),))
    layout = Layout(None, {("main", "t"): source}, {})
    with closing(SparkFilesEngine(open_remote(url), layout)) as files, files.snapshot():
        found = files.fetch("SELECT COUNT(*) AS n, SUM(x) AS s FROM `t`").to_pylist()
        assert found == [{"n": 500, "s": 2250}]
        assert "sc:127.0.0.1" in files.identity


def test_a_query_and_init(url, root, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connection = dpsql.connect({**worlds.POLICY, "database": url}, analyst="ana")
    with closing(connection):
        cursor = connection.cursor()
        cursor.execute("SELECT COUNT(*) AS n, SUM(age) AS a FROM persons")
        (row,) = cursor.fetchall()
    ages = [age for _, _, age, *_ in worlds.rows()["persons"] if age is not None]
    assert row == (200, sum(ages))
    file = tmp_path / "dpsql.yaml"
    words = ["init", f"{url}/;x-token=hunter2;x-site=a", "--unit", "persons.pid", "-o", str(file)]
    made = CliRunner().invoke(main, [*words, "--yes"])
    assert made.exit_code == 0, made.output
    assert "hunter2" not in made.output + file.read_text()
    assert f"database: {url}/;x-site=a" in file.read_text().replace('"', "")
    assert "private by person: persons" in made.output
