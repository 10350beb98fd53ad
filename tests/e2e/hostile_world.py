"""D, D less each neighbour, and what an analyst sees of a query on each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import e2e_world as world

from dpsql.errors import Error
from dpsql.session import Session

OWN = world.CASES / "hostile_own"
HOSTILE = {case["id"]: case for case in world.cases("hostile.jsonl")}
HOSTILE |= {
    case["id"]: case
    for path in sorted(OWN.glob("*.jsonl"))
    for case in world.cases(f"{OWN.name}/{path.name}")
}
TARGET = 900009


def dialects(case):
    return ["duckdb", "postgres"] if case["dialect"] == "any" else [case["dialect"]]


class Databases:
    """Sessions over D and over D less one unit, opened on first use and kept."""

    def __init__(self, rows, threads=4):
        self.rows = rows
        self.threads = threads
        self.sessions: dict[Any, Session] = {}
        self.connections: dict[Any, duckdb.DuckDBPyConnection] = {}

    def session(self, without=None):
        if without not in self.sessions:
            users, orders, regions = self.rows
            connection = duckdb.connect(":memory:", config={"threads": self.threads})
            world.fill(
                connection,
                world.without(users, 0, without) if without is not None else users,
                world.without(orders, 1, without) if without is not None else orders,
                regions,
            )
            self.connections[without] = connection
            policy = world.policy_dict() | {"limits": {"timeout": "20s"}}
            self.sessions[without] = world.memory_session(connection, policy)
        return self.sessions[without]

    def close(self):
        for session in self.sessions.values():
            session.close()
        for connection in self.connections.values():
            connection.close()


@dataclass(frozen=True)
class Outcome:
    """What an analyst sees of a query, values and (of private keys) rows apart."""

    status: str
    text: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    charge: Any
    private: bool
    rows: int | None
    sent: tuple[str, ...] = ()
    """The statements that reached the engine, in order, their fresh salts struck out."""


def ask(session, sql, dialect):
    """The outcome, and the answer's rows."""
    before = session.ledger.spent(session.budget_spec.key)
    with listening(session) as sent:
        try:
            answer = session.query(sql, dialect=dialect)
        except Error as problem:
            status = f"{type(problem).__name__} {problem.code} {problem.exit_code}"
            charge = spent_since(session, before)
            return Outcome(status, str(problem), (), (), charge, False, None, tuple(sent)), []
    private = any(release.key_threshold is not None for release in answer.privacy.releases)
    shape = Outcome(
        "ok",
        "",
        answer.names,
        answer.types,
        (spent_since(session, before), answer.privacy.events),
        private,
        None if private else answer.table.num_rows,
        tuple(sent),
    )
    columns = [column.to_pylist() for column in answer.table.columns]
    return shape, list(zip(*columns, strict=True))


MANY_KEYS = (
    "SELECT LEFT(item, 3) AS k, city, COUNT(*) FROM orders JOIN users USING (user_id) GROUP BY 1, 2"
)


def answers_of_threads(rows, sql=MANY_KEYS, times=20):
    """The distinct answers to one question, asked of four threads that share even small tables.

    With the noise held at nothing they differ in the order of their rows, if in anything.
    """
    with duckdb.connect(":memory:", config={"threads": 4}) as connection:
        connection.execute("PRAGMA verify_parallelism")
        world.fill(connection, *rows)
        policy = world.policy_dict() | {"releases": {"reuse": "off"}}
        with closing(world.memory_session(connection, policy)) as session:
            return {tuple(ask(session, sql, "duckdb")[1]) for _ in range(times)}


def spent_since(session, before):
    """Rényi curve and δ (the pure sum stays infinite after the first Gaussian)."""
    after = session.ledger.spent(session.budget_spec.key)
    curve = tuple(new - old for new, old in zip(after.renyi, before.renyi, strict=True))
    return curve, after.delta - before.delta


def nothing(charge):
    curve, delta = charge
    return not any(curve) and not delta


_SALT = re.compile(
    r"CAST\('\d+' AS UBIGINT\)"
    r"|(?<=, )CAST\('-?\d{10,}' AS BIGINT\)(?=\))"
    r"|(?<=hashint8extended\()CAST\('-?\d{10,}' AS BIGINT\)"
)
"""A salt of DuckDB's, and one of PostgreSQL's, in a hash (ten digits but for one in 10⁹)."""
OUT = ("fetch", "binds", "_run")


@contextmanager
def listening(session) -> Iterator[list[str]]:
    """What is sent to the owner's engine meanwhile, by whichever way."""
    engine, sent = session.engine, []

    def heard(how, real):
        def send(sql, **options):
            sent.append(how + " " + _SALT.sub("salt", sql))
            return real(sql, **options)

        return send

    for name in OUT:
        setattr(engine, name, heard(name, getattr(engine, name)))
    try:
        yield sent
    finally:
        for name in OUT:
            delattr(engine, name)
