"""Walking a whole statement: which SELECTs are private aggregates, which stay above the line."""

from __future__ import annotations

from typing import NoReturn

from sqlglot import exp

from dpsql.binding import padding
from dpsql.binding.chains import Chains
from dpsql.binding.context import Context
from dpsql.binding.environment import Above, Bound, Cte, Environment
from dpsql.binding.grouping import check_order, expanded, group_keys, group_sets
from dpsql.binding.per_unit import bind_per_unit
from dpsql.binding.relations import PrivateRelation
from dpsql.binding.release import bind_release
from dpsql.binding.rewritings import across, gives_rows
from dpsql.binding.scalar_subqueries import with_joins
from dpsql.binding.scope import Scope
from dpsql.binding.select import Item, PrivateSelect, has_aggregates, read
from dpsql.binding.semi_joins import Subqueries, refuse_outside
from dpsql.binding.unions import bind_union, branches_of, check_union
from dpsql.binding.windows import bind_windows, has_windows
from dpsql.core.ir import Col, Expr, Unknown
from dpsql.policy.schema import Table
from dpsql.sql.remade import remade

PUBLIC = "dpsql_public_"
MAX_INLINED = 2_000
"""How often private CTEs are written out in all: a chain of n takes n²/2 times."""


class QueryBinder:
    """Binds one statement; private aggregates gather in `context.released`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.chains = Chains(context)
        self._bound: dict[int, Bound] = {}  # FROM subqueries, bound once when classified
        self._met: list[exp.Expr] = []  # held, so that no id in `_bound` becomes another's
        self._inlined = 0
        self._root: exp.Expr | None = None

    def statement(self, root: exp.Expr) -> exp.Expr:
        """The remainder of the whole statement. Refuses a statement that gives out rows."""
        self._root = root
        return self.above(root, Environment())

    def above(self, node: exp.Expr, env: Environment) -> exp.Expr:
        """Bind what must be public or released."""
        bound = self.query(node, env)
        if isinstance(bound, PrivateRelation):
            self._row_output(node, bound)
        return bound.ast

    def _row_output(self, node: exp.Expr, bound: PrivateRelation) -> NoReturn:
        self.context.refuse(node, "row-output", *gives_rows(node, bound, self.context.policy))

    def query(self, node: exp.Expr, env: Environment) -> Bound:
        if isinstance(node, exp.Subquery):
            return self._subquery(node, env)
        if isinstance(node, exp.Select):
            return self._select(node, env)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, env)
        return Above(self._walk(node, env))

    def _subquery(self, node: exp.Subquery, env: Environment) -> Bound:
        bound = self.query(node.this, env)
        if isinstance(bound, PrivateRelation):
            for name, value in node.args.items():
                if value and name not in ("this", "alias"):
                    self.context.refuse(
                        node,
                        "unsupported-clause",
                        *across(name.strip("_"), self.context.policy.unit),
                    )
            return bound
        result = node.copy()
        result.set("this", bound.ast)
        return Above(result)

    def _set_operation(self, node: exp.SetOperation, env: Environment) -> Bound:
        env, clause = self._with(node, env)
        branches = branches_of(node)
        # Nested SELECTs are met again: bound, and charged, once.
        bound = [
            self._bound.pop(id(part)) if id(part) in self._bound else self.query(part, env)
            for part in branches
        ]
        if not (private := [one for one in bound if isinstance(one, PrivateRelation)]):
            self._bound.update(zip(map(id, branches), bound, strict=True))
            self._met += branches
            return Above(self._copy(node, env, clause))
        for branch, one in zip(branches, bound, strict=True):
            if isinstance(one, Above):
                self.context.refuse(
                    branch,
                    "row-output",
                    "people's rows and aggregated rows cannot stand in one set operation",
                    "aggregate each SELECT first",
                )
        here: exp.Expr = node
        while isinstance(here, exp.SetOperation) and here is not branches[0]:
            check_union(here, self.context)
            here = here.this
        return bind_union(node, private, self.context)

    # ---- CTEs --------------------------------------------------------------------------

    def _with(self, node: exp.Expr, env: Environment) -> tuple[Environment, exp.With | None]:
        clause = node.args.get("with_")
        if clause is None:
            return env, None
        if clause.args.get("recursive"):
            self.context.refuse(clause, "recursive", "recursive CTEs are not available")
        kept = []
        for cte in clause.expressions:
            bound = self.query(cte.this, env)
            private, result = isinstance(bound, PrivateRelation), None
            listed = not private and env.listed(cte.this, self.context) is not None
            if isinstance(bound, Above):
                result = cte.copy()
                result.set("this", bound.ast)
                result.set("materialized", None)
                kept.append(result)
            env = env.plus(cte.alias, Cte(cte, private, env, result, listed))
        return env, exp.With(expressions=kept) if kept else None

    # ---- SELECT ------------------------------------------------------------------------

    def _select(self, node: exp.Select, env: Environment) -> Bound:
        env, clause = self._with(node, env)
        items = [node.args["from_"].this] if node.args.get("from_") else []
        items += [
            join.this
            for join in node.args.get("joins") or []
            if (join.kind or "").upper() not in ("SEMI", "ANTI")  # those are subqueries
        ]
        kinds = [self._kind(item, env) for item in items]
        if "private" not in kinds:
            return Above(self._walk_select(node, env, clause))
        node, joined = with_joins(node, self.context)
        for item in joined:
            if self._kind(item, env) != "private":
                word = self.context.policy.unit
                self.context.refuse(
                    item.this,
                    "subquery",
                    f"a subquery over people's rows is tied to the row outside by the {word} alone",
                    f"(SELECT ... FROM t WHERE t.{word} = outer.{word}), with the {word}'s columns"
                    " of the two tables; or join the tables",
                )
        select = read(
            node,
            self.context,
            lambda item: self._item(item, env),
            Subqueries(
                lambda sub: self._private_or_none(sub, env),
                lambda sub: self._public_or_none(sub, env),
                lambda sub: env.listed(sub, self.context),
                lambda sub: self.chains.table(sub, env, lambda: self._step(sub, env)),
                lambda sub, scope: self._value(sub, env, scope),
            ),
        )
        bound = self._private(select, env)
        if clause is not None and isinstance(bound, Above):
            bound.ast.set("with_", clause)
        return bound

    def _private(self, select: PrivateSelect, env: Environment) -> Bound:
        node = select.node
        group = node.args.get("group")
        keys = group_keys(select)
        if select.padded:
            padding.check(select, keys)
        sets = group_sets(select)
        if any(select.is_unit(key) for key in keys) and sets is None:
            self._check_preserved(select, keys)
            return bind_per_unit(select, keys, outermost=node is self._root)
        if group is not None or node.args.get("distinct") or has_aggregates(node):
            return Above(bind_release(select, keys, lambda sub: self._walk(sub, env), sets))
        if has_windows(node):
            self._refuse_clauses(node)
            return bind_windows(select, expanded(select))
        return self._rows(select)

    def _check_preserved(self, select: PrivateSelect, keys: list[Expr]) -> None:
        """The unit of a LEFT JOINed table is NULL where nothing matched: not the row's unit."""
        joined = {join.source.id for join in select.block.joins if join.kind == "left"}
        for key in keys:
            if isinstance(key, Col) and key.source in joined and select.is_unit(key):
                self.context.refuse(
                    select.node.args.get("group") or select.node,
                    "outer-join",
                    f"{key.name} of a LEFT JOINed table is NULL where nothing matches",
                    "group by the unit of the preserved table",
                )

    def _rows(self, select: PrivateSelect) -> PrivateRelation:
        """A plain SELECT of rows: fine as a subquery, where it is inlined."""
        self._refuse_clauses(select.node)
        check_order(select)
        outputs: dict[str, Expr] = {}
        for projection in expanded(select):
            name = projection.alias_or_name or projection.sql("duckdb").lower()
            if name.casefold() in {known.casefold() for known in outputs}:
                self.context.invalid(
                    projection, "ambiguous-column", f"two columns are called {name}", "use AS"
                )
            outputs[name] = select.scope.expr(projection.unalias())
        return PrivateRelation(select.block, outputs, select.facts)

    def _refuse_clauses(self, node: exp.Select) -> None:
        """ORDER BY, LIMIT and the like on people's rows."""
        if node.args.get("hint"):
            self.context.refuse(
                node,
                "unsupported-option",
                "OPTIONS belong on the SELECT whose aggregates are released, not on a subquery",
            )
        allowed = ["qualify", "windows"] if has_windows(node) else []
        if node is self._root:  # rows are refused as such, ordered or not
            allowed += ["order", "limit", "offset"]
        elif not (node.args.get("limit") or node.args.get("offset")):
            allowed += ["order"]  # of a subquery's rows, a multiset: it says nothing
        for clause in ("having", "qualify", "windows", "limit", "offset", "order"):
            if clause not in allowed and node.args.get(clause):
                value = node.args[clause]
                self.context.refuse(
                    value if isinstance(value, exp.Expr) else node,
                    "unsupported-clause",
                    *across(clause, self.context.policy.unit),
                )

    # ---- FROM items --------------------------------------------------------------------

    def _kind(self, item: exp.Expr, env: Environment) -> str:
        """'private', 'public' (a declared public table), 'listed' (constants) or 'above'."""
        if env.listed(item, self.context) is not None:
            return "listed"
        if isinstance(item, exp.Table):
            cte = env.find(item)
            if cte is not None:
                return "private" if cte.private else "above"
            names = [cte.node.alias for cte in env.ctes.values()]
            return "public" if self.context.table(item, names).public else "private"
        if isinstance(item, exp.Subquery):
            bound = self._bound[id(item)] = self.query(item, env)
            self._met.append(item)
            return "private" if isinstance(bound, PrivateRelation) else "above"
        if isinstance(item, exp.Values):
            return "above"
        self.context.refuse(
            item,
            "unsupported-from",
            f"{type(item).__name__} cannot stand in FROM",
            "name declared tables, CTEs or subqueries",
        )

    def _item(self, item: exp.Expr, env: Environment) -> Item:
        if (listed := env.listed(item, self.context)) is not None:
            return listed
        if isinstance(item, exp.Table):
            cte = env.find(item)
            if cte is None:
                return self.context.table(item)
            if cte.private:
                return self._renamed(cte)
        bound = self._bound.pop(id(item), None)
        if bound is None and not isinstance(item, exp.Table):  # a side of a FULL JOIN, read anew
            bound = self._private_or_none(item, env)
        if isinstance(bound, PrivateRelation):
            return bound
        return self.chains.table(item, env, lambda: self._step(item, env, bound))

    # ---- chains ------------------------------------------------------------------------

    def _step(self, node: exp.Expr, env: Environment, bound: Bound | None = None) -> exp.Expr:
        """What is above the noise line of a query that feeds one over people's rows."""
        found = bound or self.query(node, env)
        if isinstance(found, PrivateRelation):
            self.context.refuse(
                node,
                "subquery",
                "a subquery over people's rows cannot stand for a value: only an aggregate of them",
                "aggregate in it: (SELECT AVG(x) FROM ...)",
            )
        return found.ast

    def _value(self, node: exp.Expr, env: Environment, scope: Scope) -> Unknown:
        """A subquery as one value, which may read nothing of the row outside it."""
        inside = {part.alias_or_name.casefold() for part in node.find_all(exp.Table, exp.Subquery)}
        outside = {item.alias.casefold() for item in scope.exposed} - inside
        refuse_outside(node, outside, self.context)
        return self.chains.value(node, env, lambda: self._step(node, env))

    def _renamed(self, cte: Cte) -> PrivateRelation:
        """A private CTE, bound anew; `WITH t(a, b)` names its columns."""
        self._inlined += 1
        if self._inlined > MAX_INLINED:
            self.context.refuse(
                cte.node,
                "too-complex",
                f"WITH queries over people's rows are used more than {MAX_INLINED:,} times,"
                " directly and through one another",
                "put several steps into one query, or chain fewer of them",
            )
        bound = self.query(cte.node.this, cte.environment)
        assert isinstance(bound, PrivateRelation)
        names = [column.name for column in cte.node.args["alias"].columns]
        if not names:
            return bound
        old = list(bound.outputs.items())
        if len(names) > len(old):
            self.context.invalid(cte.node, "alias-columns", "more column names than columns")
        new = {(names[i] if i < len(names) else name): expr for i, (name, expr) in enumerate(old)}
        return PrivateRelation(bound.block, new, bound.facts)

    def _private_or_none(self, node: exp.Expr, env: Environment) -> PrivateRelation | None:
        mark = self.context.mark()
        bound = self.query(node, env)
        if isinstance(bound, PrivateRelation):
            return bound
        self.context.take_back(mark)
        return None

    def _public_or_none(self, item: exp.Expr, env: Environment) -> Table | None:
        if not isinstance(item, exp.Table) or env.find(item) is not None:
            return None
        table = self.context.table(item, [cte.node.alias for cte in env.ctes.values()])
        return table if table.public else None

    def _walk_select(self, node: exp.Select, env: Environment, clause: exp.With | None) -> exp.Expr:
        if node.args.get("hint"):
            self.context.refuse(
                node,
                "unsupported-clause",
                "WITH DIFFERENTIAL_PRIVACY belongs on a SELECT that reads people's rows itself",
            )
        return self._copy(node, env, clause)

    def _walk(self, node: exp.Expr, env: Environment) -> exp.Expr:
        """Copy a tree, binding every table and nested query in it."""
        known = self._bound.pop(id(node), None)
        if isinstance(known, Above):
            return known.ast
        if isinstance(node, (exp.Select, exp.Subquery, exp.SetOperation)):
            return self.above(node, env)
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.GenerateSeries):
            return self._public_table(node, env)
        clause = None
        if node.args.get("with_"):
            env, clause = self._with(node, env)
        return self._copy(node, env, clause)

    def _copy(self, node: exp.Expr, env: Environment, clause: exp.With | None) -> exp.Expr:
        args: dict[str, object] = {}
        for name, value in node.args.items():
            if name == "with_":
                args[name] = clause
            elif isinstance(value, exp.Expr):
                args[name] = self._walk(value, env)
            elif isinstance(value, list):
                args[name] = [self._walk(v, env) if isinstance(v, exp.Expr) else v for v in value]
            else:
                args[name] = value
        return remade(node, args)

    def _public_table(self, node: exp.Table, env: Environment) -> exp.Expr:
        if env.find(node) is not None:
            return node.copy()
        table = self.context.table(node, [cte.node.alias for cte in env.ctes.values()])
        if not table.public:  # reached through a position that is not a FROM clause
            self.context.refuse(node, "row-output", f"table {table.name} holds people's rows")
        self.context.public_used[public_name(table)] = table
        result = node.copy()
        result.set("this", exp.to_identifier(public_name(table), quoted=True))
        result.set("db", None)
        alias = node.args.get("alias")
        if alias is None:
            result.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
        return result


def public_name(table: Table) -> str:
    """The public table's name in the sealed DuckDB."""
    return PUBLIC + "_".join(f"{len(part)}_{part}" for part in table.parts)
