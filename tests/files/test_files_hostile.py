"""Nothing but the files that the policy names can be reached, whoever asks and however."""

from __future__ import annotations

import glob
import os
from contextlib import closing

import duckdb
import files_world as world
import pytest

from dpsql.errors import EngineFailed, Error, InternalError
from dpsql.session import Session

SECRET = "nowhere-on-sea"


def parquet(path, rows=100, what="i % 50 AS pid, i % 3 AS kind, i AS cost"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        part = path.with_name(".part")
        shown = str(part).replace("'", "''")
        connection.execute(
            f"COPY (SELECT {what} FROM range({rows}) t(i)) TO '{shown}' (FORMAT parquet)"
        )
        part.rename(path)
    return path


def policy(files, **more):
    columns = {"cost": {"min": 0, "max": 1000}}
    return world.small({"visits": {"unit": "pid", "files": files, "columns": columns, **more}})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """data/visits.parquet, which is declared, and beside it secret.parquet, .csv, .duckdb."""
    tmp_path = tmp_path_factory.mktemp("hostile")
    parquet(tmp_path / "data" / "visits.parquet")
    (tmp_path / "data" / "secret.csv").write_text(f"pid,town\n1,{SECRET}\n")
    with duckdb.connect(str(tmp_path / "data" / "secret.duckdb")) as made:
        made.execute(f"CREATE TABLE t AS SELECT 1 AS pid, '{SECRET}' AS town")
        made.execute(f"COPY t TO '{tmp_path}/data/secret.parquet' (FORMAT parquet)")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def session(place):
    with closing(Session(policy(str(place / "visits.parquet")), "analyst")) as opened:
        yield opened


def escapes(place):
    """Statements that reach for another file: for the engine as for analysts."""
    csv, file, database = place / "secret.csv", place / "secret.parquet", place / "secret.duckdb"
    own = place / "visits.parquet"
    reads = [
        f"read_csv('{csv}')",
        f"read_csv_auto('{csv}')",
        f"sniff_csv('{csv}')",
        f"read_text('{csv}')",
        f"read_blob('{csv}')",
        f"read_parquet('{file}')",
        f"parquet_scan('{file}')",
        f"parquet_metadata('{file}')",
        f"parquet_schema('{file}')",
        f"read_parquet(['{own}', '{file}'])",
        f"read_parquet('{place}/*.parquet')",
        f"read_parquet('{place}/visits.parquet/../secret.parquet')",
        f"read_parquet('{place}/../data/secret.parquet')",
        f"read_parquet('{place}//secret.parquet')",
        f"read_parquet('file://{file}')",
        f"read_json('{csv}')",
        f"glob('{place}/*')",
        f"read_duckdb('{database}')",
        f"'{file}'",
        f'"{file}"',
        "read_text('/etc/passwd')",
        "read_text('/proc/self/environ')",
        "read_csv('/dev/stdin')",
        "read_parquet('https://localhost/x.parquet')",
        "read_parquet('s3://bucket/x.parquet')",
        f"query('SELECT * FROM read_text(''{csv}'')')",
        f"query_table('{file}')",
    ]
    return [
        *(f"SELECT * FROM {source}" for source in reads),
        f"SELECT (SELECT content FROM read_text('{csv}'))",
        f"WITH x AS MATERIALIZED (SELECT * FROM read_text('{csv}')) SELECT * FROM x",
        f"COPY (SELECT 1) TO '{place}/out.csv'",
        f"COPY (SELECT 1) TO '{own}' (FORMAT csv, USE_TMP_FILE false)",
        f"COPY visits FROM '{csv}'",
        f"CREATE TABLE x AS SELECT * FROM read_text('{csv}')",
        f"CREATE VIEW x AS SELECT * FROM read_text('{csv}')",
        f"CREATE MACRO x() AS TABLE SELECT * FROM read_text('{csv}')",
        f"EXPORT DATABASE '{place}/out'",
        f"IMPORT DATABASE '{place}'",
        f"ATTACH '{database}' AS other",
        f"ATTACH '{place}/new.duckdb' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        f"LOAD '{place}/x.duckdb_extension'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET allowed_directories = ['/']",
        "RESET allowed_paths",
        "SET file_search_path = '/'",
        "SET lock_configuration = false",
        "SET temp_directory = '/tmp'",
        "SET autoload_known_extensions = true",
        f"PRAGMA enable_profiling; SET profiling_output = '{place}/out.json'",
        f"DROP VIEW visits; CREATE VIEW visits AS SELECT * FROM read_text('{csv}')",
        f"SELECT 1; SELECT * FROM read_text('{csv}')",
    ]


def test_the_engine_reaches_no_other_file(place, session):
    """Below all checks of the text: the very connection that reads the owner's files."""
    before, listed = (place / "visits.parquet").read_bytes(), sorted(place.iterdir())
    for sql in escapes(place):
        with pytest.raises(EngineFailed) as caught, session.engine.snapshot():
            session.engine.fetch(sql)
        assert SECRET not in str(caught.value), sql
        assert str(place) not in str(caught.value), sql
    assert (place / "visits.parquet").read_bytes() == before
    assert sorted(place.iterdir()) == listed
    assert world.column(session, "SELECT COUNT(*) FROM visits") == [100]


def test_the_raw_connection_reads_no_other_file(place):
    """Even past `fetch`, which takes one SELECT alone: DuckDB itself says no.

    It has no path that may be read and not written; that is why `fetch` looks at the statement.
    """
    read = []
    with closing(Session(policy(str(place / "visits.parquet")), "analyst")) as session:
        for sql in escapes(place):
            if "USE_TMP_FILE" in sql:
                continue
            try:
                read.append(session.engine._connection.execute(sql).fetchall())
            except duckdb.Error:
                continue
    assert SECRET not in repr(read)
    assert "root:" not in repr(read)
    assert not (place / "out.csv").exists()


WHERE = {
    "whole": "{}",
    "from": "SELECT COUNT(*) FROM visits, ({}) AS x",
    "in": "SELECT COUNT(*) FROM visits WHERE pid IN ({})",
    "scalar": "SELECT COUNT(*), ({}) FROM visits",
    "cte": "WITH x AS ({}) SELECT COUNT(*) FROM visits JOIN x USING (pid)",
    "having": "SELECT COUNT(*) FROM visits GROUP BY kind HAVING COUNT(*) > (SELECT 1 FROM ({}))",
    "union": "SELECT COUNT(*) FROM visits UNION ALL SELECT COUNT(*) FROM ({})",
}


@pytest.mark.parametrize("where", WHERE)
def test_no_query_of_an_analyst_names_a_file(where, place, session):
    for sql in escapes(place):
        if where != "whole" and not sql.startswith("SELECT * FROM "):
            continue
        with pytest.raises(Error) as caught:
            session.query(WHERE[where].format(sql))
        assert not isinstance(caught.value, InternalError), sql
        assert SECRET not in str(caught.value), sql


def test_the_view_cannot_be_seen_or_replaced(session):
    for sql in (
        "SELECT sql FROM duckdb_views()",
        "SELECT view_definition FROM information_schema.views",
        "SELECT current_setting('allowed_paths')",
        "SELECT value FROM duckdb_settings()",
        "SELECT filename FROM visits",
        "SELECT COUNT(*) FROM visits GROUP BY file_row_number",
        "SELECT COUNT(DISTINCT filename) FROM visits",
        "SELECT COUNT(*) FROM visits WHERE file_index = 0",
    ):
        with pytest.raises(Error) as caught:
            session.query(sql)
        assert not isinstance(caught.value, InternalError)
        assert "visits.parquet" not in str(caught.value)


ODD_NAMES = [
    "it's here.parquet",
    "two  blanks.parquet",
    "größe 数据 🦆.parquet",
    "a*b.parquet",
    "a?b.parquet",
    "[ab].parquet",
    "[!a]b.parquet",
    "semi;colon -- .parquet",
    'quo"te.parquet',
    "$1 {x} %s.parquet",
    "k=v.parquet",
    "UPPER.PARQUET",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_path_may_hold_anything_and_is_that_path_alone(name, tmp_path):
    """Beside it lie files that its name would match if it were a pattern."""
    folder = tmp_path / "it's [1] *é"
    ours = parquet(folder / "s" / "made.parquet", 70)
    for other in ("axxb.parquet", "acb.parquet", "a.parquet", "b.parquet", "xb.parquet"):
        parquet(folder / other, 1000)
    ours.rename(folder / name)
    for files in (
        glob.escape(str(folder / name)),
        f"{glob.escape(str(folder))}/{glob.escape(name)}",
    ):
        with closing(Session(policy(files), "analyst")) as session:
            assert world.column(session, "SELECT COUNT(*) FROM visits") == [70]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_pattern_that_finds_an_odd_name_reads_it_once(name, tmp_path):
    folder = tmp_path / "data"
    ours = parquet(folder / "made.parquet", 70)
    ours.rename(folder / name)
    parquet(folder / "axxb.parquet", 30)
    with closing(Session(policy(str(folder)), "analyst")) as session:
        assert world.column(session, "SELECT COUNT(*) FROM visits") == [100]


def test_a_name_that_is_no_utf8_is_an_error_in_words(tmp_path):
    ours = parquet(tmp_path / "data" / "a.parquet")
    os.rename(ours, os.fsencode(tmp_path / "data") + b"/\xff.parquet")
    with pytest.raises(EngineFailed) as caught:
        Session(policy(str(tmp_path / "data")), "analyst")
    assert caught.value.code == "files-unreadable"


def test_links_are_followed_where_the_owner_put_them_and_nowhere_else(place, tmp_path):
    inside = tmp_path / "linked"
    inside.mkdir()
    os.symlink(place / "visits.parquet", inside / "v.parquet")
    os.symlink(place, inside / "loop.d")
    with closing(Session(policy(f"{inside}/*.parquet"), "analyst")) as session:
        assert world.column(session, "SELECT COUNT(*) FROM visits") == [100]
        os.unlink(inside / "v.parquet")
        os.symlink(place / "secret.parquet", inside / "v.parquet")
        with pytest.raises(EngineFailed) as caught:  # another table now: other columns
            session.query("SELECT COUNT(*) FROM visits")
        assert caught.value.code == "files-columns"
        assert SECRET not in str(caught.value)
        os.unlink(inside / "v.parquet")
        os.symlink("/etc/passwd", inside / "v.parquet")
        with pytest.raises(EngineFailed) as caught:
            session.query("SELECT COUNT(*) FROM visits")
        assert caught.value.code == "files-unreadable"


def test_a_backslash_beside_a_star_is_an_error_in_words(tmp_path):
    ours = parquet(tmp_path / "data" / "a.parquet")
    ours.rename(tmp_path / "data" / "back\\slash.parquet")
    with closing(Session(policy(str(tmp_path / "data")), "analyst")) as session:
        assert world.column(session, "SELECT COUNT(*) FROM visits") == [100]
    (tmp_path / "data").rename(tmp_path / "da[t]a")
    with pytest.raises(EngineFailed) as caught:
        Session(policy(f"{tmp_path}/da*"), "analyst")
    assert caught.value.code == "files-unreadable"


def test_a_file_under_two_names_is_read_once_and_circles_end(tmp_path):
    folder = tmp_path / "data"
    parquet(folder / "2024.parquet")
    os.symlink(folder / "2024.parquet", folder / "latest.parquet")
    os.link(folder / "2024.parquet", folder / "hard.parquet")
    os.symlink(folder, folder / "again")
    os.symlink(folder, folder / "again too")
    for files in (str(folder), f"{folder}/**/*.parquet", f"{folder}/*/*.parquet", f"{folder}/**"):
        with closing(Session(policy(files), "analyst")) as session:
            assert world.column(session, "SELECT COUNT(*) FROM visits") == [100]


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        ("**/*.parquet", 111),
        ("*.parquet", 100),
        ("*/*.parquet", 10),
        ("s/**/b.parquet", 11),
        ("s/**", 11),
        ("**/t/*.parquet", 1),
        ("s", 11),
        ("[!s]*", 100),
        ("?.parquet", 100),
    ],
)
def test_patterns_find_what_they_say(pattern, rows, tmp_path):
    parquet(tmp_path / "data" / "a.parquet", 100)
    parquet(tmp_path / "data" / "s" / "b.parquet", 10)
    parquet(tmp_path / "data" / "s" / "t" / "b.parquet", 1)
    with closing(Session(policy(f"{tmp_path}/data/{pattern}"), "analyst")) as session:
        assert world.column(session, "SELECT COUNT(*) FROM visits") == [rows]


def test_notes_of_other_programs_are_no_data(tmp_path):
    folder = tmp_path / "data"
    parquet(folder / "a.parquet")
    for name in ("_SUCCESS", ".hidden.parquet", "_part.parquet", "README.txt", "a.parquet.crc"):
        (folder / name).write_text("no data")
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "b.parquet").write_text("half")
    for files in (str(folder), f"{folder}/*", f"{folder}/**/*.parquet"):
        with closing(Session(policy(files), "analyst")) as session:
            assert world.column(session, "SELECT COUNT(*) FROM visits") == [100]
