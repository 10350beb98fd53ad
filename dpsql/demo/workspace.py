"""The tour's files: database, policy and ledger, in a temporary directory or one that stays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dpsql.demo.dataset import build_database
from dpsql.errors import EngineFailed, InterfaceError

POLICY = Path(__file__).with_name("policy.yaml")
"""The shipped policy; its database and ledger are named relative to itself."""

WORKLOAD = Path(__file__).with_name("workload.sql")
"""Questions to plan a budget for: `dpsql budget plan workload.sql --epsilon 3`."""

_LEDGER_FILES = ("ledger.db", "ledger.db-wal", "ledger.db-shm")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the files lie. `old_ledger`: what an earlier tour in this directory left, renamed."""

    folder: Path
    keep: bool
    old_ledger: Path | None = None

    @property
    def policy(self) -> Path:
        return self.folder / "dpsql.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "rand-hie.duckdb"


@contextmanager
def workspace(keep: Path | None) -> Iterator[Workspace]:
    """The files, made ready for a tour that has spent nothing.

    With `keep` they stay in that directory. There a second tour takes the database as it is and
    starts a new ledger; the old one is renamed, never deleted. InterfaceError `demo-folder` if the
    directory holds files of these names that are not a tour's.
    """
    if keep is not None:
        yield _kept(keep)
        return
    with tempfile.TemporaryDirectory(prefix="dpsql-demo-") as folder:
        place = Workspace(Path(folder), keep=False)
        _fill(place)
        try:
            yield place
        finally:
            _forget(place.folder)


def _kept(folder: Path) -> Workspace:
    place = Workspace(folder, keep=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mine = place.policy.is_file() and place.policy.read_bytes() == POLICY.read_bytes()
        found = [p for p in (place.policy, place.database, folder / "ledger.db") if p.exists()]
        if found and not mine:
            raise InterfaceError(
                f"{folder} holds {found[0].name}, which is not as the tour leaves it",
                code="demo-folder",
                hint="name another directory",
            )
        place = Workspace(folder, keep=True, old_ledger=_set_aside(folder))
        _fill(place)
    except OSError as problem:
        raise EngineFailed(
            f"the demo's files cannot be written to {folder}: {problem.strerror}",
            code="demo-folder",
            hint="name another directory",
        ) from None
    return place


def _fill(place: Workspace) -> None:
    """Policy first, so that an interrupted start is recognised; the database all or nothing."""
    place.policy.write_bytes(POLICY.read_bytes())
    workload = place.folder / WORKLOAD.name
    if not workload.exists():
        workload.write_bytes(WORKLOAD.read_bytes())
    if not place.database.exists():
        part = place.folder / ".rand-hie.part.duckdb"
        part.unlink(missing_ok=True)
        build_database(part).replace(place.database)


def _set_aside(folder: Path) -> Path | None:
    """Rename an old ledger with its write-ahead log; the new name."""
    if not (folder / "ledger.db").exists():
        return None
    number = 1
    while (folder / f"ledger-{number}.db").exists():
        number += 1
    for name in reversed(_LEDGER_FILES):  # the ledger itself last: it is what a new tour looks for
        if (folder / name).exists():
            (folder / name).rename(folder / name.replace("ledger", f"ledger-{number}"))
    _forget(folder)
    return folder / f"ledger-{number}.db"


def _forget(folder: Path) -> None:
    """The tour's data are nobody's secret: its ledger may go, or another one come in its place."""
    from dpsql.ledger.remembered import Remembered

    Remembered(str(folder / "ledger.db")).forget()
