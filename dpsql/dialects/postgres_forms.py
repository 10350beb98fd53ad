"""The normal form of a statement in PostgreSQL: relations, aggregates, windows.

The text is read once more, as the engine of the normal form would, and written out form by form,
every operator in parentheses and every name in quotes: sqlglot's own PostgreSQL says of a cast or a
division what is nearest, which may raise. `certify.postgres` reads the result, and shares no code
with what is here. Nothing is created: one SELECT, without a table of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp, parse_one

from dpsql.core.catalog import Catalog
from dpsql.core.domain import Kind
from dpsql.dialects import postgres_casts as casts
from dpsql.dialects.postgres_scalars import Scalars
from dpsql.dialects.postgres_terms import MAX_TEXT, Term, byte_order, form, name, refuse
from dpsql.dialects.told import BIG, BOOL, DECIMAL, HUGE, INT, Seen, Told, joined, seen_of
from dpsql.dialects.told_casts import told_of
from dpsql.dialects.windows import called, ends_of, over
from dpsql.errors import RefusedQuery
from dpsql.sql.caret import title

Columns = dict[str, Seen]


def written(query: exp.Query, catalog: Catalog) -> str:
    """The statement in PostgreSQL's words. RefusedQuery `not-on-this-engine`, `too-complex`."""
    tree = parse_one(query.sql("duckdb", comments=False), read="duckdb")
    sql, _ = _Writer(catalog, _multiplied(tree)).query(tree, None)
    if len(sql) > MAX_TEXT:
        raise RefusedQuery(
            "the query is too long as PostgreSQL has to be asked it",
            code="too-complex",
            hint="use fewer copies of the same column in one expression",
        )
    return sql


def _multiplied(tree: exp.Expr) -> frozenset[str]:
    """Names of columns that take part in a product: they are not narrowed."""
    return frozenset(
        column.name for product in tree.find_all(exp.Mul) for column in product.find_all(exp.Column)
    )


class _Writer:
    def __init__(self, catalog: Catalog, multiplied: frozenset[str]) -> None:
        self._catalog = catalog
        self._multiplied = multiplied

    # ---- relations -----------------------------------------------------------------------

    def query(self, node: exp.Expr, outer: Scalars | None) -> tuple[str, Columns]:
        """A SELECT or UNION ALL, and the columns that it gives."""
        if isinstance(node, exp.Union):
            left, columns = self.query(node.this, outer)
            right, others = self.query(node.args["expression"], outer)
            told = {
                wanted: Seen(joined([one.told, other.told]))
                for (wanted, one), other in zip(columns.items(), others.values(), strict=True)
            }
            return f"{left} UNION ALL {right}", told
        if not isinstance(node, exp.Select):
            refuse(title(node))
        return self._select(node, outer)

    def _select(self, node: exp.Select, outer: Scalars | None) -> tuple[str, Columns]:
        sources: dict[str, Mapping[str, Seen]] = {}
        clauses = []
        if (first := node.args.get("from_")) is not None:
            clauses.append(f"FROM {self._source(first.this, sources, outer)}")
        joins = (
            [(join, self._source(join.this, sources, outer)) for join in node.args["joins"] or []]
            if node.args.get("joins")
            else []
        )
        scalars = Scalars(sources, lambda query: self.query(query, scalars)[0], outer)
        scalars.aggregate = _aggregate
        clauses += [_join(join, source, scalars) for join, source in joins]
        if (where := node.args.get("where")) is not None:
            clauses.append(f"WHERE {scalars.write(where.this).sql}")
        if (group := node.args.get("group")) is not None:
            clauses.append(f"GROUP BY {', '.join(scalars.write(e).sql for e in group.expressions)}")
        if (having := node.args.get("having")) is not None:
            clauses.append(f"HAVING {scalars.write(having.this).sql}")
        shown, columns = self._columns(node, scalars)
        distinct = "DISTINCT " if node.args.get("distinct") else ""
        return " ".join([f"SELECT {distinct}{', '.join(shown)}", *clauses]), columns

    def _columns(self, node: exp.Select, scalars: Scalars) -> tuple[list[str], Columns]:
        shown: list[str] = []
        columns: Columns = {}
        for item in node.expressions:
            if isinstance(item, exp.Star):
                shown.append("*")
                for source in scalars.sources.values():
                    columns |= {wanted: Seen(one.told) for wanted, one in source.items()}
                continue
            wanted = item.alias_or_name
            value = item.unalias()
            scalars.narrow = isinstance(value, exp.Case) and wanted not in self._multiplied
            term = scalars.write(value)
            scalars.narrow = False
            shown.append(f"{term.sql} AS {name(wanted)}" if wanted else term.sql)
            columns[wanted.casefold()] = Seen(term.told)
        return shown, columns

    def _source(
        self, node: exp.Expr, sources: dict[str, Mapping[str, Seen]], outer: Scalars | None
    ) -> str:
        alias = node.alias
        if isinstance(node, exp.Table):
            table = next(
                (
                    t
                    for t in self._catalog.tables.values()
                    if (t.schema, t.name) == (node.db, node.name)
                ),
                None,
            )
            if table is None:
                refuse(f"the table {node.name}")
            sources[alias] = {c.casefold(): seen_of(one) for c, one in table.columns.items()}
            shown = f"{name(node.db)}.{name(node.name)}"
            return f"{shown} AS {name(alias)}" if alias else shown
        if isinstance(node, exp.Values):
            return self._values(node, sources)
        if isinstance(node, exp.Subquery):
            sql, columns = self.query(node.this, outer)
            sources[alias] = columns
            return f"({sql}) AS {name(alias)}"
        refuse(title(node))

    def _values(self, node: exp.Values, sources: dict[str, Mapping[str, Seen]]) -> str:
        scalars = Scalars({}, lambda _: refuse("a subquery among constants"))
        rows = [[scalars.write(value) for value in row.expressions] for row in node.expressions]
        names = [column.name for column in node.args["alias"].columns]
        told = [joined([row[at].told for row in rows]) for at in range(len(names))]
        sources[node.alias] = {n.casefold(): Seen(t) for n, t in zip(names, told, strict=True)}
        shown = ", ".join(f"({', '.join(value.sql for value in row)})" for row in rows)
        return f"(VALUES {shown}) AS {name(node.alias)}({', '.join(map(name, names))})"


