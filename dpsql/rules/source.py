"""FROM and WHERE of a block: base tables under short aliases, joins, unit attached, semi-joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from dpsql.core.catalog import Catalog
from dpsql.core.ir import (
    Block,
    Col,
    Expr,
    Given,
    Join,
    Listed,
    PerUnit,
    PublicIn,
    Source,
    Union,
    Windowed,
)
from dpsql.functions import emit_expr
from dpsql.rules.build import conjunction, integer, is_not_null, named
from dpsql.rules.given import given
from dpsql.rules.inner import inner_aggregate
from dpsql.rules.keys import presentable
from dpsql.rules.listed import listed
from dpsql.rules.names import UNIT
from dpsql.rules.windows import windowed

Tables = Mapping[str, str]
"""Policy table name → its key in the catalog."""


@dataclass
class Sources:
    """Gives every source of a block tree its alias and writes expressions over them."""

    catalog: Catalog
    tables: Tables
    narrow: bool = True
    """Does the engine compute short decimals faster than long ones?"""
    aliases: dict[int, str] = field(default_factory=dict)

    def column(self, node: Col) -> exp.Expr:
        return exp.column(
            exp.to_identifier(node.name, quoted=True), table=self.aliases[node.source]
        )

    def expr(self, node: Expr) -> exp.Expr:
        return emit_expr(node, self.column)

    def block(self, block: Block) -> exp.Select:
        """SELECT (nothing yet) FROM ... WHERE unit IS NOT NULL AND ..."""
        for source in block.sources:
            self.aliases[source.id] = f"t{len(self.aliases)}"
        query = exp.Select(from_=exp.From(this=self._source(block.first)))
        query.set("joins", [self.join(join) for join in block.joins])
        conditions: list[exp.Expr] = [is_not_null(self.column(block.unit))]
        conditions += [_grouped(self.expr(part)) for part in block.where]
        for semi in block.semijoins:
            inner = self.block(semi.block)
            inner.set("expressions", [self.column(semi.block.unit)])
            test: exp.Expr = exp.In(this=self.column(block.unit), query=exp.Subquery(this=inner))
            conditions.append(exp.Not(this=exp.Paren(this=test)) if semi.negated else test)
        conditions += [self._lookup(part) for part in block.lookups]
        query.set("where", exp.Where(this=conjunction(conditions)))
        return query

    def _lookup(self, part: PublicIn) -> exp.Expr:
        self.aliases[part.source.id] = f"t{len(self.aliases)}"
        inner = exp.Select(
            expressions=[self.expr(part.output)], from_=exp.From(this=self._source(part.source))
        )
        conditions = [_grouped(self.expr(one)) for one in part.where]
        if part.exists:  # a NULL among them equals nothing
            conditions.append(is_not_null(self.expr(part.output)))
        if conditions:
            inner.set("where", exp.Where(this=conjunction(conditions)))
        target = self.expr(part.target)
        test: exp.Expr = exp.In(
            this=exp.Paren(this=target) if not isinstance(target, exp.Column) else target,
            query=exp.Subquery(this=inner),
        )
        if not part.negated:
            return test
        if part.exists:
            missing = exp.Is(this=self.expr(part.target), expression=exp.Null())
            return exp.Paren(
                this=exp.Or(this=missing, expression=exp.Not(this=exp.Paren(this=test)))
            )
        return exp.Not(this=exp.Paren(this=test))

    def join(self, join: Join) -> exp.Join:
        node = exp.Join(this=self._source(join.source))
        if join.kind == "left":
            node.set("side", "LEFT")
        if join.on:
            node.set("on", conjunction([_grouped(self.expr(part)) for part in join.on]))
        elif join.kind == "inner":
            node.set("kind", "CROSS")
        return node

    def _source(self, source: Source) -> exp.Expr:
        alias = exp.TableAlias(this=exp.to_identifier(self.aliases[source.id]))
        if isinstance(source, PerUnit):
            return exp.Subquery(this=self._per_unit(source), alias=alias)
        if isinstance(source, Union):
            return exp.Subquery(this=self._union(source), alias=alias)
        if isinstance(source, Windowed):
            return exp.Subquery(this=windowed(source, self), alias=alias)
        if isinstance(source, Listed):
            return listed(source, self.aliases[source.id])
        if isinstance(source, Given):
            return exp.Subquery(this=given(source), alias=alias)
        table = self.catalog.tables[self.tables[source.table]]
        return exp.Table(
            this=exp.to_identifier(table.name, quoted=True),
            db=exp.to_identifier(table.schema, quoted=True),
            catalog=exp.to_identifier(table.database or None, quoted=True),
            alias=alias,
        )

    def _union(self, source: Union) -> exp.Expr:
        """UNION ALL of u, c0, c1, ...; nested to the left, as the engine reads it."""
        result: exp.Expr | None = None
        for branch in source.branches:
            query = self.block(branch.block)
            columns: list[exp.Expr] = [named(self.column(branch.block.unit), UNIT)]
            columns += [named(self.expr(e), f"c{i}") for i, e in enumerate(branch.outputs)]
            query.set("expressions", columns)
            result = (
                query
                if result is None
                else exp.Union(this=result, expression=query, distinct=False)
            )
        assert result is not None
        return result

    def _per_unit(self, source: PerUnit) -> exp.Select:
        query = self.block(source.block)
        unit = named(self.column(source.block.unit), UNIT)
        keys: list[exp.Expr] = [
            named(presentable(expr, self.expr(expr)), name) for name, expr in source.keys
        ]
        calls: list[exp.Expr] = [
            named(inner_aggregate(call, self), call.name) for call in source.aggregates
        ]
        query.set("expressions", [unit, *keys, *calls])
        terms: list[exp.Expr] = [integer(i + 1) for i in range(1 + len(keys))]
        query.set("group", exp.Group(expressions=terms))
        return query


def _grouped(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, (exp.Or, exp.And)) else node
