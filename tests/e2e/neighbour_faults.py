"""Bounding rules taken out of the engine, one by one, and the query that shows it.

A fault is a function of pytest's monkeypatch; FAULTS pairs it with a name in FAULTY_SHAPES.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

from neighbour_relations import FAULTY
from neighbour_shapes import SHAPES
from sqlglot import exp

from dpsql.core.domain import of_literal
from dpsql.core.ir import Lit, Scan


def module(name):
    return importlib.import_module(name)  # attribute access would give the function of that name


def first(node, *_):
    """In place of a clamp, a cap, a scaling: the value as it is."""
    return node


def no_row_clamp(patch):
    values = module("dpsql.rules.values")
    patch.setattr(values, "_within", first)
    patch.setattr(values, "_stepwise", lambda block: False)  # its steps are a clamp of their own


def no_count_cap(patch):
    patch.setattr(module("dpsql.rules.bound"), "least", first)


def no_sum_clamp(patch):
    patch.setattr(module("dpsql.rules.bound"), "clamp", first)


def no_joint_scaling(patch):
    patch.setattr(module("dpsql.rules.bound"), "_scaled", first)


def no_group_cap(patch):
    patch.setattr(module("dpsql.rules"), "groups", first_of_groups)


def first_of_groups(plan, cells, salt, ranked):
    return cells


def one_more_group(patch):
    """k + 1 groups instead of k."""
    groups = module("dpsql.rules.groups")
    patch.setattr(groups, "integer", lambda value: exp.Literal.number(value + 1))


def weights_without(position):
    def fault(patch):
        bound = module("dpsql.rules.bound")
        real = bound.least

        def least(*nodes):
            kept = [n for i, n in enumerate(nodes) if len(nodes) != 3 or i != position]
            return real(*kept)

        patch.setattr(bound, "least", least)

    return fault


def null_units_kept(patch):
    patch.setattr(module("dpsql.rules.source"), "is_not_null", lambda node: exp.true())


def no_unit_equality(patch):
    relations = module("dpsql.binding.relations")
    true = Lit(True, of_literal(True))
    patch.setattr(relations.BlockBuilder, "_require_equal", lambda *_: None)
    patch.setattr(relations, "equal", lambda a, b: true)


def path_not_followed(patch):
    """The foreign key itself taken for the unit: every visit would be a person."""
    relations = module("dpsql.binding.relations")

    def follow(self, scan, catalog, table, node):
        hops = table.unit.hops
        return relations._column(scan.id, catalog, hops[0].column if hops else table.unit.column)

    patch.setattr(relations.BlockBuilder, "_follow", follow)


def declared_keys_trusted(patch):
    units = module("dpsql.binding.units")

    def one_row(fact):
        return fact.unit is not None and isinstance(fact.source, Scan)

    patch.setattr(units, "_one_row", one_row)


def public_joins_trusted(patch):
    """Every public table taken for a look-up, key or not."""
    relations = module("dpsql.binding.relations")
    real = relations.determined

    def determined(facts, inner, left):
        public = {fact.source.id for fact in facts if fact.unit is None}
        return real(facts, inner, left) | public

    patch.setattr(relations, "determined", determined)


def units_counted_by_rows(patch):
    """The threshold counts rows instead of kept cells."""
    real = module("dpsql.rules.cells").cells

    def cells(plan, rows):
        result = real(plan, rows)
        result.set("group", None)
        for column in result.expressions:
            for call in list(column.find_all(exp.Count, exp.Sum)):
                call.replace(call.this.copy())
        return result

    patch.setattr(module("dpsql.rules"), "cells", cells)


def anti_join_not_on_the_unit(patch):
    """NOT IN looks among another column of the subquery than its unit."""
    semi_joins = module("dpsql.binding.semi_joins")
    real = semi_joins.SemiJoin

    def semi_join(block, negated):
        other = replace(block.unit, source=block.first.id, name="qty")
        return real(replace(block, unit=other), negated)

    patch.setattr(semi_joins, "SemiJoin", semi_join)


def union_under_two_units(patch):
    """The last SELECT of a UNION ALL takes each row's own number for its unit."""
    query = module("dpsql.binding.query")
    real = query.bind_union

    def bind_union(node, relations, context):
        *others, last = relations
        unit = replace(last.block.unit, source=last.block.first.id, name="vid")
        return real(node, [*others, replace(last, block=replace(last.block, unit=unit))], context)

    patch.setattr(query, "bind_union", bind_union)


def windows_across_units(patch):
    windows = module("dpsql.rules.windows")
    real = windows._over

    def over(window, read):
        node = real(window, read)
        node.set("partition_by", None)
        return node

    patch.setattr(windows, "_over", over)


def semi_join_untied(patch):
    """IN asks whether the subquery has any row at all, whoever's."""
    source = module("dpsql.rules.source")
    real = source.Sources.block

    def block(self, inner):
        query = real(self, inner)
        for test in query.args["where"].find_all(exp.In):
            if test.args.get("query"):
                test.set("this", exp.Literal.number(1))
                test.args["query"].this.set("expressions", [exp.Literal.number(1)])
        return query

    patch.setattr(source.Sources, "block", block)


def lists_trusted_as_keys(patch):
    """The first column of every list taken for a key."""
    patch.setattr(module("dpsql.binding.listed"), "_keys", lambda source: (("c0",),))


def subqueries_not_by_unit(patch):
    """GROUP BY the keys alone within a subquery: everybody's rows in one group."""
    source = module("dpsql.rules.source")
    real = source.Sources._per_unit

    def per_unit(self, inner):
        query = real(self, inner)
        unit = query.expressions[0]
        unit.set("this", exp.Min(this=unit.this.copy()))
        query.set("group", exp.Group(expressions=query.args["group"].expressions[1:]))
        return query

    patch.setattr(source.Sources, "_per_unit", per_unit)


