"""explain: what a query would do and cost, without asking it.

The query goes as far as `certify`; nothing is charged, and no row about anybody is read (the
values of public tables' key columns are). Every number is a function of text, policy, schema,
public tables and the budget's spending. The price is the full one whether or not the answer is
stored: which query somebody chose after seeing her answers is itself an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

from dpsql.accuracy.curve import curve
from dpsql.accuracy.settle import settled
from dpsql.advice import Question, improvements, other_law
from dpsql.binding.release_names import RELEASE, release_table, releases_of
from dpsql.consistency.expected import expected, remarks
from dpsql.consistency.families import Mode, read_mode
from dpsql.core.targets import NOTHING, Aims
from dpsql.divided import division_explanation
from dpsql.expected import (
    column_explanation,
    column_labels,
    parts,
    threshold_explanation,
)
from dpsql.explanation import (
    ColumnExplanation,
    ErrorCurve,
    Explanation,
    KeptExplanation,
    KeyExplanation,
    ReleaseExplanation,
    TotalsExplanation,
)
from dpsql.guard import guarded
from dpsql.key_origins import key_origin
from dpsql.origins import Origins, one_row
from dpsql.pipeline.plan import Asked
from dpsql.pipeline.stages import Certified, Planned
from dpsql.plan_graph import dot
from dpsql.planning.bounds import lowered
from dpsql.planning.types import Plan
from dpsql.policy.catalog import table_keys
from dpsql.rules import joined_late
from dpsql.sql.parameters import Parameters
from dpsql.wording import spelled

if TYPE_CHECKING:
    from dpsql.preparation import Preparation, Prepared

SALT = "fresh salt"


def explain(
    session: Preparation,
    sql: str,
    parameters: Parameters = None,
    *,
    epsilon: object = None,
    delta: object = None,
    aims: Aims = NOTHING,
    dialect: str = "duckdb",
    advice: bool = True,
    post_process: object = None,
) -> Explanation:
    """The explanation of a query, refused with the same errors as the query would be.

    Raises subclasses of `Error` alone; a budget that does not cover the price is told (`fits`),
    not raised. With `advice`, improvements are planned like the query itself, and are as free.
    `post_process`: as the query would be given it.
    """
    with guarded():
        asked = session.asked_for(epsilon, delta, aims)
        with session.engine.snapshot():
            prepared = session.prepare(sql, parameters, dialect=dialect, asked=asked)
            now = settled(asked, prepared.planned)
            question = Question(session, sql, parameters, dialect, now)
            mode = session.post_process if post_process is None else read_mode(post_process)
            return _explanation(question, prepared, advice, mode)


def _explanation(question: Question, prepared: Prepared, advice: bool, mode: Mode) -> Explanation:
    from dpsql.accountant.filter import admits
    from dpsql.accountant.odometer import selection_share, share

    session, planned = question.session, prepared.planned
    drawn: dict[str, int] = {}
    for index in planned.bound.order:  # equal aggregates of a statement share one draw
        drawn.setdefault(planned.fingerprints[index], index)
    paid = list(drawn.values())
    plans = [planned.plans[index] for index in paid]
    items = [item for plan in plans for item in plan.items]
    account = session.account(session.budget_spec)
    after, lacking = account.spent, None
    if items:
        after = account.spent + account.price(items)
        if admits(account.terms, after) is not True:
            lacking = account.name
        elif session.total is not None:
            total = session.account(session.total)
            if admits(total.terms, total.spent + total.price(items)) is not True:
                lacking = total.name
    numbers = {name: number for number, name in enumerate(drawn, 1)}
    releases = tuple(_release(question, prepared, index, numbers, advice) for index in paid)
    private = [planned.bound.private[index] for index in paid]
    gains, left = expected(planned, session.policy, mode)
    numbered = {at: numbers[name] for at, name in enumerate(planned.fingerprints)}
    totals = TotalsExplanation(
        tuple(replace(one, release=numbered[one.release]) for one in gains),
        tuple(remarks(left, numbered)),
    )
    return Explanation(
        session.analyst,
        session.budget_spec.key,
        session.policy.unit,
        prepared.names,
        sum((plan.epsilon for plan in plans), start=Fraction(0)),
        sum((plan.delta for plan in plans), start=Fraction(0)),
        releases,
        lacking is None,
        share(account.terms, account.spent),
        share(account.terms, after),
        selection_share(account.terms, account.spent),
        selection_share(account.terms, after),
        dot(private, releases, prepared.names, session.policy.unit),
        lacking,
        None if account.window.end is None else account.window,
        account.terms.epsilon,
        totals,
        _at_most(planned, paid, question.asked),
        prepared.resting,
    )


def _at_most(planned: Planned, paid: Sequence[int], asked: Asked) -> Fraction | None:
    """What a first look and the answer after it may cost together; None without a first look."""
    rest = [one.most for index in paid if (one := planned.reached.get(index)) and one.most]
    if not rest:
        return None
    looks = sum((planned.plans[index].epsilon for index in paid), start=Fraction(0))
    whole, most = looks + sum(rest, start=Fraction(0)), asked.aims.max_epsilon
    return whole if most is None else min(whole, most)


def _release(
    question: Question,
    prepared: Prepared,
    index: int,
    numbers: Mapping[str, int],
    advice: bool,
) -> ReleaseExplanation:
    planned, policy = prepared.planned, question.session.policy
    plan, uses = planned.plans[index], _uses(prepared, index)
    origins, site = Origins(planned, index, policy), planned.bound.sites[index]
    labels, catalog = column_labels(planned, index, policy.unit), planned.bound.catalog
    kept = _kept(prepared.certified[index])
    advise = advice and plan.choice is None and not plan.awaited
    engine = question.session.engine.dialect
    return ReleaseExplanation(
        plan.epsilon,
        plan.delta,
        plan.law_name,
        plan.strategy,
        _why(plan, policy.unit),
        tuple(
            KeyExplanation(
                next(iter(uses.get(key.name, ())), spelled(site.columns, key.name, key.expr)),
                None if key.values is None else len(key.values),
                key.expr.domain.values is not None,
                ""
                if key.values is None
                else key_origin(key.expr, plan.aggregate.block, policy, planned.bound.catalog),
            )
            for key in (() if plan.choice is not None else plan.keys)
        ),
        prod(len(key.values or ()) for key in plan.keys) if plan.public_keys else None,
        (*origins.counts(), *origins.ranges()),
        parts(plan, labels),
        tuple(_columns(plan, origins, uses, labels)),
        None if plan.threshold is None else threshold_explanation(plan.threshold),
        plan.min_units,
        other_law(question, planned, index) if advise else None,
        improvements(question, planned, index) if advise else (),
        tuple((event.to_json(), count) for event, count in plan.items),
        ";\n\n".join(pretty(sql, engine) for sql in prepared.certified[index].texts),
        _reads(planned, index, numbers),
        any(
            planned.fingerprints[shown] == planned.fingerprints[index]
            for shown in releases_of(planned.bound.remainder)
        ),
        division_explanation(plan),
        planned.reached.get(index),
        _curve(question, planned, index) if advice else None,
        () if kept else joined_late(plan, catalog, table_keys(policy, catalog)),
        kept,
        lowered(plan, policy),
    )


def _kept(certified: Certified) -> KeptExplanation | None:
    if certified.kept is None:
        return None
    return KeptExplanation(certified.kept.offer.name, pretty(certified.kept.sql))


def _curve(question: Question, planned: Planned, index: int) -> ErrorCurve | None:
    session = question.session

    def plan(asked: Asked) -> Planned:
        return session.plan(planned.bound, asked=asked)

    return curve(planned, index, question.asked, plan, session.policy)


def _reads(planned: Planned, index: int, numbers: Mapping[str, int]) -> tuple[int, ...]:
    """The releases of a chain that feed this one, by their numbers here."""
    names = {planned.fingerprints[before] for before in planned.bound.feeding(index)}
    return tuple(sorted(numbers[name] for name in names))


def _columns(
    plan: Plan, origins: Origins, uses: Mapping[str, tuple[str, ...]], labels: Sequence[str]
) -> list[ColumnExplanation]:
    return [
        column_explanation(
            plan,
            column,
            label,
            uses.get(column.aggregate.name, ()),
            origins.range_of(column),
        )
        for place, (column, label) in enumerate(zip(plan.columns, labels, strict=True))
        if place != plan.units_column
    ]


def _uses(prepared: Prepared, index: int) -> Mapping[str, tuple[str, ...]]:
    """Output columns in which each column of a release appears."""
    root = prepared.planned.bound.remainder
    found: dict[str, list[str]] = {}
    projections = root.expressions if isinstance(root, exp.Select) else []
    shown = _shown_as(root, release_table(index))
    for name, projection in zip(prepared.names, projections, strict=False):
        for node in projection.find_all(exp.Column):
            if node.table == shown and name not in found.get(node.name, ()):
                found.setdefault(node.name, []).append(name)
    return {column: tuple(names) for column, names in found.items()}


def _shown_as(root: exp.Expr, table: str) -> str:
    """The name the release has in the statement: grouping sets are read under their first's."""
    source = root.args.get("from_")
    stacked = source.this if source is not None else None
    if not isinstance(stacked, exp.Subquery) or not stacked.alias.startswith(RELEASE):
        return table
    read = any(part.name == table for part in stacked.find_all(exp.Table))
    return str(stacked.alias) if read else table


