"""Every refusal that SQL can meet, word for word: code, sentence, caret, hint.

A new code needs a file here, or a place in the list of those that no SQL text reaches; and a
paragraph in docs/errors.md. `DPSQL_UPDATE_GOLDEN=1` rewrites the files; read the difference.
"""

from __future__ import annotations

import os
import re

import pytest
import refuse_world as world
from error_codes import raised

CASES = world.cases()


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name):
    case = CASES[name]
    refusal = case.refusal()
    if os.environ.get("DPSQL_UPDATE_GOLDEN"):
        case.write(refusal)
    assert world.read(case.path).expected == refusal
    assert name.startswith(case.code), "the file is named after its code"


# ---- that none is missing ----------------------------------------------------------------------

NOT_BY_SQL = {
    "a fault of dpsql itself, and none is known": "internal certify binding bad-price demo-data"
    " demo-wrong release-unpaid",
    "what PostgreSQL lacks, which tests/postgres asks": "not-on-this-engine",
    "how Python calls the driver": "bad-sql closed no-result interface missing-package no-more-sets"
    " no-procedures engine-type database-url bad-request-id request-id-reused request-running",
    "how the program is called, or where it writes": "output bad-head bad-analyst demo-folder"
    " bad-ceiling file-exists",
    "commands of the shell, which are no SQL": "unknown-command usage not-confirmed timing",
    "the policy's file, before it has keys": "no-policy bad-yaml",
    "the state of the database's file, or a time limit": "engine engine-missing engine-locked"
    " engine-open engine-version engine-drift engine-settings files-missing files-unreadable"
    " files-columns",
    "kept cells, which tests/kept asks": "cells-changed cells-file kept-unfit",
    "the state of the ledger's file": "ledger ledger-missing ledger-locked ledger-read-only"
    " ledger-unreachable ledger-linked ledger-url ledger-disk ledger-broken ledger-newer"
    " ledger-lost ledger-in-doubt ledger-rights ledger-server"
    " ledger-replaced ledger-rolled-back ledger-forked not-a-ledger bad-event unknown-event"
    " unknown-entry bad-charge bad-terms release-altered team-renamed bad-clock",
    "what was kept outside of the ledger": "ledger-shows-less ledger-another ledger-gone"
    " receipt-unreadable nothing-to-accept grant-not-kept checkpoint-key checkpoint-missing"
    " checkpoint-place",
    "calls of the ledger that no query makes": "unknown-budget budget-kind already-settled"
    " grants-too-large",
    "what the policy's check refuses before any query": "unit-type",
    "what a first look says when nothing is asked after it": "magnitude-unknown",
    "`dpsql init` and SQLAlchemy's URLs": "bad-url old-sqlalchemy init-budget init-exists"
    " init-file init-flag init-header"
    " init-key init-name init-output init-range init-smartnoise init-source init-values",
}
EXEMPT = {code for codes in NOT_BY_SQL.values() for code in codes.split()}
RAISED = raised()


def test_every_code_has_a_file_or_a_reason():
    files = {case.code for case in CASES.values()}
    assert set(RAISED) - files - EXEMPT == set(), "add a file to tests/cases/refuse"
    assert files & EXEMPT == set(), "no exemption is needed where there is a file"
    assert EXEMPT - set(RAISED) == set(), "nothing raises these any more"
    assert files - set(RAISED) == set()


def paragraphs():
    text = (world.FOLDER.parents[2] / "docs" / "errors.md").read_text()
    sections = [part.partition("\n") for part in text.split("\n### ")[1:]]
    return [(code, body.partition("\n## ")[0].strip()) for code, _, body in sections]


def test_every_code_has_one_paragraph():
    codes = [code for code, _ in paragraphs()]
    assert sorted(codes) == sorted(RAISED)


@pytest.mark.parametrize(("code", "body"), paragraphs(), ids=lambda value: value[:20])
def test_a_paragraph_says_what_why_how_and_an_example(code, body):
    assert "\n\n" not in body
    what, *rest = re.split(r"\s(?:Why|Way\sout|Example):\s", body)
    assert len(what) > 20
    assert len(rest) == 3
    assert all(len(part) > 3 for part in rest)


def test_the_scanner_sees_the_ways_codes_are_written():
    """By keyword, by position, as a choice of two, by a class's default, as a pattern."""
    known = {"unknown-key", "unknown-column", "engine-locked", "engine-open", "engine", "bad-delta"}
    assert known <= set(RAISED)
    assert len(RAISED) > 100
