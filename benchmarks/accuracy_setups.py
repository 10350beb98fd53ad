"""The set-ups of accuracy.py: their data (made here, with fixed seeds), policies and questions.

Laws, bounds and the peers' figures are those of the measurements that accuracy.py is held
against; the peers' data sets themselves are not shipped, so every set-up but RAND HIE is
generated. `reachable` is the error that the best known mechanism has at ε = 1 under the same
bounds: √2·(rows of a unit)·(largest value) for COUNT and SUM, twice that where the groups have to
be found privately first; for AVG at most that of its sum over the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from dpsql.demo.dataset import build_database

EPSILON = 1
DELTA = "1e-6"
PURE = "1e-30"
"""The least δ that can be asked: no Gaussian noise is worth it, Laplace needs none of it."""

EDUC = (33, 14, 38, 17, 24, 21, 31, 51, 201, 60, 165, 76, 178, 54, 24, 13)
"""People at each of 16 levels of schooling: the group sizes of the sample that SmartNoise ships,
so that the share of groups lost can be compared. Everything else of that set-up is drawn."""


@dataclass(frozen=True)
class Case:
    """One question: SELECT [key,] value FROM source [GROUP BY key], at ε = 1 and `delta`.

    `reachable` None: shown, and checked against its own noise, but held against nothing.
    `measure`: root mean squared error, or the mean relative error ("bias"). `lost`: reachable
    share of groups lost. `options`: what the query asks WITH DIFFERENTIAL_PRIVACY. `pure`: the
    answer must cost no δ.
    """

    label: str
    value: str
    source: str
    key: str | None = None
    reachable: float | None = None
    peer: str = "-"
    delta: str = DELTA
    measure: str = "rmse"
    pure: bool = False
    lost: float | None = None
    options: str = ""


@dataclass(frozen=True)
class SetUp:
    """`build(path, size)` writes the database; `scanned_once`: see accuracy.py."""

    name: str
    unit: str
    tables: dict[str, Any]
    bounds: dict[str, int]
    build: Callable[[Path, float], None]
    cases: tuple[Case, ...]
    scanned_once: bool = False

    def policy(self, database: Path) -> dict[str, Any]:
        price = {"epsilon": EPSILON, "delta": DELTA}
        plenty = {"epsilon": 1_000_000_000, "delta": "0.5"}
        return {
            "version": 1,
            "database": f"duckdb:///{database}",
            "releases": {"reuse": "off"},  # every execution is a fresh draw
            "budgets": {
                "per_query": price,
                "max_per_query": price,
                "default": plenty,
                "total": plenty,
            },
            "bounds": self.bounds,
            "tables": self.tables,
        }


def _store(path: Path, schema: str, tables: dict[str, dict[str, Any]]) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(schema)
        for name, columns in tables.items():
            arrow = pa.table(columns)
            connection.register("arrow", arrow)
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM arrow")
            connection.unregister("arrow")


# ---- a thousand people, one row each ---------------------------------------------------------


def _people(path: Path, size: float) -> None:
    rng = np.random.default_rng(1)
    educ = rng.permutation(np.repeat(np.arange(1, 17), EDUC))
    income = rng.lognormal(10.0, 1.1, len(educ)) * rng.binomial(1, 0.88, len(educ))
    for _ in range(50):  # to the sample's mean, and nobody above its largest income
        income = np.minimum(income * (34_380 / income.mean()), 420_500)
    _store(
        path,
        "CREATE TABLE people (pid BIGINT PRIMARY KEY, educ INTEGER NOT NULL,"
        " income DOUBLE NOT NULL)",
        {"people": {"pid": np.arange(len(educ)), "educ": educ, "income": income.round()}},
    )


PEOPLE = SetUp(
    "1,000 people (like PUMS)",
    "pid",
    {"people": {"unit": "pid", "columns": {"income": {"min": 0, "max": 500_000}}}},
    {},
    _people,
    (
        Case("COUNT(*)", "COUNT(*)", "people", None, 1.41, "SmartNoise 2.89"),
        Case("SUM(income)", "SUM(income)", "people", None, 7.1e5, "SmartNoise 1.48e6"),
        Case("AVG(income)", "AVG(income)", "people", None, 900, "SmartNoise 2130"),
        Case(
            "COUNT(*) by educ, private keys",
            "COUNT(*)",
            "people",
            "educ",
            1.41,
            "SmartNoise 2.90, 36 % lost",
            lost=0.09,
        ),
    ),
)

# ---- Qrlew's orders ----------------------------------------------------------------------------


def _orders(path: Path, size: float) -> None:
    rng = np.random.default_rng(2)
    each = np.minimum(rng.geometric(0.2, 5_000), 20)
    user = np.repeat(np.arange(5_000), each)
    rows = len(user)
    odds = [0.30, 0.28, 0.2, 0.12, 0.0996, 0.0004]
    _store(
        path,
        "CREATE TABLE orders (user_id BIGINT NOT NULL, amount DOUBLE NOT NULL,"
        " category VARCHAR NOT NULL)",
        {
            "orders": {
                "user_id": user,
                "amount": np.clip(rng.lognormal(3, 0.7, rows), 0, 100),
                "category": np.array(list("abcdef"))[rng.choice(6, rows, p=odds)],
            }
        },
    )


ORDERS = SetUp(
    "5,000 users' orders (Qrlew's)",
    "user_id",
    {
        "orders": {
            "unit": "user_id",
            "max_rows_per_unit": 20,
            "columns": {"amount": {"min": 0, "max": 100}},
        }
    },
    {"max_groups": 6, "max_rows_per_group": 20},
    _orders,
    (
        Case("COUNT(*)", "COUNT(*)", "orders", None, 28, "Qrlew 111"),
        Case("SUM(amount)", "SUM(amount)", "orders", None, 2_800, "Qrlew 10310"),
        Case("AVG(amount)", "AVG(amount)", "orders", None, 0.2, "Qrlew 0.72"),
        Case(
            "COUNT(*) by category, private keys", "COUNT(*)", "orders", "category", 57, "Qrlew 213"
        ),
        Case(
            "COUNT(*) by category, public keys",
            "COUNT(*)",
            "orders WHERE category IN ('a', 'b', 'c', 'd', 'e', 'f')",
            "category",
            28,
            "Qrlew 100",
        ),
    ),
)

# ---- Tumult's million rows -----------------------------------------------------------------------


def _million(path: Path, size: float) -> None:
    rng = np.random.default_rng(3)
    users = max(100, int(200_000 * size))
    # Three different groups of 50 for each user: the three least of 50 draws.
    chosen = np.concatenate(
        [
            np.argpartition(rng.random((part, 50)), 3, axis=1)[:, :3]
            for part in [min(20_000, users - at) for at in range(0, users, 20_000)]
        ]
    )
    rows = 5 * users
    _store(
        path,
        "CREATE TABLE events (user_id BIGINT NOT NULL, grp INTEGER NOT NULL, v INTEGER NOT NULL)",
        {
            "events": {
                "user_id": np.repeat(np.arange(users), 5),
                "grp": chosen[:, [0, 0, 1, 1, 2]].reshape(-1),
                "v": rng.integers(0, 101, rows),
            }
        },
    )


MILLION = SetUp(
    "1M rows, 200k users (Tumult's)",
    "user_id",
    {
        "events": {
            "unit": "user_id",
            "max_rows_per_unit": 5,
            "columns": {"grp": {"min": 0, "max": 49}, "v": {"min": 0, "max": 100}},
        }
    },
    {"max_groups": 3, "max_rows_per_group": 2},
    _million,
    (
        Case(
            "COUNT(*) by group, pure",
            "COUNT(*)",
            "events",
            "grp",
            7.1,
            "Tumult 8.5",
            delta=PURE,
            pure=True,
        ),
        Case("COUNT(*) by group, (1, 1e-6)", "COUNT(*)", "events", "grp", 12.7, "Tumult 18.5"),
        Case(
            "AVG(v) by group, pure",
            "AVG(v)",
            "events",
            "grp",
            0.05,
            "Tumult 0.068",
            delta=PURE,
            pure=True,
        ),
    ),
    scanned_once=True,
)

# ---- users with more rows, in more groups, than count ----------------------------------------

REGIONS = [f"region {i}" for i in range(10)]


def _sales(path: Path, size: float) -> None:
    rng = np.random.default_rng(4)
    users = max(100, int(200_000 * size))
    user = np.repeat(np.arange(users), rng.poisson(5, users))
    rows, names = len(user), np.array(REGIONS)
    _store(
        path,
        "CREATE TABLE users (user_id BIGINT PRIMARY KEY, home VARCHAR NOT NULL);"
        "CREATE TABLE sales (user_id BIGINT NOT NULL, region VARCHAR NOT NULL, v INTEGER NOT NULL)",
        {
            "users": {"user_id": np.arange(users), "home": names[rng.integers(0, 10, users)]},
            "sales": {
                "user_id": user,
                "region": names[rng.integers(0, 10, rows)],
                "v": rng.integers(0, 101, rows),
            },
        },
    )


_SAMPLING = "row sampling -17.6 %"

SALES = SetUp(
    "1M rows, Poisson(5) of a user",
    "user_id",
    {
        "users": {"unit": "user_id", "columns": {"home": {"values": REGIONS}}},
        "sales": {
            "unit": "user_id",
            "columns": {"region": {"values": REGIONS}, "v": {"min": 0, "max": 100}},
        },
    },
    {"max_groups": 5, "max_rows_per_group": 5},
    _sales,
    (
        Case(
            "SUM(v) by region of the row",
            "SUM(v)",
            "sales",
            "region",
            -0.06,
            _SAMPLING,
            measure="bias",
        ),
        Case(
            "SUM(v) by region of the user",
            "SUM(v)",
            "sales JOIN users USING (user_id)",
            "home",
            -0.06,
            _SAMPLING,
            measure="bias",
        ),
        Case(
            "of the row, if 5 rows count in all",
            "SUM(v)",
            "sales",
            "region",
            -0.06,
            _SAMPLING,
            measure="bias",
            options="max_rows_contributed = 5",
        ),
    ),
    scanned_once=True,
)

# ---- real people ---------------------------------------------------------------------------------


def _rand(path: Path, size: float) -> None:
    build_database(path)


RAND = SetUp(
    "RAND HIE (shipped, real)",
    "zper",
    {
        "plans": {"public": True},
        "persons": {
            "unit": "zper",
            "columns": {"income": {"min": 0, "max": 30_000}},
        },
        "person_years": {
            "unit": "zper -> persons.zper",
            "max_rows_per_unit": 5,
            "columns": {
                "year": {"min": 1, "max": 5},
                "physician_visits": {"min": 0, "max": 80},
                "medical": {"min": 0, "max": 40_000},
            },
        },
    },
    {"max_groups": 5, "max_rows_per_group": 5},
    _rand,
    (
        Case("COUNT(*), persons", "COUNT(*)", "persons", None, 1.41),
        Case("COUNT(*), person-years", "COUNT(*)", "person_years", None, 5 * sqrt(2)),
        Case("SUM(medical)", "SUM(medical)", "person_years", None, 5 * 40_000 * sqrt(2)),
        Case("AVG(income), persons", "AVG(income)", "persons", None, 30_000 * sqrt(2) / 5_912),
        Case(
            "AVG(physician_visits)",
            "AVG(physician_visits)",
            "person_years",
            None,
            5 * 80 * sqrt(2) / 20_190,
        ),
        Case("COUNT(*) by year, public keys", "COUNT(*)", "person_years", "year", 5 * sqrt(2)),
        Case("COUNT(*) by site, private keys", "COUNT(*)", "persons", "site", 1.41),
        Case(
            "COUNT(*) by family size, private keys",
            "COUNT(*)",
            "person_years",
            "family_size",
            10 * sqrt(2),
        ),
    ),
)

# The owner names no cap on a person's rows in all, and up to twelve groups: Gaussian noise wins.
WIDE = SetUp(
    "RAND HIE, 12 groups of a person",
    "zper",
    {"person_years": {"unit": "zper", "columns": {"age": {"min": 0, "max": 70}}}},
    {"max_groups": 12, "max_rows_per_group": 5},
    _rand,
    (
        Case("COUNT(*) by age, public keys", "COUNT(*)", "person_years", "age"),
        Case("COUNT(*) by family size, private keys", "COUNT(*)", "person_years", "family_size"),
        Case(
            "people by family size, private keys",
            "COUNT(DISTINCT zper)",
            "person_years",
            "family_size",
        ),
    ),
)

SETUPS = (PEOPLE, ORDERS, MILLION, SALES, RAND, WIDE)
