"""`dpsql budget`: what an analyst has, has spent and has left."""

from __future__ import annotations

import click

from dpsql.commands.options import analyst_option, format_option, policy_option
from dpsql.commands.output import Output, grid_lines, record_grid
from dpsql.commands.words import Commands


class DefaultShow(Commands):
    """`dpsql budget` and `dpsql budget --format json` mean `dpsql budget show ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else None
        if first is None or (first.startswith("-") and first not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("budget", cls=DefaultShow)
def command() -> None:
    """Show what an analyst's budget is, and what is left of it.

    `dpsql budget` alone is `dpsql budget show`.

    \b
    Example:
      dpsql budget --analyst grace
      dpsql budget show --analyst grace --format json
    """


@command.command("show")
@analyst_option
@policy_option
@format_option()
def show(analyst: str, policy: str, form: str) -> None:
    """Show the budget, what is spent and what is left.

    The json has the members analyst, budget, spent, share (the part that is used) and
    remaining_queries (how many more fit at the policy's usual price).

    \b
    Example:
      dpsql budget show --analyst grace
    """
    from dpsql.policy import load
    from dpsql.reader import budget_of
    from dpsql.render.answers import more_queries
    from dpsql.render.chart import Bar, draw
    from dpsql.render.numbers import amount, percent
    from dpsql.render.records import json_text
    from dpsql.render.text import pairs

    output = Output(None, binary=False)
    style = output.style
    loaded = load(policy)
    report = budget_of(loaded, analyst)
    if form in ("json", "jsonl"):
        output.text([json_text(report.to_json())])
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
        }
        output.text(grid_lines(record_grid(list(flat), [flat]), form, style))
        return
    (bar,) = draw([Bar(report.share, 0.0, 1.0)], 42, style)
    lines = pairs(
        [
            ("analyst", report.analyst),
            ("budget", f"{report.budget}  ε = {amount(report.epsilon)}, "
             f"δ = {amount(report.delta)}"),
            ("used", f"{percent(report.share):>5}  {bar}"),
            ("private keys", f"{percent(report.selection_share):>5}  of their half of δ"),
            ("left", more_queries(report, loaded) or percent(1 - report.share)),
        ]
    )  # fmt: skip
    output.text(style.symbols(line) for line in lines)