def _join(node: exp.Join, source: str, scalars: Scalars) -> str:
    side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
    words = " ".join(word for word in (side, kind, "JOIN") if word)
    on = node.args.get("on")
    if on is None:
        return f"CROSS JOIN {source}"
    return f"{words} {source} ON {scalars.write(on).sql}"


# ---- aggregates and windows ------------------------------------------------------------------


def _aggregate(node: exp.Expr, scalars: Scalars) -> Term | None:
    """An aggregate or a window; None for what is over one row."""
    if isinstance(node, exp.Window):
        return _window(node, scalars)
    if isinstance(node, exp.Filter):
        inner = scalars.write(node.this)
        test = scalars.write(node.args["expression"].this)
        return Term(f"{inner.sql} FILTER (WHERE {test.sql})", inner.told)
    if isinstance(node, exp.Count):
        return _count(node, scalars)
    if isinstance(node, exp.Sum):
        return _sum(scalars.write(node.this))
    if isinstance(node, (exp.Min, exp.Max)):
        return _extreme(node, scalars.write(node.this))
    if isinstance(node, exp.Explode):
        cast = node.this
        shown = f"CAST(%({cast.this.name})s AS {casts.type_name(cast.to)})"
        return Term(form("UNNEST", shown), told_of(cast.to.expressions[0]))
    return None


def _count(node: exp.Count, scalars: Scalars) -> Term:
    if isinstance(node.this, exp.Star):
        return Term("COUNT(*)", BIG)
    if isinstance(node.this, exp.Distinct):
        (value,) = node.this.expressions
        return Term(f"COUNT(DISTINCT {scalars.write(value).sql})", BIG)
    return Term(form("COUNT", scalars.write(node.this).sql), BIG)


def _sum(value: Term) -> Term:
    if value.told.kind is Kind.INTEGER:
        return Term(form("SUM", value.sql), BIG if value.told.bits == INT.bits else HUGE)
    if value.told.kind is not Kind.DECIMAL:
        refuse("a SUM of floats", "sums of ours are of whole numbers")
    scale = None if value.told.digits is None else (38, value.told.digits[1])
    return Term(form("SUM", value.sql), DECIMAL if scale is None else Told(Kind.DECIMAL, 0, scale))


def _extreme(node: exp.Expr, value: Term) -> Term:
    low = isinstance(node, exp.Min)
    if value.told.kind is Kind.BOOLEAN:  # which PostgreSQL has no MIN of
        return Term(form("BOOL_AND" if low else "BOOL_OR", value.sql), BOOL)
    if value.told.kind is Kind.OPAQUE:
        refuse("the least or greatest of a UUID")
    return Term(form("MIN" if low else "MAX", byte_order(value)), value.told)


def _window(node: exp.Window, scalars: Scalars) -> Term:
    found = called(node.this, scalars.write, form, BIG)
    term = scalars.write(node.this) if found is None else Term(*found)
    around = over(node, scalars.write, lambda one: _ordered(one, scalars), _frame)
    return Term(f"{term.sql} {around}", term.told)


def _ordered(node: exp.Expr, scalars: Scalars) -> str:
    """Texts by their bytes, and NULLs where the normal form has them: last unless it says first."""
    direction = " DESC" if node.args.get("desc") else ""
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{byte_order(scalars.write(node.this))}{direction} NULLS {nulls}"


def _frame(spec: exp.Expr) -> str:
    first, last = ends_of(spec)
    return f"{spec.args['kind']} BETWEEN {first} AND {last}"
