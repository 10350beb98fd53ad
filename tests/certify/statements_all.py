"""All statements that mutations start from."""

from __future__ import annotations

import statements
from statements_given import CHAINS
from statements_late import LATE_STATEMENTS
from statements_listed import LISTED
from statements_narrow import NARROW_STATEMENTS
from statements_relations import RELATIONS
from statements_windows import WINDOWS

ALL = {
    **statements.ALL,
    **RELATIONS,
    **WINDOWS,
    **LISTED,
    **CHAINS,
    **LATE_STATEMENTS,
    **NARROW_STATEMENTS,
}
