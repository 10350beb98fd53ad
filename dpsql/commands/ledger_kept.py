"""What `ledger verify --checkpoint` compared: each checkpoint's entry, head, day and signer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpsql.history.filters import moment

if TYPE_CHECKING:
    from dpsql.ledger.checkpoints import Checkpoint, CheckpointFile
    from dpsql.ledger.report import Report

LISTED = 5
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """Checkpoints signed by a key that is trusted, and how that key came to be.

    `named`: the keys that are trusted by themselves; `whose` says what they are. The others follow
    from one of them, by a signed word.
    """

    found: Sequence[CheckpointFile]
    trusted: Set[str]
    named: Set[str]
    whose: str

    def records(self, report: Report) -> list[dict[str, object]]:
        """As plain values, the newest first."""
        return [
            {
                "name": name,
                "seq": one.anchor.seq,
                "head": one.anchor.head,
                "time": moment(one.time).isoformat(),
                "key": one.key,
                "whose": self._whose(one),
                "shown": f"checkpoint {name}" in report.shown,
            }
            for name, one in self._newest_first()
        ]

    def lines(self, report: Report) -> Iterator[str]:
        """For people: the newest ones in full."""
        listed = self.records(report)
        for one in listed[:LISTED]:
            signed = f"{one['time']}"[:16].replace("T", " ")
            verdict = "the ledger shows it" if one["shown"] else "the ledger does not show it"
            yield (
                f"  checkpoint {one['name']}: entry {one['seq']}, head "
                f"{str(one['head'])[:_DIGITS]}…, signed {signed} UTC by "
                f"{str(one['key'])[:_DIGITS]}… ({one['whose']}): {verdict}"
            )
        older = listed[LISTED:]
        if older:
            shown = sum(bool(one["shown"]) for one in older)
            yield f"  and {len(older):,} older ones, of which the ledger shows {shown:,}"

    def _newest_first(self) -> list[tuple[str, Checkpoint]]:
        ours = [
            (one.name, one.checkpoint)
            for one in self.found
            if one.checkpoint is not None and one.checkpoint.key in self.trusted
        ]
        return sorted(ours, key=lambda pair: (pair[1].anchor.seq, pair[1].time), reverse=True)

    def _whose(self, one: Checkpoint) -> str:
        return self.whose if one.key in self.named else "a key that a trusted one named as its next"
