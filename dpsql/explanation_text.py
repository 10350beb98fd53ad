"""An explanation as lines of text: price, groups, bounds, columns, and what would be better."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from dpsql.accuracy.words import before_first, confidence, curve_lines, target
from dpsql.explanation import (
    BoundExplanation,
    ColumnExplanation,
    Explanation,
    Improvement,
    OtherLaw,
    PartExplanation,
    ReleaseExplanation,
    TotalsExplanation,
)
from dpsql.explanation_words import (
    INDENT,
    WIDTH,
    entry,
    listing,
    percent,
    priced,
    short_amount,
    short_name,
    short_number,
)
from dpsql.wording import number

_MOST = 4  # gains listed of one improvement
_MOST_TOTALS = 6
_APART = 0.1  # a share this far, in part, from ε over ε is explained


def render(explanation: Explanation, *, sql: bool) -> str:
    """Price and budget first, then each release."""
    lines = [*_head(explanation)]
    for one in explanation.resting:
        lines += entry("guarantee", str(one))
    for index, release in enumerate(explanation.releases, 1):
        lines.append("")
        lines += _release(release, index, explanation, sql)
    if explanation.totals is not None:
        lines += _totals(explanation.totals)
    return "\n".join(lines)


def _totals(totals: TotalsExplanation) -> Iterator[str]:
    """What adds up and what that gains; what does not, and why."""
    if totals.gains or totals.left:
        yield ""
    if totals.gains:
        gains = [
            f"{one.column} ± {number(one.after)} in place of ± {number(one.before)}"
            for one in totals.gains
            if one.before is not None and one.after is not None
        ]
        text = f"add up, by least squares, for nothing: {'; '.join(gains[:_MOST_TOTALS])}"
        if len(gains) > _MOST_TOTALS:
            text += f"; and {len(gains) - _MOST_TOTALS} more"
        yield from entry("totals", text)
        if any(one.nonnegative for one in totals.gains):
            yield from entry("", "counts are held at 0 or above, which is biased upwards")
        if resting := list(dict.fromkeys(key for one in totals.gains for key in one.resting)):
            yield from entry("", f"taking the policy's values of {listing(resting)} to be all")
    for why in totals.left:
        yield from entry("totals", why)


def _head(explanation: Explanation) -> Iterator[str]:
    if not explanation.releases:
        yield from entry("price", "nothing: no row of anybody is read")
        return
    price = priced(explanation.epsilon, explanation.delta)
    if len(explanation.releases) > 1:
        price += f", the sum of {len(explanation.releases)} releases"
    if explanation.at_most is not None:
        price += (
            " for a first look, then what the answer takes: at most"
            f" ε = {short_number(explanation.at_most)} in all"
        )
    yield from entry("price", price)
    whose = f"the budget {explanation.budget}"
    if not explanation.fits:
        yield from entry("budget", _refusal(explanation))
        return
    text = f"takes {percent(explanation.share)} of {whose}"
    text += f"; {percent(explanation.remaining)} would be left"
    if explanation.selection_after > explanation.selection_before:
        taken = explanation.selection_after - explanation.selection_before
        text += (
            f"; of the δ for private keys it takes {percent(taken)}"
            f" and leaves {percent(1 - explanation.selection_after)}"
        )
    yield from entry("budget", text)
    yield from _curves(explanation)


def _curves(explanation: Explanation) -> Iterator[str]:
    """Why the share is not the query's ε over the budget's, where it clearly is not."""
    whole = explanation.budget_epsilon
    alone = float(explanation.epsilon / whole) if whole else 0.0
    if abs(explanation.share - alone) > _APART * alone:
        laws = " and ".join(dict.fromkeys(one.mechanism for one in explanation.releases))
        yield from entry(
            "",
            f"(its ε is {percent(alone)} of the budget's ε: what adds up is not ε but the Rényi "
            f"curve of the noise, here {laws}; Laplace and Gaussian noise of one ε have different "
            "curves, and small prices take less than their part)",
        )


def _refusal(explanation: Explanation) -> str:
    """Which budget ran out, and when its next window begins."""
    lacking = explanation.lacking or explanation.budget
    whose = "the total budget of all analysts" if lacking == "total" else f"the budget {lacking}"
    window = explanation.window if lacking == explanation.budget else None
    during = "" if window is None else f" for {window.shown}"
    after = "" if window is None else f"; the next window begins {window.next_start}"
    return f"{whose}{during} does not cover it: it would be refused{after}"


def _release(
    release: ReleaseExplanation, index: int, explanation: Explanation, sql: bool
) -> Iterator[str]:
    count, unit = len(explanation.releases), explanation.unit
    if count > 1:
        yield f"release {index} of {count}: {priced(release.epsilon, release.delta)}"
    if release.reads:
        yield from entry("reads", _reads(release, sql))
    if not release.columns and not release.events:
        yield from entry("groups", "public values alone: nobody's row is read")
        return
    yield from entry("groups", _groups(release, unit))
    if said := [f"{key.name}: {key.origin}" for key in release.keys if key.origin]:
        yield from entry("values", "of " + "; of ".join(said))
    yield from entry(unit[: INDENT - 1], _contribution(release, unit))
    if release.lowered:
        yield from entry("lowered", "; ".join(release.lowered))
    if release.strategy != "row":
        yield from entry("method", f"{release.strategy}: {release.why}")
    if release.joined_late:
        yield from entry("joined", _late(release, unit))
    if release.kept is not None:
        yield from entry(
            "cells",
            f"the owner keeps those of {release.kept.name}: where they are up to date they are read"
            " in place of rows; answer, noise and price are the same",
        )
    if release.target is not None:
        told = target if not release.target.first else before_first
        yield from entry("target", told(release.target))
    for column in release.columns:
        yield ""
        yield from _column(column, release.parts)
    if release.threshold is not None:
        yield from _selection(release, unit)
    yield ""
    if release.division is not None:
        yield from entry("divided", release.division.why)
    if release.curve is not None and len(release.curve.points) > 1:
        sure = confidence(release.curve.confidence)
        yield from entry("prices", f"expected half-width at {sure}, by the ε of this release")
        aimed = release.target is not None and not release.target.first
        for line in curve_lines(release.curve, target=aimed):
            yield " " * (INDENT - 2) + line
        yield ""
    if release.other_law is not None:
        yield from entry("law", _law(release, release.other_law))
    yield from _better(release.improvements, unit)
    if sql:
        yield from _events(release)
        yield from entry("sql", "")
        yield textwrap.indent(release.sql, "  ")
        if release.kept is not None:
            yield from entry("or, of cells", "")
            yield textwrap.indent(release.kept.sql, "  ")


def _reads(release: ReleaseExplanation, sql: bool) -> str:
    """What feeds it. Its text, bounds and noise are the same whatever that gives."""
    listed = listing([f"release {number}" for number in release.reads])
    if any("automatic" in bound.sources for bound in release.bounds):
        finds = "finds" if len(release.reads) == 1 else "find"
        return f"the bounds that {listed} {finds}: cuts and noise follow them, the price does not"
    text = f"what {listed} gives, once it is drawn; bounds, groups, noise and price do not depend"
    return text + " on it" + ("; in the SQL it is $given_..." if sql else "")


def _late(release: ReleaseExplanation, unit: str) -> str:
    """Which joins the rows of a unit are spared, and why."""
    tables = listing(list(release.joined_late))
    one = "of it" if len(release.joined_late) == 1 else "of each"
    return (
        f"{tables} after each {unit}'s rows are aggregated: by enforced keys a {unit} meets one"
        f" row {one}, and only group keys read it"
    )


# ---- groups and bounds -----------------------------------------------------------------------


def _groups(release: ReleaseExplanation, unit: str) -> str:
    if not release.keys:
        return "none: one row"
    if release.threshold is not None:
        return (
            f"by {_private_keys(release)}: {release.threshold.words(unit)}; smaller ones are"
            " mostly left out"
        )
    listed = ", ".join(f"{key.name} ({key.groups:,} values)" for key in release.keys)
    text = f"by {listed}, public: all {release.groups:,} groups are shown, empty ones too"
    if release.min_units > 1:
        text += f", where the noisy number of {unit}s is at least {release.min_units:,}"
    return text


def _private_keys(release: ReleaseExplanation) -> str:
    """The keys, and which of them makes all of them private."""
    unknown = [key.name for key in release.keys if not key.known]
    listed = listing([key.name for key in release.keys])
    if not unknown:
        return f"{listed}, too many combinations to show all"
    if len(release.keys) == 1:
        return f"{listed}, a private key (there is no public list of its values)"
    return f"{listed}, private keys (there is no public list of the values of {listing(unknown)})"


def _contribution(release: ReleaseExplanation, unit: str) -> str:
    if release.strategy == "row":
        return f"each {unit} counts once: {release.why}"
    bounds = {bound.name: bound for bound in release.bounds}
    groups, rows = bounds["max_groups"], bounds["max_rows_per_group"]
    text = f"each {unit} counts with at most {_counted(rows, 'row')}"
    if release.keys:
        text = (
            f"each {unit} counts in at most {_counted(groups, 'group')}, and with at most"
            f" {_counted(rows, 'row')} in each"
        )
    total = bounds.get("max_rows_per_unit")
    return text if total is None else f"{text}; with at most {_counted(total, 'row')} in all"


def _counted(bound: BoundExplanation, noun: str) -> str:
    return f"{bound.shown} {noun}{'' if bound.value == 1 else 's'} ({bound.origin})"


# ---- columns ---------------------------------------------------------------------------------


def _column(column: ColumnExplanation, parts: Sequence[PartExplanation]) -> Iterator[str]:
    # A column without an alias is called like its aggregate: `sum(amount)`.
    aliases = [name for name in column.shown_as if "(" not in name]
    hidden = "" if column.shown_as else " (not shown, used by the query)"
    title = column.aggregate + (f" in {', '.join(aliases)}" if aliases else hidden)
    yield from textwrap.wrap(title, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    yield from entry("  error", _expected(column))
    yield from entry("  noise", _noise(column))
    if column.range is not None:
        yield from entry(
            "  range", f"values are cut to {column.range.shown}: {column.range.origin}"
        )
    part = parts[column.part]
    shared = [name for name in part.columns if name != column.aggregate]
    text = _share(part)
    if shared:
        text += f", shared with {listing(shared)}"
    yield from entry("  share", text)


def _expected(column: ColumnExplanation) -> str:
    if column.half_width is not None:
        text = f"± {number(column.half_width)} expected (95 % half-width)"
    elif not column.half_widths:
        return column.note
    else:
        listed = ", ".join(
            f"{_bar(half, column)} for {rows:,} rows" for rows, half in column.half_widths
        )
        text = f"expected (95 % half-width) {listed}"
    return f"{text}; {column.note}" if column.note else text


def _bar(half: float | None, column: ColumnExplanation) -> str:
    """A mean's bar that covers most of the range of its values says nothing."""
    average = column.aggregate.upper().startswith("AVG(")
    if average and half is not None and column.range is not None:
        low, high = column.range.ends
        if half > 0.45 * (high - low):
            return "no use"
    return "no use" if half is None else f"± {number(half)}"


