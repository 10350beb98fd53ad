"""The comparison with peers: given results become the right tables, right answers are told from
wrong ones, and what needs no peer installed works. The peers themselves are not run here."""

from __future__ import annotations

import importlib
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dpsql import accountant

PEERS = Path(__file__).parents[2] / "benchmarks" / "peers"
MODULES = ("data", "documented", "envs", "peer_tumult", "plot", "postgres", "protocol", "report")
MODULES += ("run", "score")


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.syspath_prepend(str(PEERS))
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


# ---- right and wrong ---------------------------------------------------------------------------

WANT = [["Berlin", 400], ["Rome", 300], ["Oslo", 3]]
UNITS = [400, 300, 3]


@pytest.mark.parametrize(
    ("got", "right"),
    [
        ([["Rome", 300], ["Berlin", 400], ["Oslo", 3]], True),
        ([["Berlin", 403], ["Rome", 298]], True),  # 1 % off, a group of three lost
        ([["Berlin", 410], ["Rome", 300], ["Oslo", 3]], False),  # a number
        ([["Berlin", 400], ["Oslo", 3]], False),  # a large group missing
        ([], False),
        ([["Berlin", 400], ["Rome", 300], ["Paris", 0]], True),  # a public key nobody has
        ([["Berlin", 400], ["Rome", 300], ["Paris", 7]], False),  # invented
        ([[None, 400], ["Rome", 300]], False),
        ([["Berlin"], ["Rome"]], False),
    ],
)
def test_an_answer_is_right_or_wrong(
    peers: SimpleNamespace, got: list[list[Any]], right: bool
) -> None:
    assert peers.score.right(got, WANT, units=UNITS, keys=[0]) is right


def test_order_counts_where_it_was_asked_for(peers: SimpleNamespace) -> None:
    swapped = [WANT[1], WANT[0], WANT[2]]
    assert peers.score.right(swapped, WANT, units=UNITS)
    assert not peers.score.right(swapped, WANT, units=UNITS, ordered=True)


def test_without_units_every_group_must_be_there(peers: SimpleNamespace) -> None:
    assert not peers.score.right(WANT[:2], WANT)


def test_neighbouring_number_keys_are_not_mixed_up(peers: SimpleNamespace) -> None:
    want = [[18, 500], [19, 501]]
    assert peers.score.right([[18, 501], [19, 500]], want, units=[500, 501], keys=[0])
    assert not peers.score.right([[19, 500], [20, 501]], want, units=[500, 501], keys=[0])


@pytest.mark.parametrize(
    ("got", "want", "equal"),
    [
        ("41.2", 41.0, True),
        ("text", 41.0, False),
        (None, 0, False),
        ("t", True, True),
        (False, True, False),
        ("2021-01-01T00:00:00", "2021-01-01 00:00:00", True),
        ("a/40", "a/40.0", True),
        (0.02, 0.01, False),
        (3.0, 0, True),
        (60.0, 0, False),
    ],
)
def test_cells(peers: SimpleNamespace, got: Any, want: Any, equal: bool) -> None:
    assert peers.score.same(got, want) is equal


def test_error_figures(peers: SimpleNamespace) -> None:
    truth = [["a", 100], ["b", 10]]
    runs = [[["a", 101.0], ["b", 13]], [["a", 98], ["c", 5]]]
    found = peers.score.errors(runs, truth)
    assert found.runs == 2
    assert found.median == 2  # of 1, 3, 2; c is not in the truth
    assert found.relative == pytest.approx(0.02)
    assert found.lost == pytest.approx(1 / 4)
    assert found.bias == pytest.approx((1 + 3 - 2) / 3 / 55)
    assert peers.score.errors([[]], truth) is None


