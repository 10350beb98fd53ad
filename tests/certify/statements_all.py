"""All statements that mutations start from."""

from __future__ import annotations

import statements
from statements_given import CHAINS
from statements_relations import RELATIONS

ALL = {**statements.ALL, **RELATIONS, **CHAINS}
