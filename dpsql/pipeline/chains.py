"""Chains: what feeds a private aggregate from releases, described before and made after the draw.

A step is a query over releases (`binding/chains.py`). `describe` and `check` bind it over empty
ones; `given` runs it over those that were made, in the sealed DuckDB, and hands what it gives to
the statement as parameters, of which the certified text has none but the types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from dpsql.binding.context import Context, Step
from dpsql.binding.interval_ends import refuse_computed
from dpsql.binding.release_names import release_table, releases_of
from dpsql.core.domain import Kind
from dpsql.core.ir import column_parameter, value_parameter
from dpsql.dialects.duckdb_types import read_type
from dpsql.dialects.sealed import Sealed, TypedTable
from dpsql.errors import EngineFailed, RefusedQuery
from dpsql.pipeline import storage
from dpsql.pipeline.presentable import presentable
from dpsql.pipeline.row_count import least_rows
from dpsql.pipeline.row_limits import held
from dpsql.pipeline.stages import Bound, Planned, Release

SEVERAL = "a subquery that stands for one value has several rows"
ONE = "aggregate it once more, or take one row: ORDER BY ... LIMIT 1"


def describe(
    context: Context, query: exp.Expr, public: Mapping[str, TypedTable], sealed: Sealed
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and types of a step's columns, its aggregates not planned yet. DoesNotBind."""
    refuse_computed(query, context)
    given = dict(public)
    for index in releases_of(query):
        aggregate = context.released[index]
        assert aggregate is not None, "a step reads aggregates that are bound"
        given[release_table(index)] = storage.unplanned(aggregate)
    return sealed.describe(text(query), given)


def check(planned: Planned, public: Mapping[str, TypedTable], sealed: Sealed) -> None:
    """Before the charge: the plans' answers have the types by which the steps were bound.

    A step that reads no release is made, to see that it can be: nobody's rows are in it.

    RefusedQuery `chain`: an answer too large for its type by its noise alone is a DOUBLE.
    """
    for at, step in enumerate(planned.bound.steps):
        given = dict(public)
        for index in releases_of(step.query):
            given[release_table(index)] = storage.empty(planned.plans[index])
        sizes = {name.casefold(): table.table.num_rows for name, table in public.items()}
        for index in releases_of(step.query):
            sizes[release_table(index)] = planned.plans[index].least_groups
        if step.value and least_rows(step.query, sizes) > 1:
            raise RefusedQuery(SEVERAL, code="several-values", hint=ONE)
        if sealed.check(step.query, _runs(step), given) != step.types:
            raise RefusedQuery(
                "with this much noise an answer that feeds another query has another type",
                code="chain",
                hint="CAST it to DOUBLE in the inner query, or ask with a larger epsilon",
            )
        if not releases_of(step.query):
            _try(step, at, public, sealed)


def _try(step: Step, at: int, public: Mapping[str, TypedTable], sealed: Sealed) -> None:
    """RefusedQuery where public tables and constants alone cannot give the step."""
    try:
        given(step, at, {}, public, sealed)
    except EngineFailed as problem:
        known = problem.code in ("several-values", "too-many-rows")
        raise RefusedQuery(
            problem.message if known else "a subquery without people's rows cannot be computed",
            code=problem.code if known else "chain",
            hint="nothing was charged; "
            + ("take fewer rows of it: LIMIT" if known else "check its constants and casts"),
        ) from None


def names(bound: Bound, forms: Mapping[int, Any]) -> dict[int, str]:
    """What each step is, by its text and the fingerprints of the releases in it.

    `forms` are those of the aggregates that are planned; a step of others has no name yet.
    """
    found = {}
    for at, step in enumerate(bound.steps):
        read = releases_of(step.query)
        if all(index in forms for index in read):
            found[at] = _named(step, {index: forms[index] for index in read})
    return found


def _named(step: Step, forms: Mapping[int, Any]) -> str:
    """The text with the releases by place, and of each its fingerprint and its columns' order.

    Under names that no statement can use: else its own `release_0` could stand for a release.
    """
    from dpsql.canonical.labels import digest

    query = step.query.copy()
    places = {release_table(index): release_table(place) for place, index in enumerate(forms)}
    for node in query.find_all(exp.Identifier):
        if node.name in places:
            node.set("this", places[node.name])
    told = [(form.fingerprint, form.keys, form.columns) for form in forms.values()]
    return digest(f"{text(query)}\n{told}\n{step.types} {step.value}")


def text(query: exp.Expr) -> str:
    """The step as it was asked, by which it is named."""
    return query.sql("duckdb", comments=False)


def _runs(step: Step) -> str:
    """The step as it runs."""
    return text(held(step.query))


def given(
    step: Step,
    at: int,
    releases: Mapping[int, Release],
    public: Mapping[str, TypedTable],
    sealed: Sealed,
) -> dict[str, Any]:
    """The parameters that hold what a step gives over `releases`, the charge being made.

    EngineFailed where it fails or gives too much: this follows from released values alone.
    """
    tables = dict(public)
    for index, release in releases.items():
        tables[release_table(index)] = TypedTable(release.table, release.types)
    try:
        table = presentable(sealed.run(_runs(step), tables).table)
    except EngineFailed as problem:  # whose hint is of releases that are kept
        raise EngineFailed(
            "the part of the query that feeds another from its releases failed or took too long",
            code=problem.code,
            hint="simplify the inner query; what was charged stays charged",
        ) from None
    columns = [
        _plain(table.column(place).to_pylist(), kind) for place, kind in enumerate(step.types)
    ]
    if step.value:
        if table.num_rows > 1:
            raise EngineFailed(
                SEVERAL,
                code="several-values",
                hint=ONE + "; what was charged stays charged",
            )
        return {value_parameter(at): columns[0][0] if columns[0] else None}
    if table.num_rows > step.most:
        raise EngineFailed(
            f"a released table that feeds another query has more than {step.most:,} rows",
            code="too-many-rows",
            hint="add LIMIT or HAVING to the inner query; what was charged stays charged",
        )
    return {column_parameter(at, f"c{place}"): rows for place, rows in enumerate(columns)}


def _plain(values: Sequence[Any], kind: str) -> list[Any]:
    """Values as the engine's client takes them: a HUGEINT travels as a decimal."""
    if read_type(kind)[0].kind is Kind.INTEGER:
        return [None if value is None else int(value) for value in values]
    return list(values)
