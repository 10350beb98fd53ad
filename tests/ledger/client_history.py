"""What many clients of one ledger were told, held against the ledger: a history checker.

Each client writes a line before it asks and a line for what it was told; a client that was killed
has asked and was told nothing, and its charge counts as spent (Jepsen's `info`). `check` lists what
is wrong with the whole; it shares no code with the ledger but the reading of entries and prices.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `result` is answered, failed, refused, an error's code, or None: never told.

    Times are of the system's monotonic clock, in nanoseconds. `charge`: (seq, head) where charged;
    `receipt`: (seq, head) of the ledger when it was answered.
    """

    client: str
    analyst: str
    id: str
    epsilon: Fraction
    start: int
    end: int | None = None
    result: str | None = None
    charge: tuple[int, str] | None = None
    receipt: tuple[int, str] | None = None
    payload: str | None = None


def read_calls(files: Iterable[Path]) -> list[Call]:
    """The calls of all clients; the last line of a killed one may be torn."""
    calls: list[Call] = []
    for file in files:
        asked: dict[str, Any] | None = None
        for line in file.read_text().splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if "result" not in said:
                if asked is not None:
                    calls.append(_call(asked))
                asked = said
            elif asked is not None:
                calls.append(_call(asked | said))
                asked = None
        if asked is not None:
            calls.append(_call(asked))
    return calls


def _call(said: dict[str, Any]) -> Call:
    pairs = {name: tuple(said[name]) for name in ("charge", "receipt") if said.get(name)}
    return Call(**{**said, **pairs, "epsilon": Fraction(said["epsilon"])})


def check(calls: Sequence[Call], entries: Sequence[Any], limits: dict[str, Fraction]) -> list[str]:
    """Every broken promise. `entries`: the ledger's own; `limits`: ε of each budget (pure events).

    Spend never above budget, no answer without a charge, no charge served twice, nothing that was
    told lost, nothing refused in vain, and the order of the ledger is that of real time.
    """
    ledger = _Ledger(entries)
    return [
        *_spend(ledger, limits),
        *_answers(calls, ledger),
        *_nothing_lost(calls, ledger),
        *_nobodys(calls, ledger),
        *_in_vain(calls, ledger, limits),
        *_order(calls),
    ]


class _Ledger:
    def __init__(self, entries: Sequence[Any]) -> None:
        self.heads = {entry.seq: entry.hash for entry in entries}
        self.charges = {entry.seq: entry.body for entry in entries if entry.kind == "charge"}
        self.outcomes: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for entry in entries:
            if entry.kind == "outcome":
                self.outcomes[entry.body["charge"]].append(entry.body)
        self.spent: dict[str, Fraction] = defaultdict(Fraction)
        for body in self.charges.values():
            for budget in {body["budget"], body.get("total", body["budget"])}:
                self.spent[budget] += price(body)

    def of(self, analyst: str, id: str) -> list[int]:
        named = (analyst, id)
        return [s for s, b in self.charges.items() if (b["analyst"], b["request"]["id"]) == named]


def price(body: dict[str, Any]) -> Fraction:
    """The ε of a charge, from its events alone (all of them pure here)."""
    events = [item for aggregate in body["aggregates"] for item in aggregate["events"]]
    return sum((Fraction(item["event"]["epsilon"]) * item["count"] for item in events), Fraction(0))


def _spend(ledger: _Ledger, limits: dict[str, Fraction]) -> Iterator[str]:
    for budget, spent in ledger.spent.items():
        if spent > limits[budget]:
            yield f"budget {budget} spent {spent} of {limits[budget]}"


def _answers(calls: Sequence[Call], ledger: _Ledger) -> Iterator[str]:
    """One released charge for each answer, the same bytes each time, and no other's."""
    served: dict[int, set[tuple[str, str]]] = defaultdict(set)
    bytes_of: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for call in calls:
        if call.result != "answered":
            continue
        name = call.analyst, call.id
        digest = hashlib.sha256((call.payload or "").encode()).hexdigest()
        paid = [
            seq for seq in ledger.of(*name)
            if [o["releases"] for o in ledger.outcomes[seq] if o["outcome"] == "released"]
            == [[digest]]
        ]  # fmt: skip
        if not paid:
            yield f"{name} was answered without a charge that released it"
        if call.charge is not None:
            served[call.charge[0]].add(name)
            if call.charge[0] not in paid:
                yield f"{name} was answered by charge {call.charge[0]}, which did not release it"
        bytes_of[name].add(call.payload)
    for seq, names in served.items():
        if len(names) > 1:
            yield f"charge {seq} was served to {sorted(names)}"
    for name, payloads in bytes_of.items():
        if len(payloads) > 1:
            yield f"{name} got {len(payloads)} different answers"
    for seq, ends in ledger.outcomes.items():
        if len(ends) > 1:
            yield f"charge {seq} has {len(ends)} outcomes"


def _nothing_lost(calls: Sequence[Call], ledger: _Ledger) -> Iterator[str]:
    for call in calls:
        for told in (call.charge, call.receipt):
            if told is not None and ledger.heads.get(told[0]) != told[1]:
                yield f"{call.client} was told entry {told[0]}, which is not there"


def _nobodys(calls: Sequence[Call], ledger: _Ledger) -> Iterator[str]:
    """A charge is somebody's request, at its price, and a request is charged once for each try."""
    tries: dict[tuple[str, str, Fraction], int] = defaultdict(int)
    for call in calls:
        if call.result is None or call.charge is not None:
            tries[call.analyst, call.id, call.epsilon] += 1
    made: dict[tuple[str, str, Fraction], int] = defaultdict(int)
    for body in ledger.charges.values():
        made[body["analyst"], body["request"]["id"], price(body)] += 1
    for name, number in made.items():
        if number > tries[name]:
            yield f"{name[:2]} was charged {number} times and tried {tries[name]} times"


def _in_vain(calls: Sequence[Call], ledger: _Ledger, limits: dict[str, Fraction]) -> Iterator[str]:
    """Spend only grows: what would fit at the end would have fitted when it was refused.

    A charge is rounded up by less than a unit of 2^-40.
    """
    rounded = Fraction(len(ledger.charges) + 1, 2**40)
    for call in calls:
        if call.result == "refused":
            budgets = (call.analyst, "total")
            needed = call.epsilon + rounded
            if all(ledger.spent[b] + needed <= limits[b] for b in budgets):
                yield f"{call.client} was refused {call.id}, which fits"


def _order(calls: Sequence[Call]) -> Iterator[str]:
    """Told before the other was asked: earlier in the ledger, too."""
    told = sorted((c for c in calls if c.charge and c.end), key=lambda call: call.end or 0)
    asked = sorted((c for c in calls if c.charge), key=lambda call: call.start)
    newest, index = 0, 0
    for call in asked:
        while index < len(told) and (told[index].end or 0) < call.start:
            newest = max(newest, (told[index].charge or (0, ""))[0])
            index += 1
        if call.charge is not None and call.charge[0] < newest:
            yield f"{call.client} was charged entry {call.charge[0]} after {newest} was told"
