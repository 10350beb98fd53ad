"""Every fault is a PolicyError that names file, line, path, reason and a way out."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dpsql.errors import PolicyError
from dpsql.policy import load, load_text

HEAD = "budgets: {default: {epsilon: 1, delta: 1e-6}}\n"
TABLES = "tables: {t: {unit: id}}\n"


def fail(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load_text(text, source="p.yaml", base=Path("/"))
    return caught.value


def fail_dict(policy: Any) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load(policy)
    return caught.value


def with_column(rule: str) -> str:
    return HEAD + "tables:\n  users:\n    unit: id\n    columns:\n      age: " + rule


def test_unknown_key_names_file_line_path_and_nearest() -> None:
    error = fail(with_column("{mn: 0, max: 3}"))
    assert error.message == "p.yaml, line 6, tables.users.columns.age.mn: unknown key"
    assert error.hint.startswith("did you mean `min`? Known here: values, min, max")
    assert error.code == "unknown-key"
    assert error.exit_code == 2


def test_a_dict_gives_the_path_alone() -> None:
    tables = {"users": {"unit": "id", "columns": {"age": {"mn": 0}}}}
    error = fail_dict({"budgets": {}, "tables": tables})
    assert error.message == "tables.users.columns.age.mn: unknown key"


def test_duplicate_key_names_both_lines() -> None:
    error = fail(HEAD + TABLES + "unit: a\nunit: b\n")
    assert error.message == "p.yaml, line 4, unit: this key stands twice, first on line 3"
    assert error.code == "duplicate-key"


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("bugdets: {}", "line 1, bugdets: unknown key", "did you mean `budgets`?"),
        ("zzz: 1", "line 1, zzz: unknown key", "the nearest known key is `"),
        ("limits: {tiemout: 3s}", "line 1, limits.tiemout", "did you mean `timeout`?"),
        ("budgets:\n  total: {eps: 1}", "line 2, budgets.total.eps", "did you mean `epsilon`?"),
        ("budgets: {total: {refresh: never}}", "budgets.total.refresh: unknown", "epsilon, delta"),
        ("tables: {t: {colums: {}}}", "tables.t.colums: unknown key", "did you mean `columns`?"),
        (
            "tables: {t: {unit: i, columns: {a: {lower: 1}}}}",
            "tables.t.columns.a.lower: unknown key",
            "did you mean `min`?",
        ),
    ],
)
def test_unknown_keys(text: str, place: str, hint: str) -> None:
    error = fail(text)
    assert place in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        ("{min: 5, max: 1}", "bad-range", "`max` (1) lies below `min` (5)"),
        ("{min: 5}", "bad-range", "`max` is missing"),
        ("{max: 5}", "bad-range", "`min` is missing"),
        ("{min: 5, max: 2020-01-01}", "bad-range", "different kinds"),
        ("{min: 2020-01-01, max: 2020-01-01 10:00}", "bad-range", "different kinds"),
        ("{min: 2020-01-01T00:00Z, max: 2020-01-02 10:00}", "bad-value", "with a time zone"),
        ("{min: 2020-02-30, max: 2020-03-01}", "bad-value", "not a day of the calendar"),
        ("{min: .nan, max: 1}", "bad-number", "finite decimal number"),
        ("{min: 0, max: .inf}", "bad-number", "finite decimal number"),
        ("{min: 0, max: 0x10}", "bad-number", "finite decimal number, not '0x10'"),
        ("{min: 0, max: true}", "bad-number", "finite decimal number, not True"),
        ("{min: 0, max: 1e999}", "bad-number", "±1e308"),
        ("{min: 0, max: 1_000}", "bad-number", "finite decimal number"),
        ("{min: [1], max: 2}", "wrong-type", "expected a number or a date, found a list"),
        ("{min: 0, max: }", "wrong-type", "the key has no value"),
        ("{hidden: yes}", "wrong-type", "expected true or false, found the text 'yes'"),
        ("{hidden: }", "wrong-type", "the key has no value"),
        ("{nullable: 0}", "wrong-type", "expected true or false, found the number 0"),
        ("{values: f}", "wrong-type", "expected a list, found the text 'f'"),
        ("{values: []}", "bad-value", "the list is empty"),
        ("{values: [a, b, a]}", "duplicate-value", "the text 'a' stands twice"),
        ("{values: [1, 1.0]}", "duplicate-value", "stands twice"),
        ("{values: [a, null]}", "bad-value", "NULL is not written"),
        ("{values: [a, 1]}", "wrong-type", "mixes numbers and text"),
        ("{values: [true, 1]}", "wrong-type", "mixes booleans and numbers"),
        ("{values: [0x10]}", "bad-number", "not a decimal number"),
        ("{values: [.inf]}", "bad-number", "not a decimal number"),
        ("{values: [2021-02-29]}", "bad-value", "not a day of the calendar"),
        ("{values: [[a]]}", "wrong-type", "found a list"),
        ("{values: [1, 9], min: 0, max: 5}", "bad-range", "the number 9 lies outside"),
        ("{values: [a], min: 0, max: 5}", "bad-range", "lies outside"),
        ("", "wrong-type", "the key has no value"),
        ("7", "wrong-type", "expected a mapping of keys to values, found the number 7"),
    ],
)
def test_columns(rule: str, code: str, words: str) -> None:
    error = fail(with_column(rule))
    assert words in error.message
    assert error.code == code
    assert error.message.startswith("p.yaml, line 6, tables.users.columns.age")


@pytest.mark.parametrize(
    ("budgets", "place", "words"),
    [
        ("{}", "line 1, budgets", "nobody has a budget"),
        ("{default: {epsilon: 1}}", "budgets.default", "`delta` is missing"),
        ("{default: {delta: 1}}", "budgets.default", "`epsilon` is missing"),
        ("{default: {epsilon: 0, delta: .1}}", "budgets.default.epsilon", "at least 2^-30, not 0"),
        ("{default: {epsilon: -1, delta: .1}}", "default.epsilon", "at least 2^-30, not -1"),
        ("{default: {epsilon: 1e13, delta: .1}}", "default.epsilon", "at most 1e12"),
        ("{default: {epsilon: 1e9999, delta: .1}}", "default.epsilon", "at most 1e12"),
        ("{default: {epsilon: .inf, delta: .1}}", "default.epsilon", "finite decimal"),
        ("{default: {epsilon: true, delta: .1}}", "default.epsilon", "finite decimal"),
        ("{default: {epsilon: 0x1, delta: .1}}", "default.epsilon", "finite decimal"),
        ("{default: {epsilon: '1,5', delta: .1}}", "default.epsilon", "finite decimal"),
        ("{default: {epsilon: ١, delta: .1}}", "default.epsilon", "finite decimal"),
        ("{default: {epsilon: 1, delta: 1}}", "budgets.default.delta", "lie in [1e-30, 1), not 1"),
        ("{default: {epsilon: 1, delta: 0}}", "budgets.default.delta", "lie in [1e-30, 1)"),
        ("{default: {epsilon: 1, delta: 1e-31}}", "budgets.default.delta", "[1e-30, 1)"),
        ("{default: [1]}", "budgets.default", "expected a mapping of keys to values, found a list"),
        (
            "{default: {epsilon: 1, delta: .1, refresh: montly}}",
            "budgets.default.refresh",
            "unknown word 'montly'",
        ),
        (
            "{analysts: {bob: {epsilon: 1, delta: .1}, BOB: {epsilon: 1, delta: .1}}}",
            "budgets.analysts.BOB",
            "'bob' already has a budget at budgets.analysts.bob",
        ),
        (
            "{analysts: {bob: {epsilon: 1, delta: .1}}, "
            "teams: {x: {members: [Bob], epsilon: 1, delta: .1}}}",
            "budgets.teams.x.members[0]",
            "already has a budget",
        ),
        ("{teams: {x: {members: a, epsilon: 1, delta: .1}}}", "x.members", "a list"),
        ("{teams: {x: {epsilon: 1, delta: .1}}}", "budgets.teams.x", "`members` is missing"),
        (
            "{default: {epsilon: 1, delta: .1}, per_query: {epsilon: 2}, "
            "max_per_query: {epsilon: 1}}",
            "budgets.per_query.epsilon",
            "more than max_per_query.epsilon",
        ),
        (
            "{default: {epsilon: 1, delta: .1}, per_query: {delta: 1e-6}, "
            "max_per_statement: {delta: 1e-7}}",
            "budgets.per_query.delta",
            "more than max_per_statement.delta",
        ),
    ],
)
def test_budgets(budgets: str, place: str, words: str) -> None:
    error = fail(f"budgets: {budgets}\n" + TABLES)
    assert error.message.startswith("p.yaml, line 1, ")
    assert place in error.message
    assert words in error.message


@pytest.mark.parametrize(
    ("tables", "place", "words", "hint"),
    [
        ("{}", "tables", "no table is declared", ""),
        ("{t: {}}", "tables.t", "neither `unit` nor `public: true`", "name the column"),
        ("{t: {public: false}}", "tables.t", "neither `unit` nor", ""),
        ("{t: {public: true, unit: id}}", "tables.t.unit", "a public table is about no one", ""),
        ("{t: {public: true, max_rows_per_unit: 3}}", "max_rows_per_unit", "no units", ""),
        ("{t: {unit: id, promised: true}}", "tables.t", "`promised` without `key`", "`key`"),
        ("{t: {unit: id, max_rows_per_unit: 0}}", "max_rows_per_unit", "between 1 and 1e9", ""),
        ("{t: {unit: id, max_rows_per_unit: 1.5}}", "max_rows_per_unit", "whole number", ""),
        ("{t: {unit: id, max_rows_per_unit: '3'}}", "max_rows_per_unit", "whole number", ""),
        ("{t: {unit: id}, T: {unit: id}}", "tables.T", "differs from table `t` in case", ""),
        ("{t: {unit: id, columns: {a: {}, A: {}}}}", "columns.A", "differs from column `a`", ""),
        ("{a.b.c: {unit: id}}", "tables.a.b.c", "'a.b.c' is not a table's name", "schema.table"),
        ("{t: {unit: a b}}", "tables.t.unit", "not a path to the unit", "write `column`"),
        ("{t: {unit: a -> }}", "tables.t.unit", "not a path to the unit", ""),
        ("{t: {unit: a -> u}}", "tables.t.unit", "not a path to the unit", "column -> table.key"),
        ("{t: {unit: [a]}}", "tables.t.unit", "expected text, found a list", ""),
        (
            "{user: {unit: id}, t: {unit: a -> users.id}}",
            "tables.t.unit",
            "leads to `users`, which is not a declared table",
            "did you mean `user`?",
        ),
        (
            "{p: {public: true}, t: {unit: a -> p.id}}",
            "tables.t.unit",
            "`p`, which is public",
            "",
        ),
        ("{t: {unit: a -> t.id}}", "tables.t.unit", "never reaches a unit: t -> t", ""),
        (
            "{a: {unit: x -> b.x}, b: {unit: y -> a.y}}",
            "tables.a.unit",
            "never reaches a unit: a -> b -> a",
            "",
        ),
        (
            "{c: {unit: id}, o: {unit: c -> c.id}, l: {unit: 'o -> o.id, o.d -> c.id'}}",
            "tables.l.unit",
            "step 2 of the path is not the way",
            "write the first step only",
        ),
    ],
)
def test_tables(tables: str, place: str, words: str, hint: str) -> None:
    error = fail(HEAD + f"tables: {tables.replace('a b', chr(34) + 'a b' + chr(34))}")
    assert error.message.startswith("p.yaml, line 2, tables")
    assert place in error.message
    assert words in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("version: 2", "version", "reads version 1"),
        ("version: one", "version", "expected a whole number"),
        ("database: clinic.duckdb", "database", "expected a URL"),
        ("database: duckbd:///x", "database", "unknown kind of URL 'duckbd'"),
        ("database: duckdb://x.db", "database", "three slashes"),
        ("database: postgresql://", "database", "names no host"),
        ("ledger: duckdb:///x", "ledger", "unknown kind of URL"),
        ("ledger: sqlite:///a?mode=ro", "ledger", "may not hold `?`"),
        ("ledger: sqlite:///a%2fb.db", "ledger", "may not hold percent escapes"),
        ("releases: {reuse: of}", "releases.reuse", "unknown word 'of'"),
        ("releases: {reuse: false}", "releases.reuse", "expected one of budget, off, found false"),
        ("releases: {}", "releases", "`reuse` is missing"),
        ("limits: {timeout: 300}", "limits.timeout", "expected a duration such as 300s"),
        ("limits: {timeout: 0s}", "limits.timeout", "no time"),
        ("limits: {timeout: 5 days}", "limits.timeout", "expected a duration"),
        ("limits: {memory: 2}", "limits.memory", "expected a size such as 2GB"),
        ('limits: {memory: "2GB\'; DROP"}', "limits.memory", "expected a size such as 2GB"),
        ("limits: {memory: 0GB}", "limits.memory", "more than 0"),
        ("bounds: {max_groups: auto}", "bounds.max_groups", "expected a whole number"),
        ("bounds: {max_rows_per_group: aut}", "bounds.max_rows_per_group", "or `auto`"),
        ("bounds: {min_units_per_group: -1}", "bounds.min_units_per_group", "between 0 and 1e9"),
        ("analysts_only: 1", "analysts_only", "expected true or false"),
        ("unit: ''", "unit", "the text is empty"),
        ("data_version: [1]", "data_version", "expected text, found a list"),
        ("checkpoints: ~", "checkpoints", "the key has no value"),
    ],
)
def test_other_keys(text: str, place: str, words: str) -> None:
    error = fail(HEAD + TABLES + text)
    assert error.message.startswith(f"p.yaml, line 3, {place}: ")
    assert words in error.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("# nothing", "the file is empty"),
        ("a: [", "not valid YAML"),
        ("a:\n\t- b", "line 2: not valid YAML"),
        ("a: b: c", "line 1: not valid YAML"),
        ("a: 1\n---\nb: 2", "not valid YAML"),
        ("\x00", "not valid YAML"),
        ('a: "\\UFFFFFFFF"', "not valid YAML"),
        ("- a", "expected a mapping of keys to values, found a list"),
        ("text", "expected a mapping of keys to values, found the text 'text'"),
        ("[a]: 1", "a key must be plain text"),
        ("tables: !!python/object:os.system {}", "YAML tags are not read"),
        ("<<: {a: 1}", "<<: unknown key"),
        ("tables: &a {t: *a}", "nested too deeply"),
        ("[" * 1500, "nested too deeply"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"{b}: &{b} [{','.join(['*' + a] * 10)}]\n" for a, b in pairwise("abcdefg")),
            "far too large",
        ),
    ],
)
def test_broken_yaml(text: str, words: str) -> None:
    error = fail(text)
    assert error.message.startswith("p.yaml")
    assert words in error.message


def test_missing_parts_come_last() -> None:
    assert "`budgets` is missing" in fail("tables: {t: {unit: id}}").message
    assert "`tables` is missing" in fail(HEAD).message
    assert "mn: unknown key" in fail("tables: {t: {unit: i, columns: {a: {mn: 1}}}}").message


def test_files(tmp_path: Path) -> None:
    for path, words in [
        (tmp_path / "no.yaml", "does not exist"),
        (tmp_path, "is a folder"),
        ("a\x00b", "the policy"),
        (Path("/dev/zero"), "is not a file"),
    ]:
        error = fail_dict(path)
        assert error.code == "no-policy"
        assert words in error.message
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"unit: a\nunit: \xe9\n")
    assert "line 2: the file is not UTF-8" in fail_dict(latin).message


@pytest.mark.parametrize("policy", [None, 7, [], b"p.yaml", object()])
def test_other_things_are_no_policy(policy: Any) -> None:
    assert fail_dict(policy).code == "wrong-type"


def test_dicts_of_the_wrong_make() -> None:
    assert fail_dict({1: 2}).message == "a key must be text, not 1"
    error = fail_dict({"tables": {"t": {"unit": {"a"}}}})
    assert error.message == "tables.t.unit: a set is not read here"
    loop: dict[str, Any] = {}
    loop["tables"] = loop
    assert "nested too deeply" in fail_dict(loop).message
    huge = {"budgets": {"default": {"epsilon": 10**5000, "delta": 0.1}}}
    assert fail_dict(huge).message == "budgets.default.epsilon: epsilon must be at most 1e12"
    below = {"budgets": {"default": {"epsilon": -(10**5000), "delta": 0.1}}}
    assert fail_dict(below).message.endswith("at least 2^-30, not a huge int")
    third = {"tables": {"t": {"unit": "i", "columns": {"a": {"values": [os.stat, 1]}}}}}
    assert "is not read here" in fail_dict(third).message
