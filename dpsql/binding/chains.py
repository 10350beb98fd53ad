"""Chains: a query over releases that a query over people's rows reads, as a value or as a table.

Such a query is a step: it runs above the noise line when its releases are made, and what it gives
is as public as they are. Here, before anything is made, it is an unknown: its columns have types,
with the ranges of their types, and nothing else is known of it. So it narrows no range, makes no
key public and changes no price (docs/proofs/chains.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from dpsql.binding.context import Context, Step
from dpsql.binding.environment import Environment
from dpsql.binding.relations import GivenTable
from dpsql.binding.release_names import RELEASE, key_column
from dpsql.core.domain import ANY, Domain, Interval, Kind
from dpsql.core.ir import MAX_GIVEN_ROWS, Given, Unknown
from dpsql.dialects.duckdb_types import read_type

MAX_ROWS = 100_000
"""Rows of a step that multiplies nobody's rows, at most."""
_EXACT = frozenset({Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN, Kind.DECIMAL})
_PICKING = frozenset("expressions from_ where order limit offset qualify windows distinct".split())
"""Clauses that leave of a table some of its rows, each once."""


@dataclass
class Chains:
    """Registers the steps of a statement; the same text in the same place is one step."""

    context: Context
    _known: dict[tuple[int, str, bool], tuple[Environment, int, Step, tuple[str, ...]]] = field(
        default_factory=dict
    )

    def value(self, node: exp.Expr, env: Environment, bind: Callable[[], exp.Expr]) -> Unknown:
        """The query as one value. `bind` makes its remainder, where it was not met before."""
        at, step, _ = self._step(node, env, bind, value=True)
        if len(step.types) != 1:
            self.context.invalid(
                node,
                "does-not-bind",
                f"a subquery that stands for a value gives one column, this one {len(step.types)}",
                "name one column, or join the subquery",
            )
        domain = _domain(step.types[0]).with_(declared=_declared(step.query, self.context))
        if domain.type.kind in (Kind.OPAQUE, Kind.NULL):
            self.context.refuse(
                node,
                "chain",
                f"a value of type {step.types[0]} cannot be used in a query over people's rows",
                "CAST it to a number, a text, a date or a timestamp",
            )
        return Unknown(at, step.types[0], domain)

    def table(self, node: exp.Expr, env: Environment, bind: Callable[[], exp.Expr]) -> GivenTable:
        """The query as a table; columns of types that are not known here do not exist."""
        at, step, names = self._step(node, env, bind, value=False)
        if len({name.casefold() for name in names}) < len(names):
            self.context.invalid(
                node, "ambiguous-column", "two columns of the subquery have one name", "use AS"
            )
        columns: dict[str, tuple[str, Domain]] = {}
        listed: dict[int, tuple[str, str]] = {}
        for place, (name, kind) in enumerate(zip(names, step.types, strict=True)):
            if _domain(kind).type.kind not in (Kind.OPAQUE, Kind.NULL):
                listed[place] = f"c{place}", kind
                columns[name] = f"c{place}", _domain(kind)
        if not columns:
            self.context.refuse(
                node,
                "chain",
                "no column of this subquery can be used in a query over people's rows",
                "CAST what you need to a number, a text, a date or a timestamp",
            )
        keys = unique_columns(step.query, self.context)
        if keys is not None and any(
            place not in listed or _domain(step.types[place]).type.kind not in _EXACT
            for place in keys
        ):
            keys = None
        source = Given(
            next(self.context.ids),
            at,
            tuple(listed.values()),
            None if keys is None else tuple(f"c{place}" for place in keys),
        )
        return GivenTable(source, columns)

    def _step(
        self, node: exp.Expr, env: Environment, bind: Callable[[], exp.Expr], *, value: bool
    ) -> tuple[int, Step, tuple[str, ...]]:
        key = (id(env), _written(node), value)
        if (known := self._known.get(key)) is not None:
            _, at, step, names = known
            if at < len(self.context.steps) and self.context.steps[at] is step:
                return at, step, names  # else what registered it was taken back
        query = self._with_ctes(bind(), env)
        names, types = self.context.describe(self.context, query)
        fans = not value and unique_columns(query, self.context) is None
        step = Step(query, types, value, MAX_GIVEN_ROWS if fans else MAX_ROWS)
        self.context.steps.append(step)
        at = len(self.context.steps) - 1
        self._known[key] = env, at, step, names
        return at, step, names

    # ---- WITH --------------------------------------------------------------------------

    def _with_ctes(self, query: exp.Expr, env: Environment) -> exp.Expr:
        """The query with the definitions of the CTEs that it reads, directly or through others."""
        query = _bare(query)
        needed: dict[str, exp.CTE] = {}
        for name in _tables(query):
            self._need(name, env, needed, query)
        if not needed:
            return query
        if query.args.get("with_"):
            query = _all_of(query)
        copied = [cte.copy() for cte in needed.values()]
        query.set("with_", exp.With(expressions=copied))
        return query

    def _need(
        self, name: str, env: Environment, needed: dict[str, exp.CTE], query: exp.Expr
    ) -> None:
        cte = env.ctes.get(name)
        if cte is None or cte.kept is None or name in needed:
            return
        for other in _tables(cte.kept.this):
            if cte.environment.ctes.get(other) is not env.ctes.get(other):
                self.context.refuse(
                    query,
                    "chain",
                    f"two WITH queries are called {other} here",
                    "give them different names",
                )
            self._need(other, env, needed, query)
        needed[name] = cte.kept


