"""Every number of a bounded statement moved by one step, by program.

Where the number is a bound or a cap, loosening it must be refused. Where a moved number is
accepted (a key's code, an analyst's filter, a tighter bound), replay must stay within the claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest
from certify_world import World
from statements import ALL

from dpsql.certify import certify
from dpsql.errors import InternalError

_NUMBER = re.compile(r"(?<![\w.\"'-])\d+(?![\w.\"'])|(?<=')-?\d+(?:\.\d+)?(?=' AS D)")

# (text before, text after, steps): numbers in such places are bounds or caps.
BOUNDS = [
    (r"LEAST\(n\d?, $", r"^\)", (1,)),
    (r"rn <= $", "", (1,)),
    (r"^.*LEAST\(65536, $|, $", r"^ // ", (1,)),
    (r"n\d > $|\)\) \* $", r"^( THEN \(\(|\) //)", (1, -1)),
    (r"> $", r"^ THEN \d+ ELSE t0|^ THEN \d+ WHEN", (1, -1)),
    (r"CAST\($", r"^ AS INT128\) \*", (1, -1)),
    (r"THEN \(\($", r"^ \* \(46", (1, -1)),
    (r"\* \($", r"^ - v2\)", (1, -1)),
    (r"GROUP BY $|GROUP BY 1, $", r"^(, 2)?\)|^$", (1, -1)),
    (r"COALESCE\([a-z]+\d?, $|COALESCE\(SUM\([^()]*\), $", r"^\)", (1, -1)),
    (r'"qty", 0\), $|"qty", 4\), $|"a0", 1\), $', r"^\) AS BIGINT", (1,)),
    (r'"qty", $|"a0", $', r"^\), \d+\) AS BIGINT", (-1,)),
    (r"AS BIGINT\) [-+] $", r"^ END", (1, -1)),
    (r'"cost" BETWEEN CAST\(\'-50.0\' AS DOUBLE\) AND CAST\(\'$', r"^' AS DOUBLE\) THEN TRY", (1,)),
    # (not the numbers of a tally's classes, after conditions in brackets)
    (r"[^)] THEN $", r"^ WHEN .* END AS v0 FROM .* AS b$", (-1,)),
    (r"THEN $", r"^ END AS v0 FROM .* GROUP BY 1\) AS c\) AS b$", (1,)),
    (r"AS BIGINT\) \+ $", r"^ WHEN", (1, -1)),
    (r'"cost", CAST\(\'$', r"^' AS DOUBLE\)\), .* END AS v0", (-1,)),
    (r"COUNT\(\*\) < $", r"^$", (1, -1)),
]


def _moved(sql: str) -> Iterator[tuple[str, str, int, str]]:
    """(text before the number, text after it, step, the statement with the number moved)."""
    for match in _NUMBER.finditer(sql):
        before, after = sql[: match.start()], sql[match.end() :]
        value = Decimal(match.group())
        unit = Decimal(1).scaleb(value.as_tuple().exponent)  # type: ignore[arg-type]
        for step in (1, -1):
            yield before, after, step, f"{before}{value + step * unit}{after}"


def _is_bound(before: str, after: str, step: int) -> bool:
    return any(
        step in steps and re.search(left, before) and re.search(right, after)
        for left, right, steps in BOUNDS
    )


def _accepted(world: World, name: str, sql: str) -> bool:
    try:
        certify(sql, ALL[name].claim, policy=world.policy, catalog=world.catalog)
    except InternalError:
        return False
    return True


@pytest.mark.parametrize("name", ALL)
def test_loosening_a_bound_by_one_step_is_refused(world: World, name: str) -> None:
    tried = 0
    for before, after, step, sql in _moved(ALL[name].sql):
        if _is_bound(before, after, step):
            tried += 1
            assert not _accepted(world, name, sql), (before[-40:], step, after[:40])
    assert tried >= {"row": 12, "cap": 40, "weights": 18}.get(name, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_moved_number_that_is_accepted_replays_within_the_claim(world: World, name: str) -> None:
    accepted = 0
    for before, after, step, sql in _moved(ALL[name].sql):
        if not _accepted(world, name, sql):
            continue
        accepted += 1
        try:
            excess = world.excess(sql, ALL[name].claim)
        except duckdb.Error:
            continue  # not a date, say: no answer at all
        assert excess == [], (before[-40:], step, after[:40])
    assert accepted
