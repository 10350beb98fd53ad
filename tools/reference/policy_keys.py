"""The policy's keys, learnt from its reader: which it knows, what it says it expects there."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dpsql.errors import PolicyError
from dpsql.policy import load
from dpsql.policy.load import load_text
from dpsql.policy.not_built import not_built
from tools.reference.markdown import code, table

_BUDGET = {"epsilon": 1, "delta": "1e-6", "refresh": "daily"}
# Every section once, and every value that is read but not carried out.
_SPECIMEN: Mapping[str, Any] = {
    "database": "postgresql://host/people",
    "ledger": "postgresql://host/ledger",
    "releases": {"reuse": "budget"},
    "limits": {"reply_quantum": "10ms"},
    "checkpoints": "folder",
    "cells": "cells.duckdb",
    "budgets": {
        "per_query": {"epsilon": 1},
        "max_per_query": {"epsilon": 1},
        "max_per_statement": {"epsilon": 1},
        "default": {**_BUDGET},
        "analysts": {"NAME": {**_BUDGET}},
        "teams": {"NAME": {"members": ["carol"], **_BUDGET}},
        "total": {"epsilon": 1, "delta": "1e-6"},
    },
    "bounds": {"max_rows_per_group": "auto"},
    "tables": {
        "TABLE": {"unit": "id", "columns": {"COLUMN": {"min": 0, "max": 1}}, "key": "id"},
        "TABLE_2": {"unit": "id", "kept": [{"by": ["city"]}]},
    },
}
_FILES = {"unit": "id", "files": "a.csv", "types": {"id": "BIGINT"}, "csv": {"header": True}}
# Mappings whose keys are the owner's own names.
_NAMED = {
    "attach": "a mapping of names to URLs of DuckDB files",
    "tables.TABLE.kept": "a list of {by: [KEY, ...], values: [VALUE, ...]}",
    "tables.TABLE.types": "a mapping of columns to types",
    "tables.TABLE.partitions": "a mapping of columns to types",
    "tables.TABLE.csv": "a mapping of keys to values",
}
_SECTIONS = (
    "",
    "releases",
    "limits",
    "budgets",
    "budgets.per_query",
    "budgets.max_per_query",
    "budgets.max_per_statement",
    "budgets.default",
    "budgets.analysts.NAME",
    "budgets.teams.NAME",
    "budgets.total",
    "bounds",
    "tables.TABLE",
    "tables.TABLE.csv",
    "tables.TABLE.columns.COLUMN",
)
_KEYS_HERE = "keys here: "
_REFRESHED = "the reader no longer says what it did: see tools/reference/policy_keys.py"


def page() -> str:
    """Every key with what the reader expects there; then what is read and refused by `check`."""
    rows = [(code(path), expected) for path, expected in known_keys().items()]
    refused = [(code(f.where), f.message, f.hint) for f in not_built(load(_SPECIMEN))]
    return (
        "# Keys of the policy file\n\nWhat each means: [policy.md](../policy.md). NAME, TABLE and"
        " COLUMN stand for names.\n\n"
        + table(("key", "value"), rows)
        + "\n## Read, and refused by name until it is built\n\n"
        + table(("at", "reason", "way out"), refused)
    )


def known_keys() -> dict[str, str]:
    """Every key by its path, with what the reader says it expects."""
    found = {}
    for section in _SECTIONS:
        for key in _known(section):
            path = f"{section}.{key}" if section else key
            found[path] = _expected(path)
    return found


def _known(section: str) -> list[str]:
    """The keys of a section: what the reader lists where text stands in place of a mapping."""
    problem = _problem(_with(section, "text")) if section else _problem("text")
    assert problem.hint.startswith(_KEYS_HERE), _REFRESHED
    return problem.hint.removeprefix(_KEYS_HERE).split(", ")


def _expected(path: str) -> str:
    """What the reader says it expects where a strange mapping stands."""
    if path in _NAMED:
        return _NAMED[path]
    problem = _problem(_with(path, {"not a key": 1}))
    said = problem.message.removeprefix(f"{path}: expected ")
    if said == problem.message:
        assert any(section.startswith(path) for section in _SECTIONS), _REFRESHED
        return "a mapping of keys to values"
    expected, found, _ = said.partition(", found a mapping")
    assert found, _REFRESHED
    return f"{expected} ({problem.hint})" if problem.hint.startswith("write") else expected


def _with(path: str, value: object) -> dict[str, Any]:
    """The specimen with this value at the path."""
    *outer, last = path.split(".")
    root = copy.deepcopy(dict(_SPECIMEN))
    if path.startswith("tables.TABLE.csv"):
        root["tables"] = {"TABLE": copy.deepcopy(_FILES)}
    place = root
    for key in outer:
        place = place[key]
    place[last] = value
    return root


def _problem(policy: Any) -> PolicyError:
    try:
        load_text(policy, source="", base=Path()) if isinstance(policy, str) else load(policy)
    except PolicyError as error:
        return error
    raise AssertionError(_REFRESHED)
