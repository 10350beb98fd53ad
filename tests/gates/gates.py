"""The gates: each holds one promise against the engine as it is, and raises `Red` where it fails.

A gate is a function of a `Bench` and of what to try. It knows nothing of faults; mutations.py
seeds those, and docs/verification.md says what each gate can and cannot see.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import e2e_neighbours as neighbours
import e2e_world
import hostile_world as hostile
import numpy as np
from e2e_neighbours import EngineError, Moved
from hostile_faults import silent
from ledger_cases import MILLIONTH, ask, url
from neighbour_faults import FAULTY_SHAPES
from neighbour_shapes import MESSY

from dpsql.accountant.calibrate import gaussian_epsilon
from dpsql.accountant.charge import price as charge_of
from dpsql.accountant.events import Gaussian
from dpsql.audit.questions import Question
from dpsql.errors import BudgetExceeded, EngineFailed, Error, RefusedQuery
from dpsql.ledger import Ledger
from dpsql.mechanisms import entropy


class Red(AssertionError):
    """A gate saw that the engine does not keep what it promises."""


@dataclass(frozen=True)
class Bench:
    """What gates are held against: worlds, databases, an audit, a folder for ledgers."""

    world: neighbours.World
    databases: hostile.Databases
    rows: Any
    found: Callable[..., Any]
    folder: Path

    def database(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:")
        e2e_world.fill(connection, *self.rows)
        return connection


# ---- one unit's reach --------------------------------------------------------------------------

OWN_SHAPES = {
    "product": ("SELECT SUM(age * 2) FROM persons", {}, (1, 1e-6)),
    "alias of the unit": (
        "SELECT COUNT(*) FROM (SELECT vid AS pid, kind FROM visits) t", {"max_rows": 2}, (1, 1e-6),
    ),
    "two sums": (
        "SELECT COUNT(*), SUM(n) FILTER (WHERE x > 0), COUNT(x) FROM events", {}, (1, 1e-6),
    ),
    "through a CTE": (
        "WITH c AS (SELECT pid, kind FROM events) SELECT COUNT(*) FROM c", {}, (1, 1e-6),
    ),
    "no numbers": ("SELECT COUNT(x), SUM(x) FROM events", {"max_rows": 3}, (1, 1e-6)),
    "gaussian": FAULTY_SHAPES["cap, gaussian"],
}  # fmt: skip
REPLAYED = FAULTY_SHAPES | OWN_SHAPES


def replay(bench: Bench, shape: str) -> None:
    """One unit moves the exact bounded vector within what the noise was made for."""
    sql, bounds, (epsilon, delta) = REPLAYED[shape]
    bench.world.load(MESSY)
    try:
        bench.world.check(sql, neighbours.policy(**bounds), epsilon=epsilon, delta=delta)
    except (Moved, EngineError) as problem:
        raise Red(f"replay, {shape}: {problem}") from None


def multiset(bench: Bench) -> None:
    """The exact vector is the same for the rows in another order (one salt, four threads)."""
    start = dt.datetime(2020, 1, 1)
    events = [(i % 50, "wxyz"[i // 50 % 4], 1.0, i * i % 5, start) for i in range(3000)]
    vectors = []
    for seed in range(5):
        bench.world.load({"events": random.Random(seed).sample(events, len(events))})
        sql = "SELECT kind, SUM(n) FROM events GROUP BY kind"
        for one in bench.world.state(sql, neighbours.policy(max_groups=2)):
            vectors.append(bench.world.vector(one.plan, one.text))
    if any(vector != vectors[0] for vector in vectors):
        raise Red("multiset: the order of rows decides what is counted")


def meaning(bench: Bench, shape: str) -> None:
    """Rows without a number (NULL, NaN, an infinity) move nothing that reads numbers alone."""
    sql, bounds, (epsilon, delta) = REPLAYED[shape]
    vectors = []
    for numbers_alone in (False, True):
        events = [row for row in MESSY["events"] if not numbers_alone or np.isfinite(row[2])]
        bench.world.load({**MESSY, "events": events})
        try:
            stated = bench.world.state(
                sql, neighbours.policy(**bounds), epsilon=epsilon, delta=delta
            )
            vectors.append([bench.world.vector(one.plan, one.text) for one in stated])
        except EngineError as problem:
            raise Red(f"meaning, {shape}: {problem}") from None
    if vectors[0] != vectors[1]:
        raise Red(f"meaning, {shape}: what is no number was counted as one")


def answered(bench: Bench, shape: str) -> None:
    """What can be answered about people is planned as an aggregate of people, with a price."""
    sql, bounds, (epsilon, delta) = REPLAYED[shape]
    bench.world.load(MESSY)
    try:
        plans = bench.world.plan(sql, neighbours.policy(**bounds), epsilon=epsilon, delta=delta)
    except RefusedQuery as refusal:
        raise Red(f"answered, {shape}: {refusal.code}") from None
    if not any(plan.items for plan in plans):
        raise Red(f"answered, {shape}: nothing is charged for it")


# ---- what an attacker measures -----------------------------------------------------------------


def block(bench: Bench, table: str, question: str, blocks: int, **options: Any) -> None:
    """The lower bound of ε (of δ, for keys) measured from answers alone is within the claim."""
    finding = bench.found(blocks, table, question, **options)
    if finding.measured is None:
        raise AssertionError(finding)
    if finding.broken:
        raise Red(f"audit: {finding}")


def one_run(bench: Bench, table: str, question: str, blocks: int) -> None:
    block(bench, table, question, blocks, method="one-run")


def asked(bench: Bench, table: str, aggregates: str, blocks: int) -> None:
    """The block gate for aggregates that `dpsql audit` has no question for."""
    question = Question(aggregates, aggregates, "income")
    block(bench, table, "SUM(income)", blocks, instead=question)


# ---- prices ------------------------------------------------------------------------------------


def price(bench: Bench, shape: str) -> None:
    """The plan's events cost what was asked: never more, and not a twentieth less (no waste)."""
    sql, bounds, (epsilon, delta) = REPLAYED[shape]
    bench.world.load(MESSY)
    plans = bench.world.plan(sql, neighbours.policy(**bounds), epsilon=epsilon, delta=delta)
    for plan in plans:
        spent = charge_of(plan.items, [Fraction(2)])
        paid, left = spent.epsilon, plan.delta - spent.selection_delta
        if paid is None:
            square = sum(
                count / event.noise_multiplier**2
                for event, count in plan.items
                if isinstance(event, Gaussian)
            )
            paid = gaussian_epsilon(Fraction(square), left)
        room = Fraction(1, 10**6)  # scales round up, prices round up
        if left < 0 or not Fraction(19, 20) * plan.epsilon <= paid <= plan.epsilon * (1 + room):
            raise Red(f"price, {shape}: {float(paid)} for {float(plan.epsilon)}, δ left {left}")


