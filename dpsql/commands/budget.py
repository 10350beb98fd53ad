"""`dpsql budget`: what an analyst has, has spent and has left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dpsql.commands.budget_plan import plan
from dpsql.commands.grant import command as grant
from dpsql.commands.options import analyst_option, format_option, policy_option
from dpsql.commands.output import Output, grid_lines, record_grid
from dpsql.commands.words import Commands

if TYPE_CHECKING:
    from dpsql.history.spending import LastQuery, Spending
    from dpsql.policy import Policy
    from dpsql.render.terminal import Style
    from dpsql.report import BudgetReport


class DefaultShow(Commands):
    """`dpsql budget` and `dpsql budget --format json` mean `dpsql budget show ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else None
        if first is None or (first.startswith("-") and first not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("budget", cls=DefaultShow)
def command() -> None:
    """Show what an analyst's budget is and what is left of it; grant more.

    `dpsql budget` alone is `dpsql budget show`.

    \b
    Example:
      dpsql budget --analyst grace
      dpsql budget show --analyst grace --format json
      dpsql budget grant grace --epsilon 2 --why "second study"
    """


command.add_command(plan)
command.add_command(grant)


@command.command("show")
@analyst_option
@policy_option
@format_option()
def show(analyst: str, policy: str, form: str) -> None:
    """Show the budget, what is spent and what is left, and draw the spending over time.

    The json has the members analyst, budget, spent, share (the part that is used),
    remaining_queries (how many more fit at the policy's usual price, this budget and the total of
    all analysts), binding_budget (which of the two leaves less), total, last_query (the newest one,
    and how many more of its price fit) and history (times of charges, and the share used then).
    Of a budget that refreshes, they are of the present window.

    \b
    Example:
      dpsql budget show --analyst grace
    """
    from dpsql.policy import load
    from dpsql.reader import budget_and_past
    from dpsql.render.records import json_text

    output = Output(None, binary=False)
    style = output.style
    loaded = load(policy)
    report, past = budget_and_past(loaded, analyst)
    if form in ("json", "jsonl"):
        last = None if past.last is None else past.last.to_json()
        more = {"last_query": last, "history": past.to_json()}
        output.text([json_text({**report.to_json(), **more})])
        return
    if form != "table":
        flat = {
            "analyst": report.analyst,
            "budget": report.budget,
            "epsilon": float(report.epsilon),
            "delta": float(report.delta),
            "spent_epsilon": report.spent,
            "share": report.share,
            "delta_share": report.selection_share,
            "remaining_queries": report.queries,
            "binding_budget": report.binds,
            "total_share": None if report.total is None else report.total.share,
            "window": None if report.window is None else str(report.window),
            "next_window": None if report.window is None else report.window.next_start,
        }
        output.text(grid_lines(record_grid(list(flat), [flat]), form, style))
        return
    output.text(in_words(report, loaded, style, past))


def in_words(
    report: BudgetReport, policy: Policy, style: Style, past: Spending | None = None
) -> Iterator[str]:
    """The budget, a bar of what is used, how many more queries fit, and its past drawn."""
    from dpsql.render.answers import more_queries
    from dpsql.render.chart import Bar, draw
    from dpsql.render.numbers import amount, percent
    from dpsql.render.text import pairs

    (bar,) = draw([Bar(report.share, 0.0, 1.0)], min(42, max(10, style.width - 24)), style)
    last = None if past is None else past.last
    lines = pairs(
        [
            ("analyst", report.analyst),
            ("budget", f"{report.budget}  ε = {amount(report.epsilon)}, "
             f"δ = {amount(report.delta)}"),
            *_granted(report),
            *_window(report),
            ("used", f"{percent(report.share):>5}  {bar}"),
            ("private keys", f"{percent(report.selection_share):>5}  of their half of δ"),
            *_total(report),
            ("left", more_queries(report, policy) or percent(1 - report.share)),
            *_binds(report),
            *([] if last is None else [("", _like(last, style))]),
        ]
    )  # fmt: skip
    yield from (style.symbols(line) for line in lines)
    if past is not None:
        yield from _over_time(past, style)


def _like(last: LastQuery, style: Style) -> str:
    """`9 more like the last one (ε = 0.5): SELECT ...`; a repeat of it is free anyway."""
    from dpsql.render.numbers import amount
    from dpsql.render.text import shortened
    from dpsql.report import MAX_QUERIES

    number = f"at least {last.more:,}" if last.more >= MAX_QUERIES else f"{last.more:,}"
    text = f"{number} more like the last one (ε = {amount(last.epsilon)})"
    room = style.width - len(text) - 17
    if room < 16:
        return text
    return f"{text}: {shortened(last.sql, room, style.symbols('…'))}"


def _over_time(past: Spending, style: Style) -> Iterator[str]:
    from dpsql.history.filters import moment
    from dpsql.render.timeline import draw_shares

    if len(past.shares) < 2:
        return
    start, end = (moment(past.shares[place][0]) for place in (0, -1))
    pattern = "%Y-%m-%d" if start.date() != end.date() else "%Y-%m-%d %H:%M:%S"
    drawn = list(draw_shares(past.shares, (f"{start:{pattern}}", f"{end:{pattern}}"), style))
    if drawn:
        yield ""
        yield "used over time (UTC)"
        yield from drawn


def _total(report: BudgetReport) -> list[tuple[str, str]]:
    """What all analysts together have used, where the policy bounds it."""
    from dpsql.render.numbers import amount, percent

    if report.total is None:
        return []
    whole = report.total
    bound = f"ε = {amount(whole.epsilon)}, δ = {amount(whole.delta)}"
    return [("total", f"{percent(whole.share):>5}  used of {bound} for all analysts together")]


def _binds(report: BudgetReport) -> list[tuple[str, str]]:
    """Whose budget decides what is left, where it is not the analyst's own."""
    from dpsql.render.answers import left_of_total

    if report.total is None or not report.total_binds:
        return []
    return [("", f"the total binds: {left_of_total(report.total)}")]


def _granted(report: BudgetReport) -> list[tuple[str, str]]:
    from dpsql.render.numbers import amount

    epsilon, delta = report.granted
    if not epsilon and not delta:
        return []
    parts = [f"ε {amount(epsilon)}"] if epsilon else []
    parts += [f"δ {amount(delta)}"] if delta else []
    return [("granted", f"{', '.join(parts)} of it, on top of the policy")]


def _window(report: BudgetReport) -> list[tuple[str, str]]:
    if report.window is None:
        return []
    now = report.window
    return [("window", f"{now.shown} ({now.refresh}), the next begins {now.next_start}")]
