"""PostgreSQL's text read back into the normal form: known words alone, default deny.

It shares no code with the writer (`dialects/postgres_forms`) and trusts none of it: it reads the
very text that will be sent and says, in the words the rest of certify understands, what that text
computes of a row. Where PostgreSQL's form gives NULL and the normal form a value (an overflow), the
normal form stands for both: every bound that holds of a value holds of NULL.

What is trusted beyond `certify`: PostgreSQL computes what `postgres_drift` asks of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sqlglot import Token, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from dpsql.certify.claim import refuse, require
from dpsql.certify.postgres_rows import Rows
from dpsql.certify.postgres_shapes import bare
from dpsql.core.catalog import Catalog, CatalogTable

_DIALECT = Dialect.get_or_raise("postgres")
_STRANGE = frozenset("#$?@;{}\\`")
_COMMENTS = ("--", "/*")
ALIAS = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")

_COPIED: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: ("expressions", "from_", "joins", "where", "group", "having"),
    exp.From: ("this",),
    exp.Where: ("this",),
    exp.Having: ("this",),
    exp.Tuple: ("expressions",),
    exp.Filter: ("this", "expression"),
    exp.Order: ("expressions",),
    exp.WindowSpec: ("kind", "start", "start_side", "end", "end_side"),
    **dict.fromkeys((exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist), ()),
    **dict.fromkeys((exp.FirstValue, exp.LastValue, exp.Ntile), ("this",)),
    exp.NthValue: ("this", "offset"),
    exp.Distinct: ("expressions",),
}
"""Read as they stand: what they hold is read in turn."""


def normal_postgres(sql: str, catalog: Catalog) -> str:
    """What the text says, in the normal form. InternalError `certify` for what is not known."""
    try:
        tokens = _DIALECT.tokenize(sql)
        _check_tokens(sql, tokens)
        trees = _DIALECT.parser().parse(tokens, sql)
    except SqlglotError:
        refuse("the text can be read")
    root = trees[0] if len(trees) == 1 else None
    if type(root) is not exp.Select:
        refuse("the text is one SELECT")
    return Relations(catalog).read(root).sql("duckdb", comments=False, copy=False)


def _check_tokens(sql: str, tokens: Sequence[Token]) -> None:
    if _STRANGE.isdisjoint(sql) and not any(mark in sql for mark in _COMMENTS):
        return
    for token in tokens:
        require(not token.comments, "no comments")
        kind, text = token.token_type.name, token.text
        plain = kind in ("STRING", "IDENTIFIER") or _STRANGE.isdisjoint(text)
        require(plain, "no strange characters")


class Relations:
    """Relations; expressions over a row are `Rows`'s. Depth is the statement's."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tables: dict[str, CatalogTable | None] = {}
        self._counting = False
        self._rows = Rows(self._tables, self.read)
        self._own: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
            exp.Table: self._table,
            exp.Subquery: self._subquery,
            exp.Values: self._values,
            exp.Union: self._union,
            exp.Join: self._join,
            exp.Star: self._star,
            exp.Group: self._group,
            exp.Alias: self._alias,
            exp.Count: self._count,
            exp.Window: self._window,
            exp.Ordered: self._ordered,
            exp.Explode: self._list,
            **dict.fromkeys((exp.Lag, exp.Lead), self._neighbour),
        }
        for node in (exp.Sum, exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr):
            self._own[node] = self._aggregate

    def read(self, node: exp.Expr) -> exp.Expr:
        """Relations and aggregates; all else is of a row."""
        own = self._own.get(type(node))
        if own is not None:
            return own(node)
        if type(node) in _COPIED:
            return self._copied(node)
        return self._rows.read(node)

    def _copied(self, node: exp.Expr) -> exp.Expr:
        if type(node) is exp.Select:
            return self._select(node)
        return self._parts(node, _COPIED[type(node)])

    def _parts(self, node: exp.Expr, allowed: tuple[str, ...]) -> exp.Expr:
        found: dict[str, object] = {}
        for name, value in node.args.items():
            if value is None or value is False or (type(value) is list and not value):
                continue
            require(name in allowed, "a clause is not on the list")
            if isinstance(value, exp.Expr):
                found[name] = self.read(value)
            elif isinstance(value, list):
                found[name] = [self.read(one) for one in value]
            else:
                found[name] = value
        return type(node)(**found)

    def _select(self, node: exp.Expr) -> exp.Expr:
        """FROM is read first: it says which columns are a table's own."""
        order = ("from_", "joins", "where", "group", "having", "expressions")
        found: dict[str, object] = {}
        for name, value in node.args.items():
            if value is None or value is False or (type(value) is list and not value):
                continue
            require(name in order, "a clause is not on the list")
        sources = [node.args.get("from_"), *(node.args.get("joins") or [])]
        direct = any(one is not None and isinstance(one.this, exp.Table) for one in sources)
        found["from_"] = node.args.get("from_") and self.read(node.args["from_"])
        joins = node.args.get("joins") or []
        require(all(type(one) is exp.Join for one in joins), "a construct is not on the list")
        for one in joins:  # an ON may name any source before it and its own
            self._name_source(one.this)
        before = self._rows.direct
        self._rows.direct = direct
        found["joins"] = [self.read(one) for one in joins]
        for name in order[2:]:
            value = node.args.get(name)
            if isinstance(value, list):
                found[name] = [self.read(one) for one in value]
            elif value is not None:
                found[name] = self.read(value)
        self._rows.direct = before
        return exp.Select(**{name: value for name, value in found.items() if value})

    # ---- sources -------------------------------------------------------------------------

    def _name_source(self, node: exp.Expr) -> None:
        if isinstance(node, exp.Table):
            self._known(named(node.args.get("alias")), self._entry(node))

    def _known(self, alias: str, table: CatalogTable | None) -> None:
        """An alias stands for one thing wherever it is used, if that is a table."""
        before = self._tables.setdefault(alias, table)
        require(before is table, "an alias stands for one source")

    def _entry(self, node: exp.Table) -> CatalogTable:
        schema, name = node.args.get("db"), node.this
        if not isinstance(schema, exp.Identifier) or not isinstance(name, exp.Identifier):
            refuse("tables are named with their schema")
        require(bool(schema.quoted and name.quoted), "names are quoted")
        for entry in self._catalog.tables.values():
            if (entry.schema, entry.name) == (schema.this, name.this):
                return entry
        refuse("every table is in the catalog")

    def _table(self, node: exp.Expr) -> exp.Expr:
        assert isinstance(node, exp.Table)
        extra = {k for k, v in node.args.items() if v} - {"this", "db", "alias"}
        require(not extra, "a clause is not on the list")
        entry = self._entry(node)
        alias = node.args.get("alias")
        require(alias is not None and not alias.args.get("columns"), "every table has its alias")
        self._known(named(alias), entry)
        return exp.Table(
            this=exp.to_identifier(entry.name, quoted=True),
            db=exp.to_identifier(entry.schema, quoted=True),
            alias=table_alias(alias),
        )

    def _subquery(self, node: exp.Expr) -> exp.Expr:
        alias = node.args.get("alias")
        require({k for k, v in node.args.items() if v} <= {"this", "alias"}, "a clause")
        if alias is not None:
            require(not alias.args.get("columns"), "a clause is not on the list")
            self._known(named(alias), None)
        before, self._rows.direct = self._rows.direct, False
        inner = self.read(node.this)
        self._rows.direct = before
        return exp.Subquery(this=inner, alias=None if alias is None else table_alias(alias))

    def _union(self, node: exp.Expr) -> exp.Expr:
        """UNION ALL: one without ALL drops rows that others have too."""
        extra = {k for k, v in node.args.items() if v} - {"this", "expression"}
        require(not extra, "a clause is not on the list")
        left, right = self.read(node.this), self.read(node.args["expression"])
        return exp.Union(this=left, expression=right, distinct=False)

    def _values(self, node: exp.Expr) -> exp.Expr:
        alias = node.args.get("alias")
        require({k for k, v in node.args.items() if v} <= {"expressions", "alias"}, "a clause")
        self._known(named(alias), None)
        require(all(isinstance(row, exp.Tuple) for row in node.expressions), "rows are listed")
        rows = [
            exp.Tuple(expressions=[self._rows.listed(value) for value in row.expressions])
            for row in node.expressions
        ]
        return exp.Values(expressions=rows, alias=table_alias(alias))

    def _join(self, node: exp.Expr) -> exp.Expr:
        side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
        require(side in ("", "LEFT", "FULL") and kind in ("", "CROSS"), "a join is a known one")
        require(
            {k for k, v in node.args.items() if v} <= {"this", "side", "kind", "on"}, "a clause"
        )
        on = node.args.get("on")
        join = exp.Join(this=self.read(node.this), on=None if on is None else self.read(on))
        if side:
            join.set("side", side)
        if kind:
            join.set("kind", kind)
        return join

    def _star(self, node: exp.Expr) -> exp.Expr:
        """All columns of what we made: a table may have others than the catalog shows."""
        require(not self._rows.direct or self._counting, "columns of a table are named")
        return exp.Star()

    def _group(self, node: exp.Expr) -> exp.Expr:
        """By places: a name could be another one's."""
        require({k for k, v in node.args.items() if v} <= {"expressions"}, "a clause")
        places = [bare(one) for one in node.expressions]
        plain = all(isinstance(one, exp.Literal) and not one.is_string for one in places)
        require(plain, "groups are named by their places")
        return exp.Group(expressions=[self._rows.literal(one) for one in places])

    # ---- columns, aggregates, windows ----------------------------------------------------

    def _alias(self, node: exp.Expr) -> exp.Expr:
        name = node.args.get("alias")
        require(isinstance(name, exp.Identifier) and bool(name.quoted), "names are quoted")
        require(ALIAS.match(node.alias) is not None, "our names are plain")
        return exp.Alias(this=self.read(node.this), alias=exp.to_identifier(node.alias))

    def _count(self, node: exp.Expr) -> exp.Expr:
        require({k for k, v in node.args.items() if v} <= {"this", "big_int"}, "a clause")
        self._counting = isinstance(node.this, exp.Star)
        counted = self.read(node.this)
        self._counting = False
        return exp.Count(this=counted, big_int=True)

    def _aggregate(self, node: exp.Expr) -> exp.Expr:
        """BOOL_AND and BOOL_OR are the least and the greatest of conditions."""
        require({k for k, v in node.args.items() if v} <= {"this"}, "a clause is not on the list")
        kinds: dict[type[exp.Expr], type[exp.Expr]] = {
            exp.LogicalAnd: exp.Min,
            exp.LogicalOr: exp.Max,
        }
        return kinds.get(type(node), type(node))(this=self.read(node.this))

    def _window(self, node: exp.Expr) -> exp.Expr:
        return self._parts(node, ("this", "partition_by", "order", "over", "spec"))

    def _neighbour(self, node: exp.Expr) -> exp.Expr:
        extra = {k for k, v in node.args.items() if v} - {"this", "offset", "default"}
        require(not extra, "a clause is not on the list")
        default = node.args.get("default")
        return type(node)(
            this=self.read(node.this),
            offset=self.read(node.args["offset"]),
            default=None if default is None else self._rows.listed(default),
        )

    def _ordered(self, node: exp.Expr) -> exp.Expr:
        require(
            {k for k, v in node.args.items() if v} <= {"this", "desc", "nulls_first"}, "a clause"
        )
        return exp.Ordered(
            this=self.read(node.this),
            desc=bool(node.args.get("desc")),
            nulls_first=bool(node.args.get("nulls_first")),
        )

    def _list(self, node: exp.Expr) -> exp.Expr:
        """UNNEST of a given list; `grammar` holds it against its form."""
        require({k for k, v in node.args.items() if v} <= {"this"}, "a clause is not on the list")
        require(isinstance(bare(node.this), exp.Cast), "only a given list is made rows of")
        return exp.Explode(this=self._rows.given(bare(node.this)))


def named(alias: exp.Expr | None) -> str:
    name = None if alias is None else alias.this
    if not isinstance(name, exp.Identifier) or not name.quoted:
        refuse("every source has its quoted alias")
    require(ALIAS.match(str(name.this)) is not None, "our names are plain")
    return str(name.this)


def table_alias(alias: exp.Expr | None) -> exp.TableAlias:
    columns = [] if alias is None else alias.args.get("columns") or []
    for column in columns:
        require(
            isinstance(column, exp.Identifier) and ALIAS.match(str(column.this)) is not None,
            "our names are plain",
        )
    return exp.TableAlias(
        this=exp.to_identifier(named(alias)),
        columns=[exp.to_identifier(str(column.this)) for column in columns] or None,
    )
