"""postprocess: the remainder runs over the releases, in the sealed DuckDB, for no budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.binding.interval_ends import HIGH, LOW, is_report
from dpsql.binding.release_names import RELEASE, release_table, releases_of
from dpsql.dialects.sealed import MAX_ROWS, Sealed, TypedTable, too_many_rows
from dpsql.errors import InternalError, RefusedQuery
from dpsql.pipeline.computed_bars import (
    Formula,
    formulas_of,
    source_of,
    with_bars,
    with_ends,
    without_rows,
)
from dpsql.pipeline.presentable import presentable
from dpsql.pipeline.row_count import least_rows, several_values
from dpsql.pipeline.row_limits import held
from dpsql.pipeline.stages import Release
from dpsql.planning.types import Plan
from dpsql.sql.settled import settled

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One result column. `low`, `high` index the hidden columns with its 95 % interval.

    `told`: nothing is missing without one: it shows a group key, which has no error, an end of an
    interval, or a report that holds its own.
    """

    type: str
    low: int | None = None
    high: int | None = None
    told: bool = False

    @property
    def ends(self) -> tuple[int | None, int | None]:
        return self.low, self.high


@dataclass(frozen=True)
class Result:
    """All columns in one Arrow table, hidden interval columns last."""

    table: object
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Outer:
    """The remainder as it will run: ordered, with hidden intervals for the columns `bars`.

    Only `check` makes one, before the charge: the very text that will run is what was bound.
    `types` are the engine's, of the columns that are shown.
    """

    remainder: exp.Expr
    sql: str
    bars: tuple[int, ...]
    types: tuple[str, ...]
    formulas: Mapping[int, Sequence[Formula]] = field(default_factory=dict)
    """Of what is computed from the aggregates of a release, by its place."""


def check(
    remainder: exp.Expr,
    given: Mapping[str, TypedTable],
    sizes: Mapping[str, int],
    sealed: Sealed,
    plans: Sequence[Plan] = (),
) -> Outer:
    """Write out and bind the remainder; no charge yet.

    Of the `given`, releases are empty and public tables whole: binding reads no row of either.

    `sizes`: rows that the tables will have at the least. Raises InvalidQuery (types do not fit)
    or RefusedQuery (too many rows for certain, or too complex to bind).
    """
    if least_rows(remainder, sizes) > MAX_ROWS:
        raise RefusedQuery(
            f"the answer would have more than {MAX_ROWS:,} rows; nothing was charged",
            code="too-many-rows",
            hint="add LIMIT, a join condition or an aggregate around it",
        )
    made = {name: rows for name, rows in sizes.items() if name.startswith(RELEASE)}
    if several_values(remainder, made):
        raise RefusedQuery(
            "a subquery that stands for one value has several rows",
            code="several-values",
            hint="aggregate it once more, or take one row: ORDER BY ... LIMIT 1",
        )
    remainder, ends = with_ends(remainder, plans)
    query, bars, formulas = _with_bars(remainder, plans)
    for at, more in ends.items():
        formulas[at] = [*formulas.get(at, ()), *more]
    for at, listed in formulas.items():
        read = release_table(at)
        wide = without_rows(given[read].table, listed)
        given = {**given, read: _typed(wide, given[read].types)}
    ordered = held(_ordered(query))
    sql = ordered.sql("duckdb", comments=False, copy=ordered is remainder)
    if not settled(sql):
        raise InternalError("what would run above the noise is not what was read", code="binding")
    plain = not formulas and _projection(remainder) is not None  # nothing is computed
    types = sealed.describe(sql, given)[1] if plain else sealed.check(ordered, sql, given)
    return Outer(remainder, sql, tuple(bars), types[: len(types) - 2 * len(bars)], formulas)


def run(
    outer: Outer,
    releases: Sequence[Release],
    public: Mapping[str, TypedTable],
    sealed: Sealed,
    plans: Sequence[Plan] = (),
) -> Result:
    """Raises EngineFailed if the remainder fails: it saw released and public values alone.

    `plans`: as `check` had them.
    """
    plain = None if outer.formulas else _projection(outer.remainder)
    if plain is not None:
        (shown_alone,) = releases_of(outer.remainder)
        table = releases[shown_alone].table
        if table.num_rows > MAX_ROWS:
            raise too_many_rows()
        return _projected(table, plain, outer.types)
    given = dict(public)
    for index, release in enumerate(releases):
        given[release_table(index)] = TypedTable(release.table, release.types)
    for at, formulas in outer.formulas.items():
        table = with_bars(releases[at], plans[at], formulas)
        given[release_table(at)] = _typed(table, releases[at].types)
    finished = sealed.run(outer.sql, given)
    shown = len(finished.types) - 2 * len(outer.bars)
    told = _told(outer.remainder)
    columns = [Column(kind, told=at in told) for at, kind in enumerate(finished.types[:shown])]
    for place, at in enumerate(outer.bars):
        columns[at] = Column(finished.types[at], shown + 2 * place, shown + 2 * place + 1)
    return Result(presentable(finished.table), tuple(columns))


