"""The demo's database: the RAND Health Insurance Experiment, loaded into a DuckDB file.

Two Parquet files of real (long published, de-identified) people lie in data/, described in
data/README.md. Here they become tables whose keys the engine enforces, as a policy needs them:
persons(zper), person_years(zper, year) → persons, and the public table plans(plan).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from dpsql.errors import EngineFailed, InternalError

DATA = Path(__file__).parent / "data"

CHECKSUMS = {
    "persons.parquet": "7ea89263e482d7ce60523884c60549cedcc7d1a1516881f3fa3868914b90f467",
    "person_years.parquet": "cd31874db737cfcfcfa90531cb2ff23993b13bff6d438faf03932448cfeb68e6",
}
"""SHA-256 of the shipped files."""

PLANS = [
    ("free", 0, False),
    ("deductible", 0, True),
    ("coinsurance 25%", 25, False),
    ("coinsurance 50%", 50, False),
    ("coinsurance 95%", 95, False),
    ("coinsurance 100%", 100, True),
]
"""Name, coinsurance in percent, individual deductible: the source's `coins` and `idp`."""

_SCHEMA = """
CREATE TABLE plans (
    plan VARCHAR PRIMARY KEY,
    coinsurance INTEGER NOT NULL,
    individual_deductible BOOLEAN NOT NULL
);
CREATE TABLE persons (
    zper BIGINT PRIMARY KEY,
    sex VARCHAR NOT NULL,
    plan VARCHAR NOT NULL REFERENCES plans (plan),
    plan_code INTEGER NOT NULL,
    site INTEGER NOT NULL,
    education DOUBLE,
    income DECIMAL(9, 2) NOT NULL,
    health VARCHAR NOT NULL,
    general_health DOUBLE,
    mental_health DOUBLE NOT NULL,
    chronic_diseases DOUBLE NOT NULL
);
CREATE TABLE person_years (
    zper BIGINT NOT NULL REFERENCES persons (zper),
    year INTEGER NOT NULL,
    age INTEGER NOT NULL,
    family_size INTEGER NOT NULL,
    eligible DOUBLE NOT NULL,
    physician_visits INTEGER NOT NULL,
    other_visits INTEGER NOT NULL,
    therapy_visits INTEGER NOT NULL,
    hospital_stays INTEGER NOT NULL,
    medical DECIMAL(9, 2) NOT NULL,
    outpatient DECIMAL(9, 2) NOT NULL,
    drugs DECIMAL(9, 2) NOT NULL,
    inpatient DECIMAL(9, 2) NOT NULL,
    PRIMARY KEY (zper, year)
);
"""


def build_database(path: str | Path) -> Path:
    """Create the DuckDB file `path` with plans, persons and person_years; returns the path.

    EngineFailed `file-exists` if there is a file already, `engine` if it cannot be written;
    InternalError `demo-data` if a shipped file is not the one that was shipped.
    """
    import duckdb

    target = Path(path)
    if target.exists():
        raise EngineFailed(
            f"{target} exists already",
            code="file-exists",
            hint="name a new file, or delete that one",
        )
    verify_files()
    try:
        with duckdb.connect(str(target)) as connection:
            connection.execute(_SCHEMA)
            connection.executemany("INSERT INTO plans VALUES (?, ?, ?)", PLANS)
            for table in ("persons", "person_years"):
                connection.execute(
                    f"INSERT INTO {table} BY NAME SELECT * FROM read_parquet(?)",
                    [str(DATA / f"{table}.parquet")],
                )
    except duckdb.Error:
        target.unlink(missing_ok=True)
        raise EngineFailed(f"the demo database cannot be written to {target}") from None
    return target


def verify_files() -> None:
    """InternalError `demo-data` if a Parquet file is missing or differs from what was shipped."""
    for name, expected in CHECKSUMS.items():
        path = DATA / name
        if not path.is_file() or file_checksum(path) != expected:
            raise InternalError(f"the demo's {name} is missing or damaged", code="demo-data")


def file_checksum(path: Path) -> str:
    """SHA-256 of the bytes. Another pyarrow may compress the same rows into other bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def content_checksum(path: Path) -> str:
    """SHA-256 of names and values as text, row by row: the same for every writer of Parquet."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    digest = hashlib.sha256("\t".join(table.column_names).encode())
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        text = "\t".join("NULL" if value is None else str(value) for value in row)
        digest.update(f"\n{text}".encode())
    return digest.hexdigest()
