"""One ledger as seen by one process: its database, and the state kept up to date with it.

The state is a cache with a key: the head it was computed at. Every transaction first reads that
head's own row back (a ledger that was replaced or rolled back under us is not followed further)
and then the entries after it, so a decision costs O(new entries), whoever wrote them.
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import bindparam, column, insert, select
from sqlalchemy import table as plain_table
from sqlalchemy.engine import Connection

from dpsql.core.refresh import LAST
from dpsql.errors import InternalError, LedgerError
from dpsql.ledger import schema
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.chain import Entry, Row, link, unseal
from dpsql.ledger.database import Database
from dpsql.ledger.doubts import InDoubt, again, in_doubt, lost
from dpsql.ledger.entries import Genesis, Outcome, Record, write
from dpsql.ledger.reading import read
from dpsql.ledger.state import State

# Without column types: what the file holds is what we check, nothing is converted on the way.
_RAW = plain_table(
    schema.entries.name, column("seq"), column("prev"), column("hash"), column("body")
)

_FROM = select(_RAW).where(_RAW.c.seq >= bindparam("start")).order_by(_RAW.c.seq)
_WHOLE = _FROM.execution_options(yield_per=1000)  # a server sends no more at once
_PIECE = _FROM.limit(bindparam("most"))
_ONE = select(_RAW).where(_RAW.c.seq == bindparam("seq"))
_APPEND = insert(schema.entries)


class Draft:
    """An open write transaction: the state before it, and the entries appended so far."""

    def __init__(self, connection: Connection, state: State) -> None:
        self.connection = connection
        self.state = state
        self._seq, self._head, self._time = state.seq, bytes.fromhex(state.head), state.time
        self.rows: list[tuple[int, bytes, bytes, bytes]] = []

    def append(self, record: Record) -> tuple[int, str]:
        """Write a record as the next entry; returns its number and hash.

        Its time is the one at which this transaction decides (`State.moment`); the clock may only
        move it forward. An outcome does not read the clock: how long a query ran depends on the
        data.
        """
        if not isinstance(record, Outcome):
            self._time = max(self._time, self.state.moment)
        self._seq += 1
        body = write(self._seq, self._time, record)
        digest = link(self._head, body)
        _require_readable((self._seq, self._head, digest, body), record)
        values = {"seq": self._seq, "prev": self._head, "hash": digest, "body": body}
        self.connection.execute(_APPEND, values)
        self.rows.append((self._seq, self._head, digest, body))
        self._head = digest
        return self._seq, digest.hex()


class Journal:
    """Reads and appends entries, one transaction at a time in this process. See Database."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self.database = database
        self._clock = clock
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._state = State()

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, State]]:
        """A read transaction, with the state at its head. Do not change the state."""
        with self._turn(), self.database.read() as connection:
            yield connection, self._caught_up(connection)

    @contextmanager
    def writing(self) -> Iterator[Draft]:
        """A serialised write transaction. Durable when the block ends; undone if it raises.

        LedgerError `ledger-in-doubt`: nobody can tell whether it is; count it as spent.
        """
        with self._turn():
            try:
                with self.database.write() as connection:
                    draft = Draft(connection, self._caught_up(connection))
                    yield draft
            except InDoubt:
                self._find_out(draft.rows)
            # Committed. From now on a ledger without these entries is not ours (see _caught_up).
            for row in draft.rows:
                self._state.follow(row)

    def anchor(self, names: Collection[str] | None) -> Anchor:
        """Where the state of this process stands, with those budgets' ceilings (None: all)."""
        with self._turn():
            return self._state.anchor(names)

    def prepare(self) -> None:
        """Create or upgrade the schema, then follow the whole chain once.

        LedgerError if any entry does not verify or is of an unknown kind: nothing is served then.
        """
        if self.version() < len(schema.MIGRATIONS):
            with self._turn(), self.database.write() as connection:
                if self.database.prepare(connection):
                    # A name, not noise: it only has to differ from every other ledger's.
                    empty = State()
                    empty.now = self._read_clock()
                    Draft(connection, empty).append(Genesis(uuid.uuid4().hex))
        with self.reading() as (connection, state):
            if self.database.strangers(connection):
                raise _strange(self.database.name)
            if state.seq == 0:
                raise LedgerError(
                    f"the ledger {self.database.name} has lost all its entries",
                    code="ledger-broken",
                    hint="restore the file from a backup that `dpsql ledger verify` accepts",
                )

    def require(self) -> None:
        """See that there is a ledger to read, of this version or an older one."""
        if not self.version():
            raise schema.not_a_ledger(f"what is named as ledger holds none: {self.database.name}")

    def version(self) -> int:
        """The file's schema version, 0 while it is empty. LedgerError if it is not ours to read."""
        with self.database.read() as connection:
            return self.database.version(connection)

    def _find_out(self, rows: Sequence[tuple[int, bytes, bytes, bytes]]) -> None:
        """After a COMMIT without an answer: return if these rows stand, raise if they do not.

        The lock of a write is free only when the transaction that held it has ended, so whoever
        holds it next sees its entries or never will.
        """
        name, patience = self.database.name, self.database.patience
        if not rows:
            raise lost(name)  # beside the chain: no charge
        seq, _, digest, _ = rows[-1]
        try:
            stands = again(lambda: self._stands(seq, digest), patience)
        except LedgerError:
            self._state.forsaken.add(digest.hex())
            raise in_doubt(name) from None
        if not stands:
            raise lost(name)

    def _stands(self, seq: int, digest: bytes) -> bool:
        with self.database.write() as connection:
            return holds(connection, seq, digest.hex())

    def forsake(self, head: str) -> None:
        """This process will never settle the charge of that head."""
        self._state.forsaken.add(head)

    def _caught_up(self, connection: Connection) -> State:
        state = self._state
        rows = raw_rows(connection, state.seq)
        if state.seq:
            known = next(rows, None)
            if known is None or unseal(known).hash != state.head:
                raise _rolled_back(self.database.name)
        for row in rows:
            state.follow(row)
        state.now = self._read_clock()
        state.shared = self.database.shared
        return state

    def _read_clock(self) -> int:
        """Whole seconds since 1970. LedgerError `bad-clock` for what no calendar knows."""
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            now = int(self._clock())
            if 0 <= now < LAST:
                return now
        raise LedgerError(
            "the clock of this machine shows no time of the calendar",
            code="bad-clock",
            hint="set the clock; the ledger dates every charge by it",
        )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._pid != os.getpid():  # after a fork: the lock may be held by a thread we lack
            self._pid, self._lock, self._state = os.getpid(), threading.RLock(), State()
        if not self._lock.acquire(timeout=self.database.patience):
            raise self.database.locked()
        try:
            yield
        finally:
            self._lock.release()


