"""parse: text → one query with its parameters as literals."""

from __future__ import annotations

from dpsql.pipeline.stages import Parsed
from dpsql.sql.conditions import plain_conditions
from dpsql.sql.constant_moments import fold_moments
from dpsql.sql.foreign import as_meant
from dpsql.sql.parameters import Parameters, substitute
from dpsql.sql.parser import parse
from dpsql.sql.plain_values import plain_values


def run(text: str, *, dialect: str, parameters: Parameters = None) -> Parsed:
    """Raises InvalidQuery for syntax and parameters, RefusedQuery for what is not one query."""
    root = as_meant(substitute(parse(text, dialect), parameters), text, dialect)
    root = plain_conditions(fold_moments(root, text), text)
    recorded = f"{text}\n-- with {plain_values(parameters)!r}" if parameters else text
    return Parsed(text, root, recorded)
