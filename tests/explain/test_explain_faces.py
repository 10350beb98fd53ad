"""JSON keys, the graph, neighbouring databases, and explanations of everyday queries."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

import dpsql
from dpsql.demo import questions
from dpsql.demo.workspace import workspace
from dpsql.explain import explain
from dpsql.reader import Reader
from dpsql.sql.parser import parse
from dpsql.sql.spell import spell

ROOT = Path(__file__).resolve().parents[2]
CASES = [json.loads(line) for line in (ROOT / "tests/cases/good.jsonl").read_text().splitlines()]
TIER_ONE = [case for case in CASES if case["tier"] == 1 and "duckdb" in case["dialects"]]
PRIVATE = 'SELECT city AS "a \'b", COUNT(*), AVG(age) FROM users GROUP BY 1 HAVING SUM(age) > 9'


def _keys(value: Any, inside: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if inside not in ("noise_standard_deviation", "half_width_95_by_rows", "policy"):
                yield key
            if inside != "events":  # an event's own parameters
                yield from _keys(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner, inside)


def test_every_key_is_documented(cursor: dpsql.Cursor) -> None:
    known = set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs/explain.md").read_text()))
    told = cursor.explain(PRIVATE).to_dict()
    told["releases"][0]["events"] = []
    assert set(_keys(told)) <= known
    kinds = {better["kind"] for better in told["releases"][0]["improvements"]}
    page = (ROOT / "docs/explain.md").read_text()
    assert kinds
    assert all(f"`{kind}`" in page for kind in kinds)


def test_every_improvement_is_documented() -> None:
    page = (ROOT / "docs/explain.md").read_text()
    source = (ROOT / "dpsql/advice/alternatives.py").read_text()
    kinds = set(re.findall(r'Alternative\(\s+"([a-z-]+)"', source))
    assert len(kinds) == 9
    assert all(f"`{kind}`" in page for kind in kinds)


def test_the_graph(cursor: dpsql.Cursor) -> None:
    lines = cursor.explain(PRIVATE).dot.splitlines()
    assert (lines[0], lines[-1]) == ("digraph plan {", "}")
    nodes = {
        m[1] for line in lines if (m := re.match(r'  (n\d+) \[shape=\w+, label=".*"\];$', line))
    }
    edges = [
        m for line in lines if (m := re.match(r'  (n\d+) -> (n\d+)( \[label=".*"\])?;$', line))
    ]
    assert len(nodes) + len(edges) == len(lines) - 4
    assert all({edge[1], edge[2]} <= nodes for edge in edges)
    text = "\n".join(lines)
    assert "age: 0 to 120" in text
    assert "AVG(age)" in text


def test_quotes_do_not_end_labels(cursor: dpsql.Cursor) -> None:
    sql = 'SELECT COUNT(*) AS "x""];\n n9 [" FROM users WHERE city <> \'a"\\b\''
    for line in cursor.explain(sql).dot.splitlines():
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) in (0, 2)


@pytest.mark.parametrize("sql", [PRIVATE, "SELECT item, SUM(amount) FROM orders GROUP BY item"])
def test_neighbours_give_the_same_text(
    databases: dict[str, Path], connect: Callable[..., dpsql.Connection], tmp_path: Path, sql: str
) -> None:
    """One person less, the only one of a city and an item, with the largest amounts."""
    neighbours = []
    for name in ("with", "without"):
        path = tmp_path / f"{name}.duckdb"
        shutil.copy(databases["large"], path)
        with duckdb.connect(str(path)) as owner:
            if name == "with":
                owner.execute("INSERT INTO users VALUES (100000, 2000000000, 'nowhere else')")
                owner.execute(
                    "INSERT INTO orders SELECT 100000, 'rare', 1e300, 'x' FROM range(5000)"
                )
        neighbours.append(connect(database=f"duckdb:///{path}").cursor().explain(sql))
    first, second = neighbours
    assert str(first) == str(second)
    assert first.to_dict() == second.to_dict()
    assert first.dot == second.dot
    assert first.releases[0].improvements


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """tests/cases: its policy over empty tables, which explain as well as full ones."""
    folder = tmp_path_factory.mktemp("cases")
    shutil.copy(ROOT / "tests/cases/policy.yaml", folder)
    with duckdb.connect(str(folder / "cases.duckdb")) as owner:
        owner.execute(
            "CREATE TABLE users(user_id BIGINT, age INT, income DOUBLE, city TEXT, signup DATE);"
            "CREATE TABLE orders(order_id BIGINT, user_id BIGINT, amount DOUBLE, item TEXT,"
            " ts TIMESTAMP); CREATE TABLE regions(city TEXT, region TEXT)"
        )
    with closing(Reader(folder / "policy.yaml", "ann")) as reader:
        yield reader


@pytest.mark.parametrize("case", TIER_ONE[::3], ids=lambda case: case["id"])
def test_everyday_queries(shop: Reader, case: dict[str, Any]) -> None:
    told = explain(shop, case["sql"], case.get("params"))
    assert all(len(line) <= 100 for line in str(told).splitlines())
    json.dumps(told.to_dict(), allow_nan=False)
    for release in told.releases:
        assert release.improvements
        assert sum(part.epsilon for part in release.parts) == release.epsilon


@pytest.mark.slow
@pytest.mark.parametrize("case", TIER_ONE, ids=lambda case: case["id"])
def test_gains_of_everyday_queries(shop: Reader, case: dict[str, Any]) -> None:
    told = explain(shop, case["sql"], case.get("params"))
    for index, release in enumerate(told.releases):
        for better in release.improvements:
            if better.sql is None:
                continue
            other = explain(shop, better.sql, advice=False).releases[index]
            halves = {c.aggregate: c for c in other.columns}
            for gain in better.gains:
                assert halves[gain.aggregate].half_at(gain.rows) == gain.after


@pytest.mark.parametrize("case", TIER_ONE, ids=lambda case: case["id"])
def test_a_spelled_query_is_the_query(case: dict[str, Any]) -> None:
    if not case.get("params"):
        root = parse(case["sql"], "duckdb")
        assert parse(spell(root), "duckdb") == root


def test_privacy_words_are_spelled() -> None:
    sql = (
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5, group_selection_strategy ="
        " PUBLIC_GROUPS) DISTINCT x, SUM(y + 1, contribution_bounds_per_row => (-2, 3.5)) AS s"
        " FROM (SELECT 1 AS x, 2 AS y)"
    )
    assert spell(parse(sql, "duckdb")) == sql


def test_the_demos_questions() -> None:
    with workspace(None) as place, closing(Reader(place.policy, "ada")) as reader:
        for question in questions.QUESTIONS:
            text = str(explain(reader, question.sql))
            assert all(len(line) <= 100 for line in text.splitlines())
            assert "better" in text