def _why(plan: Plan, unit: str) -> str:
    if plan.choice is not None:
        return "by the least bound that would cut nothing of theirs"
    if plan.strategy == "row":
        return one_row(plan.aggregate.block, unit)[0]
    if plan.strategy == "weights":
        return f"each row weighs less, the more rows its {unit} has, so that no groups are cut off"
    if plan.bounds.max_groups is None:
        return f"the rows of a {unit} in one group are summed and bounded"
    return f"the rows of a {unit} in a group are summed and bounded; groups beyond are left out"


def pretty(sql: str, engine: str = "duckdb") -> str:
    """The bounded statement in lines; its salt, fresh for each run, is shown as a word."""
    words = "spark" if engine == "spark" else "duckdb"
    tree = parse_one(sql, dialect=words)
    for cast in tree.find_all(exp.Cast):
        salt = cast.this
        if _salts(cast) and isinstance(salt, exp.Literal) and salt.is_string:
            salt.replace(exp.Literal.string(SALT))
    return tree.sql(words, pretty=True)


def _salts(cast: exp.Cast) -> bool:
    """Is it of the type that salts have: in Spark's words, where it is hashed?"""
    if cast.to.this == exp.DType.UBIGINT:
        return True
    above = cast.parent
    return isinstance(above, exp.Anonymous) and above.name.lower() == "xxhash64"
