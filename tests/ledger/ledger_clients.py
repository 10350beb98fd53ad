"""Clients of one ledger: `python ledger_clients.py URL FOLDER NAME THREADS SECONDS [FAULT]`.

Each thread has a connection of its own and a file of its own, into which it writes what it asks
and what it is told (client_history.py). A fault is seeded to see that the checker finds it.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any, TextIO

from ledger_cases import priced

from dpsql.errors import BudgetExceeded, Error
from dpsql.ledger import Ledger, Release, admission
from dpsql.ledger.requests import request_key

PRICES = ("1/1000", "1/100", "1/7")


def tell(file: TextIO, **words: object) -> None:
    file.write(json.dumps(words) + "\n")
    file.flush()  # to the system: it survives kill -9


def client(url: str, folder: Path, name: str, end: float, fault: str) -> None:
    chance, mine = random.Random(name), []
    with Ledger.open(url, patience=60) as ledger, (folder / f"{name}.jsonl").open("w") as file:
        number = 0
        while time.monotonic() < end:
            number += 1
            if mine and chance.random() < 0.3:
                request = chance.choice(mine)  # again: answered, failed or refused before
            else:
                analyst = chance.choice(("alice", "bob", "carol"))
                request = analyst, f"{name}-{number}", chance.choice(PRICES)
                mine.append(request)
            call(ledger, file, name, request, chance, fault)


def call(
    ledger: Ledger, file: TextIO, name: str, request: tuple[str, str, str],
    chance: random.Random, fault: str,
) -> None:  # fmt: skip
    analyst, id, epsilon = request
    start = time.monotonic_ns()
    tell(file, client=name, analyst=analyst, id=id, epsilon=epsilon, start=start)
    told: dict[str, Any] = {}
    try:
        told = ask(ledger, analyst, id, epsilon, chance, fault, told)
    except BudgetExceeded:
        told["result"] = "refused"
    except Error as error:
        told["result"] = error.code
    tell(file, end=time.monotonic_ns(), **told)


def ask(
    ledger: Ledger, analyst: str, id: str, epsilon: str, chance: random.Random, fault: str,
    told: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    sql = f"SELECT {epsilon}"
    key = request_key(
        id, budget=analyst, total="total", sql=sql, data_version="1",
        wanted=[("f1", Fraction(epsilon), Fraction(1, 10**8))],
    )  # fmt: skip
    attempt = ledger.attempt(analyst, key)
    if attempt.payloads and fault != "fresh":
        payload = attempt.payloads["f1"].decode()
        return {"result": "answered", "payload": payload, "receipt": list(head(ledger))}
    receipt = ledger.reserve(
        analyst=analyst, budget=analyst, total="total", aggregates=priced(epsilon), sql=sql,
        data_version="1", attempt=attempt,
    )  # fmt: skip
    told["charge"] = [receipt.seq, receipt.head]
    if chance.random() < 0.1:
        ledger.settle(receipt, chance.choice(("failed", "timeout", "cancelled")))
        return {**told, "result": "failed"}
    payload = f"{id} {receipt.seq} {chance.random()}"
    ledger.settle(receipt, "released", kept=[Release("f1", payload.encode())])
    return {**told, "result": "answered", "payload": payload, "receipt": list(head(ledger))}


def head(ledger: Ledger) -> tuple[int, str]:
    anchor = ledger.anchor()
    return anchor.seq, anchor.head


def main(url: str, folder: str, name: str, threads: str, seconds: str, fault: str = "") -> None:
    if fault == "admit-all":
        admission.admits = lambda *_: True  # type: ignore[assignment]
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + float(seconds)
    running = [
        threading.Thread(target=client, args=(url, Path(folder), f"{name}{n}", end, fault))
        for n in range(int(threads))
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
