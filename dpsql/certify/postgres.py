"""PostgreSQL's text read back into the normal form: known words alone, default deny.

It shares no code with the writer (`dialects/postgres_forms`) and trusts none of it: it reads the
very text that will be sent and says, in the words the rest of certify understands, what that text
computes of a row. Where PostgreSQL's form gives NULL and the normal form a value (an overflow), the
normal form stands for both: every bound that holds of a value holds of NULL.

What is trusted beyond `certify`: PostgreSQL computes what `postgres_drift` asks of it.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_relations import ForeignRelations, named, table_alias
from dpsql.certify.foreign_shapes import bare, only
from dpsql.certify.postgres_rows import Rows
from dpsql.certify.postgres_text import parsed
from dpsql.core.catalog import Catalog, CatalogTable


def normal_postgres(sql: str, catalog: Catalog) -> str:
    """What the text says, in the normal form. InternalError `certify` for what is not known."""
    root = parsed(sql)
    if type(root) is not exp.Select:
        refuse("the text is one SELECT")
    return _Reader(catalog).read(root).sql("duckdb", comments=False, copy=False)


class _Reader(ForeignRelations[Rows]):
    """Relations and aggregates; expressions over a row are `Rows`'s."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog, Rows)
        self._own[exp.Group] = self._group
        self._own[exp.Count] = self._count
        self._own[exp.Explode] = self._list
        self._own[exp.Lag] = self._own[exp.Lead] = self._neighbour
        for node in (exp.Sum, exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr):
            self._own[node] = self._aggregate

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
        only(node, "this", "db", "alias")
        entry = self._entry(node)
        alias = node.args.get("alias")
        require(alias is not None and not alias.args.get("columns"), "every table has its alias")
        self._known(named(alias), entry)
        return exp.Table(
            this=exp.to_identifier(entry.name, quoted=True),
            db=exp.to_identifier(entry.schema, quoted=True),
            alias=table_alias(alias),
        )

    def _union(self, node: exp.Expr) -> exp.Expr:
        """UNION ALL: one without ALL drops rows that others have too."""
        only(node, "this", "expression")
        left, right = self.read(node.this), self.read(node.args["expression"])
        return exp.Union(this=left, expression=right, distinct=False)

    def _group(self, node: exp.Expr) -> exp.Expr:
        """By places: a name could be another one's."""
        only(node, "expressions")
        places = [bare(one) for one in node.expressions]
        plain = all(isinstance(one, exp.Literal) and not one.is_string for one in places)
        require(plain, "groups are named by their places")
        return exp.Group(expressions=[self._rows.literal(one) for one in places])

    # ---- aggregates and windows ----------------------------------------------------------

    def _count(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "big_int")
        return exp.Count(this=self._counted(node.this), big_int=True)

    def _aggregate(self, node: exp.Expr) -> exp.Expr:
        """BOOL_AND and BOOL_OR are the least and the greatest of conditions."""
        only(node, "this")
        kinds: dict[type[exp.Expr], type[exp.Expr]] = {
            exp.LogicalAnd: exp.Min,
            exp.LogicalOr: exp.Max,
        }
        return kinds.get(type(node), type(node))(this=self.read(node.this))

    def _neighbour(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "offset", "default")
        default = node.args.get("default")
        return type(node)(
            this=self.read(node.this),
            offset=self.read(node.args["offset"]),
            default=None if default is None else self._rows.listed(default),
        )

    def _list(self, node: exp.Expr) -> exp.Expr:
        """UNNEST of a given list; `grammar` holds it against its form."""
        only(node, "this")
        require(isinstance(bare(node.this), exp.Cast), "only a given list is made rows of")
        return exp.Explode(this=self._rows.given(bare(node.this)))
