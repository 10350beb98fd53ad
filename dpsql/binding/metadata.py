"""Questions about tables, not about people: catalog views, session functions, empty probes.

They are answered from the policy and the engine's schema alone, for nothing: no row is read. Under
the policy that `answering` returns, every table of such a statement is public, so that the binder
treats it as one above the noise line; `dpsql.public` fills catalog views from what is declared,
and gives private tables without a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from dpsql.binding.catalog_views import CATALOG, VIEWS, is_view
from dpsql.binding.context import Context
from dpsql.policy.schema import Policy, Table
from dpsql.sql import show

VERSION = "dpsql (SQL of DuckDB)"
"""What version() says; the program's own version is the command line's to tell."""

_SESSION = ("version", "schema", "catalog", "user")
_NODES: Mapping[type[exp.Expr], str] = {
    exp.CurrentVersion: "version",
    exp.CurrentSchema: "schema",
    exp.CurrentDatabase: "catalog",
    exp.CurrentCatalog: "catalog",
    exp.CurrentUser: "user",
    exp.SessionUser: "user",
}
_WORDS = {"user": "user", "current_schema": "schema", "session_user": "user"}


def asks_catalog(root: exp.Expr) -> bool:
    """Does the statement name a catalog view? Then it may name nothing else."""
    return any(is_view(table) for table in root.find_all(exp.Table))


def answering(root: exp.Expr, policy: Policy) -> Policy | None:
    """The policy under which a question about tables is bound; None for any other statement."""
    if asks_catalog(root):
        tables = {
            f"{schema}.{name}": Table(f"{schema}.{name}", (schema, name), True, None, {})
            for schema, name in VIEWS
        }
        return replace(policy, tables=tables)
    if not is_probe(root):
        return None
    public = {name: replace(table, public=True) for name, table in policy.tables.items()}
    return replace(policy, tables=public)


def needs_check(root: exp.Expr) -> bool:
    """A probe of aggregates is refused where the query itself would be; one of rows never is."""
    asked = (exp.AggFunc, exp.Group, exp.Distinct, exp.Window)
    return not asks_catalog(root) and root.find(*asked) is not None


def as_public(root: exp.Expr) -> exp.Expr:
    """A copy without the words that belong to private aggregates alone."""
    query = root.copy()
    for node in query.walk():
        if isinstance(node, exp.Select):
            node.set("hint", None)
        node.meta.pop("named", None)
    return query


# ---- probes: empty whatever is in the tables ---------------------------------------------------


def is_probe(root: exp.Expr) -> bool:
    """Empty by its own text: LIMIT 0, or rows WHERE 1 = 0 (drivers learn column types so)."""
    if isinstance(root, exp.Query):
        limit = root.args.get("limit")
        count = limit.expression if isinstance(limit, exp.Limit) else None
        if isinstance(count, exp.Literal) and not count.is_string and count.name == "0":
            return True
    if not isinstance(root, exp.Select) or root.args.get("group"):
        return False
    if any(projection.find(exp.AggFunc) for projection in root.expressions):
        return False  # SELECT COUNT(*) ... WHERE 1 = 0 has one row
    where = root.args.get("where")
    return where is not None and _false(where.this)


def _false(node: exp.Expr) -> bool:
    """Is the condition FALSE by its literals alone?"""
    node = node.unnest()
    if isinstance(node, exp.And):
        return any(_false(part) for part in (node.left, node.right))
    if isinstance(node, exp.Boolean):
        return node.this is False
    if isinstance(node, exp.Not):
        inner = node.this.unnest()
        return isinstance(inner, exp.Boolean) and inner.this is True
    if not isinstance(node, (exp.EQ, exp.NEQ)):
        return False
    ends = [side.unnest() for side in (node.left, node.right)]
    if not all(isinstance(side, exp.Literal) for side in ends):
        return False
    texts = [side.name for side in ends]
    if ends[0].is_string != ends[1].is_string:
        return False
    if not ends[0].is_string and not all(_small(text) for text in texts):
        return False
    same = texts[0] == texts[1] if ends[0].is_string else int(texts[0]) == int(texts[1])
    return same is isinstance(node, exp.NEQ)


def _small(text: str) -> bool:
    """A whole number that every engine takes as it is: beyond 64 bits it may become a float."""
    return text.isascii() and text.isdigit() and len(text) <= 18


# ---- what is written otherwise before binding --------------------------------------------------


def prepared(root: exp.Expr, context: Context, analyst: str) -> exp.Expr:
    """The statement with described tables looked up, session functions as texts, no catalog name.

    Raises RefusedQuery `unknown-table` for a described table that is not declared.
    """
    described = root.meta.get(show.DESCRIBED)
    if isinstance(root, exp.Select) and isinstance(described, exp.Table):
        entry = context.catalog_table(context.table(described))
        show.complete(root, entry.schema, entry.name)
    for table in root.find_all(exp.Table):
        if table.catalog.casefold() == CATALOG:
            table.set("catalog", None)
    tables = list(root.find_all(exp.Table))
    if not tables or asks_catalog(root):
        values = _session(context, analyst)
        return root.transform(lambda node: _told(node, values, not tables), copy=False)
    return root


def _session(context: Context, analyst: str) -> dict[str, str]:
    texts = (VERSION, context.default_schema, CATALOG, analyst)
    return dict(zip(_SESSION, texts, strict=True))


def _told(node: exp.Expr, values: Mapping[str, str], alone: bool) -> exp.Expr:
    word = _NODES.get(type(node))
    if alone and isinstance(node, exp.Column) and not node.table and not node.this.quoted:
        word = _WORDS.get(node.name.casefold())
    return node if word is None else exp.Literal.string(values[word])


def refuse_mixed(root: exp.Expr, context: Context) -> None:
    """A catalog view beside a declared table: under `answering` the table would not exist."""
    declared = {name.casefold() for name in context.policy.tables}
    tables = list(root.find_all(exp.Table)) if asks_catalog(root) else []
    for table in tables:
        if ".".join(part.name for part in table.parts).casefold() in declared:
            context.refuse(
                table,
                "unsupported-from",
                "catalog views and declared tables cannot stand in one query",
                "ask information_schema in a query of its own",
            )
