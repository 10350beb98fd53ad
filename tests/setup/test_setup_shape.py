"""How flags of `init` name columns."""

from __future__ import annotations

import pytest

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.core.domain import INTEGER, Interval
from dpsql.errors import InterfaceError
from dpsql.setup.shape import Shape


def shape(*names):
    column = CatalogColumn("id", "INTEGER", INTEGER, Interval(), nullable=False)
    return Shape(Catalog({n: CatalogTable("main", n, {"id": column}, (), ()) for n in names}))


def test_one_table_need_not_be_named():
    assert shape("t").place("ID", flag="--unit") == ("t", "id")
    for names, text in ((("t", "s"), "id"), (("t",), "no"), (("t",), "t")):
        with pytest.raises(InterfaceError) as caught:
            shape(*names).place(text, flag="--unit")
        assert caught.value.code == "init-name"
