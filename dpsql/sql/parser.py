"""sqlglot's parser for any dialect, held to one query, with errors of ours."""

from __future__ import annotations

import logging
import re

from sqlglot import Dialect, exp
from sqlglot.dialects.dialect import Dialects
from sqlglot.errors import SqlglotError

from dpsql.core import nearest
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.sql.caret import show
from dpsql.sql.clauses import ReadExpression, put_back, take_out
from dpsql.sql.fetch import as_limit
from dpsql.sql.grouping_terms import parenthesised
from dpsql.sql.misspelt import meant
from dpsql.sql.not_queries import hint_for
from dpsql.sql.parameters import writable
from dpsql.sql.placeholder_casts import split_casts
from dpsql.sql.show import as_query

# sqlglot logs fragments of the query it parses; an analyst's text belongs in the ledger alone.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

MAX_TEXT = 100_000
MAX_NODES = 5_000
_MANY = (
    "write x IN (...) for x = 1 OR x = 2 ..., x BETWEEN a AND b for a run of values; a list of"
    " thousands belongs into a public table of the policy"
)


def parse(text: str, dialect: str) -> exp.Expr:
    """Exactly one query. Raises InvalidQuery (syntax) or RefusedQuery (not a query)."""
    if not isinstance(text, str):
        raise InvalidQuery(f"SQL must be text, not {type(text).__name__}", code="bad-sql")
    if "\0" in text or not writable(text):
        raise InvalidQuery("SQL text may not hold NUL or broken Unicode", code="syntax")
    if len(text) > MAX_TEXT:
        raise RefusedQuery(
            f"SQL text is longer than {MAX_TEXT:,} characters", code="too-long", hint=_MANY
        )
    parsed = _parse_all(text, dialect)
    statements = [node for node in parsed if node is not None and not _empty(node)]
    if not statements:
        raise InvalidQuery("there is no SQL here", code="syntax", hint="SELECT COUNT(*) FROM t")
    if len(statements) > 1:
        raise RefusedQuery(
            "one statement at a time", code="several-statements", hint="send them one by one"
        )
    root = statements[0]
    while isinstance(root, exp.Subquery):
        if any(value for name, value in root.args.items() if name != "this"):
            raise RefusedQuery(
                "clauses after the closing parenthesis of a query are not available",
                code="unsupported-clause",
                hint="write SELECT * FROM (...) AS q ORDER BY ... LIMIT ...",
            )
        root = root.this
    root = as_query(root) or root
    if not isinstance(root, (exp.Select, exp.SetOperation, exp.Values)):
        raise RefusedQuery(
            "only queries (SELECT) are answered: nothing is written, set or administered here",
            code="not-a-query",
            hint=hint_for(root),
        )
    if any(not select.expressions for select in root.find_all(exp.Select)):
        raise InvalidQuery(
            "syntax error: a SELECT lists no columns",
            code="syntax",
            hint="for example SELECT COUNT(*) FROM t",
        )
    _check_parts(root)
    if "fetch" in text.casefold():
        as_limit(root)
    return root


def _check_parts(root: exp.Expr) -> None:
    """What sqlglot reads and no engine does: a JOIN to nothing, WITH of an expression."""
    for select in root.find_all(exp.Select):
        if select.args.get("joins") and select.args.get("from_") is None:
            raise InvalidQuery(
                "syntax error: a JOIN, or a second table, without FROM",
                code="syntax",
                hint="SELECT ... FROM a JOIN b ON ...",
            )
    for cte in root.find_all(exp.CTE):
        if isinstance(cte.this, (exp.Alias, exp.Condition)) and not isinstance(cte.this, exp.Query):
            raise RefusedQuery(
                f"WITH {cte.alias} AS (...) holds no query",
                code="not-a-query",
                hint="WITH a AS (SELECT ...) SELECT ... FROM a",
            )


def _empty(node: exp.Expr) -> bool:
    return isinstance(node, exp.Semicolon)


def _parse_all(text: str, dialect: str) -> list[exp.Expr | None]:
    reader = read_dialect(dialect)
    try:
        tokens, clauses = take_out(split_casts(reader.tokenize(text)), text)
        roots = reader.parser(max_nodes=MAX_NODES).parse(parenthesised(tokens), text)
        for root in roots:
            if root is not None and put_back(root, clauses, _reader(reader)) is not None:
                _misplaced(len(roots))
        return list(roots)
    except SqlglotError as problem:
        raise _syntax(text, problem) from None
    except RecursionError:
        raise RefusedQuery("the SQL is nested too deeply", code="too-deep") from None
    except (ValueError, AttributeError, TypeError, IndexError, KeyError, AssertionError):
        # sqlglot trips over some malformed texts; for the analyst that is a syntax error
        raise InvalidQuery("the SQL cannot be parsed", code="syntax") from None


def _reader(reader: Dialect) -> ReadExpression:
    def read(text: str) -> exp.Expr:
        query = reader.parse(f"SELECT {text}")[0]
        if not isinstance(query, exp.Select) or len(query.expressions) != 1:
            raise InvalidQuery(f"{text[:60]} is not a value", code="syntax")
        value: exp.Expr = query.expressions[0]
        for node in value.walk():
            node.meta.clear()  # positions speak of another text
        return value

    return read


def _misplaced(statements: int) -> None:
    """A clause that belongs to no SELECT or aggregate (several statements are refused later)."""
    if statements == 1:
        raise InvalidQuery(
            "a parameter, a named argument or OPTIONS stands where it has no meaning",
            code="syntax",
            hint="SUM(x, contribution_bounds_per_row => (0, 100)),"
            " SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1) ...",
        )


def _syntax(text: str, problem: SqlglotError) -> InvalidQuery | RefusedQuery:
    details = getattr(problem, "errors", None) or [{}]
    if "maximum number of ast nodes" in str(problem).casefold():
        return RefusedQuery(
            f"the SQL has more than {MAX_NODES:,} parts (names, values, operators)",
            code="too-complex",
            hint=_MANY,
        )
    line, column = details[0].get("line"), details[0].get("col")
    what = re.sub(r"<Token[^>]*>", "this", str(details[0].get("description") or "")).rstrip(".")
    if missing := re.search(r"missing for <class '[\w.]*?(\w+)'>", what):
        what = f"incomplete {missing[1].upper()}"
    what = what or "the SQL cannot be parsed"
    message = f"syntax error: {what[0].lower()}{what[1:]}"
    if isinstance(line, int) and isinstance(column, int):
        starts = [0, *(match.end() for match in re.finditer("\n", text))]
        token = str(details[0].get("highlight") or " ")
        end = min(starts[min(line, len(starts)) - 1] + column - 1, max(len(text) - 1, 0))
        message += "\n" + show(text, max(0, end - len(token) + 1), end)
        return InvalidQuery(message, code="syntax", hint=meant(text, end))
    return InvalidQuery(message, code="syntax", hint=meant(text, len(text)))


def read_dialect(name: str) -> Dialect:
    """sqlglot's dialect of this name. InvalidQuery `dialect`: there is none."""
    try:
        return Dialect.get_or_raise(name)
    except ValueError:
        raise InvalidQuery(
            f"there is no SQL dialect {name!r}",
            code="dialect",
            hint=nearest.hint(
                name,
                sorted(kind.value for kind in Dialects if kind.value),
                "duckdb, postgres, spark, bigquery, snowflake and all others of sqlglot",
            ),
        ) from None
