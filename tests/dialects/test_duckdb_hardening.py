"""Both DuckDB instances can reach nothing outside themselves, and compute as was verified."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from contextlib import closing

import duckdb
import pytest

import dpsql
from dpsql.dialects import duckdb_drift, duckdb_open
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.duckdb_open import sealed_instance
from dpsql.errors import EngineFailed

LOCKED = {
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "enable_external_access": False,
    "enable_progress_bar": False,
    "lock_configuration": True,
}
ESCAPES = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('https://localhost/x.parquet')",
    "COPY (SELECT 1) TO '/tmp/dpsql-escape.csv'",
    "EXPORT DATABASE '/tmp/dpsql-escape'",
    "ATTACH '/tmp/dpsql-escape.duckdb' AS other",
    "INSTALL httpfs",
    "LOAD '/tmp/x.duckdb_extension'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET memory_limit = '100GB'",
    "SET threads = 64",
    "SET temp_directory = '/tmp'",
    "SET python_enable_replacements = true",
    "PRAGMA enable_profiling",
    "SELECT getenv('HOME')",
    "SELECT * FROM secret_frame",
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute("CREATE TABLE t AS SELECT range AS id FROM range(10)")
    return path


@pytest.fixture(params=["owner", "sealed"])
def instance(request, file):
    if request.param == "sealed":
        with sealed_instance() as opened:
            yield opened
        return
    with closing(DuckDBEngine.open(file)) as engine:
        yield engine._connection


def test_every_setting_of_the_list_is_on(instance) -> None:
    asked = ", ".join(f"current_setting('{name}')" for name in LOCKED)
    found = instance.execute(f"SELECT {asked}").fetchone()
    assert dict(zip(LOCKED, found, strict=True)) == LOCKED


@pytest.mark.parametrize("sql", ESCAPES)
def test_nothing_outside_can_be_reached(instance, sql: str) -> None:
    secret_frame = __import__("pyarrow").table({"a": [1]})
    with pytest.raises(duckdb.Error):
        instance.execute(sql).fetchall()
    assert secret_frame.num_rows == 1
    assert not os.path.exists("/tmp/dpsql-escape.csv")
    assert not os.path.exists("/tmp/dpsql-escape")


def test_a_bare_duckdb_reaches_all_of_that(tmp_path) -> None:
    """Else the test above would prove nothing."""
    secret_frame = __import__("pyarrow").table({"a": [1]})
    place = tmp_path / "out.csv"
    with duckdb.connect() as bare:
        assert bare.execute("SELECT * FROM secret_frame").fetchall() == [(1,)]
        assert bare.execute("SELECT content FROM read_text('/etc/hostname')").fetchall()
        bare.execute(f"COPY (SELECT 1) TO '{place}'")
        bare.execute("SET threads = 2")
    assert place.exists()
    assert secret_frame.num_rows == 1


# ---- the folder it spills into -----------------------------------------------------------------


def spill(engine: DuckDBEngine) -> str:
    [(place,)] = engine._connection.sql("SELECT current_setting('temp_directory')").fetchall()
    return str(place)


def test_the_owner_instance_spills_into_a_folder_of_its_own(file) -> None:
    with closing(DuckDBEngine.open(file)) as engine, closing(DuckDBEngine.open(file)) as other:
        place = spill(engine)
        assert stat.S_IMODE(os.stat(place).st_mode) == 0o700
        assert spill(other) == place
        if not (child := os.fork()):
            try:
                duckdb_open.remove_spill(place, os.getppid())
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert os.path.isdir(place)
    assert not os.path.exists(place)


def test_it_does_spill_there(tmp_path) -> None:
    """What memory cannot hold is answered all the same, and nothing is left behind."""
    path = tmp_path / "big.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute(
            "CREATE TABLE t AS SELECT 'abcdefghijklmnop' || range AS s FROM range(1000000)"
        )
    engine = DuckDBEngine.open(path, memory="40MB")
    place = spill(engine)
    written: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            written.append(len(os.listdir(place)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with contextlib.suppress(EngineFailed):  # on few cores even spilling may not do
        engine.fetch("SELECT COUNT(*) FROM (SELECT s, COUNT(*) AS n FROM t GROUP BY 1) q")
    done.set()
    watcher.join()
    engine.close()
    assert max(written) > 0
    assert not os.path.exists(place)
    assert sorted(os.listdir(tmp_path)) == ["big.duckdb"]


def test_what_cannot_be_opened_leaves_no_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "no.duckdb").write_text("no database")
    with pytest.raises(EngineFailed) as caught:
        DuckDBEngine.open(tmp_path / "no.duckdb")
    assert caught.value.code == "engine-open"
    assert os.listdir(tmp_path / "tmp") == []


# ---- versions and drift ------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.4.5", "3.0.0", "0.10.2", "3.0.0-dev12"])
def test_an_unknown_major_version_is_refused(monkeypatch, file, version: str) -> None:
    monkeypatch.setattr(duckdb, "__version__", version)
    for opening in (lambda: DuckDBEngine.open(file), lambda: DuckDBEngine.adopt(duckdb.connect())):
        with pytest.raises(EngineFailed) as caught:
            opening()
        assert caught.value.code == "engine-version"
        assert version in str(caught.value)
        assert "2.x" in caught.value.hint


@pytest.mark.parametrize(
    ("setting", "named"),
    [("ieee_floating_point_ops = false", "one / zero"), ("integer_division = true", "one / zero")],
)
def test_a_setting_that_makes_rows_raise_is_refused(setting: str, named: str) -> None:
    with duckdb.connect() as owner:
        owner.execute(f"SET GLOBAL {setting}")
        with pytest.raises(EngineFailed) as caught:
            DuckDBEngine.adopt(owner)
    assert caught.value.code == "engine-drift"
    assert named in caught.value.message
    assert setting.split(" ")[0] in caught.value.hint


def test_with_that_setting_one_row_would_be_heard(monkeypatch) -> None:
    """Were it not refused: the query fails on the database with the person, and not without."""
    monkeypatch.setattr("dpsql.dialects.duckdb.refuse_drift", lambda *_, **__: None)
    outcomes = []
    for income in (-1, 1):
        with duckdb.connect() as owner:
            owner.execute("SET GLOBAL ieee_floating_point_ops = false")
            owner.execute(f"CREATE TABLE t AS SELECT 1 AS id, {income}::DOUBLE AS x")
            policy = {
                "budgets": {"default": {"epsilon": 1, "delta": 0.5}},
                "bounds": {"max_groups": 1, "max_rows_per_group": 1},
                "ledger": "sqlite://",
                "tables": {"t": {"unit": "id"}},
            }
            with dpsql.connect(policy, analyst="a", engine=owner, epsilon=0.1) as connection:
                try:
                    connection.execute("SELECT COUNT(*) FROM t WHERE sqrt(x) > 0")
                    outcomes.append("answered")
                except dpsql.Error as error:
                    outcomes.append(error.code)
    assert outcomes == ["engine", "answered"]


@pytest.mark.parametrize("probe", duckdb_drift.PROBES, ids=lambda probe: probe[0])
def test_every_probe_can_fail(monkeypatch, probe: tuple[str, object]) -> None:
    at = duckdb_drift.PROBES.index(probe)
    changed = list(duckdb_drift.PROBES)
    changed[at] = (probe[0], "otherwise")
    monkeypatch.setattr(duckdb_drift, "PROBES", tuple(changed))
    with duckdb.connect() as owner, pytest.raises(EngineFailed) as caught:
        duckdb_drift.refuse_drift(owner, "2.9", ours=False)
    assert probe[0] in caught.value.message


def test_an_error_is_drift_too_and_is_named(monkeypatch) -> None:
    raising = (*duckdb_drift.PROBES, ("error('a row')", "x"))
    monkeypatch.setattr(duckdb_drift, "PROBES", raising)
    with duckdb.connect() as owner, pytest.raises(EngineFailed) as caught:
        duckdb_drift.refuse_drift(owner, "2.9", ours=False)
    assert "error('a row')" in caught.value.message


def test_files_are_asked_once_a_version(monkeypatch) -> None:
    monkeypatch.setattr(duckdb_drift, "_VERIFIED", set())
    asked = []
    monkeypatch.setattr(duckdb_drift, "_drifted", lambda connection: asked.append(1) or [])
    for _ in range(3):
        duckdb_drift.refuse_drift(None, "2.0.0", ours=True)
    duckdb_drift.refuse_drift(None, "2.1.0", ours=True)
    assert len(asked) == 2


def test_it_is_quick() -> None:
    """Under 5 ms by itself; ten times that here, for machines under load."""
    with duckdb.connect() as owner:
        took = []
        for _ in range(5):
            started = time.perf_counter()
            duckdb_drift.refuse_drift(owner, "2.9", ours=False)
            took.append(time.perf_counter() - started)
    assert min(took) < 0.05