def _noise(column: ColumnExplanation) -> str:
    if column.scale is not None:
        return f"{column.mechanism} of scale {number(column.scale)}"
    if not column.noise:
        return column.mechanism
    sizes = " and ".join(
        number(sd) + ("" if part == "answer" else f" on its {part}")
        for part, sd in column.noise.items()
    )
    return f"{column.mechanism} of standard deviation {sizes}"


def _share(part: PartExplanation) -> str:
    return f"{percent(float(part.share))} of ε ({short_number(part.epsilon)})"


def _selection(release: ReleaseExplanation, unit: str) -> Iterator[str]:
    assert release.threshold is not None
    part = release.parts[-1]
    if any(column.part == len(release.parts) - 1 for column in release.columns):
        return  # told with the count that is read from it
    yield ""
    yield part.name
    yield from entry(
        "  noise", f"{release.threshold.mechanism} on the number of {unit}s, which is not shown"
    )
    yield from entry("  share", _share(part))


def _law(release: ReleaseExplanation, other: OtherLaw) -> str:
    halves = [
        f"{short_name(name)} ± {number(half)}" + ("" if rows is None else f" at {rows:,} rows")
        for name, rows, half in other.half_widths
        if half is not None
    ]
    if other.units is not None:
        halves.append(f"groups from about {other.units:,}")
    told = ", ".join(halves[:_MOST]) or "wider bars"
    return f"{release.mechanism}, for the smaller error; {other.mechanism} would give {told}"


