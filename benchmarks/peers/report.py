"""Results (JSON lines, one file per peer) → Markdown tables, and the plot by plot.py."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import plot
import score

BEGIN, END = "<!-- bench-peers: begin -->", "<!-- bench-peers: end -->"
NAMES = {
    "dpsql": "dpsql",
    "smartnoise": "SmartNoise SQL",
    "qrlew": "Qrlew",
    "tumult": "Tumult Analytics",
    "duckdb": "DuckDB, no privacy",
}
OUTCOMES = ("right", "wrong", "refused", "crashed")


@dataclass
class Found:
    """`lines[peer]` are its results in order; `expected` is what run.py wrote beside them."""

    expected: dict[str, Any]
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, peer: str, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines.get(peer, []) if line["kind"] == kind]

    @property
    def peers(self) -> list[str]:
        return [name for name in NAMES if name in self.lines]

    @property
    def private(self) -> list[str]:
        return [name for name in self.peers if name != "duckdb"]


def load(results: Path) -> Found:
    found = Found(json.loads((results / "expected.json").read_text()))
    for name in NAMES:
        path = results / f"{name}.jsonl"
        if path.exists():
            found.lines[name] = [json.loads(line) for line in path.read_text().splitlines()]
    return found


def tables(found: Found) -> str:
    parts = [
        ("What ran", ran(found)),
        ("Error", accuracy(found)),
        ("Time", times(found)),
        ("Queries under one budget", budget(found)),
        ("SQL", coverage(found)),
    ]
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in parts)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def ran(found: Found) -> str:
    rows = []
    for peer in found.peers:
        about = (found.of(peer, "about") or [{}])[0]
        absent = found.of(peer, "absent")
        runs = {len(line["runs"]) for line in found.of(peer, "accuracy")}
        said = f"no: {absent[0]['reason']}" if absent else "yes"
        spread = f"{min(runs)} to {max(runs)}" if len(runs) > 1 else "".join(map(str, runs))
        rows.append(
            [NAMES[peer], about.get("version", "-"), about.get("engine", "-"), said, spread or "-"]
        )
    return markdown(["peer", "version", "engine", "ran", "runs a question"], rows)


# ---- error and time --------------------------------------------------------------------------


def measured(found: Found, peer: str) -> dict[str, score.Errors]:
    """question → its figures, for the questions that the peer answered."""
    questions = found.expected["questions"]
    figures = {}
    for line in found.of(peer, "accuracy"):
        if line["question"] not in questions:
            continue  # left by a run of other questions
        errors = score.errors(line["runs"], questions[line["question"]]["truth"])
        if errors is not None:
            figures[line["question"]] = errors
    return figures


def accuracy(found: Found) -> str:
    figures = {peer: measured(found, peer) for peer in found.private}
    rows = []
    for name, question in found.expected["questions"].items():
        if question["timed_only"] or not any(name in figures[peer] for peer in found.private):
            continue
        medians = [
            figures[p][name].median
            for p in found.private
            if name in figures[p] and not figures[p][name].few
        ]
        least = min(medians, default=-1.0)
        cells = [cell(found, figures, peer, name, least) for peer in found.private]
        rows.append([question["set"], question["label"], size(question["truth"]), *cells])
    return markdown(["data", "query", "truth", *(NAMES[p] for p in found.private)], rows)


def size(truth: Sequence[Any]) -> str:
    return number(truth[0][1]) if truth[0][0] is None else f"{len(truth)} groups"


def cell(found: Found, figures: Any, peer: str, name: str, least: float) -> str:
    """Median absolute error (relative), groups lost, bias if seen; bold: as good as the least."""
    errors = figures[peer].get(name)
    if errors is None:
        asked = {line["question"] for line in found.of(peer, "failed") + found.of(peer, "accuracy")}
        return "failed" if name in asked else "not run"
    text = number(errors.median)
    text = f"**{text}**" if not errors.few and errors.as_good_as(least) else text
    text += f" ({100 * errors.relative:.2g} %)"
    if errors.lost > 0:
        text += f"; {100 * errors.lost:.0f} % lost"
    if abs(errors.bias) > max(3 * errors.bias_error, 0.001):
        text += f"; bias {100 * errors.bias:+.1f} %"
    return text + (" †" if errors.few else "")


def times(found: Found) -> str:
    """Median seconds of one query, as milliseconds."""
    rows = []
    for name, question in found.expected["questions"].items():
        cells = []
        for peer in found.peers:
            lines = [ln for ln in found.of(peer, "accuracy") if ln["question"] == name]
            spent = statistics.median(lines[0]["seconds"]) if lines else None
            cells.append("-" if spent is None else number(1000 * spent))
        if any(text != "-" for text in cells):
            rows.append([question["set"], question["label"], *cells])
    return markdown(["data", "query, ms", *(NAMES[p] for p in found.peers)], rows)


# ---- budget ----------------------------------------------------------------------------------


def budget(found: Found) -> str:
    """How many COUNTs of equal error each admits under the one budget."""
    prices = found.expected["prices"]
    truth = found.expected["questions"]["people"]["truth"][0][1]
    rows = []
    for peer in found.private:
        lines = found.of(peer, "budget")
        for way in dict.fromkeys(line["way"] for line in lines):
            cells = []
            for price in prices:
                mine = [ln for ln in lines if ln["way"] == way and ln["price"] == price]
                if not mine or "count" not in mine[0]:
                    cells.append("-" if not mine else f"failed: {mine[0].get('error', '')[:60]}")
                    continue
                values = mine[0]["values"]
                seen = f" (RMSE {number(score.rmse(values, truth))})" if len(values) > 5 else ""
                cells.append(f"{mine[0]['count']:,}{seen}")
            stops = any(line.get("stopped") for line in lines if line["way"] == way)
            rows.append([NAMES[peer], way, "yes" if stops else "no", *cells])
    asked = [f"RMSE {number(math.sqrt(2) / price)} each" for price in prices]
    return markdown(["peer", "accounting", "stops", *asked], rows)


# ---- coverage --------------------------------------------------------------------------------


def outcome(line: dict[str, Any], truth: dict[str, Any]) -> str:
    """One of OUTCOMES."""
    if line["outcome"] != "answered":
        return str(line["outcome"])
    about = {name: truth[name] for name in ("units", "ordered", "keys")}
    good = score.right(line["rows"], truth["rows"], **about)
    return "right" if good else "wrong"


def covered(found: Found, peer: str) -> dict[str, str]:
    """case → outcome."""
    truths = found.expected["cases"]
    return {
        line["case"]: outcome(line, truths[line["case"]]) for line in found.of(peer, "coverage")
    }


def documented(found: Found, peer: str) -> list[bool]:
    """Per case; from the peer itself, or else from what run.py read off its documentation."""
    own = [line["documented"] for line in found.of(peer, "coverage") if "documented" in line]
    read = [case.get("documented", {}).get(peer) for case in found.expected["cases"].values()]
    return own or [bool(said) for said in read if said is not None]


def coverage(found: Found) -> str:
    rows = []
    for peer in found.peers:
        outcomes = covered(found, peer)
        if not outcomes:
            rows.append([NAMES[peer], "-", *["-"] * len(OUTCOMES), "-"])
            continue
        said = documented(found, peer)
        counts = [sum(o == kind for o in outcomes.values()) for kind in OUTCOMES]
        first = [c for c, about in found.expected["cases"].items() if about["tier"] == 1]
        tier = f"{sum(outcomes.get(c) == 'right' for c in first)} of {len(first)}"
        rows.append([NAMES[peer], str(sum(said)) if said else "-", *(str(n) for n in counts), tier])
    total = len(found.expected["cases"])
    head = ["peer", f"accepted by its documentation, of {total}", *OUTCOMES, "right of tier 1"]
    return markdown(head, rows)


# ---- the page --------------------------------------------------------------------------------


def write(found: Found, docs: Path) -> None:
    """Replace what stands between the marks in docs/comparison.md, and the plot beside it.

    ValueError if the page has lost its marks.
    """
    page = docs / "comparison.md"
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page.name} has no {BEGIN} ... {END}")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    page.write_text(f"{before}{BEGIN}\n\n{tables(found)}\n\n{END}{after}")
    figures = {NAMES[peer]: measured(found, peer) for peer in found.private}
    labels = {
        name: question["label"]
        for name, question in found.expected["questions"].items()
        if not question["timed_only"]
    }
    (docs / "comparison.svg").write_text(plot.ratios(labels, figures, base=NAMES["dpsql"]))
