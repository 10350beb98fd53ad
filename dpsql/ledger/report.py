"""What `verify` found, as a value that people and programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dpsql.accountant.charge import Charge

LIMIT = (
    "the chain shows edits, reordering and deletions inside; entries cut off at the end, or a "
    "ledger rewritten as a whole, show only against a head kept elsewhere "
    "(keep this one, and name it the next time)"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What `Ledger.verify` found. `head` is the hash of the last entry, `seq` its number."""

    ok: bool
    entries: int
    problems: tuple[str, ...]
    open_charges: int
    open_entries: tuple[int, ...]
    """The entries of the charges that have no outcome: paid, perhaps never answered."""
    seq: int
    head: str
    spent: Mapping[str, Charge]
    """By budget, recomputed from events; of one with windows, in the window last charged."""
    windows: Mapping[tuple[str, str], Charge] = field(default_factory=dict)
    """By budget and window, for budgets that had windows: `("analyst:bob", "monthly 2026-11-01")`.
    """
    first_bad: int | None = None
    """The first entry that is wrong; None if none is (a release or a head may be)."""
    notes: tuple[str, ...] = ()
    """What is no fault and yet to be known: losses that the owner accepted."""
    ledger: str = ""
    """Its name, from its first entry."""
    accepted: int = 0
    """How many losses the owner accepted."""
    shown: frozenset[str] = frozenset()
    """Names of the heads kept elsewhere that are entries of this ledger."""
    limit: str = LIMIT
    """What this report does not show."""

    def and_also(self, problems: Sequence[str]) -> Report:
        """The same with more problems, of what it was compared with."""
        if not problems:
            return self
        return replace(self, ok=False, problems=(*self.problems, *problems))

    def __str__(self) -> str:
        verdict = "verifies" if self.ok else f"DOES NOT VERIFY: {len(self.problems)} problem(s)"
        lines = [f"ledger {verdict}; {self.entries} entries, head {self.seq}:{self.head}"]
        if self.first_bad is not None:
            lines.append(f"  the first bad entry is {self.first_bad}")
        lines += [f"  {problem}" for problem in self.problems]
        lines += [f"  note: {note}" for note in self.notes]
        if self.open_charges:
            numbers = ", ".join(map(str, self.open_entries[:20]))
            more = ", …" if self.open_charges > 20 else ""
            lines.append(f"  open (charged, without outcome): entries {numbers}{more}")
        return "\n".join([*lines, f"  note: {self.limit}"])
