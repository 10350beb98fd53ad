"""What there is to complete: tables and columns of the policy, functions of the allow-lists."""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

from dpsql.aggregates import FAMILIES
from dpsql.checks.remainder import CALLS, FUNCTIONS
from dpsql.commands.tables import records_of
from dpsql.functions import REGISTRY
from dpsql.sql.parser import named_dialect

if TYPE_CHECKING:
    from dpsql.core.catalog import Catalog
    from dpsql.policy import Policy

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

_UNREADABLE = (SqlglotError, TypeError, ValueError, AttributeError, IndexError, KeyError)
"""What sqlglot raises for a call with arguments it did not expect."""

_STANDARD = ("VAR_SAMP", "PERCENTILE_CONT", "PERCENTILE_DISC")
"""Names of the SQL standard that sqlglot writes otherwise."""

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


def vocabulary_of(policy: Policy, catalog: Catalog) -> Vocabulary:
    """Names the policy declares; a hidden column is not among them."""
    tables: dict[str, Columns] = {}
    types: dict[str, dict[str, str]] = {}
    for record in records_of(policy, catalog):
        table = policy.tables[record["table"]]
        written = ".".join(map(written_name, table.parts))
        columns = types.setdefault(written, {})
        columns[written_name(record["column"])] = record["type"]
        tables[written] = Columns(tuple(part.casefold() for part in table.parts), columns)
    return Vocabulary(tables, functions())


@functools.cache
def functions() -> Mapping[str, str]:
    """All functions that are answered, under names that DuckDB gives them."""
    nodes: dict[type[exp.Expr], str] = dict.fromkeys(FUNCTIONS, "over answers")
    nodes |= {node: "function" for family in REGISTRY for node in family.nodes}
    nodes |= {node: "aggregate" for family in FAMILIES for node in family.nodes}
    found = {name.upper(): "over answers" for name in CALLS}
    found |= {name.upper(): "function" for family in REGISTRY for name in family.calls}
    for node, what in nodes.items():
        if issubclass(node, exp.Func):
            found |= {name: what for name in node.sql_names() if _called(name, nodes)}
    return dict(sorted(found.items()))


def _called(name: str, nodes: Container[type[exp.Expr]]) -> bool:
    """Whether the name is read as one of these functions and written under the same name again."""
    duckdb = named_dialect("duckdb")
    if name in _STANDARD:
        return True
    for arguments in ("a", "a, b", "", "a, b, c", "'day', a"):
        try:
            found = duckdb.parse(f"SELECT {name}({arguments})")[0]
            call = found.expressions[0] if isinstance(found, exp.Select) else None
            if call is None or type(call) not in nodes:
                continue
            if call.sql("duckdb").upper().startswith(f"{name}("):
                return True
        except _UNREADABLE:
            continue
    return False


def written_name(name: str) -> str:
    """A name as SQL needs it: in quotes only where it must be."""
    reserved = named_dialect("duckdb").generator_class.RESERVED_KEYWORDS
    plain = _PLAIN.fullmatch(name) is not None and name.upper() not in {*KEYWORDS, *reserved}
    return name if plain else exp.to_identifier(name, quoted=True).sql("duckdb")
