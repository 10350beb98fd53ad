"""`dpsql budget plan`: how far a budget goes for a file of queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from dpsql.commands.options import dialect_option, policy_option, read_sql, wrong_option
from dpsql.commands.output import Output
from dpsql.commands.words import Word

if TYPE_CHECKING:
    from dpsql.policy import Policy
    from dpsql.render.terminal import Style
    from dpsql.workload import Expected, Price, Statement, WorkloadPlan

REFUSED = 3


@click.command("plan")
@click.argument("file", metavar="FILE|-")
@click.option("--epsilon", metavar="E", required=True, help="ε of the budget to plan for.")
@click.option(
    "--delta",
    metavar="D",
    help="δ of the budget. If left out, that of the policy's default budget, else of the first"
    " one it names.",
)
@dialect_option
@click.option("--format", "form", type=Word(["table", "json"]), default="table")
@policy_option
def plan(file: str, epsilon: str, delta: str | None, dialect: str, form: str, policy: str) -> int:
    """Say how far a budget goes for the statements of a file, and with what accuracy.

    Each is planned as `dpsql explain` does: nothing is charged, no row about anyone is read. Told
    are the largest price for each private aggregate at which all of them fit once, and how often
    they fit at the policy's usual price; with each, the error bars to expect. What repeats an
    earlier statement is free. Exit code 3 where a statement would be refused.

    \b
    Example:
      dpsql budget plan workload.sql --epsilon 3
      dpsql budget plan workload.sql --epsilon 3 --delta 1e-6 --format json
    """
    output = Output(None, binary=False)
    text = read_sql(None, file)

    from dpsql.policy import load
    from dpsql.render.records import json_text
    from dpsql.workload import plan_workload

    loaded = load(policy)
    found = plan_workload(
        loaded, text, epsilon=_epsilon(epsilon), delta=_delta(delta, loaded), dialect=dialect
    )
    if not found.statements:
        raise click.UsageError(f"{file} holds no statement")
    if form == "json":
        output.text([json_text(to_json(found))])
    else:
        output.text(map(output.style.symbols, in_words(found, file, output.style)))
    return REFUSED if any(one.code for one in found.statements) else 0


def _epsilon(text: str) -> Fraction:
    from dpsql.core.numbers import read_epsilon
    from dpsql.errors import InvalidQuery

    try:
        return read_epsilon(text)
    except InvalidQuery as problem:
        raise wrong_option("--epsilon", problem, "write a positive decimal number such as 3")


def _delta(text: str | None, policy: Policy) -> Fraction:
    from dpsql.core.numbers import read_delta
    from dpsql.errors import InvalidQuery

    if text is None:
        budgets = policy.budgets
        named = budgets.default or next(iter(budgets.analysts.values()), None) or budgets.total
        if named is None:
            raise click.UsageError("the policy names no budget to take δ from: add --delta 1e-6")
        return named.delta
    try:
        return read_delta(text)
    except InvalidQuery as problem:
        raise wrong_option("--delta", problem, "write a small positive number such as 1e-6")


def to_json(plan: WorkloadPlan) -> dict[str, object]:
    """Plain values under keys that stay."""
    return {
        "budget": {"epsilon": float(plan.epsilon), "delta": float(plan.delta)},
        "statements": [
            {
                "line": one.line,
                "sql": one.sql,
                "releases": one.releases,
                "paid_releases": one.new,
                "own_price": one.own_price,
                "error": None if one.code is None else {"code": one.code, "message": one.message},
            }
            for one in plan.statements
        ],
        "releases": plan.releases,
        "epsilon_by_adding_up": None if plan.added_up is None else float(plan.added_up),
        "equal": _price_json(plan.equal),
        "usual": _price_json(plan.usual),
    }


def _price_json(price: Price | None) -> dict[str, object] | None:
    if price is None:
        return None
    return {
        "epsilon": float(price.epsilon),
        "delta": float(price.delta),
        "rounds": price.rounds,
        "further_statements": price.further,
        "share": price.share,
        "expected": [[one.to_dict() for one in statement] for statement in price.expected],
    }


def in_words(plan: WorkloadPlan, file: str, style: Style) -> Iterator[str]:
    """The workload, the budget, then both prices with the error bars of every statement."""
    from dpsql.render.numbers import amount, count
    from dpsql.render.text import pairs, printable

    refused = sum(one.code is not None for one in plan.statements)
    free = sum(one.code is None and one.releases > 0 and not one.new for one in plan.statements)
    public = sum(one.code is None and one.releases == 0 for one in plan.statements)
    told = [count(len(plan.statements), "statement")]
    told += [f"{free} free: repeats"] if free else []
    told += [f"{public} free: public tables alone"] if public else []
    told += [f"{refused} would be refused"] if refused else []
    told += [f"{plan.releases} to pay for"]
    yield from pairs(
        [
            ("workload", f"{printable(file)}: {', '.join(told)}"),
            ("budget", f"ε = {amount(plan.epsilon)}, δ = {amount(plan.delta)}, nothing spent"),
            ("all once", _all_once(plan)),
            ("usual price", _usual(plan)),
        ]
    )
    for number, one in enumerate(plan.statements, 1):
        yield ""
        yield from _statement(number, one, plan, style)


def _all_once(plan: WorkloadPlan) -> str:
    from dpsql.render.numbers import amount, percent

    if not plan.releases:
        return "free: nothing is to be paid for"
    if plan.equal is None:
        return "not at any price: what statements name in OPTIONS is above the budget"
    price, added = plan.equal, plan.added_up
    text = f"ε = {amount(price.epsilon)}, δ = {amount(price.delta)} for each"
    text += f"; takes {percent(price.share)}"
    if added is not None and price.epsilon > added * Fraction(101, 100):
        text += f" (adding up would allow ε = {amount(float(f'{float(added):.3g}'))})"
    return text


def _usual(plan: WorkloadPlan) -> str:
    from dpsql.render.numbers import amount, count
    from dpsql.report import MAX_QUERIES

    if plan.usual is None:
        return "the policy names none" if plan.releases else "free"
    price = plan.usual
    start = f"ε = {amount(price.epsilon)}, δ = {amount(price.delta)}: "
    if price.rounds >= MAX_QUERIES:
        return f"{start}at least {MAX_QUERIES:,} rounds of such statements"
    rounds = f"{count(price.rounds, 'round')} of such statements"
    if not price.rounds:
        first = f"the first {price.further} do" if price.further else "not even the first does"
        return f"{start}not all of them fit, {first}"
    return start + rounds + (f", and {price.further} of one more" if price.further else "")


def _statement(number: int, one: Statement, plan: WorkloadPlan, style: Style) -> Iterator[str]:
    from dpsql.render.text import printable, shortened

    width = style.width if style.interactive else 100
    yield style.paint(shortened(f"{number}. {one.sql}", width, style.symbols("…")), "bold")
    if one.code is not None:
        reason = printable((one.message or "").split("\n")[0])
        yield f"   refused [{one.code}]: {reason} (line {one.line})"
        return
    if not one.releases:
        yield "   free: public tables alone"
    elif not one.new:
        yield "   free: a repeat of what is paid for above"
    at = {
        "its own price" if one.own_price else f"ε = {float(price.epsilon):.6g}": price.expected[
            number - 1
        ]
        for price in (plan.equal, plan.usual)
        if price is not None
    }
    yield from (f"   {line}" for line in _errors(at))


def _errors(at: Mapping[str, Sequence[Expected]]) -> Iterator[str]:
    """One line a column: its half-width at each price."""
    from dpsql.render.text import printable, shortened
    from dpsql.wording import number

    for columns in zip(*at.values(), strict=True):
        told = []
        for price, one in zip(at, columns, strict=True):
            bar = "no use" if one.half_width is None else f"± {number(one.half_width)}"
            rows = "" if one.rows is None else f" for {one.rows:,} rows"
            told.append(f"{bar}{rows} at {price}")
        yield f"{shortened(printable(columns[0].aggregate), 40)}: {', '.join(told)}"
