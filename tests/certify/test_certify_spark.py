"""The statements of this room in Spark's words: read back they are certified, and broken ones not.

The writer is given a broken statement as the rules could have made it. What it writes is refused by
the reader of Spark's words or by what it reads, unless the writer has no words for it at all.
`tests/spark/test_spark_certify.py` breaks Spark's own words.
"""

from __future__ import annotations

import contextlib

import pytest
from certify_world import World
from sqlglot import ParseError, parse_one
from statements_all import ALL
from test_certify_mutations import MUTATIONS

from dpsql.certify import certify, normal_form
from dpsql.dialects.spark_forms import written
from dpsql.errors import InternalError, RefusedQuery


def read_and_certify(text: str, name: str, world: World) -> None:
    normal = normal_form(text, "spark", world.catalog)
    certify(normal, ALL[name].claim, policy=world.policy, catalog=world.catalog)


@pytest.mark.parametrize("name", ALL)
def test_statement_is_certified_in_spark(world: World, name: str) -> None:
    read_and_certify(written(parse_one(ALL[name].sql, read="duckdb"), world.catalog), name, world)


WRITTEN_ANEW = {
    "steps: a test whose cast may fail": "a text is tried, and read where it is plainly spelled",
    "having: by a cast that may fail": "a text is tried, and read where it is plainly spelled",
    "tallies: a condition that may fail": "a text is tried, and read where it is plainly spelled",
    "escape of two bytes": "the escape stands nowhere in the pattern: another is written",
    "escape that is empty": "the escape stands nowhere in the pattern: another is written",
    "escape last in the pattern": "it escapes nothing, and is written as itself",
    "comment": "comments are not written",
    "comment inside": "comments are not written",
    "comment beside a strange text": "comments are not written",
    "dollar quotes": "quotes are written anew",
    "given in dollar quotes": "quotes are written anew",
    "ranked in a frame": "frames of ranks are not written",
    "given as an attempt": "what is given is of its type",
    "frame of a rank": "frames of ranks are not written",
}
"""What is broken in the normal form and whole again in Spark's words, which are certified."""


def check_refused(world: World, name: str) -> None:
    which, old, new = MUTATIONS[name]
    try:
        text = written(parse_one(ALL[which].sql.replace(old, new), read="duckdb"), world.catalog)
    except (RefusedQuery, ParseError, LookupError, ValueError, AttributeError, AssertionError):
        return  # the writer has no words for it, or the rules make no such tree: nothing is sent
    if name in WRITTEN_ANEW:
        read_and_certify(text, which, world)
        return
    with pytest.raises(InternalError) as caught:
        read_and_certify(text, which, world)
    assert caught.value.code == "certify"


QUICK = [*list(MUTATIONS)[::6], *WRITTEN_ANEW]


@pytest.mark.parametrize("name", dict.fromkeys(QUICK))
def test_mutation_is_refused_in_spark(world: World, name: str) -> None:
    check_refused(world, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MUTATIONS if name not in QUICK])
def test_every_mutation_is_refused_in_spark(world: World, name: str) -> None:
    check_refused(world, name)


@pytest.mark.slow
def test_most_mutations_have_words(world: World) -> None:
    """So that the reader has something to refuse."""
    have = 0
    for which, old, new in MUTATIONS.values():
        with contextlib.suppress(Exception):
            written(parse_one(ALL[which].sql.replace(old, new), read="duckdb"), world.catalog)
            have += 1
    assert have > len(MUTATIONS) * 3 // 4
