"""The normal form of a statement in Spark's SQL: relations and columns.

The text is read once more, as the engine of the normal form would, and written out form by form,
every operator in parentheses and every name in quotes. `certify.spark` reads the result, and
shares no code with what is here. Nothing is created: one SELECT, without a table of its own.

Groups are said by their expressions, whatever a session holds of their places.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp, parse_one

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.dialects import spark_casts as casts
from dpsql.dialects.spark_aggregates import aggregate
from dpsql.dialects.spark_scalars import Scalars
from dpsql.dialects.spark_terms import MAX_TEXT, Term, call, cast, common, fitted, name, refuse
from dpsql.dialects.told import Seen, seen_of
from dpsql.dialects.told_casts import told_of
from dpsql.errors import RefusedQuery
from dpsql.sql.caret import title

Columns = dict[str, Seen]


def written(query: exp.Query, catalog: Catalog) -> str:
    """The statement in Spark's words. RefusedQuery `not-on-this-engine`, `too-complex`."""
    tree = parse_one(query.sql("duckdb", comments=False), read="duckdb")
    sql, _ = _Writer(catalog).query(tree, None)
    if len(sql) > MAX_TEXT:
        raise RefusedQuery(
            "the query is too long as Spark has to be asked it",
            code="too-complex",
            hint="use fewer copies of the same column in one expression",
        )
    return sql


