"""Ledgers with alice's budget and the total in them."""

from __future__ import annotations

import pytest
from ledger_cases import budgets, url

from dpsql.ledger import Ledger


@pytest.fixture
def ledger():
    with Ledger.open("sqlite://") as opened:
        budgets(opened)
        yield opened


@pytest.fixture(params=["memory", "file"])
def either(request, tmp_path):
    where = "sqlite://" if request.param == "memory" else url(tmp_path / "ledger.db")
    with Ledger.open(where) as opened:
        budgets(opened)
        yield opened
