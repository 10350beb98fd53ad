"""The parts of the page, each from the summary alone. Every picture has its numbers beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from dpsql.accountant.odometer import odometer, selection_share, share
from dpsql.history.filters import moment
from dpsql.history.summary import BudgetHistory, Collusion, Summary
from dpsql.ledger import Report
from dpsql.ledger.refusals import Refusal
from dpsql.page.charts import bar, curve
from dpsql.page.html import Child, Markup, joined, tag
from dpsql.render.numbers import amount, count, percent

MOST = 60
"""Rows of a list that are shown; what is left out is said."""
SQL_CHARACTERS = 1_500
TIMES = ("time (UTC)", "last day (UTC)")
_TOLD = 1e6


def verification(report: Report, against: str | None) -> Markup:
    """The verdict on the chain, and what it does not show."""
    if report.ok:
        said = tag("p", "Every link, every price and every budget was recomputed from the entries.")
        head = "✓ The ledger verifies"
        found: Child = None
    else:
        problems = count(len(report.problems), "problem")
        head = f"✗ The ledger does not verify: {problems}"
        said = tag("p", "Do not rely on the figures below until this is explained.")
        shown = report.problems[:MOST]
        more = len(report.problems) - len(shown)
        lines = [tag("li", problem) for problem in shown]
        found = tag("ul", lines, tag("li", f"and {more:,} more") if more else None)
    if not report.ok:
        kept = ""
    elif against is not None:
        kept = " It continues the head that was kept elsewhere."
    else:
        kept = (
            " Cut-off newest entries, or a ledger rewritten as a whole, show only against a head"
            " kept elsewhere: keep this one."
        )
    return tag(
        "section",
        tag("h2", head),
        said,
        found,
        tag("p", f"{report.entries:,} entries.{kept}"),
        tag("p", "Head ", tag("code", f"{report.seq}:{report.head}"), class_="small"),
        _open_charges(report),
        class_="good" if report.ok else "bad",
    )


def _open_charges(report: Report) -> Markup | None:
    if not report.open_charges:
        return None
    numbers = ", ".join(map(str, report.open_entries[:20]))
    more = ", …" if report.open_charges > 20 else ""
    if report.open_charges == 1:
        return tag("p", f"One charge has no outcome, and stands all the same: entry {numbers}.")
    told = f"{report.open_charges:,} charges have no outcome, and stand all the same: entries"
    return tag("p", f"{told} {numbers}{more}.")


def tiles(summary: Summary) -> Markup:
    """The whole in a few numbers."""
    own = sum(one.account.holder != "total" for one in summary.budgets.values())
    refused = sum(one.times for one in summary.refusals)
    found = [
        ("queries charged", f"{summary.charges:,}"),
        ("budgets, besides the total", f"{own:,}"),
        ("analysts who were charged", f"{len(summary.analysts):,}"),
        ("tables asked about", f"{len(summary.tables):,}"),
        ("refusals counted", f"{refused:,}"),
    ]
    return tag(
        "dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in found],
        class_="tiles",
    )  # fmt: skip


def together(worst: Collusion) -> Markup:
    """What all analysts could know if they put all answers together."""
    promise: Child
    if worst.limit is not None:
        promise = (
            "The total budget promises that this never exceeds ",
            _pair(amount(worst.limit[0]), amount(worst.limit[1])),
            ", whoever asks what: no query is answered beyond it.",
        )
    else:
        promise = (
            "The ledger has no total budget: the budgets of all were added up, and nothing but"
            " the number of budgets bounds how far this can grow."
        )
    told = _pair(_up(worst.epsilon), amount(worst.delta))
    return tag(
        "section",
        tag("h2", "Worst case, if all analysts collude"),
        tag("p", "All answers so far, put together: differential privacy with ", told, "."),
        tag("p", _odds(worst.epsilon, worst.delta)),
        tag("p", promise),
    )


def _pair(epsilon: str, delta: str) -> Markup:
    return joined(whole(f"ε = {epsilon}"), ", ", whole(f"δ = {delta}"))


def whole(text: str) -> Markup:
    """Text that no line breaks."""
    return tag("span", text, class_="whole")


def _odds(epsilon: float, delta: Fraction) -> str:
    """The same in plain words."""
    if epsilon == 0:
        return "In plain words: nothing about anybody has been answered."
    factor = math.exp(epsilon) if epsilon < 700 else math.inf
    times = "more than a million" if factor > _TOLD else f"at most {_up(factor)}"
    chance = f"1 in {math.floor(1 / delta):,}" if delta > 0 else "none"
    return (
        "In plain words: whatever somebody suspects about one person, all these answers change"
        f" the odds of it by a factor of {times}, but for a chance of {chance}."
    )


def over_time(summary: Summary) -> Markup:
    """A small curve for each budget, all on one axis of time, the fullest first."""
    start, end = summary.first or 0, summary.last or 0
    ranked = _ranked(summary)
    figures = [_figure(history, start, end) for _, history in ranked[:MOST]]
    return tag(
        "section",
        tag("h2", "Spending over time"),
        tag(
            "p",
            "Each picture is one budget: the part of its ε that was used by then. The dashed line"
            " is all of it, beyond which queries are refused. All run from ",
            whole(_day(start)),
            " to ",
            whole(_day(end)),
            ".",
        )
        if figures
        else tag("p", "No budget has been opened yet."),
        tag("div", figures, class_="curves"),
        _left_out(len(ranked), "budget"),
    )


def _ranked(summary: Summary) -> list[tuple[float, BudgetHistory]]:
    """Budgets with the share that is used: the total first, then the fullest."""
    found = [(share(one.account.terms, one.account.spent), one) for one in summary.budgets.values()]
    return sorted(found, key=lambda pair: (pair[1].account.holder != "total", -pair[0]))


def _figure(history: BudgetHistory, start: int, end: int) -> Markup:
    account, points = history.account, history.curve.shares()
    used = percent(points[-1][1])
    told = f"{account.name}: {used} of ε = {amount(account.terms.epsilon)} used by {_day(end)}"
    rows = [(f"{moment(time):%Y-%m-%d %H:%M}", percent(value)) for time, value in reversed(points)]
    return tag(
        "figure",
        tag("figcaption", tag("h3", _whose(account.name)), tag("b", f"{used} used")),
        curve(points, start, end, told),
        tag("div", tag("span", _day(start)), tag("span", _day(end)), class_="ends small soft"),
        tag(
            "details",
            tag("summary", "as a table"),
            table(("time (UTC)", "used"), rows, numbers=("used",)),
        ),
    )


def budgets(summary: Summary) -> Markup:
    """Every budget as it stands."""
    ranked = _ranked(summary)
    rows = []
    for used, history in ranked[:MOST]:
        account = history.account
        terms = account.terms
        rows.append(
            (
                _whose(account.name),
                bar(used),
                percent(used),
                f"{amount(terms.epsilon)}, {amount(terms.delta)}",
                _up(odometer(terms, account.spent)),
                percent(selection_share(terms, account.spent)),
                f"{history.charges:,}",
            )
        )
    names = ("budget", "", "ε used", "promised ε, δ", "ε so far", "δ for keys used", "queries")
    return tag(
        "section",
        tag("h2", "Budgets"),
        tag(
            "p",
            "“ε used” says how much of the budget is gone: at 100 % nothing more fits. “ε so far”"
            " is what its answers amount to together, at most; late queries add less to it than"
            " early ones. Analysts share a team's budget; every query is charged to the total too.",
            class_="soft small",
        ),
        table(names, rows, numbers=names[2:], graph=1),
        _left_out(len(ranked), "budget"),
    )


def tables(summary: Summary) -> Markup:
    """What was asked about."""
    ranked = sorted(summary.tables.items(), key=lambda pair: -pair[1].epsilon)
    most = max((use.epsilon for _, use in ranked), default=0.0)
    rows = [
        (name, bar(use.epsilon / most if most else 0.0), f"{use.charges:,}",
         f"{use.epsilon:.6g}", f"{len(use.analysts):,}")
        for name, use in ranked[:MOST]
    ]  # fmt: skip
    names = ("table", "", "queries", "ε asked, added up", "analysts")
    return tag(
        "section",
        tag("h2", "By table"),
        tag(
            "p",
            "Read from the text of each charged query. One that names two tables counts in both,"
            " in full. Prices added up exceed what they amount to together.",
            class_="soft small",
        ),
        table(names, rows, numbers=names[2:], graph=1) if rows else tag("p", "None yet."),
        _left_out(len(ranked), "table"),
    )


def refusals(found: Sequence[Refusal]) -> Markup:
    """What was refused, by analyst and code."""
    grouped: dict[tuple[str, str], list[Refusal]] = {}
    for one in found:
        grouped.setdefault((one.analyst, one.code), []).append(one)
    ranked = sorted(grouped.items(), key=lambda pair: -sum(one.times for one in pair[1]))
    rows = [
        (analyst, tag("code", code), f"{sum(one.times for one in ones):,}",
         max(one.day for one in ones), _sql(max(ones, key=lambda one: one.last).sql))
        for (analyst, code), ones in ranked[:MOST]
    ]  # fmt: skip
    names = ("analyst", "error code", "times", "last day (UTC)", "newest statement")
    return tag(
        "section",
        tag("h2", "Refusals"),
        tag(
            "p",
            "Refused queries cost nothing and are not entries of the chain: dpsql counts them"
            " beside it, by day, analyst and error code, and nothing proves the counts whole."
            " SQL that does not parse, and what dpsql explain was asked, is not counted.",
            class_="soft small",
        ),
        table(names, rows, numbers=("times",)) if rows else tag("p", "None counted."),
        _left_out(len(ranked), "row"),
    )


def largest(summary: Summary) -> Markup:
    """The dearest queries."""
    rows = [
        (str(one.entry), f"{moment(one.time):%Y-%m-%d %H:%M}", one.analyst,
         f"{amount(one.epsilon)}, {amount(one.delta)}", one.outcome, _sql(one.sql))
        for one in summary.largest
    ]  # fmt: skip
    names = ("entry", "time (UTC)", "analyst", "ε, δ", "outcome", "query")
    return tag(
        "section",
        tag("h2", "Largest queries"),
        table(names, rows, numbers=("entry", "ε, δ")) if rows else tag("p", "None yet."),
    )


def outcomes(summary: Summary) -> Markup:
    """How charges ended."""
    words = {
        "released": "answered",
        "failed": "the database failed",
        "timeout": "stopped by the time limit",
        "cancelled": "cancelled by the analyst",
        "forfeited": "the process died",
        "open": "no outcome so far",
    }
    rows = [
        (tag("code", name), words.get(name, ""), f"{number:,}")
        for name, number in summary.outcomes.most_common()
    ]
    return tag(
        "section",
        tag("h2", "How charges ended"),
        tag("p", "A charge stands, whatever became of it.", class_="soft small"),
        table(("outcome", "meaning", "charges"), rows, numbers=("charges",))
        if rows
        else tag("p", "None yet."),
    )


# ---- tables --------------------------------------------------------------------------------------


def table(
    names: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numbers: Sequence[str] = (),
    graph: int | None = None,
) -> Markup:
    """Rows under names; on a phone each cell has its name before it."""

    def kind(place: int, cell: Child = None) -> str | None:
        if place == graph:
            return "graph"
        if names[place] in numbers:
            return "number"
        if names[place] in TIMES:
            return "whole"
        return "sql" if _block(cell) else None

    head = [
        tag("th", name, scope="col", class_=kind(place)) if name else tag("td")
        for place, name in enumerate(names)
    ]
    body = [
        tag(
            "tr",
            [
                tag("td", cell if _block(cell) else tag("span", cell),
                    class_=kind(place, cell), data_label=names[place] or None)
                for place, cell in enumerate(row)
            ],
        )
        for row in rows
    ]  # fmt: skip
    return tag(
        "div", tag("table", tag("thead", tag("tr", head)), tag("tbody", body)), class_="wide"
    )


def _block(cell: Child) -> bool:
    """A picture or a statement, that takes the width there is."""
    return isinstance(cell, Markup) and cell.startswith(("<pre", "<svg"))


def _left_out(found: int, noun: str) -> Markup | None:
    if found <= MOST:
        return None
    return tag("p", f"{count(found - MOST, f'more {noun}')} not shown.", class_="soft small")


def _sql(text: str) -> Markup:
    cut = text if len(text) <= SQL_CHARACTERS else f"{text[:SQL_CHARACTERS]} …"
    return tag("pre", tag("bdi", cut))


def _whose(name: str) -> Markup:
    """`analyst:grace` as people say it."""
    kind, colon, who = name.partition(":")
    if not colon:
        return joined("all analysts together" if name == "total" else name)
    return joined(tag("bdi", who), tag("span", f" ({kind})", class_="soft"))


def _day(time: int) -> str:
    return f"{moment(time):%Y-%m-%d}"


def _up(value: float) -> str:
    """To three digits, never rounded down: it is said to be a bound."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unbounded"
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    raised = math.ceil(value / step - 1e-9) * step
    return f"{raised:,.0f}" if raised >= 1000 else f"{raised:.3g}"
