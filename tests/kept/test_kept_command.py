"""`dpsql cells`, and what `kept` in a policy may say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner, Result
from kept_world import make_data, rules

from dpsql.cli import main
from dpsql.errors import PolicyError
from dpsql.policy import load

Run = Callable[..., Result]
QUERY = "SELECT city, COUNT(*) FROM visits GROUP BY city"


@pytest.fixture
def policy(tmp_path: Path) -> dict[str, Any]:
    make_data(tmp_path)
    return rules(tmp_path, kept=[{"by": ["city"], "values": ["amount"]}])


@pytest.fixture
def run(tmp_path: Path, policy: dict[str, Any]) -> Run:
    """A command on the policy as it is by then."""

    def run(*words: str, **changed: Any) -> Result:
        place = tmp_path / "dpsql.yaml"
        place.write_text(yaml.safe_dump({**policy, **changed}))
        return CliRunner().invoke(main, [*words, "--policy", str(place)])

    return run


def states(run: Run, **changed: Any) -> list[str]:
    shown = run("cells", "show", "--format", "json", **changed)
    assert shown.exit_code == 0, shown.stderr
    return [one["state"] for one in json.loads(shown.stdout)]


def test_build_show_drop(run: Run, policy: dict[str, Any], tmp_path: Path) -> None:
    assert states(run) == ["not built yet"]
    os.chmod(tmp_path / "data.duckdb", 0o640)
    built = run("cells", "build")
    assert built.exit_code == 0
    assert built.stdout.startswith("visits by city: ")
    assert built.stderr == ""
    assert os.stat(policy["cells"]).st_mode & 0o777 == 0o640
    assert states(run) == ["used"]
    assert states(run, data_version="2")[0].startswith("it was made for another data_version")
    with duckdb.connect(str(tmp_path / "data.duckdb")) as data:
        data.execute("DELETE FROM visits WHERE pid = 17")
    assert states(run) == ["the data files have been written to since"]
    assert run("cells", "build").exit_code == 0
    assert states(run) == ["used"]
    gone = run("cells", "drop")
    assert gone.exit_code == 0
    assert not Path(policy["cells"]).exists()
    assert run("cells", "drop").exit_code == 0
    left = {one.name for one in tmp_path.iterdir()}
    assert not {name for name in left if "cells" in name}


def test_queries_write_nothing(run: Run, policy: dict[str, Any], tmp_path: Path) -> None:
    def looked() -> dict[str, tuple[int, int]]:
        found = {one.name: one.stat() for one in tmp_path.iterdir() if "ledger" not in one.name}
        return {name: (it.st_mtime_ns, it.st_ctime_ns) for name, it in found.items()}

    states(run)
    for built in (False, True):
        if built:
            assert run("cells", "build").exit_code == 0
        place, before = str(tmp_path / "dpsql.yaml"), looked()
        for words in (["query", "--analyst", "ann", QUERY], ["check"], ["cells", "show"]):
            done = CliRunner().invoke(main, [*words, "--policy", place])
            assert done.exit_code == 0, done.stderr
        assert looked() == before


def test_check_says_how_cells_stand(run: Run, policy: dict[str, Any]) -> None:
    def found(**changed: Any) -> list[str]:
        checked = run("check", "--format", "json", **changed)
        findings = json.loads(checked.stdout)["findings"]
        return [f"{one['level']}: {one['message']}" for one in findings if "kept" in one["where"]]

    assert any("not built yet" in one for one in found())
    assert run("cells", "build").exit_code == 0
    assert found() == []
    assert any("data_version" in one for one in found(data_version="2"))
    tables = {**policy["tables"], "visits": {**policy["tables"]["visits"]}}
    del tables["visits"]["kept"]
    offered = found(tables=tables)
    assert len(offered) == 1
    assert offered[0].startswith("note: ")


def test_a_file_that_is_no_cells_is_left_alone(run: Run, policy: dict[str, Any]) -> None:
    place = Path(policy["cells"])
    with duckdb.connect(str(place)) as other:
        other.execute("CREATE TABLE precious AS SELECT 42 AS answer")
    before = place.read_bytes()
    for word in ("build", "drop", "show"):
        done = run("cells", word)
        assert done.exit_code == 5
        assert "cells-file" in done.stderr
    place.write_text("a letter")
    for word in ("build", "drop"):
        assert run("cells", word).exit_code == 5
    assert place.read_text() == "a letter"
    place.write_bytes(before)


def test_a_failure_leaves_the_cells_of_before(
    run: Run, policy: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("cells", "build").exit_code == 0
    before = Path(policy["cells"]).read_bytes()
    from dpsql.dialects.duckdb import DuckDBEngine

    monkeypatch.setattr(DuckDBEngine, "mark_now", lambda self: "another")
    done = run("cells", "build")
    assert (done.exit_code, "cells-changed" in done.stderr) == (5, True)
    assert Path(policy["cells"]).read_bytes() == before
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".dpsql-cells")]


def test_the_last_write_is_old_before_cells_are_made(
    run: Run, policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dpsql.cells import build

    waited: list[float] = []
    monkeypatch.setattr(build, "SETTLED", 2.0)
    monkeypatch.setattr(build.time, "sleep", waited.append)
    assert run("cells", "build").exit_code == 0
    assert waited
    assert all(0 < one <= 2 for one in waited)


UNFIT = {
    "no such column": {"by": ["town"]},
    "a hidden column": {"by": ["tag"]},
    "no range": {"by": ["city"], "values": ["vid"]},
    "no expression": {"by": ["city; DROP TABLE visits"]},
    "an aggregate": {"by": ["city"], "values": ["max(amount)"]},
    "a query": {"by": ["(SELECT 1)"]},
    "a constant": {"by": ["1"]},
    "a star": {"by": ["*"]},
    "text summed": {"by": ["city"], "values": ["city"]},
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_kept_is_refused(run: Run, policy: dict[str, Any], name: str) -> None:
    visits = {**policy["tables"]["visits"], "kept": [UNFIT[name]]}
    visits["columns"] = {**visits["columns"], "tag": {"hidden": True}}
    done = run("cells", "build", tables={**policy["tables"], "visits": visits})
    assert (done.exit_code, "kept-unfit" in done.stderr) == (2, True), done.stderr
    assert "tables.visits.kept[0]" in done.stderr
    assert not Path(policy["cells"]).exists()


def test_check_shows_where_an_expression_is_wrong(run: Run, policy: dict[str, Any]) -> None:
    """The caret stands under what is wrong, line by line; `show` says it on one line."""
    visits = {**policy["tables"]["visits"], "kept": [{"by": ["city"], "values": ["nosuch + 1"]}]}
    tables = {**policy["tables"], "visits": visits}
    lines = run("check", tables=tables).stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "no column nosuch" in line)
    assert lines[at] == "    kept cells are not used: there is no column nosuch"
    place, excerpt, caret = lines[at + 1 : at + 4]
    assert place.strip().startswith("at 1:")
    assert excerpt[caret.index("^") :].startswith("nosuch")
    assert caret.strip() == "^" * len("nosuch")
    shown = run("cells", "show", tables=tables).stdout
    assert "there is no column nosuch (`dpsql check` shows where)" in shown
    assert "^" not in shown


def test_one_row_a_unit_needs_no_cells(run: Run, policy: dict[str, Any]) -> None:
    tables = {**policy["tables"], "persons": {"unit": "id", "kept": [{"by": ["plan"]}]}}
    done = run("cells", "build", tables=tables)
    assert "one row per" in done.stderr
    assert done.exit_code == 2


def test_rows_per_group_must_be_declared(run: Run) -> None:
    done = run("cells", "build", bounds={"max_groups": 2, "max_rows_per_group": "auto"})
    assert (done.exit_code, "kept-unfit" in done.stderr) == (2, True)


def test_a_policy_that_keeps_nothing(run: Run, policy: dict[str, Any]) -> None:
    tables = {"visits": {"unit": "pid"}}
    built = run("cells", "build", tables=tables)
    assert (built.exit_code, built.stdout) == (0, "")
    assert "keeps no cells" in built.stderr
    assert not Path(policy["cells"]).exists()
    shown = run("cells", "show", "--format", "json", tables=tables)
    assert json.loads(shown.stdout) == []


BAD = {
    "wrong-type": {"by": ["city"]},
    "missing-key": [{"values": ["amount"]}],
    "bad-value": [],
    "unknown-key": [{"by": ["city"], "value": ["amount"]}],
    "duplicate-key": [{"by": ["city", "month"]}, {"by": ["month", "city"]}],
}


@pytest.mark.parametrize("code", BAD)
def test_the_key_is_strictly_read(policy: dict[str, Any], code: str) -> None:
    policy["tables"]["visits"]["kept"] = BAD[code]
    with pytest.raises(PolicyError) as caught:
        load(policy)
    assert caught.value.code == code


def test_cells_have_a_file_of_their_own(policy: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="a file of their own"):
        load({**policy, "cells": policy["database"].removeprefix("duckdb:///")})
    del policy["cells"]
    with pytest.raises(PolicyError, match="without a file"):
        load(policy)
    policy["tables"]["visits"] = {"public": True, "kept": [{"by": ["city"]}]}
    with pytest.raises(PolicyError, match="no cells of units"):
        load(policy)


def test_postgresql_is_refused_by_name(policy: dict[str, Any]) -> None:
    from dpsql.policy import not_built

    (finding,) = not_built(load({**policy, "database": "postgresql://host/people"}))
    assert finding.where == "tables.visits.kept"
    assert "whether rows have changed" in finding.message
