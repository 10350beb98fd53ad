"""The shipped data is what the README says, and the engine enforces its keys."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.demo import dataset
from dpsql.errors import EngineFailed, InternalError

CONTENT = {
    "persons.parquet": "a19f516b94fdb8442ff4564cd30d9089cf187b7ae211281b12a8a664f48bf600",
    "person_years.parquet": "e21ccbe08971d67988f5f5713e3d6d59499ace1a5e511dccaeab86d747509ac9",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with duckdb.connect(
        dataset.build_database(tmp_path_factory.mktemp("demo") / "rand.duckdb")
    ) as c:
        yield c


def value(database, sql):
    return database.execute(sql).fetchone()[0]


def test_checksums_of_files_and_content_and_as_written_in_the_readme():
    readme = (dataset.DATA / "README.md").read_text(encoding="utf-8")
    for name, expected in dataset.CHECKSUMS.items():
        path = dataset.DATA / name
        assert dataset.file_checksum(path) == expected
        assert dataset.content_checksum(path) == CONTENT[name]
        assert expected in readme
        assert CONTENT[name] in readme
    assert sum((dataset.DATA / name).stat().st_size for name in CONTENT) < 400_000


def test_counts(database):
    assert value(database, "SELECT count(*) FROM persons") == 5_912
    assert value(database, "SELECT count(*) FROM person_years") == 20_190
    assert value(database, "SELECT count(DISTINCT zper) FROM person_years") == 5_912
    assert value(database, "SELECT count(*) FROM plans") == 6
    assert value(database, "SELECT count(DISTINCT plan) FROM persons") == 6
    assert (
        value(database, "SELECT max(n) FROM (SELECT count(*) n FROM person_years GROUP BY zper)")
        == 5
    )


def test_nulls_are_those_of_the_source(database):
    assert value(database, "SELECT count(*) - count(education) FROM persons") == 4
    assert value(database, "SELECT count(*) - count(general_health) FROM persons") == 1_486
    nullable = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE is_nullable = 'YES'"
    ).fetchall()
    assert sorted(nullable) == [("education",), ("general_health",)]


def test_age_varies_and_values_are_readable(database):
    varying = (
        "SELECT count(*) FROM (SELECT 1 FROM person_years GROUP BY zper HAVING min(age) < max(age))"
    )
    assert value(database, varying) > 5_000
    assert database.execute("SELECT DISTINCT health FROM persons ORDER BY 1").fetchall() == [
        ("excellent",),
        ("fair",),
        ("good",),
        ("poor",),
    ]
    assert value(database, "SELECT count(*) FROM persons WHERE sex NOT IN ('f', 'm')") == 0
    assert str(value(database, "SELECT sum(medical) FROM person_years")) == "3463955.93"


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO persons SELECT * FROM persons LIMIT 1",
        "INSERT INTO person_years SELECT * FROM person_years LIMIT 1",
        "INSERT INTO person_years SELECT * REPLACE (7 AS zper) FROM person_years LIMIT 1",
        "INSERT INTO person_years SELECT * REPLACE (NULL AS zper) FROM person_years LIMIT 1",
        "INSERT INTO persons SELECT * REPLACE (7 AS zper, 'other' AS plan) FROM persons LIMIT 1",
        "INSERT INTO plans SELECT * FROM plans LIMIT 1",
    ],
)
def test_keys_are_enforced(database, sql):
    with pytest.raises(duckdb.ConstraintException):
        database.execute(sql)


def test_an_existing_file_is_left_alone(tmp_path):
    target = tmp_path / "mine.duckdb"
    target.write_text("precious")
    with pytest.raises(EngineFailed) as caught:
        dataset.build_database(target)
    assert caught.value.code == "file-exists"
    assert target.read_text() == "precious"


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(EngineFailed):
        dataset.build_database(tmp_path / "no such folder" / "x.duckdb")


def test_damage_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "CHECKSUMS", {**dataset.CHECKSUMS, "persons.parquet": "0" * 64})
    with pytest.raises(InternalError):
        dataset.build_database(tmp_path / "x.duckdb")
    assert not (tmp_path / "x.duckdb").exists()
