"""Nothing that a foreign text says is passed over: with one more clause, flag or part it is read
otherwise or refused.

To each kind of node, under each kind of parent, of the statements in PostgreSQL's and Spark's words
everything is added that sqlglot can write there. What comes out another text must not be read as
the same statement.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest
from certify_world import World
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from statements_all import ALL

from dpsql.certify import normal_form
from dpsql.dialects import postgres_forms, spark_forms
from dpsql.errors import Error

ENGINES = {"postgresql": (postgres_forms, "postgres"), "spark": (spark_forms, "spark")}
MORE = (
    True,
    exp.Literal.number(7),
    [exp.Literal.number(7)],
    exp.to_identifier("zz"),
    "FULL",
)
FEW = 3
HARMLESS = {
    (exp.Literal, "is_string"),  # DECIMAL('7', 2) is no text of any engine
    (exp.Identifier, "quoted"),  # "pg_catalog".div is pg_catalog.div
}


def statements(world: World, engine: str) -> Iterator[str]:
    writer, _ = ENGINES[engine]
    for one in ALL.values():
        with contextlib.suppress(Error, LookupError, ValueError):
            text = writer.written(parse_one(one.sql, read="duckdb"), world.catalog)
            if "%(" not in text:  # what is given is a name of the driver's, not of the words
                yield text


def with_more(text: str, words: str, tried: Counter[object]) -> Iterator[tuple[object, str]]:
    """The text with one thing more, at a few places of every kind."""
    tree = parse_one(text, read=words)
    plain = tree.copy()
    for node in list(tree.walk()):
        for name in node.arg_types:
            place = type(node), name, type(node.parent)
            if node.args.get(name) or tried[place] == FEW or place[:2] in HARMLESS:
                continue
            tried[place] += 1
            before = dict(node.args)
            for more in MORE:
                node.set(name, more)
                with contextlib.suppress(SqlglotError, AttributeError, TypeError, ValueError):
                    said = tree.sql(words)
                    if parse_one(said, read=words) != plain:
                        yield place, said
                node.args.clear()
                node.args.update(before)


def passed_over(world: World, engine: str) -> tuple[list[object], int]:
    found, tried, said_more = [], Counter[object](), set[object]()
    for text in statements(world, engine):
        plain = normal_form(text, engine, world.catalog)
        for place, said in with_more(text, ENGINES[engine][1], tried):
            said_more.add(place)
            with contextlib.suppress(Error):
                if normal_form(said, engine, world.catalog) == plain:
                    found.append((place, said))
    return found, len(said_more)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_more_is_passed_over(world: World, engine: str) -> None:
    found, places = passed_over(world, engine)
    assert places > 100
    assert found == []
