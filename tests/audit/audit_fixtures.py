"""Fixtures: audits of a small policy, a fixed stream of entropy, certification out of the way."""

from __future__ import annotations

import zlib
from dataclasses import replace
from fractions import Fraction

import duckdb
import numpy as np
import pytest
from audit_world import POLICY, SCHEMA

from dpsql.audit.run import Audit, Claim
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.mechanisms import entropy
from dpsql.policy import load


@pytest.fixture(autouse=True)
def fixed_entropy(request, monkeypatch):
    """The verdicts of a test are those of one stream, named by the test: no false alarms.

    Slow gates draw what the system gives.
    """
    if request.node.get_closest_marker("slow") and "gates" in request.node.nodeid:
        return
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(request.node.name.encode())))
    monkeypatch.setattr(
        entropy, "words", lambda n: generator.integers(0, 2**64, n, dtype=np.uint64)
    )


@pytest.fixture
def audit():
    """Makes an Audit of a policy over a schema."""
    opened = []

    def make(blocks, *, schema=SCHEMA, policy=POLICY, method="blocks", epsilon=1, delta=1e-6):
        connection = duckdb.connect()
        connection.execute(schema)
        opened.append(connection)
        catalog = DuckDBEngine.adopt(connection).catalog()
        claim = Claim(Fraction(epsilon), Fraction(str(delta)), 0.001)
        return Audit(load(policy), catalog, claim, blocks, method)

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture
def found(audit):
    """What one question of a table measures: (blocks, table, question) -> Finding.

    `instead`: another Question, asked of the same rows.
    """

    def find(blocks, table, question, *, instead=None, **options):
        made = audit(blocks, **options)
        (trial,) = [t for t in made._trials(table) if t.question.shown == question]
        return made._finding(replace(trial, question=instead or trial.question), 0.001)

    return find


@pytest.fixture
def uncertified(monkeypatch):
    """Faulty statements get past `certify`, so that it is the audit that has to see them."""
    import importlib

    stage = importlib.import_module("dpsql.pipeline.certify")
    monkeypatch.setattr(stage, "certify", lambda *_, **__: None)