# ---- results become tables ---------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What two peers and a missing one might have left."""
    people = {"label": "COUNT(*)", "set": "rand", "timed_only": False, "truth": [[None, 1000]]}
    big = {"label": "big", "set": "large", "timed_only": True, "truth": [[1, 7], [2, 7]]}
    case = {"units": None, "ordered": False, "keys": [], "tier": 1, "rows": [[5000]]}
    expected = {
        "prices": [0.1],
        "questions": {"people": people, "large": big},
        "cases": {
            "good-001": {**case, "documented": {"dpsql": True}},
            "good-002": {**case, "tier": 2, "documented": {"dpsql": False}},
        },
    }
    lines: dict[str, list[dict[str, Any]]] = {
        "dpsql": [
            {"kind": "about", "version": "0.1.0", "engine": "DuckDB"},
            _measured("people", [[[None, 1001]], [[None, 997]]], [0.010, 0.014]),
            _measured("large", [[[1, 7], [2, 7]]], [1.5]),
            {
                "kind": "budget",
                "price": 0.1,
                "way": "ledger",
                "count": 10,
                "values": [1003] * 6,
                "stopped": True,
            },
            {"kind": "coverage", "case": "good-001", "outcome": "answered", "rows": [[5001]]},
            {"kind": "coverage", "case": "good-002", "outcome": "refused", "error": "x"},
        ],
        "smartnoise": [
            {"kind": "about", "version": "1.0.10", "engine": "PostgreSQL"},
            _measured("people", [[[None, 1010]], [[None, 1030]]], [0.2, 0.4]),
            {"kind": "failed", "question": "large", "error": "no"},
            {
                "kind": "coverage",
                "case": "good-001",
                "outcome": "answered",
                "rows": [[9]],
                "documented": True,
            },
            {"kind": "coverage", "case": "good-002", "outcome": "crashed", "documented": False},
        ],
        "tumult": [{"kind": "absent", "reason": "no Java here"}],
    }
    (tmp_path / "expected.json").write_text(json.dumps(expected))
    for name, found in lines.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in found))
    return tmp_path


def _measured(question: str, runs: list[Any], seconds: list[float]) -> dict[str, Any]:
    return {"kind": "accuracy", "question": question, "runs": runs, "seconds": seconds}