# ---- what an analyst sees ----------------------------------------------------------------------


def outcome(bench: Bench, sql: str, without: int) -> None:
    """Status, text, columns, charge and statements are the same on D and D less one unit."""
    here, _ = hostile.ask(bench.databases.session(), sql, "duckdb")
    there, _ = hostile.ask(bench.databases.session(without), sql, "duckdb")
    if here != there:
        raise Red(f"outcome: {here}\n{there}")
    if here.status.startswith(("InternalError", "EngineFailed")):
        raise Red(f"outcome: {here}")


def order(bench: Bench, patch: Any) -> None:
    """With the noise held at nothing, threads give one answer, row by row."""
    silent(patch)
    if len(hostile.answers_of_threads(bench.rows)) > 1:
        raise Red("order: rows come in the order in which threads found them")


# ---- budgets -----------------------------------------------------------------------------------

REUSED = {"releases": {"reuse": "budget"}}
COUNT = "SELECT COUNT(*) FROM users"


def _session(bench: Bench, connection: Any, **changes: Any) -> Any:
    policy = e2e_world.policy_dict() | REUSED | changes
    return e2e_world.memory_session(connection, policy)


def charge(bench: Bench) -> None:
    """Charged before a row is read; charged still after the engine failed."""
    with closing(bench.database()) as connection, closing(_session(bench, connection)) as session:
        seen, real = [], session.engine.fetch

        def fetch(sql: str, **options: Any) -> Any:
            if "users" in sql:
                seen.append(bool(session.ledger.open_charges()))
                if len(seen) > 1:
                    raise EngineFailed("a disk broke", code="engine")
            return real(sql, **options)

        session.engine.fetch = fetch
        session.query(COUNT)
        before = session.ledger.spent(session.budget_spec.key)
        with suppress(Error):
            session.query("SELECT SUM(age) FROM users")
        after = session.ledger.spent(session.budget_spec.key)
        del session.engine.fetch
    if len(seen) != 2:
        raise AssertionError("the gate did not see the statements")
    if not all(seen):
        raise Red("charge: rows were read before anything was charged")
    if not after.renyi[0] > before.renyi[0]:
        raise Red("charge: a failure gave the charge back")


