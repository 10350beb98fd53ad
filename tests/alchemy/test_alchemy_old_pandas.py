"""pandas of today on SQLAlchemy 1.4 is told what to do; runs by test_alchemy_old.py."""

from __future__ import annotations

import warnings

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from dpsql.alchemy import old_version
from dpsql.errors import InterfaceError

COUNT = "SELECT COUNT(*) AS n FROM patients"
OLD = sa.__version__ < "2"


@pytest.mark.skipif(OLD, reason="2.x needs no word")
def test_on_2_engines_are_left_alone(engine: Engine) -> None:
    assert not hasattr(engine, "cursor")
    with engine.connect() as connection:
        assert not hasattr(connection, "cursor")


def test_what_an_old_engine_says(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    if not OLD:
        monkeypatch.setattr(sa, "__version__", "1.4.54")
        old_version.refuse_to_pandas(engine)
    with engine.connect() as connection:
        for given in (engine, connection):
            with pytest.raises(InterfaceError, match="does not take an engine") as caught:
                given.cursor()  # type: ignore[union-attr]
            assert caught.value.code == "old-sqlalchemy"
            assert "raw_connection()" in str(caught.value.hint)
        assert connection.execute(sa.text(COUNT)).scalar() == 300


def test_the_way_out_works(engine: Engine) -> None:
    pandas = pytest.importorskip("pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas has not tested every driver
        if OLD:
            with pytest.raises(InterfaceError, match="does not take an engine"):
                pandas.read_sql(COUNT, engine)
        assert pandas.read_sql(COUNT, engine.raw_connection())["n"].tolist() == [300]