def rows_of(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_error_table(peers: SimpleNamespace, results: Path) -> None:
    head, _, *rows = rows_of(peers.report.accuracy(peers.report.load(results)))
    assert head == ["data", "query", "truth", "dpsql", "SmartNoise SQL", "Tumult Analytics"]
    (row,) = rows  # the question for time alone is not here
    assert row[:4] == ["rand", "COUNT(*)", "1,000", "2 (0.2 %) †"]
    assert row[4].startswith("20 (2 %)")
    assert row[5] == "not run"


def test_bold_is_what_the_best_cannot_be_told_from(peers: SimpleNamespace, results: Path) -> None:
    def lines(error: int, runs: int) -> str:
        return json.dumps(_measured("people", [[[None, 1000 + error]]] * runs, [0.1] * runs))

    (results / "dpsql.jsonl").write_text(lines(11, 100))
    (results / "smartnoise.jsonl").write_text(lines(10, 100))
    (results / "qrlew.jsonl").write_text(lines(20, 100))
    (results / "tumult.jsonl").write_text(lines(1, 3))  # three lucky draws rank nobody
    (row,) = rows_of(peers.report.accuracy(peers.report.load(results)))[2:]
    assert row[3:] == [
        "**11** (1.1 %); bias +1.1 %",
        "**10** (1 %); bias +1.0 %",
        "20 (2 %); bias +2.0 %",
        "1 (0.1 %) †",
    ]


def test_the_time_table_is_in_milliseconds(peers: SimpleNamespace, results: Path) -> None:
    _, _, *rows = rows_of(peers.report.times(peers.report.load(results)))
    assert rows == [
        ["rand", "COUNT(*)", "12", "300", "-"],
        ["large", "big", "1,500", "-", "-"],
    ]


def test_the_budget_table(peers: SimpleNamespace, results: Path) -> None:
    head, _, *rows = rows_of(peers.report.budget(peers.report.load(results)))
    assert head == ["peer", "accounting", "stops", "RMSE 14.1 each"]
    assert rows == [["dpsql", "ledger", "yes", "10 (RMSE 3)"]]


def test_the_coverage_table(peers: SimpleNamespace, results: Path) -> None:
    _, _, *rows = rows_of(peers.report.coverage(peers.report.load(results)))
    assert rows == [
        ["dpsql", "1", "1", "0", "1", "0", "1 of 1"],
        ["SmartNoise SQL", "1", "0", "1", "0", "1", "0 of 1"],
        ["Tumult Analytics", "-", "-", "-", "-", "-", "-"],
    ]


def test_a_peer_that_did_not_run_is_said(peers: SimpleNamespace, results: Path) -> None:
    table = peers.report.ran(peers.report.load(results))
    assert "| Tumult Analytics | - | - | no: no Java here | - |" in table


def test_the_page_keeps_its_words(peers: SimpleNamespace, results: Path, tmp_path: Path) -> None:
    report = peers.report
    page = tmp_path / "comparison.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(report.load(results), tmp_path)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| 2 (0.2 %) † |" in text
    marks = ElementTree.parse(tmp_path / "comparison.svg").getroot()
    dots = [e for e in marks.iter() if e.tag.endswith(("circle", "polygon"))]
    assert len(dots) == 3 + 2  # the legend's, and one of each peer that answered
    page.write_text("no marks")
    with pytest.raises(ValueError, match="bench-peers"):
        report.write(report.load(results), tmp_path)


# ---- what is asked -------------------------------------------------------------------------------


def test_every_case_is_asked_in_both_dialects(peers: SimpleNamespace) -> None:
    cases = {case["id"]: case for case in peers.run.cases()}
    assert len(cases) == len((peers.data.CASES / "good.jsonl").read_text().splitlines())
    assert "?" not in cases["good-212"]["postgres"]
    assert "strftime" in cases["good-113"]["duckdb"].lower()


def test_what_qrlew_documents(peers: SimpleNamespace) -> None:
    qrlew = peers.documented.qrlew
    assert qrlew("SELECT city, AVG(age) FROM users WHERE age BETWEEN 1 AND 9 GROUP BY city")
    assert not qrlew("SELECT MEDIAN(age) FROM users")
    assert not qrlew("SELECT COUNT(*) FROM users WHERE city LIKE 'B%'")


def test_the_zcdp_budget_is_worth_epsilon_and_delta(peers: SimpleNamespace) -> None:
    rho = peers.peer_tumult.zcdp(1.0, 1e-6)
    worth = accountant.epsilon([accountant.ZCDP(rho)], delta=1e-6)
    assert float(worth) == pytest.approx(1.0, rel=2e-3)


def test_an_environment_that_cannot_be_made_says_why(
    peers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(peers.envs.INTERPRETERS, "qrlew", ((2, 6), (2, 7)))
    monkeypatch.setattr(peers.envs.shutil, "which", lambda name: None)
    with pytest.raises(peers.envs.Absent, match=r"needs Python 2\.6"):
        peers.envs._interpreter("qrlew")


def test_peers_without_postgres_are_reported_as_absent(
    peers: SimpleNamespace, tmp_path: Path
) -> None:
    job = peers.data.Job(
        folder=str(tmp_path), epsilon=1, delta=1e-6, runs=1, sections=[], questions=[]
    )
    peers.run.run_peer("qrlew", job, tmp_path)
    line = json.loads((tmp_path / "qrlew.jsonl").read_text())
    assert line["kind"] == "absent"
    assert "PostgreSQL" in line["reason"]


def test_a_peer_that_dies_leaves_what_it_had(peers: SimpleNamespace) -> None:
    class Panics:
        slow = 1

        def asker(self, question: dict[str, Any]) -> Any:
            raise BaseException("attempt to divide by zero")

    lines: list[dict[str, Any]] = []
    question = {"id": "people", "timed_only": False, "key": None}
    peers.protocol._measure(Panics(), {"runs": 3}, question, lambda **x: lines.append(x))
    assert lines == [
        {
            "kind": "failed",
            "question": "people",
            "error": "BaseException: attempt to divide by zero",
        }
    ]


def test_a_part_run_again_keeps_the_rest(peers: SimpleNamespace, tmp_path: Path) -> None:
    old = [
        {"kind": "absent", "reason": "earlier"},
        _measured("people", [], []),
        _measured("income", [], []),
        {"kind": "budget", "price": 0.1},
        {"kind": "coverage", "case": "good-001"},
    ]
    (tmp_path / "qrlew.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    job = peers.data.Job(
        folder=str(tmp_path),
        epsilon=1,
        delta=1e-6,
        runs=1,
        sections=["accuracy", "budget"],
        questions=[{"id": "people"}],
    )
    peers.run.run_peer("qrlew", job, tmp_path)  # there is no PostgreSQL in this job
    lines = [json.loads(line) for line in (tmp_path / "qrlew.jsonl").read_text().splitlines()]
    assert lines[:2] == [old[2], old[4]]
    assert lines[2]["kind"] == "absent"
    assert len(lines) == 3
