"""docs/reference is what the code says today, and docs/policy.md explains every key."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reference(monkeypatch):
    """The program `python -m tools.reference`."""
    monkeypatch.syspath_prepend(str(ROOT))
    import tools.reference.__main__ as reference

    return reference


def test_the_reference_is_fresh(reference, capsys):
    code = reference.main(["--check"])
    assert code == 0, capsys.readouterr().out


def test_a_stale_a_missing_and_a_foreign_file_are_found(reference, monkeypatch, tmp_path, capsys):
    folder = tmp_path / "reference"
    shutil.copytree(reference.FOLDER, folder)
    monkeypatch.setattr(reference, "FOLDER", folder)
    (folder / "sql.md").write_text((folder / "sql.md").read_text().replace("`cbrt`", "`cubert`"))
    (folder / "errors.md").unlink()
    (folder / "more.md").write_text("more")
    assert reference.main(["--check"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == [
        "docs/reference/errors.md",
        "docs/reference/more.md",
        "docs/reference/sql.md",
    ]
    assert all("run `python -m tools.reference`" in line for line in said)


def test_what_is_written_passes_the_check(reference, monkeypatch, tmp_path):
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "reference")
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0


def test_every_key_of_the_policy_is_explained(reference):
    explained = (ROOT / "docs" / "policy.md").read_text()
    found = sys.modules["tools.reference.policy_keys"].known_keys()
    keys = {path.rpartition(".")[2] for path in found}
    assert {"database", "refresh", "nullable", "max_rows_per_unit"} <= keys
    assert [key for key in sorted(keys) if key not in explained] == []
