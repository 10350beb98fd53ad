"""Sessions with small budgets on one small ledger: the policy, its readers, worker processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dpsql.ledger import Ledger

WORKER = Path(__file__).with_name("charging_worker.py")

POLICY = """
version: 1
database: duckdb:///cases.duckdb
ledger: sqlite:///ledger.db
unit: user
releases: {reuse: %(reuse)s}
budgets:
  per_query: {epsilon: 0.5, delta: 1e-8}
  max_per_query: {epsilon: 1.0, delta: 1e-6}
  default: {epsilon: %(epsilon)s, delta: 1e-5}
  teams:
    growth: {members: [carol, dan], epsilon: 3.0, delta: 1e-5}
  total: {epsilon: %(total)s, delta: 1e-4}
bounds: {max_groups: 5, max_rows_per_group: 20}
tables:
  users:
    unit: user_id
    columns: {age: {min: 0, max: 120}, income: {min: 0, max: 200000}}
  orders:
    unit: user_id
    columns: {amount: {min: 0, max: 5000}}
  regions: {public: true}
"""


def charges(path):
    """The charge entries of the ledger beside the policy."""
    with Ledger.open(f"sqlite:///{path.parent / 'ledger.db'}") as ledger:
        assert ledger.verify().ok
        return [entry.body for entry in ledger.entries() if entry.kind == "charge"]


def outcomes(path):
    with Ledger.open(f"sqlite:///{path.parent / 'ledger.db'}") as ledger:
        return [e.body["outcome"] for e in ledger.entries() if e.kind == "outcome"]


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