def ties_broken_twice(patch):
    """Each window orders alike rows by itself."""
    patch.setattr(module("dpsql.rules.windows"), "_several", lambda source: False)


def classes_that_overlap(patch):
    """A row of a class counts in those before it, too."""
    tallies = module("dpsql.rules.tallies")
    patch.setattr(tallies, "exp", Overlapping(exp))


class Overlapping:
    """sqlglot's expressions, but = is >=."""

    def __init__(self, real):
        self.real, self.EQ = real, real.GTE

    def __getattr__(self, name):
        return getattr(self.real, name)


def rows_of_several_classes(patch):
    """Each class counted by its own condition; the rest is what they leave of the rows."""
    tallies, rows = module("dpsql.rules.tallies"), module("dpsql.rules.cells")
    real = tallies.tally_parts

    def parts(block, index):
        return [part for part, _ in zip(real(block, index), block.tests, strict=True)][:1] * len(
            block.tests
        )

    patch.setattr(rows, "tally_parts", parts)


FAULTS = {
    "classes that overlap": (classes_that_overlap, "cap, tally"),
    "a class twice": (rows_of_several_classes, "weights, tally"),
    "joint scaling of tallies": (no_joint_scaling, "cap, tally"),
    "weights' unit total, tally": (weights_without(1), "weights, tally"),
    "row clamp": (no_row_clamp, "row"),
    "row clamp of floats": (no_row_clamp, "row, private key"),
    "row clamp of decimals": (no_row_clamp, "row, looked up"),
    "row clamp of squares": (no_row_clamp, "row, two moments"),
    "row clamp under weights": (no_row_clamp, "weights, two moments"),
    "count cap": (no_count_cap, "cap, one group"),
    "sum clamp": (no_sum_clamp, "cap, public keys"),
    "joint scaling": (no_joint_scaling, "cap, joint"),
    "joint scaling of squares": (no_joint_scaling, "cap, two moments"),
    "row clamp of pairs": (no_row_clamp, "row, pair"),
    "joint scaling of pairs": (no_joint_scaling, "cap, pair"),
    "weights' unit total, pair": (weights_without(1), "weights, pair"),
    "group cap": (no_group_cap, "cap, private keys"),
    "group cap off by one": (one_more_group, "cap, private keys"),
    "group cap of public keys": (no_group_cap, "cap, public keys"),
    "weights' unit total": (weights_without(1), "weights"),
    "weights' unit total, joint": (weights_without(1), "weights, joint"),
    "weights' cell total": (weights_without(2), "weights, joint"),
    "NULL-unit filter": (null_units_kept, "cap, one group"),
    "unit equality in joins": (no_unit_equality, "city join"),
    "unit path": (path_not_followed, "path"),
    "one row per unit trusted": (declared_keys_trusted, "cap, one group"),
    "joins that multiply rows": (public_joins_trusted, "public join of persons"),
    "anti join on the unit": (anti_join_not_on_the_unit, "unit not in"),
    "unit of a union": (union_under_two_units, "union all"),
    "windows within a unit": (windows_across_units, "windows"),
    "semi join on the unit": (semi_join_untied, "semi join"),
    "anti join within a full join": (semi_join_untied, "full join"),
    "count cap after a full join": (no_count_cap, "full join"),
    "count cap after a left join": (no_count_cap, "left join that repeats"),
    "semi join of IN on the unit": (semi_join_untied, "unit in visits"),
    "scalar subquery by the unit": (subqueries_not_by_unit, "scalar subquery"),
    "mean of means by the unit": (subqueries_not_by_unit, "mean of means"),
    "lists that multiply rows": (lists_trusted_as_keys, "listed join that multiplies"),
    "public joins that multiply rows, listed": (
        public_joins_trusted,
        "listed join that multiplies",
    ),
    "group cap of a list's keys": (no_group_cap, "listed join"),
    "sum clamp of a list's numbers": (no_sum_clamp, "listed numbers"),
    "count cap left of people": (no_count_cap, "series left of people"),
    "group cap left of people": (no_group_cap, "series left of people"),
    "group cap of a public table left of people": (no_group_cap, "public left of people"),
    "group cap of grouping sets": (no_group_cap, "grouping sets"),
    "sum clamp of grouping sets": (no_sum_clamp, "grouping sets of all"),
    "QUALIFY within a unit": (windows_across_units, "qualify"),
    "union's count cap": (no_count_cap, "union all"),
    "union's group cap": (no_group_cap, "union all"),
    "windows within a unit, frames": (windows_across_units, "windows in a frame"),
    "windows within a unit, defaults": (windows_across_units, "windows with defaults"),
    "units counted by rows": (units_counted_by_rows, "cap, private keys"),
}

FAULTY_SHAPES = {
    **{name: shape[:3] for name, shape in SHAPES.items()},
    **FAULTY,
    "city join": (
        "SELECT COUNT(*) FROM visits a JOIN events b ON a.kind = b.kind WHERE a.kind = 'w'",
        {"max_rows": 1}, (1, 1e-6),
    ),
    "unit in visits": (
        "SELECT COUNT(*), SUM(age) FROM persons WHERE pid IN (SELECT pid FROM visits WHERE kind ="
        " 'z')", {}, (1, 1e-6),
    ),
    "listed numbers": (
        "SELECT SUM(e.n * v.w) FROM events e JOIN (VALUES ('x', 2), ('y', 3)) v(kind, w) ON"
        " e.kind = v.kind", {}, (1, 1e-6),
    ),
    "public join of persons": (
        "SELECT COUNT(*) FROM persons p JOIN shops s ON p.city < s.kind", {}, (1, 1e-6),
    ),
}  # fmt: skip