def _written(node: exp.Expr) -> str:
    """All that is written, options and bounds per row included."""
    told = [str(part.meta.get(key)) for part in node.walk() for key in ("named", "privacy")]
    return f"{node!r} {told}"


def _domain(kind: str) -> Domain:
    """What the engine's type says, and nothing more."""
    type_, span = read_type(kind)
    values = (False, True) if type_.kind is Kind.BOOLEAN else None
    return Domain(type_, span, nullable=True, values=values)


def _declared(query: exp.Expr, context: Context) -> Interval:
    """The policy's range of what is averaged, where the value is that AVG alone.

    A noisy mean may lie outside; a range that is declared is a clamp, and enforced.
    """
    if not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return ANY
    shown = query.expressions[0].unalias()
    if not isinstance(shown, exp.Column) or not shown.table.startswith(RELEASE):
        return ANY
    released = context.released[int(shown.table.removeprefix(RELEASE))]
    for call in released.aggregates if released is not None else ():
        if call.name == shown.name and call.fn == "avg" and call.arg is not None:
            return call.arg.domain.bounds
    return ANY


def _bare(query: exp.Expr) -> exp.Expr:
    """The query without the alias and the parentheses it has as a FROM item."""
    if isinstance(query, exp.Table):
        return exp.Select(expressions=[exp.Star()], from_=exp.From(this=query.copy()))
    if isinstance(query, exp.Values):
        return _all_of(query)
    if not isinstance(query, exp.Subquery):
        return query.copy()
    if any(value for name, value in query.args.items() if name not in ("this", "alias")):
        return _all_of(query)
    return _bare(query.this)


def _all_of(query: exp.Expr) -> exp.Select:
    alias = exp.TableAlias(this=exp.to_identifier("q"))
    inner = query.copy()
    if isinstance(inner, (exp.Subquery, exp.Values)):
        inner.set("alias", inner.args.get("alias") or alias)
    else:
        inner = exp.Subquery(this=inner, alias=alias)
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=inner))


def _tables(query: exp.Expr) -> list[str]:
    names = [table.name.casefold() for table in query.find_all(exp.Table) if not table.db]
    return list(dict.fromkeys(names))


# ---- uniqueness ------------------------------------------------------------------------------


def unique_columns(query: exp.Expr, context: Context) -> tuple[int, ...] | None:
    """Places of columns that name at most one row of the query: all keys of the one release it
    picks rows of. Empty where it has one row at most; None where rows may repeat.
    """
    ctes = query.args.get("with_")
    known = {cte.alias.casefold(): cte for cte in ctes.expressions} if ctes is not None else {}
    return _unique(query, known, context)


def _unique(
    query: exp.Expr, ctes: Mapping[str, exp.CTE], context: Context
) -> tuple[int, ...] | None:
    source = query.args.get("from_")
    used = {name for name, value in query.args.items() if value} - {"with_"}
    if not isinstance(query, exp.Select) or source is None or not used <= _PICKING:
        return None
    distinct = query.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        return None
    item = source.this
    if any(p.find(exp.AggFunc) and not p.find(exp.Window) for p in query.expressions):
        return None
    if query.find(exp.UDTF, exp.Explode) is not None:  # unnest(...) gives a row several times
        return None
    if isinstance(item, exp.Table) and item.name.startswith(RELEASE):
        released = context.released[int(item.name.removeprefix(RELEASE))]
        if released is None:
            return None
        wanted = [key_column(place) for place in range(len(released.keys))]
        return _places(query, wanted)
    if isinstance(item, exp.Table):
        cte = ctes.get(item.name.casefold())
        if cte is None or item.db or cte.args["alias"].columns:
            return None
        inner: exp.Expr = cte.this
    elif isinstance(item, exp.Subquery) and not item.alias_column_names:
        inner = item.this
    else:
        return None
    if inner.args.get("with_"):  # its names are its own
        return None
    found = _unique(inner, {k: v for k, v in ctes.items() if v.this is not inner}, context)
    if found is None or not isinstance(inner, exp.Select):
        return None
    if len(query.expressions) == 1 and isinstance(query.expressions[0], exp.Star):
        return found
    if any(isinstance(p, exp.Star) for p in inner.expressions):
        return None
    return _places(query, [inner.expressions[place].alias_or_name for place in found])


def _places(query: exp.Select, wanted: list[str]) -> tuple[int, ...] | None:
    """Where the SELECT shows each of the columns, as it is."""
    shown = [p.unalias() for p in query.expressions]
    names = [p.name.casefold() if isinstance(p, exp.Column) else "" for p in shown]
    folded = [name.casefold() for name in wanted]
    if not all(name in names for name in folded):
        return None
    return tuple(names.index(name) for name in folded)
