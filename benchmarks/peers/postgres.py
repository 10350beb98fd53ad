"""A PostgreSQL of the benchmark's own: on a Unix socket in a temporary folder, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg2

TYPES = {"DOUBLE": "DOUBLE PRECISION", "VARCHAR": "TEXT"}
USER = "peers"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None if no PostgreSQL server is installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextlib.contextmanager
def server(folder: Path, sets: dict[str, Any]) -> Iterator[str | None]:
    """A libpq prefix ("host=... user=...") of a server holding `sets`; None if there is none."""
    binaries = programs()
    if binaries is None:
        yield None
        return
    home = Path(tempfile.mkdtemp(prefix="peers-pg-"))
    try:
        before = _as_server_user(home)
        data, options = home / "data", f"-c listen_addresses='' -k {home} -c fsync=off"
        run = [*before, str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", USER]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, cwd=home)
        control = [*before, str(binaries / "pg_ctl"), "-D", str(data), "-w"]
        start = [*control, "-o", options, "-l", str(home / "log"), "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd=home)
        try:
            prefix = f"host={home} user={USER}"
            for name, spec in sets.items():
                _load(prefix, name, spec, folder)
            yield prefix
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, cwd=home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _as_server_user(home: Path) -> list[str]:
    """PostgreSQL refuses to run as root; its package brings a user for it."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("postgres")
    os.chown(home, account.pw_uid, account.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _load(prefix: str, name: str, spec: dict[str, Any], folder: Path) -> None:
    connection = psycopg2.connect(f"{prefix} dbname=postgres")
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    connection = psycopg2.connect(f"{prefix} dbname={name}")
    with connection, connection.cursor() as cursor:
        for table, about in spec["tables"].items():
            columns = ", ".join(f"{c} {TYPES.get(t, t)}" for c, t in about["columns"].items())
            key = f", PRIMARY KEY ({spec['unit']})" if about["alone"] else ""
            cursor.execute(f"CREATE TABLE {table} ({columns}{key})")
            with duckdb.connect(str(folder / f"{name}.duckdb"), read_only=True) as source:
                csv = folder / f"{name}.{table}.csv"
                source.execute(f"COPY {table} TO '{csv}' (HEADER false, NULLSTR '\\N')")
            with open(csv, encoding="utf-8") as rows:
                cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv, NULL '\\N')", rows)
            csv.unlink()
    connection.autocommit = True
    connection.cursor().execute("ANALYZE")
    connection.close()
