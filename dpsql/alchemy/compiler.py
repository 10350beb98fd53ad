"""SQLAlchemy's expressions as SQL that dpsql answers.

Only what differs from SQLAlchemy's plain SQL: names are always quoted (no list of words that two
parsers reserve can be complete, and quoting changes no meaning here), and what dpsql reads as
constants (units of time, patterns) is written as constants.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import exc
from sqlalchemy.sql import compiler
from sqlalchemy.sql.elements import BindParameter


class DPCompiler(compiler.SQLCompiler):
    """SELECTs. DML is written plainly and refused by the connection."""

    def _with_unit(self, func: Any, **kw: Any) -> str:
        """The unit of DATE_TRUNC and its like is text of the statement, not a parameter.

        It is put in when the statement runs: in a cached compilation it would stay the first one.
        """
        unit, *rest = func.clauses
        if isinstance(unit, BindParameter):
            unit = unit.render_literal_execute()
        return f"{func.name}({', '.join(self.process(part, **kw) for part in (unit, *rest))})"

    visit_date_trunc_func = visit_date_part_func = visit_date_diff_func = _with_unit
    visit_datetrunc_func = visit_datepart_func = visit_datediff_func = _with_unit

    def limit_clause(self, select: Any, **kw: Any) -> str:
        text = ""
        if select._limit_clause is not None:
            text += "\n LIMIT " + self.process(select._limit_clause, **kw)
        if select._offset_clause is not None:
            text += "\n OFFSET " + self.process(select._offset_clause, **kw)
        return text

    # ---- ILIKE, and the `icontains` family that is made of it -----------------------------

    def visit_ilike_case_insensitive_operand(self, element: Any, **kw: Any) -> str:
        return str(element.element._compiler_dispatch(self, **kw))

    def visit_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._ilike("ILIKE", binary, kw)

    def visit_not_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._ilike("NOT ILIKE", binary, kw)

    def _ilike(self, word: str, binary: Any, kw: dict[str, Any]) -> str:
        left = binary.left._compiler_dispatch(self, **kw)
        right = binary.right._compiler_dispatch(self, **kw)
        escape = binary.modifiers.get("escape")
        end = "" if escape is None else " ESCAPE '" + escape.replace("'", "''") + "'"
        return f"{left} {word} {right}{end}"

    def for_update_clause(self, select: Any, **kw: Any) -> str:
        raise exc.CompileError("FOR UPDATE: nothing is written through dpsql")


class DPTypeCompiler(compiler.GenericTypeCompiler):
    """Type names as DuckDB reads them; its FLOAT has 32 bits, SQLAlchemy's need not."""

    def visit_HUGEINT(self, type_: Any, **kw: Any) -> str:
        return "HUGEINT"

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE"

    def visit_REAL(self, type_: Any, **kw: Any) -> str:
        return "FLOAT"

    def visit_DATETIME(self, type_: Any, **kw: Any) -> str:
        return "TIMESTAMP"

    def visit_TIMESTAMP(self, type_: Any, **kw: Any) -> str:
        return "TIMESTAMPTZ" if type_.timezone else "TIMESTAMP"


class DPPreparer(compiler.IdentifierPreparer):
    """Every name in double quotes; DuckDB ignores case in them too."""

    def _requires_quotes(self, value: str) -> bool:
        return True