def raw_rows(connection: Connection, start: int = 0, most: int | None = None) -> Iterator[Row]:
    """Stored entries from number `start` on (at most `most`), in order, unchecked."""
    if most is None:
        query = _FROM if start else _WHOLE
        found = connection.execute(query, {"start": start})
    else:
        found = connection.execute(_PIECE, {"start": start, "most": most})
    for row in found:
        yield row[0], row[1], row[2], row[3]


def entry_at(connection: Connection, seq: int) -> Entry:
    """One entry by number, its hash checked. KeyError if there is none."""
    within = 0 < seq < 2**63  # what SQLite's integers hold
    found = connection.execute(_ONE, {"seq": seq}).first() if within else None
    if found is None:
        raise KeyError(seq)
    return unseal((found[0], found[1], found[2], found[3]))


def _require_readable(row: Row, record: Record) -> None:
    """InternalError unless the entry reads back as what was meant: nobody could go on after it."""
    with contextlib.suppress(LedgerError):
        if read(unseal(row)) == record:
            return
    raise InternalError(
        "what was to be written into the ledger would not read back; nothing was written",
        hint="this is a defect of dpsql, please report it",
    )


def holds(connection: Connection, seq: int, head: str) -> bool:
    """Whether entry `seq` is there and has the hash `head`. LedgerError if it is not sound."""
    try:
        return entry_at(connection, seq).hash == head
    except KeyError:
        return False


def _strange(name: str) -> LedgerError:
    return LedgerError(
        f"the ledger {name} holds triggers, views or the like, which no dpsql makes: they could "
        "undo what is written",
        code="ledger-broken",
        hint="`dpsql ledger verify` names them; find out who made them, then drop them",
    )


def _rolled_back(name: str) -> LedgerError:
    return LedgerError(
        f"the ledger {name} no longer holds the newest entry this process has seen: it was "
        "restored from an older copy or rewritten",
        code="ledger-rolled-back",
        hint="put the newer file back; an older copy has forgotten what was spent since",
    )