# ---- what would be better --------------------------------------------------------------------


def _better(improvements: Sequence[Improvement], unit: str) -> Iterator[str]:
    for place, one in enumerate(improvements, 1):
        text = f"{place}. {one.text}: {_gains(one, unit)}"
        if one.caution:
            text += f" ({one.caution})"
        yield from entry("better" if place == 1 else "", text, hang=3)


def _gains(one: Improvement, unit: str) -> str:
    found = []
    if one.units_before is not None and one.units_after is None:
        found.append("all groups are shown")
    elif one.units_before is not None and one.units_before != one.units_after:
        found.append(f"groups from about {one.units_after:,} {unit}s, not {one.units_before:,}")
    changed = [gain for gain in one.gains if abs(gain.after - gain.before) > 0.01 * gain.before]
    for gain in changed[:_MOST]:
        rows = "" if gain.rows is None else f" at {gain.rows:,} rows"
        bars = f"± {number(gain.after)} instead of {number(gain.before)}"
        found.append(f"{short_name(gain.aggregate)} {bars}{rows}")
    if len(changed) > _MOST:
        found.append(f"{len(changed) - _MOST} more columns likewise")
    if one.kind == "larger-epsilon" and one.share is not None:
        found.append(f"takes {percent(one.share)} of the budget")
    return "; ".join(found)


# ---- lines -----------------------------------------------------------------------------------


def _events(release: ReleaseExplanation) -> Iterator[str]:
    for place, (event, times) in enumerate(release.events):
        words = ", ".join(f"{k}={short_amount(v)}" for k, v in event.items() if k != "event")
        text = f"{event['event']}({words})" + (f" × {times:,}" if times > 1 else "")
        yield from entry("events" if place == 0 else "", text)
