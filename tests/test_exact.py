"""Exact values: nothing reads them, and few may open them."""

from __future__ import annotations

import ast
import copy
import pickle
from pathlib import Path

import pytest

import dpsql
from dpsql.core.exact import Exact

PACKAGE = Path(dpsql.__file__).parent
OPENERS = ("mechanisms/", "pipeline/perturb.py", "core/exact.py")


def test_only_mechanisms_and_perturb_open_exact_values() -> None:
    callers = []
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            opens = isinstance(node, ast.Attribute) and node.attr == "open_for_noise"
            if opens and not name.startswith(OPENERS):
                callers.append(f"{name}:{node.lineno}")
    assert callers == []


@pytest.mark.parametrize(
    "read",
    [
        lambda e: e == e,
        lambda e: e < 1,
        bool,
        len,
        list,
        int,
        float,
        hash,
        lambda e: f"{e:d}",
        lambda e: e[0],
        lambda e: 1 in e,
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
    ],
)
def test_an_exact_value_cannot_be_read(read: object) -> None:
    with pytest.raises(TypeError):
        read(Exact(12345))  # type: ignore[operator]


def test_an_exact_value_shows_nothing() -> None:
    assert "12345" not in repr(Exact(12345)) + str(Exact(12345))
