"""A policy with wide budgets beside a DuckDB file, sessions over it, and fixed entropy."""

from __future__ import annotations

import zlib
from contextlib import ExitStack, closing

import duckdb
import numpy as np
import pytest

from dpsql.mechanisms import entropy
from dpsql.session import Session

POLICY = """
version: 1
database: duckdb:///data.duckdb
ledger: sqlite:///ledger.db
unit: person
data_version: A
releases: {reuse: budget}
budgets:
  per_query: {epsilon: 1, delta: 1e-6}
  max_per_query: {epsilon: 10, delta: 1e-5}
  default: {epsilon: 1000, delta: 1e-3}
  teams: {growth: {members: [carol, dan], epsilon: 100, delta: 1e-3}}
bounds: {max_groups: 40, max_rows_per_group: 1}
tables:
  visits:
    unit: id
    columns:
      a: {min: 0, max: 999}
      b: {min: 0, max: 9}
      n: {min: 0, max: 8}
      k: {values: [x, y, z]}
"""


@pytest.fixture(autouse=True)
def seeded_words(request, monkeypatch):
    name = f"{request.module.__name__}::{request.node.name}"
    bits = np.random.PCG64(zlib.crc32(name.encode()))
    monkeypatch.setattr(entropy, "words", lambda count: bits.random_raw(count).astype(np.uint64))


@pytest.fixture
def place(tmp_path):
    """The policy's path; `place(rows=..., old=new)` writes it and its data."""

    def write(rows=0, *changes):
        with duckdb.connect(str(tmp_path / "data.duckdb")) as connection:
            connection.execute(
                "CREATE OR REPLACE TABLE visits (id BIGINT NOT NULL, a INTEGER NOT NULL,"
                " b INTEGER NOT NULL, n INTEGER NOT NULL, k VARCHAR NOT NULL)"
            )
            connection.execute(
                "INSERT INTO visits SELECT i // 3, i % 1000, i % 10, i % 9,"
                f" ['x', 'y', 'z'][i % 3 + 1] FROM range({rows}) t(i)"
            )
        text = POLICY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "dpsql.yaml").write_text(text)
        return tmp_path / "dpsql.yaml"

    return write


@pytest.fixture
def opened():
    """`opened(policy, analyst)`: a session that is closed at the end."""
    with ExitStack() as sessions:

        def open_(path, analyst="alice", **price):
            return sessions.enter_context(closing(Session(path, analyst, **price)))

        yield open_
