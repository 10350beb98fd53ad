"""load() raises PolicyError or nothing, whatever it is given."""

from __future__ import annotations

import copy
import datetime
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.errors import PolicyError
from dpsql.policy import Policy, load, load_text, not_built
from dpsql.policy.load import _KEYS

GOOD: dict[str, Any] = {
    "version": 1,
    "database": "duckdb:///x.db",
    "ledger": "sqlite://",
    "data_version": "a",
    "releases": {"reuse": "off"},
    "limits": {"timeout": "3s", "memory": "2GB", "reply_quantum": "0ms"},
    "analysts_only": False,
    "budgets": {
        "per_query": {"epsilon": 0.2, "delta": 1e-8},
        "default": {"epsilon": 5, "delta": "1e-6"},
        "analysts": {"al": {"epsilon": 5, "delta": "1e-6", "refresh": "never"}},
        "teams": {"g": {"members": ["c", "d"], "epsilon": 8, "delta": 1e-6}},
    },
    "bounds": {"max_groups": 4, "max_rows_per_group": "auto"},
    "unit": "p",
    "tables": {
        "p": {"unit": "id", "columns": {"s": {"values": ["f"]}, "a": {"min": 0, "max": 9}}},
        "v": {"unit": "p -> p.id", "key": "k", "promised": True},
        "c": {"public": True},
    },
}

KEYS = st.one_of(
    st.sampled_from([*_KEYS, "epsilon", "delta", "min", "max", "values", "t", "members", "public"]),
    st.text(max_size=6),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.decimals(),
    st.fractions(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
    st.binary(max_size=2),
    st.sampled_from(["duckdb:///x", "a -> b.c", "2020-01-01", "auto", "1e-6", "3s"]),
    st.builds(lambda: 10**5000),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
MANY = settings(max_examples=200)


def attempt(policy: Any) -> None:
    try:
        found = load(policy)
    except PolicyError as error:
        message = str(error)
        found = None
    assert message if found is None else isinstance(found, Policy)
    if found is not None:
        not_built(found)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    entries = tree.items() if isinstance(tree, dict) else []
    for key, inner in entries:
        found += places(inner, (*path, key))
    return found


@MANY
@given(st.dictionaries(KEYS, TREES, max_size=6))
def test_random_dicts(tree: Any) -> None:
    attempt(tree)


@MANY
@given(st.sampled_from(places(GOOD)), TREES)
def test_one_thing_changed_in_a_good_policy(path: tuple[Any, ...], value: Any) -> None:
    tree = copy.deepcopy(GOOD)
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    attempt(tree)


@MANY
@given(st.sampled_from(places(GOOD)), KEYS)
def test_every_unknown_key_is_found(path: tuple[Any, ...], key: str) -> None:
    tree = copy.deepcopy(GOOD)
    inner = tree
    for step in path[:-1]:
        inner = inner[step]
    inner[f"zz{key}"] = 1
    with pytest.raises(PolicyError):
        load(tree)


YAML_MARKS = [*"{}[],'\"|>#@~\t\n\ufeff\x85\u2028", "  ", ": ", "- ", "? ", "<<", "---", "\\x"]
YAML_WORDS = ["&a ", "*a", "!t ", "!!int ", "%YAML 1.9\n", "1e-7", "2020-01-01", "epsilon", *_KEYS]
YAML_BITS = st.lists(
    st.sampled_from(YAML_MARKS) | st.sampled_from(YAML_WORDS) | st.text(max_size=4), max_size=25
).map("".join)


@MANY
@given(st.text(max_size=60) | YAML_BITS)
def test_random_yaml(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = "p.yaml"
        try:
            load_text(text, source="p.yaml", base=Path("/"))
        except PolicyError as error:
            message = error.message
        assert message.startswith("p.yaml")


@MANY
@given(st.binary(max_size=40) | YAML_BITS.map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_random_files(tmp_path_factory: Any, raw: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "p.yaml"
    file.write_bytes(raw)
    attempt(file)


@MANY
@given(st.text(max_size=30))
def test_random_paths(path: str) -> None:
    attempt(path)
