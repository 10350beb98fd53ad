"""Answers and budgets in words: the grid of an answer, its footer, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from dpsql.accuracy.words import first, target
from dpsql.answer import Answer
from dpsql.core.numbers import two_digits
from dpsql.error_bars import ClippedShare, ColumnReport, centred, without_bars
from dpsql.policy.schema import Policy
from dpsql.render.bars import Bars, legend
from dpsql.render.numbers import amount, count, percent
from dpsql.render.records import JsonText
from dpsql.render.table import Grid
from dpsql.report import MAX_QUERIES, BudgetReport, PrivacyReport, TotalReport
from dpsql.rows import AllRows, Row
from dpsql.wording import number

if TYPE_CHECKING:
    import pyarrow as pa


def answer_grid(answer: Answer, *, bars: bool = True) -> Grid:
    """Names, rows as Python values, and 95 % intervals (without `bars` none)."""
    found = bars_of(answer.table, answer.privacy.columns) if bars else []
    return Grid(answer.names, AllRows(answer.table, answer.types), found)


def bars_of(table: pa.Table, reports: Sequence[ColumnReport]) -> list[Bars | None]:
    """The intervals of each column, and whether `±` may be said of them."""
    return [
        None
        if (found := one.intervals) is None
        else Bars(found, centred(table.column(at), one), empty=without_bars(one))
        for at, one in enumerate(reports)
    ]


def record_grid(table: pa.Table, types: Sequence[str]) -> Grid:
    """For csv, json and jsonl: what the engine calls JSON is more than text there."""
    rows = _JsonRows(table, types) if "JSON" in types else AllRows(table, types)
    return Grid(table.column_names, rows)


class _JsonRows(AllRows):
    def __init__(self, table: pa.Table, types: Sequence[str]) -> None:
        super().__init__(table, types)
        self._json = [kind == "JSON" for kind in types]

    def __iter__(self) -> Iterator[Row]:
        for row in super().__iter__():
            yield tuple(
                JsonText(value) if json and value is not None else value
                for value, json in zip(row, self._json, strict=True)
            )


def footer(answer: Answer, policy: Policy, *, shown: bool = True) -> str:
    """Rows, cost and what is left, on one line or two. `shown`: error bars stand in the table."""
    privacy = answer.privacy
    rows = count(answer.table.num_rows, "row")
    if privacy.remaining is None:
        return f"{rows} · free: public tables alone"
    signs = legend(bars_of(answer.table, privacy.columns)) if shown else ""
    first = f"{rows} · {cost(privacy)}" + (f" · {signs}" if signs else "")
    return "\n".join([first, *_remarks(privacy, policy.unit), left(privacy.remaining, policy)])


def _remarks(privacy: PrivacyReport, unit: str) -> list[str]:
    """What a table cannot show: numbers without a bar, groups that were too small to appear."""
    remarks = [f"the guarantee {one}" for one in privacy.resting]
    remarks += [*dict.fromkeys(map(target, privacy.targets))]
    remarks += [] if privacy.first is None else [first(privacy.first)]
    computed = [column.name for column in privacy.columns if column.computed]
    if computed:
        remarks.append(f"no error bar for {', '.join(computed)}: computed from noisy values")
    if (totals := _totals(privacy)) is not None:
        remarks.append(totals)
    if any(one.extremes for one in privacy.releases):
        remarks.append("MIN and MAX are approximate: some rows inside the ends, without error bars")
    remarks += [f"bars leave out clipping: {_clipped(one)}" for one in clipped_shares(privacy)]
    if any(one.capped for one in privacy.releases):
        remarks.append(
            f"COUNT(DISTINCT ...) is a lower bound where a {unit} has more values than count"
        )
    remarks += dict.fromkeys(text for one in privacy.releases for text in one.lowered)
    remarks += _found(privacy, unit)
    needed = [r.key_threshold for r in privacy.releases if r.key_threshold is not None]
    if needed:
        remarks.append(
            f"groups of fewer than about {max(needed)} are mostly withheld: their keys are private"
        )
    return remarks


def _found(privacy: PrivacyReport, unit: str) -> list[str]:
    """Bounds that were found, and whom they cut; where these may be too many, that comes first."""
    told: list[str] = []
    for one in privacy.releases:
        listed = ", ".join(bound.text for bound in one.bounds_found)
        if listed and one.barless:
            enough = two_digits(max(bound.enough for bound in one.bounds_found))
            barless = [c.name for c in privacy.columns if c.low is not None and without_bars(c)]
            told.append(
                f"no error bar for {', '.join(barless) or 'what was bounded so'}: the bounds found"
                f" may be far too low, and cut many {unit}s: {listed}. At this price it takes about"
                f" {enough:,} {unit}s or more: ask at a larger ε, or give the range"
            )
    kept = {
        bound.text: None
        for one in privacy.releases
        if not one.barless
        for bound in one.bounds_found
        if not any(bound.text in text for text in told)
    }
    if kept:
        told.append(f"bounds found: {', '.join(kept)}; what they cut off is in no error bar")
    return told


def clipped_shares(privacy: PrivacyReport) -> list[ClippedShare]:
    return [share for one in privacy.releases for share in one.clipped]


def _clipped(one: ClippedShare) -> str:
    """`about 3.1 % of the rows have income outside 0 to 100000 [2.2 %, 4 %]`."""
    if one.share is None:
        return f"the noise leaves no rows to tell how many have {one.label}"
    low, share, high = (f"{100 * part:.2g} %" for part in (one.low, one.share, one.high))
    return f"about {share} of the rows have {one.label} [{low}, {high}]"


def _totals(privacy: PrivacyReport) -> str | None:
    """The gain of reconciling, where it is largest."""
    told = privacy.reconciled
    gains = [
        (one.after / one.before, one.column, one.before, one.after)
        for one in told
        if one.before and one.after is not None
    ]
    if not gains:
        return None
    _, column, before, after = min(gains)
    text = f"totals add up: {column} ± {number(after)} instead of ± {number(before)}"
    if any(one.nonnegative for one in told):
        text += "; counts are held at 0 or above, which is biased"
    resting = list(dict.fromkeys(key for one in told for key in one.resting))
    if resting:
        text += f"; the policy's values of {', '.join(resting)} are taken to be all"
    return text


def cost(privacy: PrivacyReport) -> str:
    """What this execution charged, and which earlier release helped."""
    if privacy.free:
        better = [one.answering for one in privacy.releases if one.answering.by == "tighter"]
        if not better:
            return "free: a repeat of what was paid for"
        told = sorted({f"ε = {amount(a.epsilon)} (entry {a.entries[-1]})" for a in better})
        return f"free: answered by what was paid for at {', '.join(told)}"
    text = f"cost ε = {amount(privacy.epsilon)}, δ = {amount(privacy.delta)}"
    means = [one for one in privacy.releases if one.answering.by == "mean"]
    if means:
        full = sum((one.epsilon - one.answering.charged_epsilon for one in means), Fraction(0))
        entries = sorted({entry for one in means for entry in one.answering.entries[:-1]})
        which = f"entr{'y' if len(entries) == 1 else 'ies'} {', '.join(map(str, entries))}"
        text += f" in place of ε = {amount(privacy.epsilon + full)}: averaged with {which}"
    return text


def left(report: BudgetReport, policy: Policy) -> str:
    """`left 80 % of alice's ε = 5 (4 more queries at ε = 1)`, and the δ for private keys.

    Where all analysts together have less left, that is said: it decides.
    """
    whose = report.budget.partition(":")[2] or report.budget
    text = f"left {percent(1 - report.share)} of {whose}'s ε = {amount(report.epsilon)}"
    more = more_queries(report, policy)
    if more:
        text += f" ({more})"
    if report.selection_share > 0:
        text += f" and {percent(1 - report.selection_share)} of the δ for private keys"
    if report.total_binds and report.total is not None:
        text += f"; the total binds: {left_of_total(report.total)}"
    return text


def left_of_total(total: TotalReport) -> str:
    """`5 % of all analysts' ε = 20 are left`."""
    return f"{percent(1 - total.share)} of all analysts' ε = {amount(total.epsilon)} are left"


def more_queries(report: BudgetReport, policy: Policy) -> str:
    """`4 more queries at ε = 1`, the policy's usual price; empty where it names none."""
    usual = policy.budgets.per_query.epsilon
    if report.queries is None or usual is None:
        return ""
    at_least = "at least " if report.queries >= MAX_QUERIES else ""
    number = count(report.queries, "more query").replace("querys", "queries")
    return f"{at_least}{number} at ε = {amount(usual)}"
