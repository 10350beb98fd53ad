"""sqlglot's parser for any dialect, taught GoogleSQL's privacy words.

    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5, ...) ...
    SUM(x, contribution_bounds_per_row => (0, 100))

The clause is kept on the SELECT as an `exp.Hint` with `meta["privacy"]`, the named arguments on
the aggregate as `meta["named"]`; both are gone before any SQL is generated.
"""

from __future__ import annotations

import functools
import logging
import re
from typing import Any

from sqlglot import Dialect, TokenType, exp
from sqlglot.errors import SqlglotError
from sqlglot.parser import Parser

from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.sql.caret import show

# sqlglot logs fragments of the query it parses; an analyst's text belongs in the ledger alone.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

MAX_TEXT = 100_000
MAX_NODES = 5_000
_AGGREGATES = ("COUNT", "SUM", "AVG", "VARIANCE", "VAR_SAMP", "VAR_POP")
_AGGREGATES_STD = ("STDDEV", "STDDEV_SAMP", "STDDEV_POP")


def parse(text: str, dialect: str) -> exp.Expr:
    """Exactly one query. Raises InvalidQuery (syntax) or RefusedQuery (not a query)."""
    if not isinstance(text, str):
        raise InvalidQuery(f"SQL must be text, not {type(text).__name__}", code="bad-sql")
    if "\0" in text:
        raise InvalidQuery("SQL text may not hold a NUL character", code="syntax")
    if len(text) > MAX_TEXT:
        raise RefusedQuery(f"SQL text is longer than {MAX_TEXT:,} characters", code="too-long")
    statements = [node for node in _parse_all(text, dialect) if not _empty(node)]
    if not statements:
        raise InvalidQuery("there is no SQL here", code="syntax", hint="SELECT COUNT(*) FROM t")
    if len(statements) > 1:
        raise RefusedQuery(
            "one statement at a time", code="several-statements", hint="send them one by one"
        )
    root = statements[0]
    while isinstance(root, exp.Subquery) and not root.args.get("alias"):
        root = root.this
    if not isinstance(root, (exp.Select, exp.SetOperation, exp.Values)):
        raise RefusedQuery(
            "only queries (SELECT) are answered: nothing is written, set or administered here",
            code="not-a-query",
            hint="write a SELECT with aggregates such as COUNT(*) or AVG(x)",
        )
    return root


def _empty(node: exp.Expr | None) -> bool:
    return node is None or isinstance(node, exp.Semicolon)


def _parse_all(text: str, dialect: str) -> list[exp.Expr | None]:
    reader = _dialect(dialect)
    try:
        return _parser_class(dialect)(dialect=reader).parse(reader.tokenize(text), text)
    except SqlglotError as problem:
        raise _syntax(text, problem) from None
    except RecursionError:
        raise RefusedQuery("the SQL is nested too deeply", code="too-deep") from None
    except (ValueError, AttributeError, TypeError, IndexError, KeyError, AssertionError):
        # sqlglot trips over some malformed texts; for the analyst that is a syntax error
        raise InvalidQuery("the SQL cannot be parsed", code="syntax") from None


def _syntax(text: str, problem: SqlglotError) -> InvalidQuery:
    details = getattr(problem, "errors", None) or [{}]
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
    return InvalidQuery(message, code="syntax")


def _dialect(name: str) -> Dialect:
    try:
        return Dialect.get_or_raise(name)
    except ValueError:
        raise InvalidQuery(
            f"there is no SQL dialect {name!r}",
            code="dialect",
            hint="duckdb, postgres, spark, bigquery, snowflake and all others of sqlglot",
        ) from None


@functools.cache
def _parser_class(dialect: str) -> type[Parser]:
    base: Any = _dialect(dialect).parser_class
    functions = dict(base.FUNCTIONS)
    for name in (*_AGGREGATES, *_AGGREGATES_STD):
        if name in functions:
            functions[name] = _named_arguments(functions[name])
    members = {"FUNCTIONS": functions, "_parse_hint": _privacy_hint(base), "max_nodes": MAX_NODES}
    members["PLACEHOLDER_PARSERS"] = {
        **base.PLACEHOLDER_PARSERS,
        TokenType.PLACEHOLDER: _positional,
    }
    return type("PrivateParser", (base,), members)


def _positional(self: Any) -> exp.Expr:
    placeholder: exp.Expr = self.expression(exp.Placeholder())
    return placeholder.update_positions(self._prev)


def _named_arguments(build: Any) -> Any:
    """Wrap an aggregate's builder: `name => value` arguments move into `meta["named"]`."""

    def builder(args: list[exp.Expr], dialect: Any = None) -> exp.Expr:
        named = {a.this.name.lower(): a.expression for a in args if isinstance(a, exp.Kwarg)}
        args[:] = [a for a in args if not isinstance(a, exp.Kwarg)]
        try:
            node: exp.Expr = build(args, dialect=dialect)
        except TypeError:
            node = build(args)
        if named:
            node.meta["named"] = named
        return node

    return builder


def _privacy_hint(base: Any) -> Any:
    def parse_hint(self: Any) -> exp.Expr | None:
        if not (
            self._curr
            and self._curr.token_type == TokenType.WITH
            and self._next
            and self._next.text.upper() == "DIFFERENTIAL_PRIVACY"
        ):
            hint: exp.Expr | None = base._parse_hint(self)
            return hint
        self._advance(2)
        pairs: list[exp.Expr] = []
        if self._match_text_seq("OPTIONS"):
            pairs = self._parse_wrapped_csv(self._parse_assignment, optional=False)
        node = exp.Hint(expressions=[])
        node.meta["privacy"] = pairs
        return node

    return parse_hint
