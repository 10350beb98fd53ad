"""pandas.read_sql over the URL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

if sa.__version__ < "2":
    pytest.skip("pandas 3 wants SQLAlchemy 2", allow_module_level=True)
pandas = pytest.importorskip("pandas")

GROUPED = "SELECT city, COUNT(*) AS n, AVG(age) AS age FROM patients GROUP BY city ORDER BY city"


def test_a_text_and_the_url(url: str) -> None:
    frame = pandas.read_sql(GROUPED, url)
    assert list(frame.columns) == ["city", "n", "age"]
    assert frame["city"].tolist() == ["Berlin", "Oslo"]
    assert frame["n"].tolist() == [100, 200]
    assert str(frame["n"].dtype) == "int64"
    assert str(frame["age"].dtype) == "float64"


def test_parameters(engine: Engine) -> None:
    sql = "SELECT COUNT(*) AS n FROM patients WHERE city = {} AND age < {}"
    assert pandas.read_sql(sql.format("?", "?"), engine, params=("Oslo", 21))["n"].tolist() == [4]
    named = {"city": "Oslo", "top": 21}
    assert pandas.read_sql(sql.format(":city", ":top"), engine, params=named)["n"][0] == 4
    text = sa.text(sql.format(":city", ":top"))
    assert pandas.read_sql(text, engine, params=named)["n"][0] == 4


def test_expressions(engine: Engine, patients: sa.Table) -> None:
    count = sa.func.count()
    query = sa.select(patients.c.city, count).group_by(patients.c.city).order_by(count.desc())
    frame = pandas.read_sql(query.limit(1), engine)
    assert frame.to_dict("list") == {"city": ["Oslo"], "count_1": [200]}
    indexed = pandas.read_sql(query, engine, index_col="city")
    assert indexed.loc["Berlin", "count_1"] == 100


def test_chunks(engine: Engine) -> None:
    pieces = list(pandas.read_sql("SELECT * FROM cities ORDER BY name", engine, chunksize=1))
    assert [len(piece) for piece in pieces] == [1, 1]


def test_a_public_table_by_its_name(engine: Engine) -> None:
    assert len(pandas.read_sql_table("cities", engine)) == 2
    assert len(pandas.read_sql("cities", engine)) == 2


def test_rows_of_people_are_refused(engine: Engine) -> None:
    for read in (pandas.read_sql, pandas.read_sql_table):
        with pytest.raises(pandas.errors.DatabaseError, match="gives out rows"):
            read("patients", engine)
    with pytest.raises(ValueError, match="not found"):
        pandas.read_sql_table("undeclared", engine)


def test_nothing_is_written(engine: Engine) -> None:
    frame = pandas.DataFrame({"a": [1]})
    with pytest.raises(pandas.errors.DatabaseError, match="nothing is written"):
        frame.to_sql("cities", engine, if_exists="append")
