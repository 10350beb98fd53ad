"""distinct: who has which value, by pseudonyms; a statement of its own for each expression.

rows      unit, keys, the value
pairs     one row for each (unit, keys, value); rows without a value dropped
ranked    which of the unit's values in the group this is; which of its groups
pairs     the first L values of the first k groups, unit and value as salted hashes
"""

from __future__ import annotations

from fractions import Fraction

from sqlglot import exp

from dpsql.aggregates.basis import DistinctBlock
from dpsql.core.catalog import Catalog
from dpsql.core.domain import Interval, Kind
from dpsql.core.ir import Col, Expr
from dpsql.functions.forms import cast
from dpsql.planning.types import DistinctPlan, Plan
from dpsql.rules import names
from dpsql.rules.build import col, conjunction, integer, is_not_null, named, paren, select
from dpsql.rules.groups import group_rank, key_columns, ranking, salted
from dpsql.rules.keys import domain_tests, key_column, presentable
from dpsql.rules.source import Sources, Tables


def distinct(plan: Plan, index: int, catalog: Catalog, tables: Tables, salt: int) -> exp.Select:
    """keys, unit, item: pseudonyms of 64 bits.

    Guarantee: a unit has at most L rows in a group, in at most `bounds.touched` groups, and which
    rows these are does not depend on other units, whatever the hashes are.
    """
    part = plan.distincts[index]
    rows = _rows(plan, part.block, catalog, tables)
    ranked = _ranked(plan, part, _pairs(plan, rows), salt)
    columns = [
        *key_columns(plan),
        named(_pseudonym(col(names.UNIT), salted(salt)), names.OWNER),
        named(_pseudonym(salted(salt), col(names.PLACE)), names.ITEM),
    ]
    query = select(columns, ranked, "k")
    tests: list[exp.Expr] = [
        exp.LTE(this=col(names.COUNT), expression=integer(part.bounds.max_rows_per_group))
    ]
    if part.bounds.max_groups is not None:
        tests.append(exp.LTE(this=col(names.RANK), expression=integer(part.bounds.max_groups)))
    query.set("where", exp.Where(this=conjunction(tests)))
    return query


def _pseudonym(*parts: exp.Expr) -> exp.Expr:
    return exp.func("hash", exp.func("hash", *parts))


def _rows(plan: Plan, block: DistinctBlock, catalog: Catalog, tables: Tables) -> exp.Select:
    sources = Sources(catalog, tables)
    query = sources.block(plan.aggregate.block)
    columns: list[exp.Expr] = [named(sources.column(plan.aggregate.block.unit), names.UNIT)]
    columns += [named(key_column(key, sources.expr(key.expr)), key.name) for key in plan.keys]
    value = presentable(block.value, sources.expr(block.value))  # equal values: the same bytes
    value = _well_hashed(block.value, value)
    query.set("expressions", [*columns, named(value, names.PLACE)])
    if block.rows.where is not None:  # nothing else reads these rows
        test = exp.And(
            this=query.args["where"].this, expression=paren(sources.expr(block.rows.where))
        )
        query.set("where", exp.Where(this=test))
    return query


_BIGINT = Interval(Fraction(-(2**63)), Fraction(2**63 - 1))


def _well_hashed(value: Expr, node: exp.Expr) -> exp.Expr:
    """The value in a type whose hash tells its values apart.

    DuckDB's HASH of 128-bit numbers makes one of many: of -1 and 0, and of numbers whose halves
    are alike. As BIGINT they differ, and as text.
    """
    domain = value.domain
    if domain.type.kind is Kind.INTEGER and not (isinstance(value, Col) and _small(domain.certain)):
        return cast(node, "BIGINT" if _small(domain.certain) else "VARCHAR")
    if domain.type.kind is Kind.DECIMAL and domain.type.precision > 18:
        return cast(node, "VARCHAR")
    return node


def _small(certain: Interval) -> bool:
    return certain.meet(_BIGINT) == certain


def _pairs(plan: Plan, rows: exp.Select) -> exp.Select:
    grouped = [col(names.UNIT), *key_columns(plan), col(names.PLACE)]
    query = select(list(grouped), rows, "r")
    tests = [*domain_tests(plan.keys), is_not_null(col(names.PLACE))]
    query.set("where", exp.Where(this=conjunction(tests)))
    query.set("group", exp.Group(expressions=[integer(i + 1) for i in range(len(grouped))]))
    return query


def _ranked(plan: Plan, part: DistinctPlan, pairs: exp.Select, salt: int) -> exp.Select:
    first = exp.Window(
        this=exp.RowNumber(),
        partition_by=[col(names.UNIT), *key_columns(plan)],
        order=ranking([*key_columns(plan), col(names.PLACE)], salt),
        over="OVER",
    )
    columns: list[exp.Expr] = [exp.Star(), named(first, names.COUNT)]
    if part.bounds.max_groups is not None:
        columns.append(group_rank(plan, salt))
    return select(columns, pairs, "p")
