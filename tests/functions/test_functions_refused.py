"""Known functions that are refused say why, and what to use instead."""

from __future__ import annotations

import pytest

from dpsql import functions
from dpsql.functions.refused import REFUSED


def test_nothing_is_both_refused_and_available() -> None:
    available = {node for family in functions.REGISTRY for node in family.nodes}
    called = {name for family in functions.REGISTRY for name in family.calls}
    for nodes, names, _, _ in REFUSED.values():
        assert not available & set(nodes)
        assert not called & set(names)


@pytest.mark.parametrize("title", REFUSED)
def test_every_entry_says_why_and_what_instead(title: str) -> None:
    nodes, names, reason, way = REFUSED[title]
    assert nodes or names
    assert len(reason) > 20
    assert len(way) > 10
