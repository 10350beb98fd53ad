"""dpsql beside its peers, in one run: same data, same bounds, same guarantee.

    make bench-peers                 all of it; writes docs/comparison.md and docs/comparison.svg
    python benchmarks/peers/run.py [--runs 60] [--only dpsql qrlew] [--sections accuracy]
                                   [--report] [--write]

Each peer runs in an environment of its own (.envs), the data lies in .work, results in
.work/results. A peer that cannot be installed or started is reported as not run, with the reason.
`--report` shows what the last runs left without running anything.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE), str(ROOT / "tests" / "e2e")]

import data  # noqa: E402
import documented  # noqa: E402
import duckdb  # noqa: E402
import envs  # noqa: E402
import postgres  # noqa: E402
import report  # noqa: E402
import sqlglot  # noqa: E402
from e2e_compare import Plain, plain  # noqa: E402
from protocol import plain as as_json  # noqa: E402

PEERS = ("duckdb", "dpsql", "smartnoise", "qrlew", "tumult")
NEED_POSTGRES = ("smartnoise", "qrlew")
SECTIONS = ("accuracy", "budget", "coverage")
PRICES = [0.1, 0.03, 0.01]  # ε of one COUNT; its Laplace noise sets the error all must keep
WORK = HERE / ".work"
LOUD = ("qrlew", "smartnoise", "tumult")  # what they print goes to .work/NAME.log
LIMIT = 3 * 3600
UNITS = {"good-207": "u.user_id"}  # where COUNT(DISTINCT user_id) would be ambiguous


def cases() -> list[dict[str, Any]]:
    """good.jsonl, each also in PostgreSQL's dialect and with its parameters written in."""
    found = []
    for line in (data.CASES / "good.jsonl").read_text().splitlines():
        case = json.loads(line)
        sql, params = case["sql"], case.get("params")
        other = sql if "postgres" in case["dialects"] and not params else translated(sql, params)
        found.append(
            {
                "id": case["id"],
                "tier": case["tier"],
                "duckdb": sql if "duckdb" in case["dialects"] else from_postgres(sql),
                "params": params,
                "postgres": other,
            }
        )
    return found


def translated(sql: str, params: Sequence[Any] | None) -> str:
    tree = sqlglot.parse_one(sql, read="duckdb")
    marks = list(tree.find_all(sqlglot.exp.Placeholder))
    for mark, value in zip(marks, params or [], strict=True):
        mark.replace(sqlglot.exp.convert(value))
    return tree.sql("postgres")


def expected(folder: Path, asked: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Per case what DuckDB itself answers; per question the true values."""
    answers = {}
    with duckdb.connect(str(folder / "shop.duckdb"), read_only=True) as connection:
        for case in asked:
            truth = true_answer(connection, case)
            answers[case["id"]] = {
                "tier": case["tier"],
                "rows": [[as_json(cell) for cell in row] for row in truth.rows],
                "units": truth.units,
                "ordered": truth.ordered,
                "keys": truth.keys,
                "documented": {
                    "dpsql": documented.dpsql(case),
                    "qrlew": documented.qrlew(case["postgres"]),
                },
            }
    questions = {
        question.id: {
            "label": question.label,
            "set": question.set,
            "timed_only": question.timed_only,
            "truth": [[as_json(c) for c in row] for row in data.truths(folder, question)],
        }
        for question in data.QUESTIONS
    }
    return {"cases": answers, "questions": questions, "prices": PRICES}


def from_postgres(sql: str) -> str:
    return sqlglot.transpile(sql, read="postgres", write="duckdb")[0]


def true_answer(connection: duckdb.DuckDBPyConnection, case: dict[str, Any]) -> Plain:
    try:
        return plain(connection, case["duckdb"], case["params"], units=UNITS.get(case["id"]))
    except sqlglot.ParseError:  # DuckDB reads more than sqlglot: no units, no order to tell
        cursor = connection.execute(case["duckdb"], case["params"] or [])
        names = [column[0] for column in cursor.description]
        return Plain(names, cursor.fetchall(), None, False, [])


def run_peer(name: str, job: data.Job, results: Path) -> None:
    """Its lines go to results/NAME.jsonl; whatever stops it becomes a line too."""
    target = results / f"{name}.jsonl"
    kept = target.read_text().splitlines() if target.exists() else []
    target.write_text("".join(f"{line}\n" for line in kept if not redone(json.loads(line), job)))
    note(f"{name}:")
    try:
        if name in NEED_POSTGRES and job.postgres is None:
            raise envs.Absent("runs on PostgreSQL, and no PostgreSQL server is installed here")
        python = sys.executable if name == "dpsql" else str(envs.python_of(name))
        told = job.folder + f"/job-{name}.json"
        Path(told).write_text(json.dumps(asdict(job)))
        script = str(HERE / f"peer_{name}.py")
        with open(Path(job.folder) / f"{name}.log", "w") as log:
            done = subprocess.run(
                [python, script, told, str(target)],
                check=False,
                stderr=log if name in LOUD else None,
                stdout=subprocess.DEVNULL,
                timeout=LIMIT,
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{HERE}" if name == "dpsql" else ""},
            )
        if done.returncode:
            raise envs.Absent(f"its process ended with code {done.returncode}")
    except (envs.Absent, subprocess.SubprocessError) as error:
        note(f"{name}: {error}")
        with target.open("a") as out:
            out.write(json.dumps({"kind": "absent", "reason": str(error)}) + "\n")


def redone(line: dict[str, Any], job: data.Job) -> bool:
    """Whether this job measures anew what an earlier run wrote."""
    if line["kind"] in ("accuracy", "failed"):
        asked = {question["id"] for question in job.questions}
        return "accuracy" in job.sections and line["question"] in asked
    return line["kind"] in ("about", "absent") or line["kind"] in job.sections


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="dpsql beside its peers")
    parser.add_argument("--runs", type=int, default=60, help="runs a question (Spark: a 15th)")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--questions", nargs="+", choices=[q.id for q in data.QUESTIONS])
    parser.add_argument("--report", action="store_true", help="only show the last results")
    parser.add_argument("--write", action="store_true", help="write docs/comparison.{md,svg}")
    options = parser.parse_args(arguments)
    results = WORK / "results"
    results.mkdir(parents=True, exist_ok=True)
    if not options.report:
        note("data")
        data.build(WORK)
        asked = cases()
        (results / "expected.json").write_text(json.dumps(expected(WORK, asked)))
        chosen = [q for q in data.QUESTIONS if q.id in (options.questions or [q.id])]
        needed = any(name in NEED_POSTGRES for name in options.only)
        with postgres.server(WORK, data.SETS if needed else {}) as prefix:
            for name in options.only:
                job = data.Job(
                    folder=str(WORK),
                    epsilon=data.EPSILON,
                    delta=data.DELTA,
                    runs=options.runs,
                    sections=list(options.sections),
                    questions=[data.as_json(question) for question in chosen],
                    cases=[] if name == "tumult" else asked,
                    prices=PRICES,
                    postgres=prefix,
                )
                run_peer(name, job, results)
    found = report.load(results)
    print(report.tables(found))
    if options.write:
        report.write(found, ROOT / "docs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
