"""Spark's text read back into the normal form: known words alone, default deny.

It shares no code with the writer (`dialects/spark_forms`) and trusts none of it: it reads the very
text that will be sent and says, in the words the rest of certify understands, what that text
computes of a row. Sources, joins and windows are read as PostgreSQL's are, which SQL says alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import digits
from dpsql.certify.foreign_relations import ALIAS, ForeignRelations, named, table_alias
from dpsql.certify.foreign_shapes import bare, only, same
from dpsql.certify.spark_casts import given
from dpsql.certify.spark_kinds import kind_of_column, kind_of_type, together
from dpsql.certify.spark_rows import Rows
from dpsql.certify.spark_text import match, parsed, word_of
from dpsql.certify.spark_words import AGGREGATES, CALLS
from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.core.domain import Kind

Columns = Mapping[str, Kind | None]


def normal_spark(sql: str, catalog: Catalog) -> str:
    """What the text says, in the normal form. InternalError `certify` for what is not known."""
    root = parsed(sql)
    if type(root) is not exp.Select:
        refuse("the text is one SELECT")
    return _Reader(catalog).read(root).sql("duckdb", comments=False, copy=False)


class _Reader(ForeignRelations[Rows]):
    """Relations and aggregates; expressions over a row are `Rows`'s."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog, Rows)
        self._kinds = self._rows.kinds
        self._own[exp.Anonymous] = self._call  # functions have their own names here

    # ---- relations -----------------------------------------------------------------------

    def _select(self, node: exp.Expr) -> exp.Expr:
        """FROM is read first: it says which columns are a table's own, and of which kind."""
        order = ("from_", "joins", "where", "group", "having", "expressions")
        given = {name for name, v in node.args.items() if v is not None and v is not False}
        given -= {name for name in given if node.args[name] == []}
        require(given <= set(order), "a clause is not on the list")
        if any(isinstance(item, exp.Aliases) for item in node.expressions):
            require(given == {"expressions"}, "lists stand alone")
            return self._lists(node.expressions)
        first, joins = node.args.get("from_"), node.args.get("joins") or []
        sources = [first, *joins] if first is not None else joins
        require(all(type(one) is exp.Join for one in joins), "a construct is not on the list")
        found: dict[str, object] = {"from_": None if first is None else self.read(first)}
        for one in joins:  # an ON may name any source before it and its own
            self._name_source(one.this)
        before = (self._rows.direct, self._kinds.near)
        self._rows.direct = any(isinstance(one.this, exp.Table) for one in sources)
        found["joins"] = [self.read(one) for one in joins]
        self._kinds.near = [one.this.alias for one in sources]
        for name in ("where", "having"):
            part = node.args.get(name)
            found[name] = None if part is None else self.read(part)
        found["expressions"] = [self.read(one) for one in node.expressions]
        found["group"] = self._grouped(node)
        gives = self._given(node)
        self._rows.direct, self._kinds.near = before
        self._kinds.last = gives
        return exp.Select(**{name: value for name, value in found.items() if value})

    def _given(self, node: exp.Expr) -> Columns:
        """The columns of a SELECT and their kinds."""
        gives: dict[str, Kind | None] = {}
        for item in node.expressions:
            if isinstance(item, exp.Star):
                for alias in self._kinds.near:
                    gives |= self._kinds.sources.get(alias, {})
            elif isinstance(item, exp.Alias):
                gives[item.alias.casefold()] = self._kinds.of(item.this)
        return gives

    def _grouped(self, node: exp.Expr) -> exp.Expr | None:
        """Groups are said by the expressions of columns: they are the first of these."""
        group = node.args.get("group")
        if group is None:
            return None
        only(group, "expressions")
        items = [one.this if isinstance(one, exp.Alias) else one for one in node.expressions]
        places = []
        for one in group.expressions:
            require(not isinstance(bare(one), exp.Literal), "a number could be a place")
            at = next((n for n, item in enumerate(items) if same(item, one)), None)
            if at is None:
                refuse("groups are columns of their SELECT")
            places.append(exp.Literal.number(at + 1))
        return exp.Group(expressions=places)

    def _lists(self, items: list[exp.Expr]) -> exp.Expr:
        """Given lists side by side, as rows; `grammar` holds each against its form."""
        (only,) = items if len(items) == 1 else refuse("lists stand alone")
        call = bare(only.this)
        zipped = call.expressions[0] if word_of(call) == "inline" else None
        require(word_of(zipped) == "arrays_zip", "only given lists are made rows of")
        assert zipped is not None
        names = only.expressions
        require(len(names) == len(zipped.expressions), "each list has its name")
        rows, gives = [], {}
        for name, one in zip(names, zipped.expressions, strict=True):
            plain = isinstance(name, exp.Identifier) and bool(name.quoted)
            require(plain and isinstance(one, exp.Cast), "only given lists are made rows of")
            require(one.to.this is exp.DType.ARRAY, "only given lists are made rows of")
            listed = exp.Explode(this=given(one))
            rows.append(exp.alias_(listed, _plain_name(name)))
            gives[name.name.casefold()] = kind_of_type(one.to.expressions[0])
        self._kinds.last = gives
        return exp.Select(expressions=rows)

    def _entry(self, node: exp.Table) -> CatalogTable:
        parts = [node.args.get(part) for part in ("catalog", "db", "this")]
        said = [part for part in parts if part is not None]
        plain = all(isinstance(part, exp.Identifier) and part.quoted for part in said)
        require(plain and bool(said), "tables are named, quoted")
        for entry in self._catalog.tables.values():
            whole = (entry.database, entry.schema, entry.name)
            place = ("", "", entry.view) if entry.view else whole
            if place == (node.catalog, node.db, node.name):
                return entry
        refuse("every table is in the catalog")

    def _table(self, node: exp.Expr) -> exp.Expr:
        assert isinstance(node, exp.Table)
        only(node, "this", "db", "catalog", "alias")
        entry, alias = self._entry(node), node.args.get("alias")
        require(alias is not None and not alias.args.get("columns"), "every table has its alias")
        self._known(named(alias), entry)
        self._kinds.sources[named(alias)] = {
            name.casefold(): kind_of_column(column) for name, column in entry.columns.items()
        }
        return exp.Table(
            this=exp.to_identifier(entry.name, quoted=True),
            db=exp.to_identifier(entry.schema, quoted=True),
            catalog=exp.to_identifier(entry.database or None, quoted=True),
            alias=table_alias(alias),
        )

    def _subquery(self, node: exp.Expr) -> exp.Expr:
        found = super()._subquery(node)
        if node.args.get("alias") is not None:
            self._kinds.sources[named(node.args["alias"])] = self._kinds.last
        return found

    def _union(self, node: exp.Expr) -> exp.Expr:
        """UNION ALL: one without ALL drops rows that others have too."""
        only(node, "this", "expression")
        left, names = self.read(node.this), self._kinds.last
        right, others = self.read(node.args["expression"]), self._kinds.last
        require(len(names) == len(others), "both sides have as many columns")
        pairs = zip(names.items(), others.values(), strict=True)
        self._kinds.last = {name: together([one, other]) for (name, one), other in pairs}
        require(None not in self._kinds.last.values(), "what meets is of one kind")
        return exp.Union(this=left, expression=right, distinct=False)

    def _values(self, node: exp.Expr) -> exp.Expr:
        found = super()._values(node)
        names = [column.name.casefold() for column in node.args["alias"].columns]
        rows = [row.expressions for row in node.expressions]
        require(all(len(row) == len(names) for row in rows), "rows are as long as their names")
        columns = [[row[at] for row in rows] for at in range(len(names))]
        kinds = [self._kinds.joined(column) for column in columns]
        require(None not in kinds, "what meets is of one kind")
        self._kinds.sources[named(node.args["alias"])] = dict(zip(names, kinds, strict=True))
        return found

    # ---- aggregates and windows ----------------------------------------------------------

    def _call(self, node: exp.Expr) -> exp.Expr:
        word, parts = word_of(node), list(node.expressions)
        if word not in AGGREGATES:
            return self._rows.read(node)
        built = CALLS.get((word, len(parts)))
        if built is None:
            refuse("a function is not on the list")
        if word == "count":
            return built([self._counted(parts[0])])
        if word == "try_sum":
            return exp.Sum(this=self._summed(parts[0]))
        read = [self.read(part) for part in parts[:2]]
        if len(parts) == 3:
            self._kinds.meet(parts[0], parts[2])
            read.append(self._rows.listed(parts[2]))
        return built(read)

    def _summed(self, node: exp.Expr) -> exp.Expr:
        """With room for every row that is added: a sum without is NULL, for all units at once."""
        beside = match("coalesce(_x, _n)", node)
        none = None if beside is None else bare(beside["_n"])
        if beside is not None and isinstance(none, exp.Cast) and isinstance(none.this, exp.Null):
            exact = self._kinds.of(beside["_x"]) in (Kind.DECIMAL, Kind.INTEGER)
            decimal = none.to.this is exp.DType.DECIMAL and digits(none.to)[0] >= _WIDE
            require(exact and decimal, "a sum is of as many digits as there can be")
            return self.read(beside["_x"])
        wide = bare(node)
        if not isinstance(wide, exp.Cast) or wide.to.this is not exp.DType.DECIMAL:
            refuse("a sum is of as many digits as there can be")
        require(digits(wide.to)[0] >= _WIDE, "a sum is of as many digits as there can be")
        whole = self._kinds.of(wide.this) is Kind.INTEGER and digits(wide.to) == (38, 0)
        return self.read(wide.this if whole and type(wide) is exp.Cast else wide)


_WIDE = 28
"""Digits of what is summed, so that the sum has 38."""


def _plain_name(name: exp.Expr) -> str:
    require(ALIAS.match(name.name) is not None, "our names are plain")
    return name.name