def _typed(table: pa.Table, types: Sequence[str]) -> TypedTable:
    """A release with more columns behind its own, all doubles."""
    return TypedTable(table, (*types, *("",) * (table.num_columns - len(types))))


def _projection(query: exp.Expr) -> list[str] | None:
    """The release's columns that the remainder shows, if showing them is all it does."""
    if not isinstance(query, exp.Select) or not _plain_release(query):
        return None
    if any(query.args.get(name) for name in ("where", "order", "limit", "offset")):
        return None
    columns = [projection.unalias() for projection in query.expressions]
    if not all(isinstance(column, exp.Column) and column.table for column in columns):
        return None
    return [column.name for column in columns]


def _projected(table: pa.Table, names: Sequence[str], types: Sequence[str]) -> Result:
    """Without the engine: the same columns, types and intervals that it would give."""
    import pyarrow as pa

    arrays, columns = [], []
    for name, kind in zip(names, types, strict=True):
        array = table.column(name)
        if kind == "BIGINT" and pa.types.is_decimal(array.type):
            kind = "HUGEINT"  # a key wider than its list foretold
        if kind == "HUGEINT":
            array = array.cast(pa.decimal128(38, 0))
        arrays.append(array)
        columns.append(Column(kind, told=_told_by(name)))
    for at, name in enumerate(names):
        if name + LOW in table.column_names:
            columns[at] = Column(types[at], len(arrays), len(arrays) + 1)
            arrays += [table.column(name + LOW), table.column(name + HIGH)]
    listed = [f"c{index}" for index in range(len(arrays))]
    return Result(presentable(pa.table(arrays, names=listed)), tuple(columns))


def _told(query: exp.Expr) -> set[int]:
    """Positions of projections that show a key or an end of a release as it is, or a report."""
    projections = query.expressions if isinstance(query, exp.Select) else []
    found = set()
    for index, projection in enumerate(projections):
        node = projection.unalias()
        released = isinstance(node, exp.Column) and node.table.startswith(RELEASE)
        if is_report(node) or (released and _told_by(node.name)):
            found.add(index)
    return found


def _told_by(name: str) -> bool:
    return name.startswith("k") or name.endswith((LOW, HIGH))


def _ordered(remainder: exp.Expr) -> exp.Expr:
    """Without ORDER BY rows come in key order: a plain release is stored so, others are sorted.

    Without LIMIT nothing beyond MAX_ROWS would be shown, so no more than one row beyond is sorted.
    """
    if remainder.args.get("order") or _plain_release(remainder):
        return remainder
    query = remainder.copy()
    limit, offset = query.args.pop("limit", None), query.args.pop("offset", None)
    source = _all_of(query)
    if limit is None and offset is None:
        source = _all_of(source.limit(MAX_ROWS + 1, copy=False))
    source.set(
        "order", exp.Order(expressions=[exp.Ordered(this=exp.Var(this="ALL"), nulls_first=False)])
    )
    source.set("limit", limit)
    source.set("offset", offset)
    return source


def _all_of(query: exp.Expr) -> exp.Select:
    """SELECT * FROM (query) AS q."""
    alias = exp.TableAlias(this=exp.to_identifier("q"))
    return exp.Select(
        expressions=[exp.Star()],
        from_=exp.From(this=exp.Subquery(this=query, alias=alias)),
    )


def _plain_release(query: exp.Expr) -> bool:
    """Projection and filter over one release: the sealed DuckDB keeps its order."""
    if not isinstance(query, exp.Select) or query.args.get("distinct"):
        return False
    if any(query.args.get(name) for name in ("joins", "group", "with_", "qualify", "windows")):
        return False
    source = query.args.get("from_")
    table = source.this if source is not None else None
    if not isinstance(table, exp.Table) or not table.name.startswith(RELEASE):
        return False
    return not any(query.find_all(exp.Window, exp.AggFunc, exp.Subquery))


def _with_bars(
    query: exp.Expr, plans: Sequence[Plan]
) -> tuple[exp.Expr, list[int], dict[int, Sequence[Formula]]]:
    """Carry the intervals of columns that show an aggregate, or what is computed from aggregates.

    Returns their positions, and the formulas of the latter by release.
    """
    source = source_of(query)
    if source is None:
        return query, [], {}
    table = source.alias_or_name  # a release, or those of grouping sets under the first's name
    read, computed = formulas_of(query, plans)
    result = query.copy()
    bars: list[int] = []
    for index, projection in enumerate(query.expressions):
        node = projection.unalias()
        shown = isinstance(node, exp.Column) and node.table == table
        bar = ""
        if shown and node.name.startswith("a") and not _told_by(node.name):
            bar = node.name
        elif index in computed:
            bar = computed[index].name
        if bar:
            bars.append(index)
            for suffix in (LOW, HIGH):
                name = f"dpsql_bar_{index}{suffix}"
                end = exp.alias_(exp.column(bar + suffix, table=table), name)
                result.append("expressions", end)
    return result, bars, {read: [*computed.values()]} if computed else {}
