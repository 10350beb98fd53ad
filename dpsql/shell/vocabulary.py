"""What there is to complete: tables and columns of the policy, functions of the allow-lists."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from dpsql import aggregates
from dpsql import functions as scalars
from dpsql.checks import remainder
from dpsql.declared import DeclaredTable
from dpsql.sql.parser import read_dialect

START = ("SELECT", "WITH", "FROM", "VALUES")
OPERANDS = (
    *("DISTINCT", "CASE", "NOT", "NULL", "TRUE", "FALSE", "CAST", "TRY_CAST", "EXTRACT"),
    *("EXISTS", "INTERVAL", "DATE", "WITH DIFFERENTIAL_PRIVACY OPTIONS", "SELECT"),
)
AFTER_TABLE = (
    *("AS", "JOIN", "LEFT JOIN", "INNER JOIN", "CROSS JOIN", "ON", "USING", "WHERE", "GROUP BY"),
    *("HAVING", "QUALIFY", "ORDER BY", "LIMIT", "UNION ALL", "SELECT"),
)
AFTER_OPERAND = (
    *("FROM", "AS", "AND", "OR", "IN", "NOT IN", "BETWEEN", "LIKE", "ILIKE", "IS NULL"),
    *("IS NOT NULL", "WHEN", "THEN", "ELSE", "END", "WHERE", "GROUP BY", "HAVING", "QUALIFY"),
    *("ORDER BY", "ASC", "DESC", "NULLS FIRST", "NULLS LAST", "LIMIT", "OFFSET", "UNION ALL"),
    *("EXCEPT", "INTERSECT", "JOIN", "LEFT JOIN", "FILTER", "OVER", "PARTITION BY"),
    "contribution_bounds_per_row",
)
KEYWORDS = frozenset(
    word
    for phrase in (*START, *OPERANDS, *AFTER_TABLE, *AFTER_OPERAND, "USING OUTER FULL RIGHT")
    for word in phrase.upper().split()
)
"""Single words, in capitals, as colours know them."""

_PLAIN = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, as they are written in SQL, with their types."""

    parts: tuple[str, ...]
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tables as they are written in SQL; functions in capitals, each with what it is."""

    tables: Mapping[str, Columns]
    functions: Mapping[str, str]

    def find(self, reference: tuple[str, ...]) -> Columns | None:
        """The table a reference in lower case means: `users`, `main.users`."""
        for columns in self.tables.values():
            if reference and columns.parts == reference[-len(columns.parts) :]:
                return columns
        return None


def vocabulary_of(tables: Iterable[DeclaredTable], default_schema: str = "main") -> Vocabulary:
    """The names of what was declared; nothing hidden is among them."""
    written = {}
    for table in tables:
        schema = () if table.schema == default_schema else (table.schema,)
        parts = (*schema, table.name)
        types = {written_name(column.name): column.type_text for column in table.columns}
        folded = tuple(part.casefold() for part in parts)
        written[".".join(map(written_name, parts))] = Columns(folded, types)
    return Vocabulary(written, functions())


@functools.cache
def functions() -> Mapping[str, str]:
    """All functions that are answered, with where: on people's rows, or on answers alone."""
    found = dict.fromkeys(remainder.KNOWN, "over answers")
    found |= dict.fromkeys(scalars.KNOWN, "function")
    found |= dict.fromkeys(scalars.names_of(aggregates.NODES), "aggregate")
    return {name.upper(): found[name] for name in sorted(found)}


def written_name(name: str) -> str:
    """A name as SQL needs it: in quotes only where it must be."""
    reserved = read_dialect("duckdb").generator_class.RESERVED_KEYWORDS
    plain = _PLAIN.fullmatch(name) is not None and name.upper() not in {*KEYWORDS, *reserved}
    return name if plain else exp.to_identifier(name, quoted=True).sql("duckdb")
