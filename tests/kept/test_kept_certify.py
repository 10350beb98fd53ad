"""The statement that makes cells and those that read them are proved from their texts alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kept_queries import SERVED
from kept_world import served

from dpsql.certify import certify, certify_cells, certify_from_cells
from dpsql.errors import InternalError
from dpsql.pipeline.certify import claim
from dpsql.rules.kept import SCHEMA
from dpsql.session import Session


def check(
    opened: Session, name: str, *, sql: Any = None, definition: Any = None, **more: Any
) -> None:
    found = served(opened, SERVED[name])
    assert found.offer is not None
    own, made = found.kept, found.offer.definition
    if sql is not None:
        own = changed(own, *sql)
    if definition is not None:
        made = changed(made, *definition)
    certify_from_cells(
        own,
        more.pop("told", claim(found.plan)),
        place=more.pop("place", (SCHEMA, found.offer.table)),
        definition=made,
        policy=opened.policy,
        catalog=opened.engine.catalog(),
    )


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def refused(act: Callable[[], None]) -> str:
    with pytest.raises(InternalError) as caught:
        act()
    assert caught.value.code == "certify"
    assert "visits" not in str(caught.value)
    return caught.value.message


@pytest.mark.parametrize("name", SERVED)
def test_both_texts_are_certified(opened: Session, name: str) -> None:
    check(opened, name)
    found = served(opened, SERVED[name])
    assert found.offer is not None
    certify_cells(found.offer.definition, policy=opened.policy, catalog=opened.engine.catalog())


def test_without_its_definition_a_table_of_cells_is_unknown(plain: Session) -> None:
    found = served(plain, SERVED["count"])

    def act() -> None:
        certify(found.kept, claim(found.plan), policy=plain.policy, catalog=plain.engine.catalog())

    assert "in the catalog" in refused(act)
    assert "in the catalog" in refused(lambda: check(plain, "count", place=(SCHEMA, "c999")))


READ = {
    "no cap": (" WHERE t.rn <= ", " WHERE 0 <= "),
    "a higher cap": (" WHERE t.rn <= ", " WHERE t.rn <= 1"),
    "a cap from above": ("t.rn <= ", "t.rn >= "),
    "a cap on something else": ("t.rn <= ", "t.k0 <= "),
    "the wrong sum": ("SUM(n0)", "SUM(2 * n0)"),
    "rows in place of sums": ("SUM(n0)", "MAX(n0)"),
    "the unit shown": ("SELECT k0", "SELECT u"),
    "another table": (f'"{SCHEMA}".', '"main".'),
    "a database before it": (f'"{SCHEMA}".', f'"other"."{SCHEMA}".'),
}


@pytest.mark.parametrize("name", READ)
def test_a_broken_reading_is_refused(plain: Session, name: str) -> None:
    assert refused(lambda: check(plain, "private keys, one integer", sql=READ[name]))


MADE = {
    "not by unit": ("PARTITION BY u ORDER BY", "PARTITION BY k0 ORDER BY"),
    "ranked by sums": ("ORDER BY HASH(HASH(u,", "ORDER BY HASH(HASH(n0,"),
    "ranked with ties": (", k0, k1) AS rn", ") AS rn"),
    "RANK": ("ROW_NUMBER()", "RANK()"),
    "a random rank": ("HASH(HASH(", "HASH(RANDOM("),
    "counts not capped": ("LEAST(n0, ", "GREATEST(n0, "),
    "not the unit": ('t0."pid" AS u', 't0."vid" AS u'),
    "a part of the unit": ('t0."pid" AS u', 't0."pid" // 2 AS u'),
    "NULL units": ('NOT t0."pid" IS NULL', 'NOT t0."vid" IS NULL'),
    "cells twice": ("GROUP BY 1, 2, 3", "GROUP BY 1, 2"),
    "rows of others": ('"main"."visits" AS t0', '"main"."undeclared" AS t0'),
    "a raw column": ("SELECT *, ROW_NUMBER()", "SELECT *, u + 1 AS next, ROW_NUMBER()"),
    "two statements": (") AS p", ") AS p; SELECT 1"),
}


@pytest.mark.parametrize("name", MADE)
def test_broken_cells_are_refused(plain: Session, name: str) -> None:
    """By the check of the making, and by that of every reading."""
    query = "private keys, one integer"
    found = served(plain, SERVED[query])
    assert found.offer is not None
    broken = changed(found.offer.definition, *MADE[name])

    def act() -> None:
        certify_cells(broken, policy=plain.policy, catalog=plain.engine.catalog())

    assert refused(act)
    assert refused(lambda: check(plain, query, definition=MADE[name]))


def test_sums_are_clamped_when_cells_are_made(plain: Session) -> None:
    """A wider clamp in the making is more than the plan of a reading claims."""
    wider = (", 240) AS BIGINT)", ", 241) AS BIGINT)")
    assert "Linf" in refused(lambda: check(plain, "keys in another order", definition=wider))


def test_cells_without_a_rank_or_without_bounds_are_no_cells(plain: Session) -> None:
    catalog, policy = plain.engine.catalog(), plain.policy
    cells = (
        "SELECT u, k0, COUNT(*) AS n0 FROM (SELECT t.pid AS u, t.tag AS k0 FROM main.visits AS t"
    )
    cells += " WHERE NOT t.pid IS NULL) AS r GROUP BY 1, 2"
    rank = "ROW_NUMBER() OVER (PARTITION BY u ORDER BY HASH(HASH(u, k0)), k0)"
    good = f"SELECT u, k0, LEAST(n0, 3) AS n0, {rank} AS rn FROM ({cells}) AS c"
    certify_cells(good, policy=policy, catalog=catalog)
    bad = {
        "ranked once": f"SELECT u, k0, LEAST(n0, 3) AS n0 FROM ({cells}) AS c",
        "bounded sums alone": f"SELECT u, k0, n0, {rank} AS rn FROM ({cells}) AS c",
        "carries the unit": f"SELECT k0, LEAST(n0, 3) AS n0, {rank} AS rn FROM ({cells}) AS c",
        "are cells": "SELECT t.pid AS u, 1 AS one FROM main.visits AS t WHERE NOT t.pid IS NULL",
    }
    for rule, text in bad.items():

        def act(text: str = text) -> None:
            certify_cells(text, policy=policy, catalog=catalog)

        assert rule in refused(act)