class _Writer:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def query(self, node: exp.Expr, outer: Scalars | None) -> tuple[str, Columns]:
        """A SELECT or UNION ALL, and the columns that it gives."""
        if isinstance(node, exp.Union):
            _only(node, "this", "expression")
            left, columns = self.query(node.this, outer)
            right, others = self.query(node.args["expression"], outer)
            told = {}
            for (wanted, one), other in zip(columns.items(), others.values(), strict=True):
                sides = [Term("", one.told), Term("", other.told)]
                if any(term.sql for term in fitted(sides)):
                    refuse("a UNION ALL of numbers of so many digits", "cast one of them")
                told[wanted] = Seen(common(sides))
            return f"{left} UNION ALL {right}", told
        if not isinstance(node, exp.Select):
            refuse(title(node))
        return self._select(node, outer)

    def _select(self, node: exp.Select, outer: Scalars | None) -> tuple[str, Columns]:
        _only(node, "expressions", "from_", "joins", "where", "group", "having", "distinct")
        sources: dict[str, Mapping[str, Seen]] = {}
        clauses = []
        if (first := node.args.get("from_")) is not None:
            clauses.append(f"FROM {self._source(first.this, sources, outer)}")
        joins = [
            (join, self._source(join.this, sources, outer)) for join in node.args.get("joins") or []
        ]
        scalars = Scalars(sources, lambda query: self.query(query, scalars)[0], outer)
        scalars.aggregate = aggregate
        clauses += [_join(join, source, scalars) for join, source in joins]
        if (where := node.args.get("where")) is not None:
            clauses.append(f"WHERE {scalars.write(where.this).sql}")
        if any(isinstance(item.unalias(), exp.Explode) for item in node.expressions):
            return self._rows(node)
        group = node.args.get("group")
        places = [] if group is None else [int(one.name) - 1 for one in group.expressions]
        shown, columns = self._columns(node, scalars, places)
        if places:
            clauses.append(f"GROUP BY {', '.join(shown[at][0] for at in places)}")
        if (having := node.args.get("having")) is not None:
            clauses.append(f"HAVING {scalars.write(having.this).sql}")
        listed = ", ".join(f"{sql} AS {name(as_)}" if as_ else sql for sql, as_ in shown)
        distinct = "DISTINCT " if node.args.get("distinct") else ""  # of a public table's values
        return " ".join([f"SELECT {distinct}{listed}", *clauses]), columns

    def _columns(
        self, node: exp.Select, scalars: Scalars, places: list[int]
    ) -> tuple[list[tuple[str, str]], Columns]:
        shown: list[tuple[str, str]] = []
        columns: Columns = {}
        for at, item in enumerate(node.expressions):
            if isinstance(item, exp.Star):
                shown.append(("*", ""))
                for source in scalars.sources.values():
                    columns |= {wanted: Seen(one.told) for wanted, one in source.items()}
                continue
            wanted = item.alias_or_name
            term = scalars.write(item.unalias())
            sql = term.sql
            if at in places and sql.strip("()- ").isdigit():  # digits could be a place
                sql = cast(sql, "BIGINT")
            shown.append((sql, wanted))
            columns[wanted.casefold()] = Seen(term.told)
        return shown, columns

    # ---- sources -------------------------------------------------------------------------

    def _source(
        self, node: exp.Expr, sources: dict[str, Mapping[str, Seen]], outer: Scalars | None
    ) -> str:
        alias, named = node.alias, node.args.get("alias")
        if named is not None and named.args.get("columns") and not isinstance(node, exp.Values):
            refuse("new names of columns")
        if isinstance(node, exp.Table):
            _only(node, "this", "db", "catalog", "alias")
            table = self._table(node)
            sources[alias] = {c.casefold(): seen_of(one) for c, one in table.columns.items()}
            parts = [table.view] if table.view else [table.database, table.schema, table.name]
            shown = ".".join(name(part) for part in parts if part)
            return f"{shown} AS {name(alias)}" if alias else shown
        if isinstance(node, exp.Values):
            return self._values(node, sources)
        if isinstance(node, exp.Subquery):
            sql, columns = self.query(node.this, outer)
            sources[alias] = columns
            return f"({sql}) AS {name(alias)}"
        refuse(title(node))

    def _table(self, node: exp.Table) -> CatalogTable:
        for table in self._catalog.tables.values():
            if (table.database, table.schema, table.name) == (node.catalog, node.db, node.name):
                return table
        refuse(f"the table {node.name}")

    def _values(self, node: exp.Values, sources: dict[str, Mapping[str, Seen]]) -> str:
        scalars = Scalars({}, lambda _: refuse("a subquery among constants"))
        rows = [[scalars.write(value) for value in row.expressions] for row in node.expressions]
        names = [column.name for column in node.args["alias"].columns]
        if any(len(row) != len(names) for row in rows):
            refuse("a list whose rows are of another length")
        columns = [fitted([row[at] for row in rows]) for at in range(len(names))]
        told = [common(column) for column in columns]
        sources[node.alias] = {n.casefold(): Seen(t) for n, t in zip(names, told, strict=True)}
        lines = zip(*columns, strict=True)
        shown = ", ".join(f"({', '.join(value.sql for value in line)})" for line in lines)
        return f"(VALUES {shown}) AS {name(node.alias)}({', '.join(map(name, names))})"

    # ---- given lists ---------------------------------------------------------------------

    def _rows(self, node: exp.Select) -> tuple[str, Columns]:
        """SELECT UNNEST(...) AS a, UNNEST(...) AS b: a row of each place of the lists."""
        _only(node, "expressions")
        lists, columns = [], {}
        for item in node.expressions:
            given = item.unalias().this
            lists.append(cast(f"%({given.this.name})s", casts.type_name(given.to)))
            columns[item.alias.casefold()] = Seen(told_of(given.to.expressions[0]))
        names = ", ".join(name(item.alias) for item in node.expressions)
        return f"SELECT {call('inline', call('arrays_zip', *lists))} AS ({names})", columns


def _only(node: exp.Expr, *parts: str) -> None:
    """A clause that is not known is no clause of the normal form."""
    for part, value in node.args.items():
        if value and part not in parts:
            refuse(part.strip("_").upper())


def _join(node: exp.Join, source: str, scalars: Scalars) -> str:
    _only(node, "this", "side", "kind", "on")
    side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
    words = " ".join(word for word in (side, kind, "JOIN") if word)
    on = node.args.get("on")
    if on is None:
        return f"CROSS JOIN {source}"
    return f"{words} {source} ON {scalars.write(on).sql}"
