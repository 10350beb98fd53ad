"""docs/verification.md names the gates and bugs that exist, all of them."""

from __future__ import annotations

import re

import gates
import pytest
from mutations import MUTATIONS

PAGE = (gates.ROOT / "docs" / "verification.md").read_text()
NAMES = {"asked": "block", "one_run": "one-run"}


def rows(heading):
    """The cells of the first table below a heading, but for its head."""
    text = PAGE.partition(f"\n## {heading}\n")[2]
    table = re.search(r"((?:^\|.*\n)+)", text, re.M)
    assert table is not None
    lines = table.group(1).splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def gate_name(gate, arguments):
    if "keys" in str(arguments.get("question", "")):
        return "keys"
    return NAMES.get(gate.__name__, gate.__name__)


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_bug_has_its_row(name):
    (row,) = [cells for cells in rows("The mutation list") if cells[0] == name]
    mutation = MUTATIONS[name]
    red = {gate_name(gate, arguments) for gate, arguments in mutation.red}
    assert row[1] == f"`{mutation.where}`"
    assert set(row[2].split(", ")) == red
    assert row[3] == ("yes" if mutation.certified else "–")
    assert (f"* {name}: {mutation.kept_out}." in PAGE) == bool(mutation.kept_out)


def test_in_the_order_of_the_list_and_no_more():
    assert [cells[0] for cells in rows("The mutation list")] == list(MUTATIONS)


def test_every_gate_is_described():
    described = {
        name.strip() for cells in rows("What each gate sees, and what it cannot")
        for name in re.split(r"[,()]", cells[0])
    }  # fmt: skip
    red = {gate_name(*pair) for mutation in MUTATIONS.values() for pair in mutation.red}
    assert red <= described
    assert {"seams", "certify", "law", "lattice", "event search", "timing"} <= described


def test_every_place_named_is_there():
    for cells in rows("What each gate sees, and what it cannot"):
        for name in re.findall(r"`([a-z_]+/[a-z_0-9/.]+|test_[a-z_]+\.py)`", cells[2]):
            place = name if "/" in name else f"tests/e2e/{name}"
            assert (gates.ROOT / place).exists(), name
    for mutation in MUTATIONS.values():
        for part in mutation.where.split(", "):
            place = gates.ROOT / "dpsql" / part
            assert place.with_suffix(".py").exists() or place.is_dir(), part


def test_the_pages_link_to_it():
    assert "docs/verification.md" in (gates.ROOT / "SECURITY.md").read_text()
    assert "docs/verification.md" in (gates.ROOT / "tests" / "README.md").read_text()