def repeat(bench: Bench) -> None:
    """A repeat is the same answer; another parameter is another question, and is charged."""
    sql = "SELECT COUNT(*) FROM users WHERE age > ?"
    with closing(bench.database()) as connection, closing(_session(bench, connection)) as session:
        first, again = session.query(sql, [30]), session.query(sql, [30])
        other = session.query(sql, [31])
    if again.privacy.free and not again.table.equals(first.table):
        raise Red("repeat: fresh noise, and nothing was charged for it")
    if not again.privacy.free:
        raise AssertionError("a repeat was charged")
    if other.privacy.free:
        raise Red("repeat: another question was answered by a stored release")


def race(bench: Bench) -> None:
    """Two who ask at once for the last of a budget: one is refused."""
    path = url(bench.folder / "race.db")
    with Ledger.open(path) as ledger:
        _alice(ledger, "1/10")
    start, admitted = threading.Barrier(2), []

    def one() -> None:
        with Ledger.open(path) as ledger:
            start.wait()
            with suppress(BudgetExceeded):
                admitted.append(ask(ledger, "1/10", total=None))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(admitted) != 1:
        raise Red(f"race: {len(admitted)} charges of 0.1 on a budget of 0.1")


def sums(bench: Bench) -> None:
    """Budgets add exactly: ten charges of 0.1 fill 1, and not 10^-17 more fits."""
    with Ledger.open("sqlite://") as ledger:
        _alice(ledger, "1")
        try:
            for _ in range(10):
                ask(ledger, "1/10", total=None)
        except BudgetExceeded:
            raise Red("sums: ten charges of 0.1 are more than 1") from None
        with suppress(BudgetExceeded):
            ask(ledger, Fraction(1, 10**17), total=None)
            raise Red("sums: ten charges of 0.1 left something of 1")


def _alice(ledger: Ledger, epsilon: str, refresh: str = "never") -> None:
    ledger.ensure_budget("alice", "analyst", Fraction(epsilon), MILLIONTH, refresh=refresh)


NOVEMBER = 1_795_867_200  # 2026-11-28, 12:00 UTC


def clock(bench: Bench) -> None:
    """A window once spent is not opened again by a clock that is set back and forth."""
    now = [float(NOVEMBER)]
    with Ledger.open(url(bench.folder / "clock.db"), clock=lambda: now[0]) as ledger:
        _alice(ledger, "1/10", "monthly")
        ask(ledger, "1/10", total=None)
        for moved in (-40, 0, -70):
            now[0] = NOVEMBER + moved * 86_400.0
            with suppress(BudgetExceeded):
                ask(ledger, "1/10", total=None)
                raise Red(f"clock: a month was charged twice, the clock moved by {moved} days")


# ---- noise -------------------------------------------------------------------------------------


def draws(bench: Bench) -> None:
    """Threads and forks share no word of entropy, and none repeats (2000 words: below 2^-42)."""
    words = entropy.words
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(words(200).tolist())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        os.write(writer, words(200).tobytes())
        os._exit(0)
    mine = words(200).tolist()
    theirs = np.frombuffer(os.read(reader, 1600), dtype=np.uint64).tolist()
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)
    if len({*found, *mine, *theirs}) != 8 * 200 + 200 + 200:
        raise Red("draws: the same noise twice")


ROOT = Path(__file__).parents[2]


@cache
def _ruff(text: str, name: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--stdin-filename",
            name,
            "--select",
            "TID251",
            "-",
        ],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return done.stdout


def lint(bench: Bench, text: str) -> None:
    """A module of the package with this text passes the linter."""
    said = _ruff(text, "dpsql/mechanisms/module.py")
    if "TID251" in said:
        raise Red(said)
