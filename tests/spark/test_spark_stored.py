"""Columns that Spark stores otherwise than they are read: converted, and asked by the reader.

No Spark is needed: the catalog is made up.
"""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from dpsql.certify import normal_form
from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.dialects.spark_forms import written
from dpsql.dialects.spark_types import read_type
from dpsql.dialects.writing import NotThere
from dpsql.errors import InternalError

TYPES = {
    "pid": "bigint",
    "r": "float",
    "z": "timestamp",
    "c": "char(5)",
    "d": "decimal(10,2)",
    "e": "decimal(38,10)",
    "k": "decimal(38,38)",
    "h": "decimal(38,0)",
    "t": "string",
    "day": "date",
    "l": "string collate utf8_lcase",
}


def column(name: str, shown: str) -> CatalogColumn:
    read = read_type(shown)
    return CatalogColumn(name, read.text, read.type, read.certain, True, read.stored)


TABLE = CatalogTable(
    "s", "T", {name: column(name, shown) for name, shown in TYPES.items()}, (), (), database="lake"
)
CATALOG = Catalog({"T": TABLE})


def asked(expression: str) -> str:
    text = f'SELECT {expression} AS a FROM "lake"."s"."T" AS t0'
    return written(parse_one(text, read="duckdb"), CATALOG)


READ = {
    't0."r"': "CAST(`t0`.`r` AS DOUBLE)",
    't0."z"': "CAST(`t0`.`z` AS TIMESTAMP_NTZ)",
    't0."c"': "trim(TRAILING ' ' FROM `t0`.`c`)",
}


@pytest.mark.parametrize("plain", READ)
def test_a_column_is_read_through_its_conversion(plain: str) -> None:
    sql = asked(plain)
    assert f"SELECT {READ[plain]} AS `a` FROM `lake`.`s`.`T` AS `t0`" == sql
    normal = normal_form(sql, "spark", CATALOG)
    assert normal == f'SELECT {plain} AS a FROM "lake"."s"."T" AS t0'


@pytest.mark.parametrize("plain", READ)
def test_a_column_without_its_conversion_is_refused(plain: str) -> None:
    bare = READ[plain].replace("CAST(", "").split(" AS ")[0]
    bare = "`t0`.`c`" if "TRAILING" in bare else bare
    sql = asked(plain).replace(READ[plain], bare)
    with pytest.raises(InternalError):
        normal_form(sql, "spark", CATALOG)


@pytest.mark.parametrize(
    ("old", "new"),
    [("`lake`.", ""), ("`lake`.", "`other`."), ("`T`", "`t`"), ("`r`", "`x`"), ("`r`", "`R`")],
)
def test_names_are_the_catalogs_own(old: str, new: str) -> None:
    sql = asked('t0."r"')
    assert old in sql
    with pytest.raises(InternalError):
        normal_form(sql.replace(old, new), "spark", CATALOG)


NO_ROOM = [
    't0."k" > t0."pid"',
    'COALESCE(t0."k", 1.5)',
    'CASE WHEN TRUE THEN t0."k" ELSE t0."d" END',
    't0."e" * t0."e"',
    't0."k" * t0."d"',
    't0."t" = 5',
    'LEAST(t0."t", 5)',
    'SUM(t0."r")',
    'MIN(t0."l")',
]


@pytest.mark.parametrize("expression", NO_ROOM)
def test_what_spark_would_raise_over_when_it_brings_types_together_is_refused(
    expression: str,
) -> None:
    with pytest.raises(NotThere) as caught:
        asked(expression)
    assert caught.value.code == "not-on-this-engine"


def test_a_wide_number_beside_a_decimal_is_tried_with_the_digits_that_there_are() -> None:
    assert "(TRY_CAST(`t0`.`h` AS DECIMAL(37, 0)) > 2.5)" in asked('t0."h" > 2.5')
    assert "(`t0`.`e` > `t0`.`pid`)" in asked('t0."e" > t0."pid"')
    wide = asked('SUM(t0."pid") > 2.5')
    assert "(TRY_CAST(try_sum(CAST(`t0`.`pid` AS DECIMAL(38, 0))) AS DECIMAL(37, 0)) > 2.5)" in wide
    assert "TRY_CAST(SUM(" in normal_form(wide, "spark", CATALOG)
