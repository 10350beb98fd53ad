"""Every refusal that SQL can meet, word for word: code, sentence, caret, hint.

A new code needs a file here, or a place in the list of those that no SQL text reaches; and a
paragraph in docs/errors.md. `DPSQL_UPDATE_GOLDEN=1` rewrites the files; read the difference.
"""

from __future__ import annotations

import os

import pytest
import refuse_world as world

CASES = world.cases()


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name):
    case = CASES[name]
    refusal = case.refusal()
    if os.environ.get("DPSQL_UPDATE_GOLDEN"):
        case.write(refusal)
    assert world.read(case.path).expected == refusal
    assert name.startswith(case.code), "the file is named after its code"
