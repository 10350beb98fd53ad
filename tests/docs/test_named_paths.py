"""What docs/proofs and SECURITY.md name is there: files, tests, mutations' files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs/proofs").glob("*.md"), ROOT / "SECURITY.md"])
FOLDERS = ("", "tests", "dpsql", "docs/proofs", "docs")
"""Where the pages begin a path; a bare file name may be of any folder of tests or dpsql."""
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)\)")
_PATH = re.compile(r"[\w./*-]+\.(?:py|md|jsonl)|[\w./-]+/")
_TEST = re.compile(r"(?:([\w./-]+\.py)::)?(test_\w+)")


def missing(text: str, folder: Path) -> list[str]:
    """Paths and tests that the text names and the tree does not have."""
    sources = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    found = []
    for name in _CODE.findall(text):
        if _PATH.fullmatch(name) and not _exists(name):
            found.append(name)
        if match := _TEST.fullmatch(name):
            files = [path for path in sources if match[1] is None or str(path).endswith(match[1])]
            if not any(f"def {match[2]}(" in sources[path] for path in files):
                found.append(name)
    for name in _LINK.findall(text):
        if "://" not in name and not (folder / name).exists():
            found.append(name)
    return found


def _exists(name: str) -> bool:
    places = [ROOT / folder / name for folder in FOLDERS]
    inside = (ROOT / "tests", ROOT / "dpsql")
    return any(p.exists() for p in places) or any(
        True for folder in inside for _ in folder.rglob(name.rstrip("/"))
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_all_that_is_named_exists(page):
    assert missing(page.read_text(), page.parent) == []


def test_what_is_not_there_is_found():
    text = "`dpsql/none.py`, `tests/none/`, `test_none`, `test_hostile.py::test_none`, [x](none.md)"
    assert len(missing(text, ROOT)) == 5
    text = "`dpsql/errors.py`, `tests/docs/`, `test_hostile.py::test_a_rare_key_is_seen`"
    assert missing(text, ROOT) == []
